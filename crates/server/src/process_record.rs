//! A process snapshot as bytes: each text once, and what it has in common with one that was stored
//! a little earlier (its key) not at all: a process that was there is named by its place in the
//! key, and its values are differences. `docs/format/processes.md` draws it.

use std::collections::HashMap;
use std::sync::Arc;

use barograph_collect::process::{Facts, Process, ProcessId, ProcessSnapshot, ProcessState};

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
/// Stands in the place of a key's time in a record that needs none.
const NO_KEY: i64 = i64::MIN;
/// State, two shares of the processor, six counts and rates, threads.
const VALUES: usize = 10;
const TEXTS: usize = 6;

/// A stored record, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed<'a> {
    /// The record that this one refers to; none if it stands for itself.
    pub(crate) key_ms: Option<i64>,
    body: &'a [u8],
}

/// The record of a snapshot; `key` is an earlier one that was stored without a key.
pub(crate) fn encode(snapshot: &ProcessSnapshot, key: Option<&ProcessSnapshot>) -> Vec<u8> {
    let mut out = Out { bytes: vec![VERSION] };
    let key_ms = key.map_or(NO_KEY, |key| key.time_ms);
    out.bytes.extend(key_ms.to_le_bytes());
    let of_key = key.map_or(&[][..], |key| &key.processes);
    out.count(snapshot.total);
    out.count(snapshot.denied);
    out.count(snapshot.processes.len());
    let places: HashMap<ProcessId, usize> =
        of_key.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
    let mut texts = Texts::of(of_key);
    let mut last_place = 0;
    for one in &snapshot.processes {
        let place = places.get(&one.id).filter(|place| **place >= last_place);
        let same = place.filter(|place| is_same(one, &of_key[**place]));
        let base = if let Some(place) = same {
            out.count(place - last_place + 1);
            last_place = *place;
            values(&of_key[*place])
        } else {
            out.count(0);
            out.whole(one, snapshot.time_ms, &mut texts);
            [None; VALUES]
        };
        for (value, base) in values(one).into_iter().zip(base) {
            out.difference(value, base);
        }
    }
    out.bytes
}

fn is_same(one: &Process, of_key: &Process) -> bool {
    one.parent == of_key.parent && one.started_ms == of_key.started_ms && one.facts == of_key.facts
}

impl<'a> Packed<'a> {
    pub(crate) fn read(record: &'a [u8]) -> Result<Self, RecordError> {
        let (version, rest) = record.split_first().ok_or(RecordError::Damaged)?;
        if *version != VERSION {
            return Err(RecordError::Newer(*version));
        }
        let (key_ms, body) = rest.split_first_chunk().ok_or(RecordError::Damaged)?;
        let key_ms = Some(i64::from_le_bytes(*key_ms)).filter(|key_ms| *key_ms != NO_KEY);
        Ok(Self { key_ms, body })
    }

    /// The snapshot; `key` is that of the record at `key_ms`, and `time_ms` the record's time.
    pub(crate) fn decode(
        &self,
        time_ms: i64,
        key: Option<&ProcessSnapshot>,
    ) -> Result<ProcessSnapshot, RecordError> {
        let of_key = match (self.key_ms, key) {
            (None, _) => &[][..],
            (Some(key_ms), Some(key)) if key.time_ms == key_ms => &key.processes,
            (Some(_), _) => return Err(RecordError::KeyMissing),
        };
        let mut input = In { rest: self.body };
        let (total, denied) = (input.count()?, input.count()?);
        let count = input.count()?;
        let mut texts = Texts::of(of_key).in_order.into_iter().map(str::to_owned).collect();
        let mut processes = Vec::new();
        let mut last_place = 0_usize;
        for _ in 0..count {
            let (mut one, base) = match input.count()?.checked_sub(1) {
                None => (input.whole(time_ms, &mut texts)?, [None; VALUES]),
                Some(further) => {
                    let place = last_place.checked_add(further).ok_or(RecordError::Damaged)?;
                    last_place = place;
                    let of_key = of_key.get(place).ok_or(RecordError::Damaged)?;
                    (of_key.clone(), values(of_key))
                }
            };
            let mut found = [None; VALUES];
            for (value, base) in found.iter_mut().zip(base) {
                *value = input.difference(base)?;
            }
            set_values(&mut one, found)?;
            processes.push(one);
        }
        if !input.rest.is_empty() {
            return Err(RecordError::Damaged);
        }
        Ok(ProcessSnapshot { time_ms, processes, total, denied })
    }
}

