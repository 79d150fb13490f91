//! The counters that the double serves, and how each behaves.
//!
//! All belong to the object `Double`, except one with true values of the machine below Wine:
//! `\System\Context Switches/sec`.

use std::fs;
use std::time::SystemTime;

/// Success.
pub(crate) const OK: u32 = 0;
/// The buffer is too small.
pub(crate) const MORE_DATA: u32 = 0x8000_07D2;
/// Nothing could be collected.
pub(crate) const NO_DATA: u32 = 0x8000_07D5;
pub(crate) const INVALID_ARGUMENT: u32 = 0xC000_0BBD;
pub(crate) const INVALID_HANDLE: u32 = 0xC000_0BBC;
/// A value that needs two collections, after only one.
pub(crate) const INVALID_DATA: u32 = 0xC000_0BC6;
pub(crate) const BAD_COUNTER_NAME: u32 = 0xC000_0BC0;
pub(crate) const NO_OBJECT: u32 = 0xC000_0BB8;
pub(crate) const NO_COUNTER: u32 = 0xC000_0BB9;
/// Of a single value: this instance has none now.
pub(crate) const STATUS_NO_INSTANCE: u32 = 0x8000_07D1;
/// Of a single value: what the provider gave makes no sense.
pub(crate) const STATUS_INVALID_DATA: u32 = 0xC000_0BBA;
/// Of a single value: collected since the last time it was read.
pub(crate) const STATUS_NEW_DATA: u32 = 1;

/// The value as it is.
const RAW_COUNT: u32 = 0x0001_0000;
/// Events a second, from a total of 32 bits.
const COUNTER: u32 = 0x1041_0400;
/// Events a second, from a total of 64 bits.
const BULK_COUNT: u32 = 0x1041_0500;
/// A share of a second value.
const RAW_FRACTION: u32 = 0x2002_0400;

/// Ticks a second of every time base here.
pub(crate) const FREQUENCY: i64 = 10_000_000;

/// What a counter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Two instances that count 10 and 20 a second.
    Rate,
    /// 30 of 120, for the one instance.
    Share,
    /// The instance set grows by one between being measured and being read, three times.
    Grows,
    /// A buffer that is too small is said to have the size that it has.
    Lies,
    /// No buffer is ever large enough.
    Endless,
    /// Three instances of one name, with values 1, 2 and 3.
    Twins,
    /// Of four values the first is good and new, the second absent, the third broken.
    Sick,
    /// Refuses to be read until it has been collected twice.
    Late,
    /// Each collection has other instances than the one before.
    Churn,
    /// Falls back to near zero at the third collection.
    Restarts,
    /// Counts past 32 bits and starts anew, as a 32-bit total does.
    Wraps,
    /// Makes the collection of its whole query fail.
    Silent,
    /// An instance's name that is no valid UTF-16.
    Garbled,
    /// The true total of context switches of the machine below Wine.
    ContextSwitches,
}

const COUNTERS: &[(&str, Script)] = &[
    ("rate", Script::Rate),
    ("share", Script::Share),
    ("grows", Script::Grows),
    ("lies", Script::Lies),
    ("endless", Script::Endless),
    ("twins", Script::Twins),
    ("sick", Script::Sick),
    ("late", Script::Late),
    ("churn", Script::Churn),
    ("restarts", Script::Restarts),
    ("wraps", Script::Wraps),
    ("silent", Script::Silent),
    ("garbled", Script::Garbled),
];

/// One instance's values at one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// UTF-16 without the zero at its end.
    pub name: Vec<u16>,
    pub status: u32,
    pub first: i64,
    pub second: i64,
    /// 100 ns since 1601.
    pub time: i64,
}

impl Script {
    /// The script of a counter path, or the status that adding it gives.
    pub(crate) fn of(path: &str) -> Result<Script, u32> {
        let path = path.strip_prefix('\\').ok_or(BAD_COUNTER_NAME)?.to_lowercase();
        let (object, counter) = path.rsplit_once('\\').ok_or(BAD_COUNTER_NAME)?;
        match object {
            "double" | "double(*)" => COUNTERS
                .iter()
                .find(|(name, _)| *name == counter)
                .map(|(_, script)| *script)
                .ok_or(NO_COUNTER),
            "system" if counter == "context switches/sec" => Ok(Script::ContextSwitches),
            "system" => Err(NO_COUNTER),
            _ => Err(NO_OBJECT),
        }
    }

