//! Times at which nobody would be told: gaps of rotas, and of policies that tell people only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{OnCall, Person, Policy, Rota, Target};
use crate::incident::Level;

/// The levels, the mildest first.
static LEVELS: [Level; 3] = [Level::Info, Level::Warning, Level::Critical];
const STEP_MS: i64 = 15 * 60_000;

/// Everybody who can be named.
#[derive(Debug, Clone, Copy)]
pub struct Staff<'a> {
    pub people: &'a BTreeMap<String, Person>,
    pub rotas: &'a BTreeMap<String, Rota>,
}

/// A stretch in which not everything is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub from_ms: i64,
    pub to_ms: i64,
    /// From this level on somebody is told; `None`: of nothing.
    pub told_from: Option<Level>,
}

impl Gap {
    /// In words, in a time zone: what comes before says who `nobody` is.
    pub fn words(&self, zone: &TimeZone) -> String {
        let local = |ms: i64| match Timestamp::from_millisecond(ms) {
            Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            Err(_) => ms.to_string(),
        };
        let but = match self.told_from {
            None => "",
            Some(Level::Critical) => ", except for what is critical",
            Some(_) => ", except for warnings and what is critical",
        };
        format!("from {} to {}{but}", local(self.from_ms), local(self.to_ms))
    }
}

impl<'a> Staff<'a> {
    /// Stretches in which a rota has nobody who can be told, at most so long as
    /// [`Rota::MAX_TIMELINE_DAYS`].
    pub fn gaps_of_rota(self, rota: &Rota, from_ms: i64, to_ms: i64) -> Vec<Gap> {
        let names = rota.people();
        gaps((from_ms, to_ms), self.levels(&names), &|level, at_ms| {
            self.on_call(rota, level, at_ms).is_some()
        })
    }

    /// Stretches in which no step of a policy reaches anybody. One that tells a channel has none.
    pub fn gaps_of_policy(self, policy: &Policy, from_ms: i64, to_ms: i64) -> Vec<Gap> {
        let targets: Vec<&Target> = policy.targets().collect();
        if targets.iter().any(|it| matches!(it, Target::Channel(_))) {
            return Vec::new();
        }
        let names: Vec<&str> = targets.iter().flat_map(|it| self.named(it)).collect();
        gaps((from_ms, to_ms), self.levels(&names), &|level, at_ms| {
            targets.iter().any(|it| match it {
                Target::Channel(_) => true,
                Target::Person(name) => self.can_be_told(name, level, at_ms),
                Target::Rota(name) => {
                    let rota = self.rotas.get(name);
                    rota.is_none_or(|it| self.on_call(it, level, at_ms).is_some())
                }
            })
        })
    }

    /// The zone that somebody who is named by a policy lives in.
    pub fn zone_of(self, policy: &Policy) -> TimeZone {
        let rota = policy.targets().find_map(|it| match it {
            Target::Rota(name) => TimeZone::get(&self.rotas.get(name)?.time_zone).ok(),
            _ => None,
        });
        let names = policy.targets().flat_map(|it| self.named(it));
        let mut hours = names.filter_map(|it| self.people.get(it)?.hours.first());
        rota.or_else(|| hours.next().map(|it| it.zone().clone())).unwrap_or(TimeZone::UTC)
    }

    /// The people behind a target.
    pub fn named(self, target: &'a Target) -> Vec<&'a str> {
        match target {
            Target::Channel(_) => Vec::new(),
            Target::Person(name) => vec![name],
            Target::Rota(name) => self.rotas.get(name).map_or_else(Vec::new, Rota::people),
        }
    }

    /// Who of a rota is told of something so severe, by turns and by working hours, at most so long
    /// as [`Rota::MAX_TIMELINE_DAYS`].
    pub fn turns(self, rota: &Rota, level: Level, times: (i64, i64)) -> Vec<OnCall> {
        rota.timeline(times, &|name, at_ms| self.can_be_told(name, level, at_ms))
    }

    fn on_call(self, rota: &Rota, level: Level, at_ms: i64) -> Option<&str> {
        rota.on_call_of(at_ms, &|name| self.can_be_told(name, level, at_ms))
    }

    /// Somebody who is not there is a mistake of another sort, and told elsewhere.
    fn can_be_told(self, name: &str, level: Level, at_ms: i64) -> bool {
        let person = self.people.get(name);
        person.is_none_or(|it| !it.contacts_at(Some(level), at_ms).is_empty())
    }

    /// The levels that make a difference.
    fn levels(self, names: &[&str]) -> &'static [Level] {
        let has_hours = |it: &&str| self.people.get(*it).is_some_and(|it| !it.hours.is_empty());
        let worst = LEVELS.get(2..).unwrap_or_default();
        if names.iter().any(has_hours) { &LEVELS } else { worst }
    }
}

