//! A process snapshot as bytes: columns, each text once, compressed. What most snapshots have in
//! common with one that was stored a little earlier is left to the compressor, which is given
//! that one as its dictionary. `docs/format/processes.md` draws it.

use std::collections::HashMap;
use std::sync::Arc;

use barograph_collect::process::{Facts, Process, ProcessId, ProcessSnapshot, ProcessState};
use zstd::bulk::{Compressor, Decompressor};

/// Why stored bytes are no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("the record was written by a newer version (its format is {0})")]
    Newer(u8),
    #[error("the record is damaged")]
    Damaged,
    #[error("the record that this one refers to is gone or damaged")]
    KeyMissing,
}

const VERSION: u8 = 1;
/// Version, and the time of the record that is the dictionary.
const HEADER_BYTES: usize = 9;
/// No other record: [`Packed::key_ms`].
const OWN_KEY: i64 = i64::MIN;
/// Of the columns; what is stored of a snapshot has at most some hundred processes.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Fast, and nearly as small as the slow ones on so few bytes.
const LEVEL: i32 = 3;

/// A stored record, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    /// The record that is the dictionary of this one; none if this one stands for itself.
    pub(crate) key_ms: Option<i64>,
    compressed: &'a [u8],
}

/// The columns, and with a key what makes them small.
pub(crate) fn pack(columns: &[u8], key: Option<(i64, &[u8])>) -> std::io::Result<Vec<u8>> {
    let (key_ms, dictionary) = key.unwrap_or((OWN_KEY, &[]));
    let mut record = vec![VERSION];
    record.extend(key_ms.to_le_bytes());
    record.extend(Compressor::with_dictionary(LEVEL, dictionary)?.compress(columns)?);
    Ok(record)
}

impl<'a> Packed<'a> {
    pub(crate) fn read(record: &'a [u8]) -> Result<Self, RecordError> {
        let (header, compressed) =
            record.split_at_checked(HEADER_BYTES).ok_or(RecordError::Damaged)?;
        let (version, key_ms) = header.split_first().ok_or(RecordError::Damaged)?;
        if *version != VERSION {
            return Err(RecordError::Newer(*version));
        }
        let key_ms = key_ms.try_into().map(i64::from_le_bytes).map_err(|_| RecordError::Damaged)?;
        Ok(Self { key_ms: Some(key_ms).filter(|key_ms| *key_ms != OWN_KEY), compressed })
    }

    /// The columns; `key` are those of the record at `key_ms`.
    pub(crate) fn unpack(&self, key: &[u8]) -> Result<Vec<u8>, RecordError> {
        Decompressor::with_dictionary(key)
            .and_then(|mut zstd| zstd.decompress(self.compressed, MAX_BYTES))
            .map_err(|_| RecordError::Damaged)
    }
}

/// The columns of a snapshot.
pub(crate) fn encode(snapshot: &ProcessSnapshot) -> Vec<u8> {
    let mut out = Out::default();
    out.count(snapshot.total);
    out.count(snapshot.denied);
    let processes = &snapshot.processes;
    out.count(processes.len());
    let mut texts = Texts::default();
    let facts: Vec<[Option<u64>; 6]> = processes.iter().map(|one| texts.of(&one.facts)).collect();
    out.count(texts.in_order.len());
    for text in &texts.in_order {
        out.count(text.len());
        out.bytes.extend_from_slice(text.as_bytes());
    }
    for column in 0..6 {
        facts.iter().for_each(|row| out.some(row[column]));
    }
    processes.iter().for_each(|one| out.number(one.id.pid.into()));
    processes.iter().for_each(|one| out.number(one.id.start));
    processes.iter().for_each(|one| out.number(one.parent.into()));
    let started = |one: &Process| one.started_ms.map(|ms| zigzag(ms.wrapping_sub(snapshot.time_ms)));
    processes.iter().for_each(|one| out.some(started(one)));
    processes.iter().for_each(|one| out.number(state_number(one.state)));
    for value in [
        |one: &Process| one.cpu_user_percent.map(|percent| whole(percent * 100.0)),
        |one| one.cpu_privileged_percent.map(|percent| whole(percent * 100.0)),
        |one| Some(one.working_set_bytes),
        |one| Some(one.virtual_bytes),
        |one| one.page_file_bytes,
        |one| Some(one.threads),
        |one| one.handles,
        |one| one.read_bytes_per_second.map(whole),
        |one| one.written_bytes_per_second.map(whole),
    ] {
        processes.iter().for_each(|one| out.some(value(one)));
    }
    out.bytes
}

