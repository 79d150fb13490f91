//! How long what is kept.

use std::time::Duration;

use barograph_model::{Labels, Matcher};

use crate::tiers::Tier;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is kept of one tier. Whichever bound is passed first deletes its oldest partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// How long after its end a partition is deleted. `None`: never.
    pub age: Option<Duration>,
    /// What all of its files may take. `None`: what the disk has.
    pub bytes: Option<u64>,
}

/// Another age for some series. The first rule that matches a series and has an age for a tier
/// decides.
#[derive(Debug, Clone, PartialEq)]
pub struct KeepRule {
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    pub raw: Option<Duration>,
    pub minutes: Option<Duration>,
    pub hours: Option<Duration>,
}

/// What is kept of samples and of their buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retention {
    pub raw: Keep,
    pub minutes: Keep,
    pub hours: Keep,
    pub rules: Vec<KeepRule>,
}

impl Retention {
    /// Everything is kept.
    pub fn forever() -> Self {
        Self::default()
    }

    /// Samples for 30 days, minutes for a year, hours for ten.
    pub fn usual() -> Self {
        let age = |age| Keep { age: Some(age), bytes: None };
        Self {
            raw: age(30 * DAY),
            minutes: age(365 * DAY),
            hours: age(3653 * DAY),
            rules: Vec::new(),
        }
    }

    pub fn keep(&self, tier: Tier) -> Keep {
        match tier {
            Tier::Raw => self.raw,
            Tier::Minutes => self.minutes,
            Tier::Hours => self.hours,
        }
    }

    /// How long a series is kept in a tier, in milliseconds.
    fn age_of(&self, tier: Tier, labels: &Labels) -> Option<i64> {
        let matching = |rule: &&KeepRule| {
            rule.age(tier).is_some() && rule.matchers.iter().all(|one| one.matches(labels))
        };
        let rule = self.rules.iter().find(matching).and_then(|rule| rule.age(tier));
        rule.or(self.keep(tier).age).map(millis)
    }

    /// All ages that there are in a tier; the last is `i64::MAX` where something is kept forever.
    pub(crate) fn ages(&self, tier: Tier) -> Vec<i64> {
        let base = self.keep(tier).age.map_or(i64::MAX, millis);
        let rules = self.rules.iter().filter_map(|rule| rule.age(tier)).map(millis);
        let mut ages: Vec<i64> = rules.chain([base]).collect();
        ages.sort_unstable();
        ages.dedup();
        ages
    }

    /// Whether a tier keeps anything so old.
    pub(crate) fn keeps_any(&self, tier: Tier, old_ms: i64) -> bool {
        self.ages(tier).last().is_none_or(|age| old_ms < *age)
    }

    /// Whether a tier keeps a series so long.
    pub(crate) fn keeps(&self, tier: Tier, labels: &Labels, old_ms: i64) -> bool {
        self.age_of(tier, labels).is_none_or(|age| old_ms < age)
    }
}

impl KeepRule {
    fn age(&self, tier: Tier) -> Option<Duration> {
        match tier {
            Tier::Raw => self.raw,
            Tier::Minutes => self.minutes,
            Tier::Hours => self.hours,
        }
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_with_an_age_decides() {
        let rule = |name: &str, raw: Option<Duration>, hours: Option<Duration>| KeepRule {
            matchers: vec![Matcher::equal("__name__", name)],
            raw,
            minutes: None,
            hours,
        };
        let retention = Retention {
            rules: vec![rule("a", None, Some(DAY)), rule("a", Some(90 * DAY), Some(2 * DAY))],
            ..Retention::usual()
        };
        let day_ms = millis(DAY);
        let (a, b) = (Labels::metric("a").unwrap(), Labels::metric("b").unwrap());
        assert!(retention.keeps(Tier::Raw, &a, 89 * day_ms));
        assert!(!retention.keeps(Tier::Raw, &a, 90 * day_ms));
        assert!(!retention.keeps(Tier::Raw, &b, 30 * day_ms));
        assert!(!retention.keeps(Tier::Hours, &a, day_ms));
        assert!(retention.keeps(Tier::Minutes, &a, 364 * day_ms));
        assert_eq!(retention.ages(Tier::Raw), [30 * day_ms, 90 * day_ms]);
        assert!(retention.keeps_any(Tier::Raw, 89 * day_ms));
        assert!(!retention.keeps_any(Tier::Raw, 90 * day_ms));
        assert!(Retention::forever().keeps_any(Tier::Raw, i64::MAX - 1));
    }
}
