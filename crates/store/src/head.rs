//! The newest samples of a partition, in memory: what is committed but not yet sealed.
//!
//! A series has an open tail of plain values and, before it, small compressed pieces. A value
//! that does not change costs nothing but its run of timestamps.

use crate::codec::bytes::Damaged;
use crate::codec::times::Run;
use crate::codec::values::{self, Effort};
use crate::columns::Columns;

/// Values in one compressed piece: 0.54 bytes per sample of real metrics, at 38 ns.
const PIECE_SAMPLES: usize = 256;
/// A constant this long stays a piece of its own when the value changes.
const LONG_CONSTANT: usize = 64;
/// A tail's timestamps are at most so many runs; then it is compressed early.
const MAX_RUNS: usize = 128;
/// What a piece takes beside its columns: its record, its two allocations.
const PIECE_BYTES: usize = 112;
/// What a constant takes when it changes, mostly after some values. All of them would have to change at
/// once for more to matter.
const CHANGE_BYTES: usize = 8 * size_of::<f64>();

/// First and last time of runs that may overlap.
fn range_of(runs: &[Run]) -> (i64, i64) {
    runs.iter().fold((i64::MAX, i64::MIN), |range, run| {
        (range.0.min(run.start_ms), range.1.max(run.last_ms()))
    })
}