/// From columns back; `time_ms` is the record's time.
pub(crate) fn decode(columns: &[u8], time_ms: i64) -> Result<ProcessSnapshot, RecordError> {
    let mut input = In { rest: columns };
    let total = input.count()?;
    let denied = input.count()?;
    let count = input.bounded_count()?;
    let n_texts = input.bounded_count()?;
    let mut texts: Vec<&str> = Vec::new();
    for _ in 0..n_texts {
        texts.push(input.text()?);
    }
    let mut facts = vec![Facts::default(); count];
    for set in [
        (|facts, text| facts.name = text.unwrap_or_default()) as fn(&mut Facts, Option<String>),
        |facts, text| facts.path = text,
        |facts, text| facts.command_line = text,
        |facts, text| facts.user = text,
        |facts, text| facts.cgroup = text,
        |facts, text| facts.service = text,
    ] {
        for facts in &mut facts {
            let index = input.some()?;
            set(facts, index.map(|index| text_at(&texts, index)).transpose()?);
        }
    }
    let of_facts = |facts| Process { facts: Arc::new(facts), ..Process::default() };
    let mut processes: Vec<Process> = facts.into_iter().map(of_facts).collect();
    let small = |number: u64| u32::try_from(number).map_err(|_| RecordError::Damaged);
    let mut pids = Vec::with_capacity(count);
    for _ in 0..count {
        pids.push(small(input.number()?)?);
    }
    for (one, pid) in processes.iter_mut().zip(pids) {
        one.id = ProcessId { pid, start: input.number()? };
    }
    for one in &mut processes {
        one.parent = small(input.number()?)?;
    }
    for one in &mut processes {
        one.started_ms = input.some()?.map(|ms| unzigzag(ms).wrapping_add(time_ms));
    }
    for one in &mut processes {
        one.state = state(input.number()?)?;
    }
    for set in [
        (|one, value| one.cpu_user_percent = value.map(|n| n as f64 / 100.0))
            as fn(&mut Process, Option<u64>),
        |one, value| one.cpu_privileged_percent = value.map(|n| n as f64 / 100.0),
        |one, value| one.working_set_bytes = value.unwrap_or_default(),
        |one, value| one.virtual_bytes = value.unwrap_or_default(),
        |one, value| one.page_file_bytes = value,
        |one, value| one.threads = value.unwrap_or_default(),
        |one, value| one.handles = value,
        |one, value| one.read_bytes_per_second = value.map(|n| n as f64),
        |one, value| one.written_bytes_per_second = value.map(|n| n as f64),
    ] {
        for one in &mut processes {
            set(one, input.some()?);
        }
    }
    if !input.rest.is_empty() {
        return Err(RecordError::Damaged);
    }
    Ok(ProcessSnapshot { time_ms, processes, total, denied })
}

/// Every text once, in the order of its first use.
#[derive(Default)]
struct Texts<'a> {
    in_order: Vec<&'a str>,
    index: HashMap<&'a str, u64>,
}

impl<'a> Texts<'a> {
    fn of(&mut self, facts: &'a Facts) -> [Option<u64>; 6] {
        [
            Some(self.add(&facts.name)),
            facts.path.as_deref().map(|text| self.add(text)),
            facts.command_line.as_deref().map(|text| self.add(text)),
            facts.user.as_deref().map(|text| self.add(text)),
            facts.cgroup.as_deref().map(|text| self.add(text)),
            facts.service.as_deref().map(|text| self.add(text)),
        ]
    }

    fn add(&mut self, text: &'a str) -> u64 {
        *self.index.entry(text).or_insert_with(|| {
            self.in_order.push(text);
            self.in_order.len() as u64 - 1
        })
    }
}

fn text_at(texts: &[&str], index: u64) -> Result<String, RecordError> {
    let text = usize::try_from(index).ok().and_then(|index| texts.get(index));
    text.map(|text| (*text).to_owned()).ok_or(RecordError::Damaged)
}

fn state_number(state: ProcessState) -> u64 {
    ProcessState::ALL.iter().position(|known| *known == state).unwrap_or_default() as u64
}

fn state(number: u64) -> Result<ProcessState, RecordError> {
    let state = usize::try_from(number).ok().and_then(|at| ProcessState::ALL.get(at));
    state.copied().ok_or(RecordError::Damaged)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of floats stops at the bounds, which are out of reach"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
}

impl Out {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push((value & 0x7f) as u8);
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// Absent is 0; the largest number there is becomes the one below it.
    fn some(&mut self, value: Option<u64>) {
        self.number(value.map_or(0, |value| value.saturating_add(1)));
    }
}

