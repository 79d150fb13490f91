//! A column of timestamps: runs of equal steps, or irregular ones by pco.
//!
//! ```text
//! count varint │ first zigzag │ last − first varint │ form u8 │ …
//!   form 0, runs:   n_runs, then per run: count, step (when count > 1), gap to the next run
//!   form 1, pco:    a pco page of all timestamps
//! ```

use std::ops::Range;

use super::MAX_CHUNK_SAMPLES;
use super::bytes::{Damaged, Decoded, Reader, put_count, put_varint, zigzag};
use super::values::{Effort, compress, decompress};

const RUNS: u8 = 0;
const PCO: u8 = 1;
const WHAT: &str = "a column of timestamps";
/// From so many runs on pco can be smaller.
const MANY_RUNS: usize = 16;

/// Timestamps at equal distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) start_ms: i64,
    /// At least 1 when there are several.
    pub(crate) step_ms: i64,
    pub(crate) count: u32,
}

impl Run {
    pub(crate) fn new(time_ms: i64) -> Self {
        Self { start_ms: time_ms, step_ms: 0, count: 1 }
    }

    /// Adds a time that fits behind the last one; `false` if it does not.
    #[inline]
    pub(crate) fn extend(&mut self, time_ms: i64) -> bool {
        let Some(step_ms) = time_ms.checked_sub(self.last_ms()) else { return false };
        let fits =
            step_ms > 0 && (self.count == 1 || self.step_ms == step_ms) && self.count < u32::MAX;
        if fits {
            self.step_ms = step_ms;
            self.count += 1;
        }
        fits
    }

    pub(crate) fn last_ms(&self) -> i64 {
        // The last time fits, so the wrapped steps towards it cancel out.
        self.start_ms.wrapping_add(self.step_ms.wrapping_mul(i64::from(self.count) - 1))
    }

    /// The indices of the timestamps in a range, both ends included.
    pub(crate) fn within(&self, range_ms: (i64, i64)) -> Range<usize> {
        // The differences are of times in one run or one range, seen as unsigned they fit.
        let steps_to = |time_ms: i64| {
            let ahead = time_ms.wrapping_sub(self.start_ms).cast_unsigned();
            ahead / self.step_ms.max(1).cast_unsigned()
        };
        let count = u64::from(self.count);
        let end = match range_ms.1 {
            last if last < self.start_ms => 0,
            last if last >= self.last_ms() => count,
            last => steps_to(last) + 1,
        };
        let start = match range_ms.0 {
            first if first <= self.start_ms => 0,
            first if first > self.last_ms() => count,
            first => steps_to(first - 1) + 1,
        };
        let index = |i: u64| usize::try_from(i).unwrap_or(usize::MAX);
        index(start.min(end))..index(end)
    }

    /// Appends the timestamps with these indices.
    pub(crate) fn read(&self, within: Range<usize>, out: &mut Vec<i64>) {
        let Self { start_ms, step_ms, .. } = *self;
        out.extend(
            (within.start as u64..within.end as u64)
                .map(|i| start_ms.wrapping_add_unsigned(step_ms.cast_unsigned().wrapping_mul(i))),
        );
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> + use<> {
        let Self { start_ms, step_ms, count } = *self;
        (0..i64::from(count)).map(move |i| start_ms.wrapping_add(step_ms.wrapping_mul(i)))
    }
}

/// Timestamps in the order they came, as runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Runs {
    pub(crate) runs: Vec<Run>,
}

impl Runs {
    pub(crate) fn push(&mut self, time_ms: i64) {
        if !self.runs.last_mut().is_some_and(|run| run.extend(time_ms)) {
            self.runs.push(Run::new(time_ms));
        }
    }
}

/// What is known of an encoded column without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// Appends the encoded column of strictly ascending timestamps.
pub(crate) fn encode(times: &[i64], out: &mut Vec<u8>) -> Result<(), Damaged> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Err(Damaged { what: WHAT });
    };
    put_count(out, times.len());
    put_varint(out, zigzag(*first));
    put_varint(out, last.wrapping_sub(*first).cast_unsigned());
    let mut runs = Runs::default();
    for time in times {
        runs.push(*time);
    }
    let form_at = out.len();
    out.push(RUNS);
    encode_runs(&runs.runs, out);
    if runs.runs.len() >= MANY_RUNS {
        let mut packed = vec![PCO];
        compress(times, Effort::Best, &mut packed)?;
        if packed.len() < out.len() - form_at {
            out.truncate(form_at);
            out.append(&mut packed);
        }
    }
    Ok(())
}

fn encode_runs(runs: &[Run], out: &mut Vec<u8>) {
    put_count(out, runs.len());
    let mut last_ms = None;
    for run in runs {
        if let Some(last_ms) = last_ms {
            put_varint(out, run.start_ms.wrapping_sub(last_ms).cast_unsigned());
        }
        put_varint(out, u64::from(run.count));
        if run.count > 1 {
            put_varint(out, run.step_ms.cast_unsigned());
        }
        last_ms = Some(run.last_ms());
    }
}

pub(crate) fn summary(bytes: &[u8]) -> Decoded<Summary> {
    read_summary(&mut Reader::new(bytes, WHAT))
}

