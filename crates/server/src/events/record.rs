//! Events as records of the log: those that are stored together are compressed together, since
//! programs that start again and again have most of their texts in common. `docs/format/events.md`
//! describes the bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use barograph_collect::event::{Event, EventValue};
use barograph_store::Record;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

/// Of a record that holds several events; one that holds a single event begins with a brace.
const SEVERAL: u8 = 2;
/// What a single event says of itself.
const SINGLE: u8 = 1;

/// Bytes of events in one record before they are compressed, unless one alone has more.
const MAX_BYTES: usize = 256 * 1024;
/// Larger than any record that was ever written.
const MAX_READ_BYTES: usize = 1024 * 1024;
/// A record's time is that of its newest event, and none of the others is older than this.
pub(super) const MAX_SPREAD_MS: i64 = 60_000;

/// An event as it is read.
#[derive(Debug, Deserialize)]
struct Stored {
    #[serde(default)]
    v: u8,
    /// In a record of several.
    #[serde(default)]
    t: Option<i64>,
    kind: String,
    subject: String,
    #[serde(default)]
    fields: BTreeMap<String, StoredValue>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StoredValue {
    Integer(i64),
    Text(String),
}

/// An event as it is written.
#[derive(Debug, Serialize)]
struct Storing<'a> {
    t: i64,
    kind: &'a str,
    subject: &'a str,
    fields: Fields<'a>,
}

#[derive(Debug)]
struct Fields<'a>(&'a [(Cow<'static, str>, EventValue)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                EventValue::Integer(number) => map.serialize_entry(name, number)?,
                EventValue::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}

/// The records of events, which are put into the order of their times.
pub(super) fn encode(events: &mut [Event]) -> Vec<Record> {
    events.sort_by_key(|event| event.time_ms);
    let mut records = Vec::new();
    let (mut list, mut one) = (Vec::new(), Vec::new());
    let mut range_ms: Option<(i64, i64)> = None;
    for event in &*events {
        one.clear();
        let storing = Storing {
            t: event.time_ms,
            kind: &event.kind,
            subject: &event.subject,
            fields: Fields(&event.fields),
        };
        // Texts and numbers, so JSON can hold it, and memory takes it.
        serde_json::to_writer(&mut one, &storing).unwrap_or_default();
        let is_far =
            |(first_ms, _): (i64, i64)| event.time_ms.saturating_sub(first_ms) > MAX_SPREAD_MS;
        if range_ms.is_some_and(is_far) || list.len() + one.len() > MAX_BYTES {
            records.extend(record(&mut list, range_ms.take()));
        }
        list.push(if list.is_empty() { b'[' } else { b',' });
        list.extend_from_slice(&one);
        let first_ms = range_ms.map_or(event.time_ms, |(first_ms, _)| first_ms);
        range_ms = Some((first_ms, event.time_ms));
    }
    records.extend(record(&mut list, range_ms));
    records
}

fn record(list: &mut Vec<u8>, range_ms: Option<(i64, i64)>) -> Option<Record> {
    let (_, time_ms) = range_ms?;
    list.push(b']');
    let mut data = vec![SEVERAL];
    let compressed = snap::raw::Encoder::new().compress_vec(list);
    list.clear();
    // It fails for more than 4 GiB only.
    data.extend(compressed.ok()?);
    Some(Record { time_ms, data })
}

/// The events of a record; nothing if it is damaged, or newer than this version.
pub(super) fn decode(record: &Record) -> Option<Vec<Event>> {
    if record.data.first() != Some(&SEVERAL) {
        let stored: Stored = serde_json::from_slice(&record.data).ok()?;
        return (stored.v == SINGLE).then(|| vec![event(stored, record.time_ms)]);
    }
    let compressed = record.data.get(1..)?;
    let bytes = snap::raw::decompress_len(compressed).ok()?;
    if bytes > MAX_READ_BYTES {
        return None;
    }
    let list = snap::raw::Decoder::new().decompress_vec(compressed).ok()?;
    let list: Vec<Stored> = serde_json::from_slice(&list).ok()?;
    list.into_iter().map(|stored| stored.t.map(|time_ms| event(stored, time_ms))).collect()
}

fn event(stored: Stored, time_ms: i64) -> Event {
    let value = |value| match value {
        StoredValue::Integer(number) => EventValue::Integer(number),
        StoredValue::Text(text) => EventValue::Text(text),
    };
    Event {
        time_ms,
        kind: stored.kind.into(),
        subject: stored.subject,
        fields: stored.fields.into_iter().map(|(name, v)| (name.into(), value(v))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn started(time_ms: i64, path: &str) -> Event {
        Event::new(time_ms, "process_started", "sh (1)")
            .with("path", Some(path))
            .with("pid", Some(1_u32))
    }

    proptest! {
        #[test]
        fn events_come_back_in_the_order_of_their_times(
            times in prop::collection::vec(0..200_000_i64, 0..200),
            text in "\\PC{0,200}",
        ) {
            let mut events: Vec<Event> = times.iter().map(|ms| started(*ms, &text)).collect();
            let records = encode(&mut events);
            let mut back = Vec::new();
            for record in &records {
                let some = decode(record).unwrap();
                prop_assert_eq!(some.last().unwrap().time_ms, record.time_ms);
                prop_assert!(record.time_ms - some[0].time_ms <= MAX_SPREAD_MS);
                back.extend(some);
            }
            prop_assert_eq!(back, events);
        }

        #[test]
        fn no_bytes_make_it_panic(data in prop::collection::vec(any::<u8>(), 0..100)) {
            for first in [SEVERAL, b'{'] {
                let data = [&[first], data.as_slice()].concat();
                decode(&Record { time_ms: 1, data });
            }
        }
    }

    #[test]
    fn records_stay_small_and_what_repeats_takes_little() {
        let mut events: Vec<Event> = (0..1000).map(|ms| started(ms, &"/x".repeat(1000))).collect();
        let records = encode(&mut events);
        assert!(records.len() > 6, "{}", records.len());
        let bytes: usize = records.iter().map(|record| record.data.len()).sum();
        assert!(bytes < 200_000, "{bytes}");
        let back: Vec<Event> = records.iter().flat_map(|record| decode(record).unwrap()).collect();
        assert_eq!(back, events);
    }

    #[test]
    fn an_event_of_a_version_before_is_read() {
        let data = br#"{"v":1,"kind":"a","subject":"b","fields":{"n":-1,"t":"x"}}"#.to_vec();
        let events = decode(&Record { time_ms: 7, data }).unwrap();
        let expect = Event::new(7, "a", "b").with("n", Some(-1_i64)).with("t", Some("x"));
        assert_eq!(events, [expect]);
    }
}
