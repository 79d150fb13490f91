//! Who is on call when: layers of people who take turns, and overrides.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit};
use serde::{Deserialize, Serialize};

use crate::document::instant;
use crate::mute::Schedule;
use crate::wall::{Hour, moment};

/// A rota. A later layer goes before an earlier one where both have somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rota {
    pub time_zone: String,
    pub layers: Vec<Layer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// In the order of their turns.
    pub people: Vec<String>,
    /// When the first one's turn begins, by the clock on the wall: `2026-01-05T09:00`.
    pub starts: String,
    /// Days that a turn lasts; it is handed over at the same time of the day.
    pub turn_days: u16,
    /// Nobody of the layer is on call outside of these times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Schedule>,
}

/// Somebody stands in for whoever it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub person: String,
    /// Milliseconds since 1970 UTC.
    #[serde(rename = "from", with = "instant")]
    pub from_ms: i64,
    #[serde(rename = "to", with = "instant")]
    pub to_ms: i64,
}

/// A stretch of time and who is on call in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    pub from_ms: i64,
    pub to_ms: i64,
    /// `None`: a gap.
    pub person: Option<String>,
}

/// Why a rota is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotaProblem {
    #[error("`time_zone` is `{0}`, allowed is a name such as Europe/Berlin or UTC")]
    Zone(String),
    #[error("it has no layers: nobody is on call")]
    NoLayers,
    #[error("layer {0} has no people")]
    NoPeople(usize),
    #[error("`starts` of layer {0} is `{1}`, allowed is a local time such as 2026-01-05T09:00")]
    Starts(usize, String),
    #[error("`turn_days` of layer {0} is {1}, allowed are 1 to 366")]
    Turn(usize, u16),
    #[error("override {0} ends before it begins")]
    Override(usize),
}