fn read_summary(reader: &mut Reader<'_>) -> Decoded<Summary> {
    let count = reader.at_most(MAX_CHUNK_SAMPLES)?;
    let first_ms = reader.signed()?;
    let span = reader.varint()?;
    let last_ms = first_ms.checked_add_unsigned(span).ok_or(reader.damaged())?;
    if count == 0 || (count == 1) != (span == 0) || span < count as u64 - 1 {
        return Err(reader.damaged());
    }
    Ok(Summary { count, first_ms, last_ms })
}

/// Reads a column and appends it to `out`.
pub(crate) fn decode(bytes: &[u8], out: &mut Vec<i64>) -> Decoded<()> {
    let mut reader = Reader::new(bytes, WHAT);
    let summary = read_summary(&mut reader)?;
    let start = out.len();
    match reader.byte()? {
        RUNS => {
            decode_runs(&mut reader, summary, out)?;
            reader.clone().finish()?;
        }
        PCO => {
            out.resize(start + summary.count, 0);
            decompress(reader.rest(), &mut out[start..])?;
        }
        _ => return Err(reader.damaged()),
    }
    let times = &out[start..];
    let ascending = times.is_sorted_by(|a, b| a < b);
    if !ascending
        || times.first() != Some(&summary.first_ms)
        || times.last() != Some(&summary.last_ms)
    {
        return Err(reader.damaged());
    }
    Ok(())
}

fn decode_runs(reader: &mut Reader<'_>, summary: Summary, out: &mut Vec<i64>) -> Decoded<()> {
    let n_runs = reader.count()?;
    let mut next_ms = Some(summary.first_ms);
    let mut left = summary.count;
    out.reserve(left);
    for run in 0..n_runs {
        if run > 0 {
            let gap = reader.varint()?;
            next_ms = out.last().and_then(|last| last.checked_add_unsigned(gap));
        }
        let count = reader.at_most(left)?;
        let step = if count > 1 { reader.varint()? } else { 0 };
        left -= count;
        let start_ms = next_ms.ok_or(reader.damaged())?;
        let last_ms = step
            .checked_mul((count as u64).saturating_sub(1))
            .and_then(|span| start_ms.checked_add_unsigned(span));
        let (true, Some(_)) = (count > 0, last_ms) else { return Err(reader.damaged()) };
        // The last one fits, so all between do.
        out.extend((0..count as u64).map(|i| start_ms.wrapping_add_unsigned(step.wrapping_mul(i))));
    }
    if left == 0 { Ok(()) } else { Err(reader.damaged()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn round_trip(times: &[i64]) -> usize {
        let mut bytes = Vec::new();
        encode(times, &mut bytes).unwrap();
        let mut back = vec![7];
        decode(&bytes, &mut back).unwrap();
        assert_eq!(&back[1..], times);
        let summary = summary(&bytes).unwrap();
        assert_eq!(summary.count, times.len());
        assert_eq!((summary.first_ms, summary.last_ms), (times[0], times[times.len() - 1]));
        bytes.len()
    }

    #[test]
    fn an_hour_of_seconds_costs_a_few_bytes() {
        let times: Vec<i64> = (0..3600).map(|i| 1_763_812_800_000 + i * 1000).collect();
        assert!(round_trip(&times) <= 20);
        let gaps: Vec<i64> = times.iter().copied().filter(|t| t / 1000 % 1000 > 3).collect();
        assert!(round_trip(&gaps) <= 50);
    }

    proptest! {
        #[test]
        fn the_part_of_a_run_in_a_range_is_what_a_filter_keeps(
            start_ms in -50_i64..50,
            step_ms in 1_i64..9,
            count in 1_u32..20,
            from_ms in -80_i64..300,
            length in -3_i64..200,
        ) {
            let step_ms = if count == 1 { 0 } else { step_ms };
            let run = Run { start_ms, step_ms, count };
            let range_ms = (from_ms, from_ms + length);
            let mut found = Vec::new();
            run.read(run.within(range_ms), &mut found);
            let kept: Vec<i64> =
                run.iter().filter(|time| (range_ms.0..=range_ms.1).contains(time)).collect();
            prop_assert_eq!(found, kept);
        }
    }

    #[test]
    fn jittered_times_cost_little_more_than_their_jitter() {
        let jittered: Vec<i64> = (0..3600).map(|i| i * 1000 + i * 7919 % 13).collect();
        assert!(round_trip(&jittered) < 3600);
    }

    proptest! {
        #[test]
        fn any_ascending_times_come_back(times in prop::collection::btree_set(any::<i64>(), 1..200)) {
            round_trip(&times.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn extremes_come_back(
            times in prop::collection::btree_set(
                prop_oneof![
                    Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1), Just(i64::MAX - 1),
                    (0_i64..50).prop_map(|t| t * 1000)
                ],
                1..60,
            )
        ) {
            round_trip(&times.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_times_or_damaged(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut out = Vec::new();
            if decode(&bytes, &mut out).is_ok() {
                prop_assert!(out.is_sorted_by(|a, b| a < b));
            }
            prop_assert!(out.capacity() <= MAX_CHUNK_SAMPLES * 2);
        }

        #[test]
        fn changed_bytes_are_times_or_damaged(
            times in prop::collection::btree_set(0_i64..10_000, 1..200),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = Vec::new();
            encode(&times.into_iter().collect::<Vec<_>>(), &mut bytes).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let mut out = Vec::new();
            if decode(&bytes, &mut out).is_ok() {
                prop_assert!(out.is_sorted_by(|a, b| a < b));
            }
        }
    }
}
