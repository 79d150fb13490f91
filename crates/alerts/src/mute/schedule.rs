//! Times that come again, in a time zone.
//!
//! A stretch begins and ends by the clock on the wall. Where the clock is put forward over a
//! beginning, the stretch begins when the clock moves; where an hour comes twice, it lasts from the
//! first beginning to the last end, so that planned work is never alerted of.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::wall::{Hour, moment};

/// When a window is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Schedule {
    zone: TimeZone,
    days: Days,
    from: Time,
    /// At most 24 hours after `from`; the same time means a whole day.
    to: Time,
}

/// The days on which a stretch begins.
#[derive(Debug, Clone, PartialEq)]
enum Days {
    Every,
    Weekly(Vec<Weekday>),
    /// From 1; −1 is the last day of the month.
    Monthly(Vec<i8>),
    /// Such as the second Tuesday: numbers from 1, −1 is the last one.
    MonthlyWeekday {
        nth: i8,
        weekday: Weekday,
    },
    Once(Date),
}

/// As it stands in a document.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    time_zone: String,
    from: String,
    to: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    weekdays: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    days_of_month: Vec<i8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<i8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

/// Why a schedule is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("`time_zone` is `{0}`, allowed is a name such as Europe/Berlin or UTC")]
    Zone(String),
    #[error("`{field}` is `{found}`, allowed is a time such as 02:00")]
    Time { field: &'static str, found: String },
    #[error("`weekdays` has `{0}`, allowed are monday to sunday")]
    Weekday(String),
    #[error("`days_of_month` has {0}, allowed are 1 to 31, and -1 to -31 counted from the end")]
    DayOfMonth(i8),
    #[error(
        "`nth` is {0} and goes with one of `weekdays`; allowed are 1 to 5, and -1 for the last"
    )]
    Nth(i8),
    #[error("`date` is `{0}`, allowed is a day such as 2026-12-24")]
    Date(String),
    #[error("only one of `weekdays`, `days_of_month` and `date` may be set")]
    Several,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

impl Schedule {
    /// Whole days that begin at a time of the day, on these weekdays; on all of them if none is
    /// named.
    ///
    /// # Errors
    /// There is no such zone, time or weekday.
    pub fn daily(zone: &str, weekdays: &[String], at: &str) -> Result<Self, ScheduleError> {
        let (time_zone, at) = (zone.to_owned(), at.to_owned());
        let weekdays = weekdays.to_vec();
        let written =
            Written { time_zone, weekdays, from: at.clone(), to: at, ..Written::default() };
        Self::try_from(written).map_err(|error| match error {
            ScheduleError::Time { found, .. } => ScheduleError::Time { field: "at", found },
            other => other,
        })
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether it is open at a time, milliseconds since 1970 UTC.
    pub fn is_open(&self, at_ms: i64) -> bool {
        self.stretch_at(at_ms).is_some()
    }

    /// The stretch that holds a time: its beginning and its end, in milliseconds since 1970 UTC.
    pub fn stretch_at(&self, at_ms: i64) -> Option<(i64, i64)> {
        let today = self.local_date(at_ms)?;
        // A stretch that began yesterday may last over midnight.
        let days = [today.yesterday().ok(), Some(today)];
        let stretches = days.into_iter().flatten().filter_map(|date| self.stretch_of(date));
        stretches.into_iter().find(|(from, to)| (*from..*to).contains(&at_ms))
    }

    /// The newest stretch that has begun, within the last 366 days.
    pub fn last_before(&self, at_ms: i64) -> Option<(i64, i64)> {
        const MAX_DAYS: usize = 367;
        let today = self.local_date(at_ms)?;
        let days = today.series(-1.day()).take(MAX_DAYS);
        days.filter_map(|date| self.stretch_of(date)).find(|(from, _)| *from <= at_ms)
    }

    /// The next stretch that begins after a time, within the next four years.
    pub fn next_after(&self, at_ms: i64) -> Option<(i64, i64)> {
        const MAX_DAYS: usize = 4 * 366;
        let first = match &self.days {
            Days::Once(date) => *date,
            _ => self.local_date(at_ms)?,
        };
        let days = first.series(1.day()).take(MAX_DAYS);
        days.filter_map(|date| self.stretch_of(date)).find(|(from, _)| *from > at_ms)
    }

    fn local_date(&self, at_ms: i64) -> Option<Date> {
        Timestamp::from_millisecond(at_ms).ok().map(|at| at.to_zoned(self.zone.clone()).date())
    }

    /// The stretch that begins on a day.
    fn stretch_of(&self, date: Date) -> Option<(i64, i64)> {
        if !self.days.contain(date) {
            return None;
        }
        let end = if self.to > self.from { date } else { date.tomorrow().ok()? };
        let from = moment(&self.zone, date.to_datetime(self.from), Hour::First)?;
        let to = moment(&self.zone, end.to_datetime(self.to), Hour::Second)?;
        Some((from, to))
    }
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        let from_end = date.day() - date.days_in_month() - 1;
        match self {
            Self::Every => true,
            Self::Weekly(weekdays) => weekdays.contains(&date.weekday()),
            Self::Monthly(days) => days.iter().any(|it| *it == date.day() || *it == from_end),
            Self::MonthlyWeekday { nth, weekday } => {
                let counted =
                    if *nth > 0 { (date.day() - 1) / 7 + 1 } else { (from_end + 1) / 7 - 1 };
                date.weekday() == *weekday && counted == *nth
            }
            Self::Once(it) => date == *it,
        }
    }
}