/// Stretches in which the mildest of these levels is not told.
fn gaps(
    (from_ms, to_ms): (i64, i64),
    levels: &[Level],
    is_told: &dyn Fn(Level, i64) -> bool,
) -> Vec<Gap> {
    let to_ms = to_ms.min(from_ms.saturating_add(Rota::MAX_TIMELINE_DAYS * 86_400_000));
    let mut gaps: Vec<Gap> = Vec::new();
    let mut at_ms = from_ms;
    while at_ms < to_ms {
        let next_ms = ((at_ms.div_euclid(STEP_MS) + 1) * STEP_MS).min(to_ms);
        let told_from = levels.iter().copied().find(|level| is_told(*level, at_ms));
        if told_from != levels.first().copied() {
            match gaps.last_mut() {
                Some(last) if last.to_ms == at_ms && last.told_from == told_from => {
                    last.to_ms = next_ms;
                }
                _ => gaps.push(Gap { from_ms: at_ms, to_ms: next_ms, told_from }),
            }
        }
        at_ms = next_ms;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn people(outside: &str) -> BTreeMap<String, Person> {
        let person = |text: &str| serde_saphyr::from_str::<Person>(text).unwrap();
        let anna = format!(
            "{{contacts: [{{channel: mail}}], hours: [{{time_zone: UTC, from: '08:00', to: '16:00'}}]{outside}}}"
        );
        let ben = "{contacts: [{channel: mail}]}";
        BTreeMap::from([("anna".to_owned(), person(&anna)), ("ben".to_owned(), person(ben))])
    }

    fn rotas(people: &str, only: &str) -> BTreeMap<String, Rota> {
        let layer = |people: &str, only: &str| {
            format!("{{people: [{people}], starts: '1970-01-01T00:00', turn_days: 1{only}}}")
        };
        let mut layers = vec![layer("anna", "")];
        if !people.is_empty() {
            layers.insert(0, layer(people, only));
        }
        let text = format!("{{time_zone: UTC, layers: [{}]}}", layers.join(", "));
        BTreeMap::from([("night".to_owned(), serde_saphyr::from_str(&text).unwrap())])
    }

    fn told(gaps: &[Gap]) -> Vec<(i64, i64, Option<Level>)> {
        gaps.iter().map(|it| (it.from_ms / HOUR, it.to_ms / HOUR, it.told_from)).collect()
    }

    #[test]
    fn a_turn_outside_of_working_hours_is_a_gap() {
        let (people, rotas) = (people(""), rotas("", ""));
        let staff = Staff { people: &people, rotas: &rotas };
        let gaps = staff.gaps_of_rota(&rotas["night"], 0, 24 * HOUR);
        assert_eq!(told(&gaps), [(0, 8, None), (16, 24, None)]);
        let policy: Policy = serde_saphyr::from_str("{steps: [{notify: [rota:night]}]}").unwrap();
        assert_eq!(staff.gaps_of_policy(&policy, 0, 24 * HOUR), gaps);
        let words = gaps[1].words(&TimeZone::UTC);
        assert_eq!(words, "from 1970-01-01 16:00 to 1970-01-02 00:00");
        for covered in ["[channel:chat]", "[person:anna, person:ben]"] {
            let text = format!("{{steps: [{{notify: {covered}}}]}}");
            let policy: Policy = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(staff.gaps_of_policy(&policy, 0, 24 * HOUR), []);
        }
    }

    #[test]
    fn what_is_critical_may_be_told_all_day() {
        let (people, rotas) = (people(", outside_hours: critical"), rotas("", ""));
        let staff = Staff { people: &people, rotas: &rotas };
        let gaps = staff.gaps_of_rota(&rotas["night"], 0, 24 * HOUR);
        let critical = Some(Level::Critical);
        assert_eq!(told(&gaps), [(0, 8, critical), (16, 24, critical)]);
        assert!(gaps[0].words(&TimeZone::UTC).ends_with(", except for what is critical"));
    }

    #[test]
    fn whoever_would_be_on_call_without_them_is() {
        let people = people("");
        let rotas = rotas("ben", ", only: [{time_zone: UTC, from: '14:00', to: '22:00'}]");
        let staff = Staff { people: &people, rotas: &rotas };
        let rota = &rotas["night"];
        assert_eq!(told(&staff.gaps_of_rota(rota, 0, 24 * HOUR)), [(0, 8, None), (22, 24, None)]);
        let on_call = |hour: i64| staff.on_call(rota, Level::Critical, hour * HOUR);
        assert_eq!((on_call(15), on_call(17), on_call(23)), (Some("anna"), Some("ben"), None));
    }
}
