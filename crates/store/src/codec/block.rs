//! A block: chunks of neighbouring series, with a head that tells where each is.
//!
//! ```text
//! head: version u8 │ n_columns, per column: length, timestamps (see `times`)
//!       n_chunks │ per chunk: series (difference to the one before) │ column │ length in data
//!       crc32c u32
//! data: per chunk: values (see `values`) │ crc32c u32 over labels, timestamps and values
//! ```
//! Version 2 of the head says that the data is packed (see `pack`): version │ packed length │ as above.
//! Series that were sampled together share one column of timestamps. Count, first and last
//! time of a chunk are those of its column.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use barograph_model::{Buckets, Labels};

use super::buckets;
use super::bytes::{Damaged, Decoded, Reader, put_checksum, put_count, put_varint, verified};
use super::pack;
use super::times::{self, Summary};
use super::values::{self, Effort};
use crate::columns::Columns;

const PLAIN: u8 = 1;
const PACKED: u8 = 2;
const WHAT: &str = "the head of a block";
const CHECKSUM_BYTES: usize = 4;

/// Collects chunks in ascending order of series.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    columns: Vec<Vec<u8>>,
    column_of: HashMap<Vec<u8>, usize>,
    chunks: Vec<(u32, usize, usize)>,
    data: Vec<u8>,
}

/// A block as it is stored.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) head: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

impl Builder {
    pub(crate) fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Chunks in it.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Adds a chunk of samples with strictly ascending times.
    pub(crate) fn push(
        &mut self,
        series: u32,
        labels: &Labels,
        samples: (&[i64], &[f64]),
        effort: Effort,
    ) -> Result<(), Damaged> {
        self.push_chunk(series, labels, samples.0, |data| values::encode(samples.1, effort, data))
    }

    /// Adds a chunk of whatever there is at strictly ascending times.
    pub(crate) fn push_chunk(
        &mut self,
        series: u32,
        labels: &Labels,
        times: &[i64],
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        let mut column = Vec::new();
        times::encode(times, &mut column)?;
        let start = self.data.len();
        encode(&mut self.data)?;
        put_checksum(&mut self.data, start, chunk_seed(labels, &column));
        let next = self.columns.len();
        let column_index = *self.column_of.entry(column).or_insert_with_key(|column| {
            self.columns.push(column.clone());
            next
        });
        self.chunks.push((series, column_index, self.data.len() - start));
        Ok(())
    }

    pub(crate) fn finish(self, seed: u32, effort: Effort) -> Encoded {
        let packed = (effort == Effort::Best).then(|| pack::pack(&self.data)).flatten();
        let mut head = vec![if packed.is_some() { PACKED } else { PLAIN }];
        if let Some(packed) = &packed {
            put_count(&mut head, packed.len());
        }
        put_count(&mut head, self.columns.len());
        for column in &self.columns {
            put_count(&mut head, column.len());
            head.extend_from_slice(column);
        }
        put_count(&mut head, self.chunks.len());
        let mut last_series = 0;
        for (series, column, length) in self.chunks {
            put_varint(&mut head, u64::from(series - last_series));
            put_count(&mut head, column);
            put_count(&mut head, length);
            last_series = series;
        }
        put_checksum(&mut head, 0, seed);
        Encoded { head, data: packed.unwrap_or(self.data) }
    }
}

/// Ties a chunk to its series and times, so that no misplaced row passes for another's data.
fn chunk_seed(labels: &Labels, column: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(labels.encoded()), column)
}

/// One chunk, as the head tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkRef {
    pub(crate) series: u32,
    pub(crate) column: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Timestamps that chunks share: decoded when the first of them is read.
#[derive(Debug)]
struct Column {
    summary: Summary,
    bytes: Box<[u8]>,
    times: OnceLock<Decoded<Arc<[i64]>>>,
}

impl Column {
    fn times(&self) -> Decoded<&Arc<[i64]>> {
        let decode = || {
            let mut times = Vec::new();
            times::decode(&self.bytes, &mut times)?;
            Ok(times.into())
        };
        self.times.get_or_init(decode).as_ref().map_err(Clone::clone)
    }
}