impl Rota {
    /// # Errors
    /// Everything that makes no sense. Gaps are none of it: [`Rota::timeline`] shows them.
    pub fn check(&self) -> Result<(), Vec<RotaProblem>> {
        let mut problems = Vec::new();
        if TimeZone::get(&self.time_zone).is_err() {
            problems.push(RotaProblem::Zone(self.time_zone.clone()));
        }
        if self.layers.is_empty() {
            problems.push(RotaProblem::NoLayers);
        }
        for (number, layer) in (1..).zip(&self.layers) {
            if layer.people.is_empty() {
                problems.push(RotaProblem::NoPeople(number));
            }
            if layer.starts.parse::<DateTime>().is_err() {
                problems.push(RotaProblem::Starts(number, layer.starts.clone()));
            }
            if !(1..=366).contains(&layer.turn_days) {
                problems.push(RotaProblem::Turn(number, layer.turn_days));
            }
        }
        for (number, it) in (1..).zip(&self.overrides) {
            if it.to_ms <= it.from_ms {
                problems.push(RotaProblem::Override(number));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Who is on call at a time, milliseconds since 1970 UTC.
    pub fn on_call(&self, at_ms: i64) -> Option<&str> {
        self.on_call_of(at_ms, &|_| true)
    }

    /// Who is on call at a time among those that can be told: where the one whose turn it is cannot,
    /// it is whoever would be on call without them.
    pub fn on_call_of(&self, at_ms: i64, can_be_told: &dyn Fn(&str) -> bool) -> Option<&str> {
        let stands_in = |it: &&Override| (it.from_ms..it.to_ms).contains(&at_ms);
        let mut stands_in =
            self.overrides.iter().rev().filter(stands_in).map(|it| it.person.as_str());
        if let Some(person) = stands_in.find(|it| can_be_told(it)) {
            return Some(person);
        }
        let zone = TimeZone::get(&self.time_zone).ok()?;
        let mut turns = self.layers.iter().rev().filter_map(|layer| layer.on_call(at_ms, &zone));
        turns.find(|it| can_be_told(it))
    }

    /// Who is on call from one time to another among those that can be told then, quarter of an hour
    /// by quarter of an hour, with what follows each other joined. At most
    /// [`Rota::MAX_TIMELINE_DAYS`].
    pub fn timeline(
        &self,
        (from_ms, to_ms): (i64, i64),
        can_be_told: &dyn Fn(&str, i64) -> bool,
    ) -> Vec<OnCall> {
        const STEP_MS: i64 = 15 * 60_000;
        let to_ms = to_ms.min(from_ms.saturating_add(Self::MAX_TIMELINE_DAYS * 86_400_000));
        let mut stretches: Vec<OnCall> = Vec::new();
        let mut at_ms = from_ms;
        while at_ms < to_ms {
            let next_ms = (at_ms.div_euclid(STEP_MS) + 1) * STEP_MS;
            let person = self.on_call_of(at_ms, &|name| can_be_told(name, at_ms));
            let person = person.map(str::to_owned);
            match stretches.last_mut() {
                Some(last) if last.person == person => last.to_ms = next_ms.min(to_ms),
                _ => stretches.push(OnCall { from_ms: at_ms, to_ms: next_ms.min(to_ms), person }),
            }
            at_ms = next_ms;
        }
        stretches
    }

    /// Everybody whom it names.
    pub fn people(&self) -> Vec<&str> {
        let turns = self.layers.iter().flat_map(|it| &it.people);
        turns.chain(self.overrides.iter().map(|it| &it.person)).map(String::as_str).collect()
    }

    pub const MAX_TIMELINE_DAYS: i64 = 100;
}

impl Layer {
    fn on_call(&self, at_ms: i64, zone: &TimeZone) -> Option<&str> {
        if !self.only.is_empty() && !self.only.iter().any(|it| it.is_open(at_ms)) {
            return None;
        }
        let begun = self.begun(at_ms, zone)?;
        let turn = usize::try_from(begun).ok()? / usize::from(self.turn_days.max(1));
        self.people.get(turn % self.people.len().max(1)).map(String::as_str)
    }

    /// The days that have begun by the clock on the wall, so that a handover keeps its time of the
    /// day all the year. Where that time comes twice, a day begins at the first; none before
    /// `starts`.
    fn begun(&self, at_ms: i64, zone: &TimeZone) -> Option<i32> {
        let starts: DateTime = self.starts.parse().ok()?;
        let at = Timestamp::from_millisecond(at_ms).ok()?;
        let today = at.to_zoned(zone.clone()).date();
        let days = starts.date().until((Unit::Day, today)).ok()?.get_days();
        // A clock that goes back over midnight shows yesterday again.
        let mut days = (days - 1..=days + 1).rev();
        days.find(|days| {
            let day = starts.checked_add(days.days());
            let begins = day.ok().and_then(|day| moment(zone, day, Hour::First));
            begins.is_some_and(|it| it <= at_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHT: &str = "
time_zone: Europe/Berlin
layers:
  - people: [anna, ben, cleo]
    starts: 2026-01-05T09:00
    turn_days: 7
  - people: [dora]
    starts: 2026-01-01T00:00
    turn_days: 1
    only:
      - {time_zone: Europe/Berlin, from: '09:00', to: '17:00', weekdays: [saturday, sunday]}
";

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn rota() -> Rota {
        serde_saphyr::from_str(NIGHT).unwrap()
    }

    #[track_caller]
    fn check(at: &str, expected: Option<&str>) {
        assert_eq!(rota().on_call(ms(at)), expected, "{at}");
    }

    #[test]
    fn turns_are_handed_over_at_the_same_time_of_the_day() {
        check("2026-01-05T07:59:00Z", None);
        check("2026-01-05T08:00:00Z", Some("anna")); // 09:00 in winter
        check("2026-01-12T07:59:59Z", Some("anna"));
        check("2026-01-12T08:00:00Z", Some("ben"));
        check("2026-01-26T08:00:00Z", Some("anna"));
        check("2026-06-29T06:59:59Z", Some("anna"));
        check("2026-06-29T07:00:00Z", Some("ben")); // 09:00 in summer
    }

    #[test]
    fn a_later_layer_goes_first_where_it_has_somebody() {
        check("2026-01-10T08:00:00Z", Some("dora"));
        check("2026-01-10T16:00:00Z", Some("anna"));
    }

    #[test]
    fn an_override_goes_before_all() {
        let mut rota = rota();
        let (from_ms, to_ms) = (ms("2026-01-10T08:00:00Z"), ms("2026-01-10T09:00:00Z"));
        rota.overrides.push(Override { person: "eva".to_owned(), from_ms, to_ms });
        assert_eq!(rota.on_call(from_ms), Some("eva"));
        assert_eq!(rota.on_call(to_ms), Some("dora"));
    }

    #[test]
    fn gaps_are_shown() {
        let times = (ms("2026-01-05T07:30:00Z"), ms("2026-01-05T08:30:00Z"));
        let timeline = rota().timeline(times, &|_, _| true);
        let told: Vec<_> =
            timeline.iter().map(|it| (it.to_ms - it.from_ms, it.person.as_deref())).collect();
        assert_eq!(told, [(1_800_000, None), (1_800_000, Some("anna"))]);
    }

    /// From the first of these times on it is the second one's turn, and it stays theirs for a day.
    #[track_caller]
    fn check_handover(zone: &str, starts: &str, at: &str) {
        let rota: Rota = serde_saphyr::from_str(&format!(
            "{{time_zone: {zone}, layers: [{{people: [anna, ben], starts: '{starts}', turn_days: 1}}]}}"
        ))
        .unwrap();
        let at_ms = ms(at);
        for minutes in -18 * 60..18 * 60 {
            let expected = if minutes < 0 { "anna" } else { "ben" };
            let found = rota.on_call(at_ms + minutes * 60_000);
            assert_eq!(found, Some(expected), "{zone}, {starts}, {minutes} minutes after {at}");
        }
    }

    #[test]
    fn a_turn_is_handed_over_once_however_the_clock_goes() {
        // 02:30 is skipped, and comes twice.
        check_handover("Europe/Berlin", "2026-03-28T02:30", "2026-03-29T01:00:00Z");
        check_handover("Europe/Berlin", "2026-10-24T02:30", "2026-10-25T00:30:00Z");
        check_handover("Europe/Berlin", "2026-10-24T03:00", "2026-10-25T02:00:00Z");
        // The clock goes by half an hour.
        check_handover("Australia/Lord_Howe", "2026-10-03T02:15", "2026-10-03T15:30:00Z");
        check_handover("Australia/Lord_Howe", "2026-04-04T01:45", "2026-04-04T14:45:00Z");
        // The last change of a zone, and one by which it is yesterday again.
        check_handover("Europe/Moscow", "2014-10-25T01:30", "2014-10-25T21:30:00Z");
        check_handover("America/Havana", "2026-10-31T00:30", "2026-11-01T04:30:00Z");
        check_handover("America/Sao_Paulo", "2018-02-16T23:30", "2018-02-18T01:30:00Z");
    }

    #[test]
    fn what_makes_no_sense_is_told_at_once() {
        let rota: Rota = serde_saphyr::from_str(
            "{time_zone: Mars, layers: [{people: [], starts: soon, turn_days: 0}],
              overrides: [{person: a, from: 2026-01-10T08:00:00Z, to: 2026-01-10T09:00:00+01:00}]}",
        )
        .unwrap();
        let expected = [
            RotaProblem::Zone("Mars".to_owned()),
            RotaProblem::NoPeople(1),
            RotaProblem::Starts(1, "soon".to_owned()),
            RotaProblem::Turn(1, 0),
            RotaProblem::Override(1),
        ];
        assert_eq!(rota.check(), Err(expected.to_vec()));
        assert_eq!(rota.on_call(0), None);
    }
}