/// What changes: whole numbers, the shares in hundredths of a percent.
fn values(one: &Process) -> [Option<u64>; VALUES] {
    let state = ProcessState::ALL.iter().position(|known| *known == one.state);
    let share = |percent: Option<f64>| percent.map(|percent| whole(percent * 100.0));
    [
        state.map(|state| state as u64),
        share(one.cpu_user_percent),
        share(one.cpu_privileged_percent),
        Some(one.working_set_bytes),
        Some(one.virtual_bytes),
        one.page_file_bytes,
        Some(one.threads),
        one.handles,
        one.read_bytes_per_second.map(whole),
        one.written_bytes_per_second.map(whole),
    ]
}

fn set_values(one: &mut Process, values: [Option<u64>; VALUES]) -> Result<(), RecordError> {
    let [state, user, privileged, working_set, virtual_bytes, page_file, threads, handles, r, w] =
        values;
    let share = |hundredths: Option<u64>| hundredths.map(|n| n as f64 / 100.0);
    let known = state.and_then(|state| ProcessState::ALL.get(usize::try_from(state).ok()?));
    one.state = *known.ok_or(RecordError::Damaged)?;
    one.cpu_user_percent = share(user);
    one.cpu_privileged_percent = share(privileged);
    one.working_set_bytes = working_set.ok_or(RecordError::Damaged)?;
    one.virtual_bytes = virtual_bytes.ok_or(RecordError::Damaged)?;
    one.page_file_bytes = page_file;
    one.threads = threads.ok_or(RecordError::Damaged)?;
    one.handles = handles;
    one.read_bytes_per_second = r.map(|n| n as f64);
    one.written_bytes_per_second = w.map(|n| n as f64);
    Ok(())
}

fn texts_of(facts: &Facts) -> [Option<&str>; TEXTS] {
    [
        Some(&facts.name),
        facts.path.as_deref(),
        facts.command_line.as_deref(),
        facts.user.as_deref(),
        facts.cgroup.as_deref(),
        facts.service.as_deref(),
    ]
}

/// Every text once, in the order of its first use.
#[derive(Default)]
struct Texts<'a> {
    in_order: Vec<&'a str>,
    index: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn of(processes: &'a [Process]) -> Self {
        let mut texts = Self::default();
        for text in processes.iter().flat_map(|one| texts_of(&one.facts)).flatten() {
            texts.place(text);
        }
        texts
    }

    /// Where the text stands; nothing if it was not there before, but is now.
    fn place(&mut self, text: &'a str) -> Option<usize> {
        let next = self.in_order.len();
        let place = *self.index.entry(text).or_insert(next);
        if place == next {
            self.in_order.push(text);
        }
        (place < next).then_some(place)
    }
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

struct Out {
    bytes: Vec<u8>,
}

impl Out {
    const ABSENT_TEXT: u64 = 0;
    const NEW_TEXT: u64 = 1;
    const KNOWN_TEXTS: u64 = 2;
    /// So that every difference, and the number that says "absent", has a place in 64 bits.
    const LARGEST: u64 = i64::MAX as u64 - 1;

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

    fn difference(&mut self, value: Option<u64>, base: Option<u64>) {
        let limited = |value: u64| value.min(Self::LARGEST).cast_signed();
        let base = limited(base.unwrap_or(0));
        self.number(value.map_or(0, |value| zigzag(limited(value) - base) + 1));
    }

