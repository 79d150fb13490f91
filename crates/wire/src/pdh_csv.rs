//! PDH-CSV: the logs that Windows' typeperf, relog and Performance Monitor write.
//!
//! The first line names the columns; its first cell is `(PDH-CSV 4.0) (zone)(bias)`, where the bias
//! is what has to be added to the log's times to get UTC, in minutes. Tabs instead of commas make it
//! `PDH-TSV`. Each further line is a time, `MM/DD/YYYY HH:MM:SS.mmm`, and a value per column; where
//! there was none, the cell is blank. The bias is that of the log's beginning, also for what was
//! written after the clocks were changed.

use barograph_model::{CounterPath, PathError};

/// Why a log, or a line of it, cannot be read. Columns and characters count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PdhError {
    #[error("it does not begin with \"(PDH-CSV 4.0)\", but with `{start}`")]
    NotPdh { start: String },
    #[error("the first cell does not tell the time zone's bias in minutes: `{cell}`")]
    NoBias { cell: String },
    #[error("{columns} columns are too many, at most {} are allowed", PdhLog::MAX_COLUMNS)]
    TooManyColumns { columns: usize },
    #[error("column {column} is not a counter's path: {source}")]
    Path { column: usize, source: PathError },
    #[error("a quote in column {column} has no end")]
    Quote { column: usize },
    #[error("{found} cells, but the first line names {expected} columns")]
    Cells { found: usize, expected: usize },
    #[error("`{cell}` is not a time such as 11/22/2026 12:00:00.000")]
    Time { cell: String },
    #[error("`{cell}` in column {column} is not a number")]
    Number { column: usize, cell: String },
}

/// A time in milliseconds since 1970 UTC, and a value per column.
pub type PdhRow = (i64, Vec<Option<f64>>);

/// A log's first line.
#[derive(Debug, Clone, PartialEq)]
pub struct PdhLog {
    /// A counter's path per column, after the one with the time. `None`: a comment of relog's.
    pub columns: Vec<Option<CounterPath>>,
    /// To be added to the log's times, in milliseconds.
    bias_ms: i64,
    separator: char,
}

impl PdhLog {
    /// Windows itself stops at 8,192 counters in a log.
    pub const MAX_COLUMNS: usize = 65_536;

    /// Whether a file that begins so is a log of this kind.
    pub fn is_one(start: &str) -> bool {
        let start = start.trim_start_matches(['\u{feff}', '"']);
        start.starts_with("(PDH-CSV") || start.starts_with("(PDH-TSV")
    }

    /// Reads the first line.
    ///
    /// # Errors
    /// It is none of this kind, or names something that is no counter.
    pub fn parse(line: &str) -> Result<Self, PdhError> {
        let line = line.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
        let separator = match line.trim_start_matches('"') {
            text if text.starts_with("(PDH-CSV 4.0)") => ',',
            text if text.starts_with("(PDH-TSV 4.0)") => '\t',
            _ => return Err(PdhError::NotPdh { start: start_of(line) }),
        };
        let cells = split(line, separator)?;
        if cells.len() > Self::MAX_COLUMNS {
            return Err(PdhError::TooManyColumns { columns: cells.len() });
        }
        let mut cells = cells.into_iter();
        let first = cells.next().unwrap_or_default();
        let bias_ms = bias_ms(&first).ok_or(PdhError::NoBias { cell: first })?;
        let mut columns = Vec::with_capacity(cells.len());
        for (number, cell) in (2..).zip(cells) {
            if cell.starts_with('\\') {
                let path = CounterPath::parse(&cell);
                columns
                    .push(Some(path.map_err(|source| PdhError::Path { column: number, source })?));
            } else {
                columns.push(None);
            }
        }
        Ok(Self { columns, bias_ms, separator })
    }

    /// Reads another line; nothing when it is empty.
    ///
    /// # Errors
    /// A cell that is not what it should be.
    pub fn row(&self, line: &str) -> Result<Option<PdhRow>, PdhError> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.trim().is_empty() {
            return Ok(None);
        }
        let cells = split(line, self.separator)?;
        // A comment's column has no cell in lines without one.
        let expected = self.columns.len() + 1;
        let with_paths = self.columns.iter().rposition(Option::is_some).map_or(1, |last| last + 2);
        if cells.len() > expected || cells.len() < with_paths {
            return Err(PdhError::Cells { found: cells.len(), expected });
        }
        let mut cells = cells.into_iter();
        let time = cells.next().unwrap_or_default();
        let time_ms = time_ms(&time).ok_or(PdhError::Time { cell: time })?;
        let mut values = vec![None; self.columns.len()];
        for (i, (cell, column)) in cells.zip(&self.columns).enumerate() {
            let text = cell.trim();
            if column.is_none() || text.is_empty() {
                continue;
            }
            let value = text
                .parse()
                .map_err(|_| PdhError::Number { column: i + 2, cell: start_of(text) })?;
            values[i] = Some(value);
        }
        Ok(Some((time_ms.saturating_add(self.bias_ms), values)))
    }
}

/// Enough of a text to recognise it by in an error.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

fn split(line: &str, separator: char) -> Result<Vec<String>, PdhError> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    if is_quoted { Err(PdhError::Quote { column: cells.len() }) } else { Ok(cells) }
}