/// A decoded head.
#[derive(Debug)]
pub(crate) struct Head {
    packed_bytes: Option<usize>,
    columns: Vec<Column>,
    pub(crate) chunks: Vec<ChunkRef>,
}

impl Head {
    /// Reads a head. The series are below `n_series`.
    pub(crate) fn decode(bytes: &[u8], seed: u32, n_series: u32) -> Decoded<Self> {
        let mut reader = Reader::new(verified(bytes, seed, WHAT)?, WHAT);
        let packed_bytes = match reader.byte()? {
            PLAIN => None,
            PACKED => Some(reader.at_most(u32::MAX as usize)?),
            _ => return Err(reader.damaged()),
        };
        let n_columns = reader.count()?;
        let mut columns = Vec::new();
        for _ in 0..n_columns {
            let length = reader.count()?;
            let column = reader.take(length)?;
            columns.push(Column {
                summary: times::summary(column)?,
                bytes: column.into(),
                times: OnceLock::new(),
            });
        }
        let n_chunks = reader.count()?;
        let mut chunks = Vec::new();
        let (mut series, mut start) = (0_u32, 0_usize);
        for _ in 0..n_chunks {
            let step = reader.u32()?;
            series = series.checked_add(step).ok_or(reader.damaged())?;
            let column = reader.at_most(columns.len())?;
            let length = reader.at_most(u32::MAX as usize)?;
            let end = start + length;
            if series >= n_series || column >= columns.len() || length < CHECKSUM_BYTES {
                return Err(reader.damaged());
            }
            chunks.push(ChunkRef { series, column, start, end });
            start = end;
        }
        reader.finish()?;
        Ok(Self { packed_bytes, columns, chunks })
    }

    /// The chunks' bytes, from the data as it is stored.
    pub(crate) fn unpacked(&self, data: Vec<u8>) -> Decoded<Vec<u8>> {
        if self.packed_bytes.is_none() {
            return Ok(data);
        }
        pack::unpack(&data, self.plain_bytes(), "the data of a block")
    }

    /// A chunk's share of what is stored.
    pub(crate) fn stored_bytes(&self, chunk: ChunkRef) -> usize {
        let bytes = chunk.end - chunk.start;
        match self.packed_bytes {
            Some(packed) => bytes.saturating_mul(packed) / self.plain_bytes().max(1),
            None => bytes,
        }
    }

    fn plain_bytes(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.end)
    }

    pub(crate) fn summary(&self, chunk: ChunkRef) -> Summary {
        self.columns[chunk.column].summary
    }

    /// Appends a chunk's samples in a range to the columns.
    pub(crate) fn read(
        &self,
        chunk: ChunkRef,
        bytes: &[u8],
        labels: &Labels,
        range_ms: (i64, i64),
        out: &mut Columns,
    ) -> Decoded<()> {
        let (times, body) = self.verified(chunk, bytes, labels)?;
        let start = out.values.len();
        if let Err(damaged) = values::decode(body, times.len(), &mut out.values) {
            out.values.truncate(start);
            return Err(damaged);
        }
        let within = part(times, range_ms);
        out.values.truncate(start + within.end);
        out.values.drain(start..start + within.start);
        out.times.extend_from_slice(&times[within]);
        Ok(())
    }

    /// All values of a chunk.
    pub(crate) fn values(
        &self,
        chunk: ChunkRef,
        bytes: &[u8],
        labels: &Labels,
    ) -> Decoded<Vec<f64>> {
        let (times, body) = self.verified(chunk, bytes, labels)?;
        let mut values = Vec::with_capacity(times.len());
        values::decode(body, times.len(), &mut values)?;
        Ok(values)
    }

    /// A chunk's times, and which of them are in a range.
    pub(crate) fn times(
        &self,
        chunk: ChunkRef,
        range_ms: (i64, i64),
    ) -> Decoded<(&Arc<[i64]>, Range<usize>)> {
        let times = self.columns[chunk.column].times()?;
        Ok((times, part(times, range_ms)))
    }

    /// Appends a chunk's buckets that end in a range.
    pub(crate) fn read_buckets(
        &self,
        chunk: ChunkRef,
        bytes: &[u8],
        labels: &Labels,
        range_ms: (i64, i64),
        out: &mut Buckets,
    ) -> Decoded<()> {
        let (times, body) = self.verified(chunk, bytes, labels)?;
        buckets::decode(body, times, part(times, range_ms), out)
    }

    fn verified<'a>(
        &'a self,
        chunk: ChunkRef,
        bytes: &'a [u8],
        labels: &Labels,
    ) -> Decoded<(&'a [i64], &'a [u8])> {
        let column = &self.columns[chunk.column];
        let body = verified(bytes, chunk_seed(labels, &column.bytes), "a chunk")?;
        Ok((column.times()?, body))
    }
}