impl TryFrom<Written> for Schedule {
    type Error = ScheduleError;

    fn try_from(written: Written) -> Result<Self, ScheduleError> {
        let zone = TimeZone::get(&written.time_zone)
            .map_err(|_| ScheduleError::Zone(written.time_zone.clone()))?;
        let time = |field, text: &str| {
            let parsed = text.parse::<Time>();
            parsed.map_err(|_| ScheduleError::Time { field, found: text.to_owned() })
        };
        Ok(Self {
            zone,
            from: time("from", &written.from)?,
            to: time("to", &written.to)?,
            days: days(&written)?,
        })
    }
}

fn days(written: &Written) -> Result<Days, ScheduleError> {
    let Written { weekdays, days_of_month, nth, date, .. } = written;
    let mut named = Vec::new();
    for name in weekdays {
        let found = WEEKDAYS.iter().find(|(it, _)| *it == name.to_lowercase());
        let (_, weekday) = found.ok_or_else(|| ScheduleError::Weekday(name.clone()))?;
        named.push(*weekday);
    }
    match (named.as_slice(), days_of_month.as_slice(), date, nth) {
        ([], [], None, None) => Ok(Days::Every),
        ([weekday], [], None, Some(nth @ (1..=5 | -1))) => {
            Ok(Days::MonthlyWeekday { nth: *nth, weekday: *weekday })
        }
        (_, _, _, Some(nth)) => Err(ScheduleError::Nth(*nth)),
        ([_, ..], [], None, None) => Ok(Days::Weekly(named)),
        ([], [_, ..], None, None) => {
            match days_of_month.iter().find(|day| !matches!(day.abs(), 1..=31)) {
                Some(day) => Err(ScheduleError::DayOfMonth(*day)),
                None => Ok(Days::Monthly(days_of_month.clone())),
            }
        }
        ([], [], Some(text), None) => {
            text.parse().map(Days::Once).map_err(|_| ScheduleError::Date(text.clone()))
        }
        _ => Err(ScheduleError::Several),
    }
}