fn overlap(a: (i64, i64), b: (i64, i64)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// Samples in the order of their arrival.
#[derive(Debug)]
struct Piece {
    times: Box<[Run]>,
    range_ms: (i64, i64),
    count: usize,
    values: PieceValues,
}

#[derive(Debug)]
enum PieceValues {
    Constant(f64),
    Encoded(Box<[u8]>),
}

impl Piece {
    fn bytes(&self) -> usize {
        let values = match &self.values {
            PieceValues::Constant(_) => 0,
            PieceValues::Encoded(bytes) => bytes.len(),
        };
        PIECE_BYTES + size_of_val::<[Run]>(&self.times) + values
    }
}

#[derive(Debug)]
enum TailValues {
    /// The same bits each time.
    Constant(f64),
    Plain(Vec<f64>),
}

/// What is added to. Its newest run lies beside it, as each sample is looked at by it.
#[derive(Debug)]
struct Tail {
    run: Run,
    earlier: Vec<Run>,
    count: usize,
    values: TailValues,
}

impl Tail {
    fn new(time_ms: i64, value: f64) -> Self {
        let values = TailValues::Constant(value);
        Self { run: Run::new(time_ms), earlier: Vec::new(), count: 1, values }
    }

    fn bytes(&self) -> usize {
        let values = match &self.values {
            TailValues::Constant(_) => 0,
            TailValues::Plain(plain) => plain.capacity() * size_of::<f64>(),
        };
        values + self.earlier.capacity() * size_of::<Run>()
    }

    /// What its next step takes: memory that is full doubles, or becomes a piece.
    fn next_step(&self) -> usize {
        let values = match &self.values {
            TailValues::Constant(_) => CHANGE_BYTES,
            TailValues::Plain(plain) if plain.capacity() >= PIECE_SAMPLES => PIECE_BYTES,
            TailValues::Plain(plain) => plain.capacity() * size_of::<f64>(),
        };
        values + self.earlier.capacity() * size_of::<Run>()
    }

    /// Adds a sample where that takes no memory: nearly always. `false` if it would.
    #[inline]
    fn push_in_place(&mut self, time_ms: i64, value: f64) -> bool {
        match &mut self.values {
            TailValues::Constant(constant) => {
                if constant.to_bits() != value.to_bits() || !self.run.extend(time_ms) {
                    return false;
                }
            }
            TailValues::Plain(plain) => {
                let room = plain.capacity().min(PIECE_SAMPLES);
                if plain.len() >= room || !self.run.extend(time_ms) {
                    return false;
                }
                plain.push(value);
            }
        }
        self.count += 1;
        true
    }

    /// Whether the value has to start a new tail.
    fn ends_before(&self, value: f64) -> bool {
        self.earlier.len() + 1 >= MAX_RUNS
            || match &self.values {
                TailValues::Constant(constant) => {
                    constant.to_bits() != value.to_bits() && self.count >= LONG_CONSTANT
                }
                TailValues::Plain(plain) => plain.len() >= PIECE_SAMPLES,
            }
    }

    fn push(&mut self, time_ms: i64, value: f64) {
        match &mut self.values {
            TailValues::Constant(constant) if constant.to_bits() == value.to_bits() => {}
            TailValues::Constant(constant) => {
                let mut plain = vec![*constant; self.count];
                plain.push(value);
                self.values = TailValues::Plain(plain);
            }
            TailValues::Plain(plain) => plain.push(value),
        }
        if !self.run.extend(time_ms) {
            self.earlier.push(std::mem::replace(&mut self.run, Run::new(time_ms)));
        }
        self.count += 1;
    }

    fn into_piece(self) -> Result<Piece, Damaged> {
        let values = match self.values {
            TailValues::Constant(value) => PieceValues::Constant(value),
            TailValues::Plain(plain) => {
                let mut bytes = Vec::new();
                values::encode(&plain, Effort::Quick, &mut bytes)?;
                PieceValues::Encoded(bytes.into())
            }
        };
        let mut times = self.earlier;
        times.push(self.run);
        let range_ms = range_of(&times);
        Ok(Piece { times: times.into(), range_ms, count: self.count, values })
    }

    fn runs(&self) -> impl Iterator<Item = &Run> {
        self.earlier.iter().chain([&self.run])
    }

    /// Appends at least the samples in a range.
    fn read(&self, range_ms: (i64, i64), out: &mut Columns) {
        let is_one_run = self.earlier.is_empty();
        let within = if is_one_run {
            self.run.within(range_ms)
        } else if self.runs().any(|run| overlap((run.start_ms, run.last_ms()), range_ms)) {
            0..self.count
        } else {
            return;
        };
        match &self.values {
            TailValues::Constant(value) => {
                out.values.resize(out.values.len() + within.len(), *value);
            }
            TailValues::Plain(plain) => out.values.extend_from_slice(&plain[within.clone()]),
        }
        if is_one_run {
            self.run.read(within, &mut out.times);
        } else {
            out.times.extend(self.runs().flat_map(Run::iter));
        }
    }
}

/// The samples of one series.
#[derive(Debug, Default)]
struct HeadSeries {
    pieces: Vec<Piece>,
    tail: Option<Tail>,
}

impl HeadSeries {
    /// Adds a sample; returns the memory that it took and the memory that it set free.
    fn push(&mut self, time_ms: i64, value: f64) -> Result<(usize, usize), Damaged> {
        let before = self.tail.as_ref().map_or(0, Tail::bytes);
        let mut taken = 0;
        match self.tail.take_if(|tail| tail.ends_before(value)) {
            Some(tail) => {
                let piece = tail.into_piece()?;
                taken = piece.bytes();
                self.pieces.push(piece);
                self.tail = Some(Tail::new(time_ms, value));
            }
            None => match &mut self.tail {
                Some(tail) => tail.push(time_ms, value),
                None => self.tail = Some(Tail::new(time_ms, value)),
            },
        }
        Ok((taken + self.tail.as_ref().map_or(0, Tail::bytes), before))
    }

    /// Appends at least the samples in a range, in the order of their arrival.
    fn read(&self, range_ms: (i64, i64), out: &mut Columns) -> Result<(), Damaged> {
        for piece in self.pieces.iter().filter(|piece| overlap(piece.range_ms, range_ms)) {
            match &piece.values {
                PieceValues::Constant(value) => {
                    out.values.resize(out.values.len() + piece.count, *value);
                }
                PieceValues::Encoded(bytes) => {
                    values::decode(bytes, piece.count, &mut out.values)?;
                }
            }
            out.times.extend(piece.times.iter().flat_map(Run::iter));
        }
        if let Some(tail) = &self.tail {
            tail.read(range_ms, out);
        }
        Ok(())
    }
}

/// The head of a partition: all series by their local ids.
#[derive(Debug, Default)]
pub(crate) struct Head {
    series: Vec<HeadSeries>,
    pub(crate) samples: u64,
    /// About what it takes of memory.
    pub(crate) bytes: usize,
    /// What the next steps of its series take.
    pub(crate) reserve: usize,
    /// `None` while it is empty.
    pub(crate) range_ms: Option<(i64, i64)>,
}

impl Head {
    /// Adds a sample of each of the series, which ascend. What cannot be kept is left out.
    pub(crate) fn push_all(&mut self, series: &[u32], time_ms: i64, values: &[f64]) {
        let Some(last) = series.last() else { return };
        let end = *last as usize + 1;
        if end > self.series.len() {
            let capacity = self.series.capacity();
            self.series.resize_with(end, HeadSeries::default);
            self.bytes += (self.series.capacity() - capacity) * size_of::<HeadSeries>();
        }
        let before = self.samples;
        for (id, value) in series.iter().zip(values) {
            let series = &mut self.series[*id as usize];
            let in_place =
                series.tail.as_mut().is_some_and(|tail| tail.push_in_place(time_ms, *value));
            if !in_place {
                let step = series.tail.as_ref().map_or(0, Tail::next_step);
                let Ok((taken, freed)) = series.push(time_ms, *value) else { continue };
                self.bytes = self.bytes + taken - freed;
                self.reserve += series.tail.as_ref().map_or(0, Tail::next_step);
                self.reserve -= step;
            }
            self.samples += 1;
        }
        if self.samples > before {
            let (first, last) = self.range_ms.unwrap_or((time_ms, time_ms));
            self.range_ms = Some((first.min(time_ms), last.max(time_ms)));
        }
    }

    /// What it takes to have room for so many series.
    pub(crate) fn growth(&self, n_series: usize) -> usize {
        let capacity = self.series.capacity();
        let grown = if n_series > capacity { n_series.max(2 * capacity) } else { capacity };
        (grown - capacity) * size_of::<HeadSeries>()
    }

    /// Appends at least the samples of a series in a range, in the order of their arrival.
    pub(crate) fn read(
        &self,
        series: u32,
        range_ms: (i64, i64),
        out: &mut Columns,
    ) -> Result<(), Damaged> {
        match self.series.get(series as usize) {
            Some(series) => series.read(range_ms, out),
            None => Ok(()),
        }
    }

    /// About what each series takes of memory, by its local id.
    pub(crate) fn series_bytes(&self) -> impl Iterator<Item = (u32, usize)> {
        let bytes = |series: &HeadSeries| {
            let pieces: usize = series.pieces.iter().map(Piece::bytes).sum();
            pieces + series.tail.as_ref().map_or(0, Tail::bytes)
        };
        (0..).zip(&self.series).map(move |(id, series)| (id, bytes(series)))
    }

    /// Upper bound of the local ids.
    pub(crate) fn n_series(&self) -> usize {
        self.series.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn samples_come_back_in_the_order_of_arrival(
            samples in prop::collection::vec((0_i64..3000, prop_oneof![Just(1.0), -1e9..1e9]), 0..1500)
        ) {
            let mut head = Head::default();
            for (time, value) in &samples {
                head.push_all(&[3], *time, &[*value]);
            }
            let read = |range_ms| {
                let mut columns = Columns::default();
                head.read(3, range_ms, &mut columns).unwrap();
                columns.times.into_iter().zip(columns.values).collect::<Vec<_>>()
            };
            prop_assert_eq!(&read((i64::MIN, i64::MAX)), &samples);
            let wanted = |(time, _): &(i64, f64)| (1000..1200).contains(time);
            let some: Vec<_> = read((1000, 1199)).into_iter().filter(wanted).collect();
            prop_assert_eq!(some, samples.into_iter().filter(wanted).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_constant_hour_takes_less_than_a_kilobyte() {
        let mut head = Head::default();
        for second in 0..3600 {
            head.push_all(&[0], second * 1000, &[42.0]);
        }
        assert!(head.bytes < 1000, "{}", head.bytes);
        assert_eq!(head.range_ms, Some((0, 3_599_000)));
    }
}