struct In<'a> {
    rest: &'a [u8],
}

impl<'a> In<'a> {
    fn number(&mut self) -> Result<u64, RecordError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(RecordError::Damaged)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(RecordError::Damaged)
    }

    fn count(&mut self) -> Result<usize, RecordError> {
        usize::try_from(self.number()?).map_err(|_| RecordError::Damaged)
    }

    /// Of things that take a byte or more each.
    fn bounded_count(&mut self) -> Result<usize, RecordError> {
        self.count().and_then(|count| {
            if count <= self.rest.len() { Ok(count) } else { Err(RecordError::Damaged) }
        })
    }

    fn some(&mut self) -> Result<Option<u64>, RecordError> {
        Ok(self.number()?.checked_sub(1))
    }

    fn text(&mut self) -> Result<&'a str, RecordError> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or(RecordError::Damaged)?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| RecordError::Damaged)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn snapshot(time_ms: i64, count: u32) -> ProcessSnapshot {
        let process = |n: u32| Process {
            id: ProcessId { pid: 100 + 7 * n, start: 1_000_000 + u64::from(n) },
            parent: n.saturating_sub(1),
            started_ms: (n % 3 > 0).then(|| time_ms - 5000 * i64::from(n)),
            facts: Arc::new(Facts {
                name: format!("program-{}", n % 5),
                path: (n % 2 == 0).then(|| format!("/usr/bin/program-{}", n % 5)),
                command_line: Some(format!("/usr/bin/program-{} --number {n}", n % 5)),
                user: Some("root".into()),
                cgroup: None,
                service: Some("web.service".into()),
                denied: false,
            }),
            state: ProcessState::ALL[n as usize % ProcessState::ALL.len()],
            cpu_user_percent: (n > 0).then(|| f64::from(n) + 0.25),
            cpu_privileged_percent: Some(0.0),
            working_set_bytes: u64::from(n) << 20,
            virtual_bytes: 1 << 47,
            page_file_bytes: None,
            threads: 3,
            handles: Some(u64::MAX - 1),
            read_bytes_per_second: Some(12_345.0),
            written_bytes_per_second: None,
        };
        let processes = (0..count).map(process).collect();
        ProcessSnapshot { time_ms, processes, total: 500, denied: 2 }
    }

    #[test]
    fn a_snapshot_comes_back() {
        for count in [0, 1, 60, 500] {
            let whole = snapshot(1_763_812_800_000, count);
            assert_eq!(decode(&encode(&whole), whole.time_ms), Ok(whole));
        }
    }

    #[test]
    fn a_record_comes_back_with_and_without_a_key() {
        let (first, second) = (encode(&snapshot(1000, 60)), encode(&snapshot(11_000, 61)));
        let alone = pack(&second, None).unwrap();
        let packed = Packed::read(&alone).unwrap();
        assert_eq!(packed.key_ms, None);
        assert_eq!(packed.unpack(&[]), Ok(second.clone()));
        let short = pack(&second, Some((1000, &first))).unwrap();
        let packed = Packed::read(&short).unwrap();
        assert_eq!(packed.key_ms, Some(1000));
        assert_eq!(packed.unpack(&first).as_ref(), Ok(&second));
        assert!(short.len() * 2 < alone.len(), "{} of {}", short.len(), alone.len());
        // With another key it is not taken for what it is not.
        assert_ne!(packed.unpack(&second).ok(), Some(second));
    }

    #[test]
    fn a_newer_record_is_told_from_a_damaged_one() {
        assert_eq!(Packed::read(&[2; 20]).unwrap_err(), RecordError::Newer(2));
        assert_eq!(Packed::read(&[1, 2]).unwrap_err(), RecordError::Damaged);
        let record = pack(b"nonsense", None).unwrap();
        let columns = Packed::read(&record).unwrap().unpack(&[]).unwrap();
        assert_eq!(decode(&columns, 0), Err(RecordError::Damaged));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            cut in 0_usize..3000,
            odd in prop::collection::vec((0_usize..3000, any::<u8>()), 0..8),
            tail in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let mut columns = encode(&snapshot(5, 20));
            for (at, byte) in odd {
                let at = at % columns.len();
                columns[at] = byte;
            }
            columns.truncate(cut);
            columns.extend(&tail);
            drop(decode(&columns, 5));
            drop(Packed::read(&tail).map(|packed| packed.unpack(&columns)));
        }
    }
}