    fn whole<'a>(&mut self, one: &'a Process, time_ms: i64, texts: &mut Texts<'a>) {
        self.number(one.id.pid.into());
        self.number(one.id.start);
        self.number(one.parent.into());
        let started_ms = one.started_ms.map(|ms| ms.saturating_sub(time_ms));
        self.number(started_ms.map_or(0, |since| zigzag(since).saturating_add(1)));
        for text in texts_of(&one.facts) {
            match text.map(|text| (text, texts.place(text))) {
                None => self.number(Self::ABSENT_TEXT),
                Some((_, Some(place))) => self.number(Self::KNOWN_TEXTS + place as u64),
                Some((text, None)) => {
                    self.number(Self::NEW_TEXT);
                    self.count(text.len());
                    self.bytes.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
}

struct In<'a> {
    rest: &'a [u8],
}

impl In<'_> {
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

    fn small(&mut self) -> Result<u32, RecordError> {
        u32::try_from(self.number()?).map_err(|_| RecordError::Damaged)
    }

    fn difference(&mut self, base: Option<u64>) -> Result<Option<u64>, RecordError> {
        let Some(difference) = self.number()?.checked_sub(1) else { return Ok(None) };
        let base = base.unwrap_or(0).min(Out::LARGEST);
        let value = base.checked_add_signed(unzigzag(difference));
        value.map(Some).ok_or(RecordError::Damaged)
    }

    fn whole(&mut self, time_ms: i64, texts: &mut Vec<String>) -> Result<Process, RecordError> {
        let id = ProcessId { pid: self.small()?, start: self.number()? };
        let parent = self.small()?;
        let since = self.number()?.checked_sub(1).map(unzigzag);
        let started_ms = since.map(|since| time_ms.saturating_add(since));
        let mut found = [const { None }; TEXTS];
        for text in &mut found {
            *text = self.text(texts)?;
        }
        let [name, path, command_line, user, cgroup, service] = found;
        let name = name.ok_or(RecordError::Damaged)?;
        let facts = Facts { name, path, command_line, user, cgroup, service, denied: false };
        Ok(Process { id, parent, started_ms, facts: Arc::new(facts), ..Process::default() })
    }

    fn text(&mut self, texts: &mut Vec<String>) -> Result<Option<String>, RecordError> {
        match self.number()? {
            Out::ABSENT_TEXT => Ok(None),
            Out::NEW_TEXT => {
                let length = self.count()?;
                let (text, rest) =
                    self.rest.split_at_checked(length).ok_or(RecordError::Damaged)?;
                self.rest = rest;
                let text = std::str::from_utf8(text).map_err(|_| RecordError::Damaged)?;
                texts.push(text.to_owned());
                Ok(Some(text.to_owned()))
            }
            place => {
                let place = usize::try_from(place - Out::KNOWN_TEXTS).ok();
                let text = place.and_then(|place| texts.get(place)).ok_or(RecordError::Damaged)?;
                Ok(Some(text.clone()))
            }
        }
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
            started_ms: (!n.is_multiple_of(3)).then(|| time_ms - 5000 * i64::from(n)),
            facts: Arc::new(Facts {
                name: format!("program-{}", n % 5),
                path: n.is_multiple_of(2).then(|| format!("/usr/bin/program-{}", n % 5)),
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
            handles: Some(1 << 62),
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
            let record = encode(&whole, None);
            assert_eq!(Packed::read(&record).unwrap().decode(whole.time_ms, None), Ok(whole));
        }
    }

    #[test]
    fn a_snapshot_with_a_key_comes_back_and_is_small() {
        let key = snapshot(1_763_812_800_000, 60);
        let mut next = snapshot(key.time_ms, 62);
        next.time_ms += 10_000;
        next.processes.remove(3);
        next.processes[7].working_set_bytes += 4096;
        next.processes[8].handles = None;
        next.processes[9].facts = Arc::new(Facts { name: "other".into(), ..Facts::default() });
        next.processes[10].id.start += 1;
        let record = encode(&next, Some(&key));
        let packed = Packed::read(&record).unwrap();
        assert_eq!(packed.key_ms, Some(key.time_ms));
        assert_eq!(packed.decode(next.time_ms, Some(&key)), Ok(next.clone()));
        let alone = encode(&next, None).len();
        assert!(record.len() * 3 < alone, "{} of {alone}", record.len());
        assert_eq!(packed.decode(next.time_ms, None), Err(RecordError::KeyMissing));
        assert_eq!(packed.decode(next.time_ms, Some(&next)), Err(RecordError::KeyMissing));
    }

    #[test]
    fn a_newer_record_is_told_from_a_damaged_one() {
        assert_eq!(Packed::read(&[2; 20]).unwrap_err(), RecordError::Newer(2));
        assert_eq!(Packed::read(&[1, 2]).unwrap_err(), RecordError::Damaged);
        let mut record = encode(&snapshot(5, 3), None);
        record.push(0);
        let packed = Packed::read(&record).unwrap();
        assert_eq!(packed.decode(5, None), Err(RecordError::Damaged));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            with_key in any::<bool>(),
            cut in 0_usize..3000,
            odd in prop::collection::vec((9_usize..3000, any::<u8>()), 0..8),
            tail in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let key = snapshot(5, 20);
            let mut record = encode(&snapshot(9, 25), with_key.then_some(&key));
            for (at, byte) in odd {
                let at = at % record.len();
                record[at] = byte;
            }
            record.truncate(cut);
            record.extend(&tail);
            drop(Packed::read(&record).map(|packed| packed.decode(9, Some(&key))));
        }
    }
}
