//! The stretch of time that a partition covers, and its name.

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: other years have no place in a name.
const MIN_MS: i64 = -62_135_596_800_000;
const MAX_MS: i64 = 253_402_300_799_999;

/// `[start_ms, end_ms)`, aligned to the partition length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl Span {
    /// Whether a partition can have this length.
    pub(crate) fn allows(partition_ms: i64) -> bool {
        partition_ms > 0 && partition_ms % HOUR_MS == 0 && partition_ms <= 31 * DAY_MS
    }

    /// The partition that holds a moment. Moments outside of the years 1 to 9999 have none.
    pub(crate) fn holding(time_ms: i64, partition_ms: i64) -> Option<Self> {
        let start_ms = time_ms.checked_sub(time_ms.rem_euclid(partition_ms))?;
        if start_ms < MIN_MS || time_ms > MAX_MS {
            return None;
        }
        Some(Self { start_ms, end_ms: start_ms + partition_ms })
    }

    pub(crate) fn overlaps(&self, from_ms: i64, to_ms: i64) -> bool {
        self.start_ms <= to_ms && from_ms < self.end_ms
    }

    /// `2026-11-22`, or `2026-11-22T06` where the partition does not start at midnight.
    pub(crate) fn name(&self) -> String {
        let (year, month, day) = civil_from_days(self.start_ms.div_euclid(DAY_MS));
        match self.start_ms.rem_euclid(DAY_MS) / HOUR_MS {
            0 => format!("{year:04}-{month:02}-{day:02}"),
            hour => format!("{year:04}-{month:02}-{day:02}T{hour:02}"),
        }
    }

    /// Takes back what [`Span::name`] gave.
    pub(crate) fn from_name(name: &str, partition_ms: i64) -> Option<Self> {
        let (date, hour) = match name.split_once('T') {
            Some((date, hour)) => (date, hour.parse::<i64>().ok()?),
            None => (name, 0),
        };
        let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !(1..=9999).contains(&year)
            || !(1..=12).contains(&month)
            || !(1..=31).contains(&day)
            || !(0..24).contains(&hour)
        {
            return None;
        }
        let time_ms = days_from_civil(year, month, day) * DAY_MS + hour * HOUR_MS;
        let span = Self::holding(time_ms, partition_ms)?;
        // Also refuses the 31st of February and a start between two partitions.
        (span.name() == name).then_some(span)
    }
}

/// Year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar. Years
/// are counted from March, so that the leap day is a year's last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dates_and_come_back() {
        for day in -700_000..60_000 {
            let span = Span::holding(day * DAY_MS + 5, DAY_MS).unwrap();
            assert_eq!(Span::from_name(&span.name(), DAY_MS), Some(span));
        }
        let span = Span::holding(1_795_348_819_000, DAY_MS).unwrap();
        assert_eq!(span.name(), "2026-11-22");
        let span = Span::holding(1_795_348_819_000, 6 * HOUR_MS).unwrap();
        assert_eq!(span.name(), "2026-11-22T12");
        assert_eq!(Span::from_name("2026-11-22T12", 6 * HOUR_MS), Some(span));
    }

    #[test]
    fn other_names_are_not_partitions() {
        for name in ["", "2026", "2026-02-30", "2026-13-01", "2026-11-22T05", "-1-1-1", "x-y-z"] {
            assert_eq!(Span::from_name(name, 6 * HOUR_MS), None, "{name}");
        }
        assert_eq!(Span::from_name("99999999999999999-01-01", DAY_MS), None);
        assert_eq!(Span::from_name("2026-01-9223372036854775807", DAY_MS), None);
    }

    #[test]
    fn moments_outside_of_the_calendar_have_no_partition() {
        assert_eq!(Span::holding(-1, DAY_MS).unwrap().name(), "1969-12-31");
        assert_eq!(Span::holding(MIN_MS, DAY_MS).unwrap().name(), "0001-01-01");
        assert_eq!(Span::holding(MIN_MS - 1, DAY_MS), None);
        assert_eq!(Span::holding(i64::MIN, DAY_MS), None);
        assert_eq!(Span::holding(i64::MAX, DAY_MS), None);
    }
}