    /// The type as `PdhGetCounterInfo` tells it.
    pub(crate) fn kind(self) -> u32 {
        match self {
            Script::Rate | Script::Restarts => BULK_COUNT,
            Script::Wraps | Script::ContextSwitches => COUNTER,
            Script::Share => RAW_FRACTION,
            _ => RAW_COUNT,
        }
    }

    /// What the counter is there for, as its provider says, if it says so.
    pub(crate) fn explanation(self) -> Option<&'static str> {
        match self {
            Script::Rate => Some("Zählt Größen je Sekunde 🎈"),
            Script::Share => Some("Der Anteil am Ganzen"),
            _ => None,
        }
    }

    /// What the collection of a query with this counter gives.
    pub(crate) fn collect(self) -> u32 {
        if self == Script::Silent { NO_DATA } else { OK }
    }

    /// The values after `collections` (from 1), when being read for the `reads`th time (from 0)
    /// since then.
    pub(crate) fn items(self, collections: u32, reads: u32) -> Vec<Item> {
        let turn = i64::from(collections);
        let item = |name: &str, status, first, second| Item {
            name: name.encode_utf16().collect(),
            status,
            first,
            second,
            time: turn * FREQUENCY,
        };
        let count = |name: &str, first| item(name, OK, first, 0);
        match self {
            Script::Rate => {
                let timed = |name, first| item(name, OK, first, turn * FREQUENCY);
                vec![timed("slow", 10 * turn), timed("fast", 20 * turn)]
            }
            Script::Share => vec![item("", OK, 30, 120)],
            Script::Grows => {
                (0..=i64::from(reads.min(3))).map(|n| count(&format!("number {n}"), n)).collect()
            }
            Script::Lies | Script::Endless | Script::Late | Script::Silent => {
                vec![count("one", 1), count("two", 2)]
            }
            Script::Twins => (1..=3).map(|value| count("Code", value)).collect(),
            Script::Sick => vec![
                item("well", STATUS_NEW_DATA, 7, 0),
                item("gone", STATUS_NO_INSTANCE, 0, 0),
                item("broken", STATUS_INVALID_DATA, 0, 0),
                item("well too", OK, 8, 0),
            ],
            Script::Churn => {
                vec![count(&format!("number {turn}"), turn), count("always", turn)]
            }
            Script::Restarts => {
                let total = if turn < 3 { 1000 * turn } else { turn };
                vec![item("", OK, total, turn * FREQUENCY)]
            }
            Script::Wraps => {
                let total = (i64::from(u32::MAX) - 150 + 100 * turn) % (1 << 32);
                vec![item("", OK, total, turn * FREQUENCY)]
            }
            Script::Garbled => vec![Item { name: vec![0xD800, 0x41], ..count("", 1) }],
            Script::ContextSwitches => {
                let now = now();
                vec![Item { time: now, second: now, ..count("", context_switches() % (1 << 32)) }]
            }
        }
    }
}

/// The machine's total, which Wine lets Windows programs see.
fn context_switches() -> i64 {
    let stat = fs::read_to_string(r"Z:\proc\stat").unwrap_or_default();
    stat.lines().find_map(|line| line.strip_prefix("ctxt ")?.parse().ok()).unwrap_or(0)
}

#[expect(clippy::disallowed_methods, reason = "true values need true time")]
fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_nanos() / 100).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart_by_what_is_missing() {
        assert_eq!(Script::of(r"\Double(*)\Twins"), Ok(Script::Twins));
        assert_eq!(Script::of(r"\double\share"), Ok(Script::Share));
        assert_eq!(Script::of(r"\Double\Unheard Of"), Err(NO_COUNTER));
        assert_eq!(Script::of(r"\Unheard Of(*)\Rate"), Err(NO_OBJECT));
        assert_eq!(Script::of("Double"), Err(BAD_COUNTER_NAME));
    }

    #[test]
    fn a_growing_set_stops_growing() {
        let sizes: Vec<_> = (0..6).map(|reads| Script::Grows.items(1, reads).len()).collect();
        assert_eq!(sizes, [1, 2, 3, 4, 4, 4]);
    }

    #[test]
    fn a_wrapping_total_wraps_once() {
        let totals: Vec<_> = (1..=3).map(|turn| Script::Wraps.items(turn, 0)[0].first).collect();
        assert_eq!(totals, [4_294_967_245, 49, 149]);
    }
}