impl From<Schedule> for Written {
    fn from(schedule: Schedule) -> Self {
        let Schedule { zone, days, from, to } = schedule;
        let name = |weekday: &Weekday| {
            let found = WEEKDAYS.iter().find(|(_, it)| it == weekday);
            found.map_or_else(String::new, |(name, _)| (*name).to_owned())
        };
        let mut written = Self {
            time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
            from: from.strftime("%H:%M").to_string(),
            to: to.strftime("%H:%M").to_string(),
            ..Self::default()
        };
        match days {
            Days::Every => {}
            Days::Weekly(weekdays) => written.weekdays = weekdays.iter().map(name).collect(),
            Days::Monthly(days) => written.days_of_month = days,
            Days::MonthlyWeekday { nth, weekday } => {
                written.weekdays = vec![name(&weekday)];
                written.nth = Some(nth);
            }
            Days::Once(date) => written.date = Some(date.to_string()),
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(yaml: &str) -> Result<Schedule, String> {
        let zone = "time_zone: Europe/Berlin\n";
        serde_saphyr::from_str(&format!("{zone}{yaml}"))
            .map_err(|error| error.without_snippet().to_string())
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[track_caller]
    fn check(yaml: &str, expected: &[(&str, bool)]) {
        let schedule = schedule(yaml).unwrap();
        for (at, is_open) in expected {
            assert_eq!(schedule.is_open(ms(at)), *is_open, "{at} in {yaml}");
        }
    }

    #[test]
    fn a_window_keeps_its_local_time_in_summer_and_winter() {
        let yaml = "from: '02:00'\nto: '04:00'\nweekdays: [sunday]";
        check(
            yaml,
            &[
                ("2026-01-04T01:00:00Z", true), // 02:00 in winter
                ("2026-01-04T02:59:59Z", true),
                ("2026-01-04T03:00:00Z", false),
                ("2026-07-05T00:00:00Z", true), // 02:00 in summer
                ("2026-07-05T02:00:00Z", false),
                ("2026-07-06T00:30:00Z", false), // a Monday
            ],
        );
    }

    #[test]
    fn a_window_over_the_change_of_the_clock_is_open_all_the_time() {
        let yaml = "from: '02:30'\nto: '03:30'";
        check(
            yaml,
            &[
                // 2026-03-29: the clock goes from 02:00 to 03:00.
                ("2026-03-29T00:59:59Z", false),
                ("2026-03-29T01:00:00Z", true),
                ("2026-03-29T01:29:59Z", true),
                ("2026-03-29T01:30:00Z", false),
            ],
        );
        let yaml = "from: '02:00'\nto: '02:45'";
        check(
            yaml,
            &[
                // 2026-10-25: the hour from 02:00 comes twice.
                ("2026-10-25T00:00:00Z", true),
                ("2026-10-25T00:50:00Z", true),
                ("2026-10-25T01:44:59Z", true),
                ("2026-10-25T01:45:00Z", false),
            ],
        );
    }

    #[test]
    fn windows_know_the_changes_of_other_zones() {
        let is_open = |yaml: &str, at: &str| {
            let schedule: Schedule = serde_saphyr::from_str(yaml).unwrap();
            schedule.is_open(ms(at))
        };
        // The clock goes back by half an hour at 02:00, and forward at 02:00.
        let lord_howe = "{time_zone: Australia/Lord_Howe, from: '01:45', to: '02:15'}";
        for (at, expected) in [
            ("2026-04-04T14:44:59Z", false),
            ("2026-04-04T14:45:00Z", true),
            ("2026-04-04T15:10:00Z", true), // 01:40 again
            ("2026-04-04T15:44:59Z", true),
            ("2026-04-04T15:45:00Z", false),
            ("2026-10-03T15:15:00Z", true),
            ("2026-10-03T15:29:59Z", true),
            ("2026-10-03T15:30:00Z", false), // 02:00 is 02:30
        ] {
            assert_eq!(is_open(lord_howe, at), expected, "{at}");
        }
        // Four hours before UTC all the year until 2014, three since then.
        let moscow = "{time_zone: Europe/Moscow, from: '01:30', to: '02:30'}";
        for (at, expected) in [
            ("2014-01-15T21:30:00Z", true),
            ("2014-01-15T22:30:00Z", false),
            ("2014-10-25T21:30:00Z", true),
            ("2014-10-25T23:29:59Z", true),
            ("2014-10-25T23:30:00Z", false),
            ("2015-07-15T21:30:00Z", false),
            ("2015-07-15T22:30:00Z", true),
        ] {
            assert_eq!(is_open(moscow, at), expected, "{at}");
        }
        // There was no 30 December.
        let apia = "{time_zone: Pacific/Apia, from: '08:00', to: '12:00', date: 2011-12-30}";
        let apia: Schedule = serde_saphyr::from_str(apia).unwrap();
        assert_eq!(
            apia.next_after(ms("2011-12-01T00:00:00Z")).map(|(from, to)| to - from),
            Some(0)
        );
    }

    #[test]
    fn windows_last_over_midnight() {
        let yaml = "from: '22:00'\nto: '01:00'\nweekdays: [friday]";
        check(
            yaml,
            &[
                ("2026-11-27T21:30:00Z", true), // Friday, 22:30
                ("2026-11-27T23:30:00Z", true), // Saturday, 00:30
                ("2026-11-28T00:00:00Z", false),
                ("2026-11-28T22:00:00Z", false),
            ],
        );
    }

    #[test]
    fn days_of_the_month_and_counted_weekdays() {
        let at_noon = |days: &str| format!("from: '11:00'\nto: '13:00'\n{days}");
        check(
            &at_noon("days_of_month: [1, -1]"),
            &[
                ("2026-02-01T11:00:00Z", true),
                ("2026-02-28T11:00:00Z", true),
                ("2026-02-27T11:00:00Z", false),
            ],
        );
        check(
            &at_noon("weekdays: [tuesday]\nnth: 2"),
            &[
                ("2026-11-10T11:00:00Z", true),
                ("2026-11-03T11:00:00Z", false),
                ("2026-11-17T11:00:00Z", false),
            ],
        );
        check(
            &at_noon("weekdays: [monday]\nnth: -1"),
            &[("2026-11-30T11:00:00Z", true), ("2026-11-23T11:00:00Z", false)],
        );
        check(
            &at_noon("date: 2026-12-24"),
            &[("2026-12-24T11:00:00Z", true), ("2027-12-24T11:00:00Z", false)],
        );
    }

    #[test]
    fn the_next_stretch_is_found() {
        let once = schedule("from: '10:00'\nto: '11:00'\ndate: 2026-12-24").unwrap();
        let expected = (ms("2026-12-24T09:00:00Z"), ms("2026-12-24T10:00:00Z"));
        assert_eq!(once.next_after(ms("2026-11-01T00:00:00Z")), Some(expected));
        assert_eq!(once.next_after(ms("2026-12-24T09:00:00Z")), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for days in [
            "",
            "weekdays: [monday, friday]",
            "days_of_month: [1, -1]",
            "weekdays: [tuesday]\nnth: 2",
            "date: 2026-12-24",
        ] {
            let read = schedule(&format!("from: '22:00'\nto: '01:00'\n{days}")).unwrap();
            assert_eq!(Schedule::try_from(Written::from(read.clone())).as_ref(), Ok(&read));
        }
    }

    #[test]
    fn mistakes_say_what_is_allowed() {
        for (yaml, expected) in [
            ("from: late\nto: '01:00'", "`from` is `late`, allowed is a time such as 02:00"),
            ("from: '22:00'\nto: '01:00'\nweekdays: [sunny]", "`weekdays` has `sunny`"),
            ("from: '22:00'\nto: '01:00'\ndays_of_month: [0]", "`days_of_month` has 0"),
            ("from: '22:00'\nto: '01:00'\nnth: 2", "`nth` is 2 and goes with one of `weekdays`"),
            ("from: '22:00'\nto: '01:00'\ndate: soon", "`date` is `soon`"),
            ("from: '22:00'\nto: '01:00'\ndays_of_month: [1]\nweekdays: [monday]", "only one of"),
        ] {
            let error = schedule(yaml).unwrap_err();
            assert!(error.contains(expected), "{error} for {yaml}");
        }
        let written = Written { time_zone: "Mars".to_owned(), ..Written::default() };
        let error = Schedule::try_from(written).unwrap_err().to_string();
        assert!(error.contains("`time_zone` is `Mars`"), "{error}");
    }
}