/// From `(PDH-CSV 4.0) (Pacific Standard Time)(480)`; a zone's name may hold anything.
fn bias_ms(cell: &str) -> Option<i64> {
    let (_, bias) = cell.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let minutes: i64 = bias.trim().parse().ok()?;
    (-24 * 60..=24 * 60).contains(&minutes).then_some(minutes * 60_000)
}

/// As if the time were in UTC.
fn time_ms(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(' ')?;
    let numbers = |text: &str, separator| -> Option<Vec<i64>> {
        let digits = |part: &str| (1..=4).contains(&part.len()).then(|| part.parse().ok())?;
        text.split(separator).map(digits).collect()
    };
    let [month, day, year] = *numbers(date, '/')? else { return None };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = *numbers(clock, ':')? else { return None };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..60).contains(&second);
    let days = days_before(year, month) + day - 1;
    in_range.then_some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// From 1970 to the month's first day.
fn days_before(year: i64, month: i64) -> i64 {
    let past = year - 1;
    let days_to_year = past * 365 + past / 4 - past / 100 + past / 400 - 719_162;
    days_to_year + (1..month).map(|month| days_in(year, month)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "\"(PDH-CSV 4.0) (Pacific Standard Time)(480)\",\
        \"\\\\DB-1\\Processor(_Total)\\% Processor Time\",\"\\\\DB-1\\Memory\\Available MBytes\"";

    #[test]
    fn times_are_moved_to_utc_and_blank_cells_have_no_value() {
        let log = PdhLog::parse(HEAD).unwrap();
        let path = log.columns[0].as_ref().unwrap();
        assert_eq!(path.machine.as_deref(), Some("DB-1"));
        let row = log.row("\"11/22/2025 04:00:00.123\",\"12.5\",\" \"\r\n").unwrap();
        assert_eq!(row, Some((1_763_812_800_123, vec![Some(12.5), None])));
        let row = log.row("\"11/22/2025 04:00:01.000\",\"1e-3\",\"10000000000.000000\"").unwrap();
        assert_eq!(row, Some((1_763_812_801_000, vec![Some(0.001), Some(1e10)])));
        assert_eq!(log.row("\r\n"), Ok(None));
    }

    #[test]
    fn tabs_and_comments_and_quotes_are_read() {
        let head = "\"(PDH-TSV 4.0) (UTC)(0)\"\t\"\\\\h\\Disk(a\"\"b)\\C\"\t\"a comment, or so\"";
        let log = PdhLog::parse(head).unwrap();
        assert_eq!(log.columns[0].as_ref().unwrap().to_string(), r#"\\h\Disk(a"b)\C"#);
        assert_eq!(log.columns[1], None);
        let row = log.row("\"01/01/1970 00:00:01.5\"\t\"7\"").unwrap();
        assert_eq!(row, Some((1500, vec![Some(7.0), None])));
    }

    #[track_caller]
    fn refused(line: &str, words: &str) {
        let log = PdhLog::parse(HEAD).unwrap();
        let error = log.row(line).unwrap_err().to_string();
        assert_eq!(error, words);
    }

    #[test]
    fn mistakes_are_named() {
        refused("\"11/22/2025 04:00:00\",\"1\"", "2 cells, but the first line names 3 columns");
        refused("\"11/22/2025 04:00:00\",\"x\",\"2\"", "`x` in column 2 is not a number");
        refused("\"11/22/2025 04:00:00\",\"1\",\"2", "a quote in column 3 has no end");
        for time in ["22/11/2025 04:00:00", "02/29/2025 04:00:00", "11/22/2025", "yesterday"] {
            let line = format!("\"{time}\",\"1\",\"2\"");
            refused(&line, &format!("`{time}` is not a time such as 11/22/2026 12:00:00.000"));
        }
        let error = PdhLog::parse("Date,Value").unwrap_err().to_string();
        assert_eq!(error, "it does not begin with \"(PDH-CSV 4.0)\", but with `Date,Value`");
        let error = PdhLog::parse("\"(PDH-CSV 4.0)\",\"\\\\h\\a\\b\"").unwrap_err();
        assert!(error.to_string().contains("bias in minutes"), "{error}");
        let error = PdhLog::parse("\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\h\\a\"").unwrap_err();
        assert!(error.to_string().starts_with("column 2 is not a counter's path: "), "{error}");
    }

    proptest! {
        #[test]
        fn any_line_is_a_row_or_an_error(line in ".{0,300}") {
            let log = PdhLog::parse(HEAD).unwrap();
            drop(log.row(&line));
            drop(PdhLog::parse(&format!("\"(PDH-CSV 4.0) {line}")));
        }

        #[test]
        fn days_are_counted_as_the_calendar_does(days in 0_i64..2_932_000) {
            // Counted up from 1970 by whole 400 years and single days.
            let (mut year, mut rest) = (1970 + days / 146_097 * 400, days % 146_097);
            while rest >= 365 + i64::from(is_leap(year)) {
                rest -= 365 + i64::from(is_leap(year));
                year += 1;
            }
            let mut month = 1;
            while rest >= days_in(year, month) {
                rest -= days_in(year, month);
                month += 1;
            }
            prop_assert_eq!(days_before(year, month) + rest, days);
        }
    }
}
