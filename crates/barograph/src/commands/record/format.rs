//! The forms in which a recording is written.

use barograph_model::CounterPath;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::columns::Name;
use crate::{csv, output};

/// The forms by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    /// As typeperf and perfmon write it; perfmon, relog and Excel read it. Times are in UTC.
    PdhCsv,
    /// Plain comma-separated values.
    Csv,
    /// One JSON object per row and line.
    Jsonl,
}

impl FormatName {
    pub(super) fn writer(self) -> &'static dyn Format {
        match self {
            Self::PdhCsv => &PdhCsv,
            Self::Csv => &Csv,
            Self::Jsonl => &Jsonl,
        }
    }
}

/// Makes texts that end with their own line end.
pub(super) trait Format {
    fn header(&self, host: &str, names: &[Name]) -> String;
    fn row(&self, time_ms: i64, names: &[Name], values: &[Option<f64>]) -> String;
}

struct PdhCsv;

impl Format for PdhCsv {
    fn header(&self, host: &str, names: &[Name]) -> String {
        let columns = names.iter().map(|name| with_machine(&name.path, host));
        let cells = ["(PDH-CSV 4.0) (UTC)(0)".to_owned()].into_iter().chain(columns);
        line(cells.map(|cell| csv::quoted(&cell)))
    }

    fn row(&self, time_ms: i64, _: &[Name], values: &[Option<f64>]) -> String {
        let time = Timestamp::from_millisecond(time_ms)
            .map(|time| time.strftime("%m/%d/%Y %H:%M:%S%.3f").to_string())
            .unwrap_or_default();
        let values = values.iter().map(|value| match value {
            Some(value) => format!("{value:.6}"),
            None => " ".to_owned(),
        });
        line([time].into_iter().chain(values).map(|cell| csv::quoted(&cell)))
    }
}

/// A path as a log file has it: with the computer.
fn with_machine(path: &str, host: &str) -> String {
    match CounterPath::parse(path) {
        Ok(parsed) if parsed.machine.is_some() => path.to_owned(),
        _ => format!("\\\\{host}{path}"),
    }
}

struct Csv;

impl Format for Csv {
    fn header(&self, _: &str, names: &[Name]) -> String {
        let names = names.iter().map(|name| csv::cell(&name.plain));
        line(["timestamp".to_owned()].into_iter().chain(names))
    }

    fn row(&self, time_ms: i64, _: &[Name], values: &[Option<f64>]) -> String {
        let values = values.iter().map(|value| value.map_or_else(String::new, |v| v.to_string()));
        line([output::timestamp(time_ms)].into_iter().chain(values))
    }
}

struct Jsonl;

impl Format for Jsonl {
    fn header(&self, _: &str, _: &[Name]) -> String {
        String::new()
    }

    fn row(&self, time_ms: i64, names: &[Name], values: &[Option<f64>]) -> String {
        let values: Map<String, Json> = names
            .iter()
            .zip(values)
            .map(|(name, value)| (name.plain.clone(), Json::from(*value)))
            .collect();
        let row = serde_json::json!({ "timestamp": output::timestamp(time_ms), "values": values });
        format!("{row}\n")
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(plain: &str) -> Name {
        Name { path: plain.to_owned(), plain: plain.to_owned() }
    }

    const TIME_MS: i64 = 1_763_812_800_123;
    const VALUES: [Option<f64>; 3] = [Some(12.5), None, Some(1e10)];

    #[test]
    fn pdh_csv_is_what_typeperf_writes() {
        let names = [name(r"\Memory\Available Bytes"), name(r#"\Disk(a"b)\C"#)];
        assert_eq!(
            PdhCsv.header("db-1", &names),
            "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\db-1\\Memory\\Available Bytes\",\
             \"\\\\db-1\\Disk(a\"\"b)\\C\"\r\n"
        );
        assert_eq!(
            PdhCsv.row(TIME_MS, &[], &VALUES),
            "\"11/22/2025 12:00:00.123\",\"12.500000\",\" \",\"10000000000.000000\"\r\n"
        );
        assert_eq!(with_machine(r"\\other\System\Threads", "db-1"), r"\\other\System\Threads");
    }

    #[test]
    fn csv_has_empty_cells_and_no_formulas() {
        let names = [name(r"\A(x,y)\C"), name("=1+1"), name("cpu_usage")];
        assert_eq!(Csv.header("h", &names), "timestamp,\"\\A(x,y)\\C\",'=1+1,cpu_usage\r\n");
        assert_eq!(
            Csv.row(TIME_MS, &[], &VALUES),
            "2025-11-22T12:00:00.123Z,12.5,,10000000000\r\n"
        );
    }

    #[test]
    fn jsonl_has_null_for_what_is_missing() {
        let names = [name("a"), name("b"), name("c")];
        assert_eq!(Jsonl.header("h", &names), "");
        assert_eq!(
            Jsonl.row(TIME_MS, &names, &VALUES),
            "{\"timestamp\":\"2025-11-22T12:00:00.123Z\",\"values\":{\"a\":12.5,\"b\":null,\"c\":10000000000.0}}\n"
        );
    }
}
