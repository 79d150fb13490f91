//! A row of the write-ahead log: what one commit brought.
//!
//! ```text
//! version u8 │ goes on u8 │ series in the partition │ n_frames │ frames │ crc32c u32
//! frame: time zigzag (the first), difference zigzag (the others) │ n_samples
//!        n_runs, per run of neighbouring series: gap, length (none: the series of the frame before)
//!        bitmap of unchanged values │ two bits of form for each other value
//!        differences of numbers as zigzag varints │ the values of no other form as f64
//! ```
//! Values are told by what changed since the series' last one: 0.7 bytes per sample of real metrics,
//! which is written and synced each second. A row goes on from the row before, or begins anew with
//! all last values zero; it does so often enough that a damaged row takes few others with it.

use super::batch_v1;
use super::bytes::{
    Decoded, Reader, put_checksum, put_count, put_varint, unzigzag, verified, zigzag,
};
use super::values::exact_integer;

const VERSION: u8 = 2;
const WHAT: &str = "a batch";
/// So many samples of each series on average; then a row begins anew.
const CHAIN_SAMPLES: usize = 16;

/// What numbers are multiplied by to be integers, by form; the form after them is a plain f64.
const SCALES: [f64; 3] = [1.0, 100.0, 1e9];
const PLAIN: u8 = 3;

/// Samples of one time, by partition-local series, each series once and in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) time_ms: i64,
    pub(crate) series: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

impl Frame {
    /// Puts the series in order; of several samples of one series the last stays.
    pub(crate) fn normalise(&mut self, sorter: &mut Sorter) {
        if self.series.is_sorted_by(|a, b| a < b) {
            return;
        }
        let end = self.series.iter().max().map_or(0, |max| *max as usize + 1);
        if end <= self.series.len() * 64 {
            sorter.sort(self, end);
            return;
        }
        let mut pairs: Vec<(u32, f64)> =
            self.series.iter().copied().zip(self.values.iter().copied()).collect();
        pairs.sort_by_key(|(series, _)| *series);
        self.series.clear();
        self.values.clear();
        for (series, value) in pairs {
            if self.series.last() == Some(&series) {
                self.values.pop();
            } else {
                self.series.push(series);
            }
            self.values.push(value);
        }
    }
}

/// Puts series in order by marking their places: cheap where most places are taken.
#[derive(Debug, Default)]
pub(crate) struct Sorter {
    /// A bit for each series; clear between uses.
    taken: Vec<u64>,
    values: Vec<f64>,
}

impl Sorter {
    fn sort(&mut self, frame: &mut Frame, end: usize) {
        if self.values.len() < end {
            self.values.resize(end, 0.0);
            self.taken.resize(end.div_ceil(64), 0);
        }
        for (series, value) in frame.series.iter().zip(&frame.values) {
            let place = *series as usize;
            self.values[place] = *value;
            self.taken[place / 64] |= 1 << (place % 64);
        }
        frame.series.clear();
        frame.values.clear();
        for (first, word) in (0..).step_by(64).zip(&mut self.taken[..end.div_ceil(64)]) {
            let mut left = std::mem::take(word);
            while left != 0 {
                let series = first + left.trailing_zeros();
                frame.series.push(series);
                frame.values.push(self.values[series as usize]);
                left &= left - 1;
            }
        }
    }
}

/// What a row may refer to: the same to who writes it and who reads it.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The last value of each series since the chain began.
    last: Vec<f64>,
    /// Those of the last frame.
    series: Vec<u32>,
    samples: usize,
    /// The number of the row that may go on; `None` where only a new beginning is understood.
    next_seq: Option<i64>,
}

impl Chain {
    /// The next row begins anew.
    pub(crate) fn end(&mut self) {
        self.next_seq = None;
    }

    fn begin(&mut self) {
        self.last.clear();
        self.series.clear();
        self.samples = 0;
    }

    /// For series below `n_series`.
    fn make_room(&mut self, n_series: u32) {
        self.last.resize(self.last.len().max(n_series as usize), 0.0);
    }