/// The indices of the times in a range.
fn part(times: &[i64], range_ms: (i64, i64)) -> Range<usize> {
    let end = times.partition_point(|time| *time <= range_ms.1);
    let start = times.partition_point(|time| *time < range_ms.0);
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::columns::ALL_TIMES;

    fn labels(i: u32) -> Labels {
        Labels::new([("__name__", "m".to_owned()), ("i", i.to_string())]).unwrap()
    }

    #[test]
    fn chunks_come_back_and_share_their_timestamps() {
        let times: Vec<i64> = (0..100).map(|i| i * 1000).collect();
        let mut builder = Builder::default();
        for series in 0..10 {
            let values: Vec<f64> = (0..100).map(|i| f64::from(i % 7 * series)).collect();
            builder.push(series, &labels(series), (&times, &values), Effort::Good).unwrap();
        }
        let block = builder.finish(1, Effort::Good);
        let head = Head::decode(&block.head, 1, 10).unwrap();
        assert_eq!(head.columns.len(), 1);
        for (series, chunk) in (0_u32..).zip(&head.chunks) {
            let mut columns = Columns::default();
            let bytes = &block.data[chunk.start..chunk.end];
            head.read(*chunk, bytes, &labels(series), ALL_TIMES, &mut columns).unwrap();
            assert_eq!(columns.times, times);
            let expected: Vec<f64> = (0..100).map(|i| f64::from(i % 7 * series)).collect();
            assert_eq!(columns.values, expected);
            assert!(head.read(*chunk, bytes, &labels(99), ALL_TIMES, &mut columns).is_err());
        }
        assert!(Head::decode(&block.head, 2, 10).is_err());
        assert!(Head::decode(&block.head, 1, 9).is_err());
    }

    #[test]
    fn a_packed_block_is_smaller_and_holds_the_same() {
        let build = |effort| {
            let mut builder = Builder::default();
            for series in 0..200 {
                let values = [f64::from(series), 0.25, 7.5];
                builder.push(series, &labels(series), (&[1, 60, 3600], &values), effort).unwrap();
            }
            builder.finish(1, effort)
        };
        let (plain, packed) = (build(Effort::Good), build(Effort::Best));
        assert!(packed.data.len() < plain.data.len() * 7 / 8);
        let head = Head::decode(&packed.head, 1, 200).unwrap();
        let data = head.unpacked(packed.data.clone()).unwrap();
        let values = |series: u32| {
            let chunk = head.chunks[series as usize];
            head.values(chunk, &data[chunk.start..chunk.end], &labels(series)).unwrap()
        };
        for series in 0..200 {
            assert_eq!(values(series), [f64::from(series), 0.25, 7.5]);
        }
        assert!(head.unpacked(packed.data[1..].to_vec()).is_err());
        let stored: usize = head.chunks.iter().map(|chunk| head.stored_bytes(*chunk)).sum();
        assert!((packed.data.len() - 200..=packed.data.len()).contains(&stored), "{stored}");
        let head = Head::decode(&plain.head, 1, 200).unwrap();
        assert_eq!(head.unpacked(plain.data.clone()).unwrap(), plain.data);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_head_or_damaged(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = vec![PLAIN];
            bytes.extend(body);
            put_checksum(&mut bytes, 0, 0);
            if let Ok(head) = Head::decode(&bytes, 0, 50) {
                prop_assert!(head.chunks.iter().all(|chunk| chunk.series < 50));
            }
        }
    }
}
