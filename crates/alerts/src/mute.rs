//! When alerts are not told: silences, which somebody makes for once, and maintenance windows, which
//! come again in a time zone.

mod schedule;

use serde::{Deserialize, Serialize};

use crate::document::instant;
use crate::machine::Texts;
use crate::matchers::Matchers;

pub use schedule::{Schedule, ScheduleError};

/// Hides matching alerts for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    pub matchers: Matchers,
    /// Milliseconds since 1970 UTC.
    #[serde(rename = "from", with = "instant")]
    pub from_ms: i64,
    #[serde(rename = "to", with = "instant")]
    pub to_ms: i64,
    pub owner: String,
    pub reason: String,
    /// Ends by itself once none of the alerts that it hid fires any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_on_recovery: bool,
}

/// Hides matching alerts whenever its schedule says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub matchers: Matchers,
    pub schedule: Schedule,
    #[serde(default)]
    pub owner: String,
    #[serde(default)]
    pub reason: String,
}

/// Why a silence is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    #[error("it would hide every alert; name a label that it is about")]
    Everything,
    #[error("it ends before it begins")]
    Reversed,
    #[error("it has ended already")]
    Over,
    #[error("it lasts longer than {} days", Silence::MAX_DAYS)]
    Long,
    #[error("it names no owner")]
    NoOwner,
}

impl Silence {
    /// A silence for longer is a rule that should go.
    pub const MAX_DAYS: i64 = 366;

    /// # Errors
    /// It hides everything, has no sensible time, or nobody owns it.
    pub fn check(&self, now_ms: i64) -> Result<(), SilenceError> {
        match () {
            () if self.matchers.match_everything() => Err(SilenceError::Everything),
            () if self.to_ms <= self.from_ms => Err(SilenceError::Reversed),
            () if self.to_ms <= now_ms => Err(SilenceError::Over),
            () if self.to_ms.saturating_sub(self.from_ms) > Self::MAX_DAYS * 86_400_000 => {
                Err(SilenceError::Long)
            }
            () if self.owner.trim().is_empty() => Err(SilenceError::NoOwner),
            () => Ok(()),
        }
    }

    pub fn is_active(&self, at_ms: i64) -> bool {
        (self.from_ms..self.to_ms).contains(&at_ms)
    }

    pub fn hides(&self, labels: &Texts, at_ms: i64) -> bool {
        self.is_active(at_ms) && self.matchers.matches(labels)
    }
}

impl Window {
    pub fn hides(&self, labels: &Texts, at_ms: i64) -> bool {
        self.matchers.matches(labels) && self.schedule.is_open(at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(texts: &[&str]) -> Silence {
        Silence {
            matchers: Matchers::parse(texts).unwrap(),
            from_ms: 1000,
            to_ms: 2000,
            owner: "anna".to_owned(),
            reason: "patching".to_owned(),
            ends_on_recovery: false,
        }
    }

    #[test]
    fn a_silence_hides_what_matches_while_it_lasts() {
        let it = silence(&["host=a"]);
        let labels = |host: &str| Texts::from([("host".to_owned(), host.to_owned())]);
        assert!(it.hides(&labels("a"), 1000) && it.hides(&labels("a"), 1999));
        assert!(!it.hides(&labels("a"), 999) && !it.hides(&labels("a"), 2000));
        assert!(!it.hides(&labels("b"), 1500));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(silence(&["host=a"]).check(0), Ok(()));
        for texts in [&[][..], &["host!=a"], &["host=~.*"]] {
            assert_eq!(silence(texts).check(0), Err(SilenceError::Everything), "{texts:?}");
        }
        assert_eq!(silence(&["host=a"]).check(2000), Err(SilenceError::Over));
        let reversed = Silence { to_ms: 500, ..silence(&["host=a"]) };
        assert_eq!(reversed.check(0), Err(SilenceError::Reversed));
        let long = Silence { to_ms: 400 * 86_400_000, ..silence(&["host=a"]) };
        assert_eq!(long.check(0), Err(SilenceError::Long));
        let nobodys = Silence { owner: " ".to_owned(), ..silence(&["host=a"]) };
        assert_eq!(nobodys.check(0), Err(SilenceError::NoOwner));
    }
}