    /// Encodes normalised frames as the row `seq`. The series are below `n_series`; `seed` ties the
    /// row to its place. A row that does not reach the disk ends the chain: say so.
    pub(crate) fn encode(
        &mut self,
        frames: &[Frame],
        n_series: u32,
        seq: i64,
        seed: u32,
    ) -> Vec<u8> {
        let samples: usize = frames.iter().map(|frame| frame.series.len()).sum();
        let goes_on = self.next_seq == Some(seq)
            && self.samples < CHAIN_SAMPLES.saturating_mul(n_series as usize);
        if !goes_on {
            self.begin();
        }
        self.make_room(n_series);
        let mut out = Vec::with_capacity(64 + samples * 2);
        out.push(VERSION);
        out.push(u8::from(goes_on));
        put_varint(&mut out, u64::from(n_series));
        put_count(&mut out, frames.len());
        let mut last_ms = 0;
        for frame in frames {
            put_varint(&mut out, zigzag(frame.time_ms.wrapping_sub(last_ms)));
            last_ms = frame.time_ms;
            put_count(&mut out, frame.series.len());
            self.put_series(&frame.series, &mut out);
            self.put_values(frame, &mut out);
        }
        put_checksum(&mut out, 0, seed);
        self.samples += samples;
        self.next_seq = Some(seq.wrapping_add(1));
        out
    }

    fn put_series(&mut self, series: &[u32], out: &mut Vec<u8>) {
        if self.series == series {
            put_count(out, 0);
            return;
        }
        self.series.clear();
        self.series.extend_from_slice(series);
        let runs = || series.chunk_by(|a, b| a + 1 == *b);
        put_count(out, runs().count());
        let mut next = 0;
        for run in runs() {
            put_varint(out, u64::from(run[0] - next));
            put_count(out, run.len());
            next = run[run.len() - 1] + 1;
        }
    }

    fn put_values(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        let bitmap_at = out.len();
        out.resize(bitmap_at + frame.values.len().div_ceil(8), 0);
        let mut changed: Vec<(f64, f64)> = Vec::with_capacity(frame.values.len());
        let groups = frame.series.chunks(8).zip(frame.values.chunks(8));
        for ((series, values), unchanged) in groups.zip(&mut out[bitmap_at..]) {
            for (i, (series, value)) in series.iter().zip(values).enumerate() {
                let last = &mut self.last[*series as usize];
                if last.to_bits() == value.to_bits() {
                    *unchanged |= 1 << i;
                } else {
                    changed.push((*last, *value));
                    *last = *value;
                }
            }
        }
        let forms_at = out.len();
        out.resize(forms_at + changed.len().div_ceil(4), 0);
        let mut plain = Vec::new();
        for (i, (last, value)) in changed.into_iter().enumerate() {
            let form = if let Some((form, number)) = scaled(value) {
                put_varint(out, zigzag(number.wrapping_sub(expected(last, form))));
                form
            } else {
                plain.push(value);
                PLAIN
            };
            out[forms_at + i / 4] |= form << (i % 4 * 2);
        }
        for value in plain {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }

    /// Reads the row `seq` back: the frames, and the series that the partition had then.
    pub(crate) fn decode(
        &mut self,
        bytes: &[u8],
        seq: i64,
        seed: u32,
    ) -> Decoded<(Vec<Frame>, u32)> {
        let could_go_on = self.next_seq.take() == Some(seq);
        let mut reader = Reader::new(verified(bytes, seed, WHAT)?, WHAT);
        match reader.byte()? {
            batch_v1::VERSION => return batch_v1::decode(reader),
            VERSION => {}
            _ => return Err(reader.damaged()),
        }
        match reader.byte()? {
            0 => self.begin(),
            1 if could_go_on => {}
            _ => return Err(reader.damaged()),
        }
        let n_series = reader.u32()?;
        let n_frames = reader.count()?;
        let mut frames = Vec::new();
        let mut time_ms = 0_i64;
        for _ in 0..n_frames {
            time_ms = time_ms.wrapping_add(reader.signed()?);
            // Each takes at least a bit.
            let most = reader.rest().len().saturating_mul(8).min(n_series as usize);
            let n_samples = reader.at_most(most)?;
            let series = self.take_series(&mut reader, n_samples, n_series)?;
            let values = self.take_values(&mut reader, &series)?;
            frames.push(Frame { time_ms, series, values });
        }
        reader.finish()?;
        self.next_seq = Some(seq.wrapping_add(1));
        Ok((frames, n_series))
    }

    fn take_series(
        &mut self,
        reader: &mut Reader<'_>,
        n_samples: usize,
        n_series: u32,
    ) -> Decoded<Vec<u32>> {
        let n_runs = reader.count()?;
        if n_runs > 0 || n_samples == 0 {
            self.series = take_runs(reader, n_runs, n_samples, n_series)?;
        }
        let fits = self.series.len() == n_samples
            && self.series.last().is_none_or(|last| *last < n_series);
        if fits { Ok(self.series.clone()) } else { Err(reader.damaged()) }
    }

    fn take_values(&mut self, reader: &mut Reader<'_>, series: &[u32]) -> Decoded<Vec<f64>> {
        let bitmap = reader.take(series.len().div_ceil(8))?;
        let is_changed = |i: usize| bitmap[i / 8] >> (i % 8) & 1 == 0;
        // Ascending, so the last is the largest; it was checked against the number of series.
        let room = series.last().map_or(0, |last| *last as usize + 1);
        self.last.resize(self.last.len().max(room), 0.0);
        let n_changed = (0..series.len()).filter(|i| is_changed(*i)).count();
        let forms = reader.take(n_changed.div_ceil(4))?;
        let form = |i: usize| forms[i / 4] >> (i % 4 * 2) & 3;
        let mut changed = vec![0.0; n_changed];
        let places = series.iter().enumerate().filter(|(i, _)| is_changed(*i));
        for (i, (_, series)) in places.enumerate().filter(|(i, _)| form(*i) != PLAIN) {
            let number = expected(self.last[*series as usize], form(i));
            let number = number.wrapping_add(unzigzag(reader.varint()?));
            changed[i] = number as f64 / SCALES[usize::from(form(i))];
        }
        for (_, value) in changed.iter_mut().enumerate().filter(|(i, _)| form(*i) == PLAIN) {
            *value = f64::from_bits(reader.u64()?);
        }
        let mut next = changed.into_iter();
        let value = |(i, series): (usize, &u32)| {
            let last = &mut self.last[*series as usize];
            if is_changed(i) {
                *last = next.next().unwrap_or_default();
            }
            *last
        };
        Ok(series.iter().enumerate().map(value).collect())
    }
}

/// The form in which a value is an integer, and that integer.
fn scaled(value: f64) -> Option<(u8, i64)> {
    if let Some(integer) = exact_integer(value) {
        return Some((0, integer));
    }
    (1..PLAIN).find_map(|form| {
        let scale = SCALES[usize::from(form)];
        let number = rounded(value * scale);
        // What was parsed from a decimal number is the float nearest to it, and so is a quotient.
        let is_exact = number.unsigned_abs() <= 1 << 53
            && (number as f64 / scale).to_bits() == value.to_bits();
        is_exact.then_some((form, number))
    })
}

/// What the number would be if the value had not changed.
fn expected(last: f64, form: u8) -> i64 {
    rounded(last * SCALES[usize::from(form)])
}

#[expect(clippy::cast_possible_truncation, reason = "it saturates, and is checked or taken back")]
fn rounded(number: f64) -> i64 {
    (number + 0.5_f64.copysign(number)) as i64
}

pub(super) fn take_runs(
    reader: &mut Reader<'_>,
    n_runs: usize,
    n_samples: usize,
    n_series: u32,
) -> Decoded<Vec<u32>> {
    let mut series = Vec::new();
    let mut next = 0_u32;
    for _ in 0..n_runs {
        let first = reader.u32().ok().and_then(|gap| next.checked_add(gap));
        let length = reader.at_most(n_samples - series.len())?;
        let end = first
            .zip(u32::try_from(length).ok())
            .and_then(|(first, length)| first.checked_add(length));
        let (Some(first), Some(end)) = (first, end) else { return Err(reader.damaged()) };
        if end > n_series {
            return Err(reader.damaged());
        }
        series.extend(first..end);
        next = end;
    }
    Ok(series)
}

#[cfg(test)]
mod tests;
