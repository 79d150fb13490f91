//! A block's index: its series and where their chunks are; and its tombstones, what was deleted.

use std::collections::HashMap;

use barograph_model::Labels;

use super::TsdbError;
use super::bits::Bytes;

const MAGIC: u32 = 0xbaaa_d700;
const TOMBSTONES_MAGIC: u32 = 0x0130_ba30;
/// Entries of series begin at multiples of this, and references count in it.
const ALIGNMENT: usize = 16;
const TOC_BYTES: usize = 6 * 8 + 4;

/// One series of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSeries {
    /// What tombstones name it by.
    pub reference: u64,
    pub labels: Labels,
    pub chunks: Vec<BlockChunk>,
}

/// Where a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockChunk {
    /// Its first and last time, milliseconds since 1970 UTC.
    pub range_ms: (i64, i64),
    /// The file, from 0: `chunks/000001` is the first.
    pub segment: u32,
    pub offset: u32,
}

/// Ranges of time, both ends included, that were deleted, by [`BlockSeries::reference`].
pub type Deleted = HashMap<u64, Vec<(i64, i64)>>;

/// An index whose table of contents and symbols were read.
#[derive(Debug)]
pub struct BlockIndex<'a> {
    bytes: &'a [u8],
    symbols: Vec<&'a str>,
    /// The series are in here.
    at: usize,
    end: usize,
}

impl<'a> BlockIndex<'a> {
    /// # Errors
    /// It is no index, or damaged.
    pub fn new(bytes: &'a [u8]) -> Result<Self, TsdbError> {
        let mut head = Bytes::new(bytes);
        if head.u32() != Some(MAGIC) {
            return Err(TsdbError::Foreign { what: "index" });
        }
        match head.take(1) {
            Some([2]) => {}
            Some([found]) => return Err(TsdbError::Version { found: *found, known: 2 }),
            _ => return Err(damaged("index", 4)),
        }
        let toc_at = bytes.len().saturating_sub(TOC_BYTES);
        let toc = bytes.get(toc_at..).unwrap_or_default();
        let sections = checked(toc, TOC_BYTES - 4)
            .and_then(|mut toc| (0..6).map(|_| toc.u64()).collect::<Option<Vec<_>>>())
            .ok_or_else(|| damaged("table of contents", toc_at))?;
        let place = |number: usize| usize::try_from(sections[number]).unwrap_or(usize::MAX);
        let (symbols_at, at) = (place(0), place(1));
        // What follows the series, whichever of the other sections there are.
        let later = (2..6).map(place).filter(|other| *other > at);
        let end = later.min().unwrap_or(toc_at).min(toc_at);
        let symbols = symbols(bytes, symbols_at).ok_or_else(|| damaged("symbols", symbols_at))?;
        Ok(Self { bytes, symbols, at, end })
    }

    fn read(&self, at: usize) -> Result<(BlockSeries, usize), TsdbError> {
        let broken = || damaged("series", at);
        let mut bytes = Bytes::new(self.bytes.get(at..self.end).ok_or_else(broken)?);
        let before = bytes.len();
        let length = bytes.length().ok_or_else(broken)?;
        let start = at + before - bytes.len();
        let entry = self.bytes.get(start..self.end).and_then(|rest| checked(rest, length));
        let mut entry = entry.ok_or_else(broken)?;
        let pairs = self.labels(&mut entry).ok_or_else(broken)?;
        let labels =
            Labels::new(pairs).map_err(|source| TsdbError::Labels { offset: at, source })?;
        let chunks = chunks(&mut entry).ok_or_else(broken)?;
        let series = BlockSeries { reference: (at / ALIGNMENT) as u64, labels, chunks };
        Ok((series, start + length + 4))
    }

    fn labels(&self, entry: &mut Bytes<'a>) -> Option<Vec<(&'a str, &'a str)>> {
        let count = entry.length()?;
        let mut pairs = Vec::with_capacity(count.min(Labels::MAX_COUNT));
        for _ in 0..count {
            let (name, value) = (entry.length()?, entry.length()?);
            pairs.push((*self.symbols.get(name)?, *self.symbols.get(value)?));
        }
        Some(pairs)
    }
}

impl Iterator for BlockIndex<'_> {
    type Item = Result<BlockSeries, TsdbError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.at = self.at.checked_next_multiple_of(ALIGNMENT)?;
        if self.at >= self.end {
            return None;
        }
        match self.read(self.at) {
            Ok((series, next)) => {
                self.at = next;
                Some(Ok(series))
            }
            Err(error) => {
                self.at = self.end;
                Some(Err(error))
            }
        }
    }
}

fn damaged(what: &'static str, offset: usize) -> TsdbError {
    TsdbError::Damaged { what, offset }
}

/// The first `length` bytes, if the four after them are their checksum.
fn checked(bytes: &[u8], length: usize) -> Option<Bytes<'_>> {
    let mut rest = Bytes::new(bytes);
    let content = rest.take(length)?;
    (rest.u32()? == crc32c::crc32c(content)).then(|| Bytes::new(content))
}

fn symbols(bytes: &[u8], at: usize) -> Option<Vec<&str>> {
    let mut head = Bytes::new(bytes.get(at..)?);
    let length = usize::try_from(head.u32()?).ok()?;
    let mut content = checked(bytes.get(at + 4..)?, length)?;
    let count = usize::try_from(content.u32()?).ok()?;
    // Each takes a byte at least.
    let mut symbols = Vec::with_capacity(count.min(length));
    for _ in 0..count {
        let length = content.length()?;
        symbols.push(std::str::from_utf8(content.take(length)?).ok()?);
    }
    Some(symbols)
}

fn chunks(entry: &mut Bytes<'_>) -> Option<Vec<BlockChunk>> {
    let count = entry.length()?;
    let mut chunks = Vec::with_capacity(count.min(entry.len()));
    let (mut last_ms, mut reference) = (0_i64, 0_i64);
    for number in 0..count {
        let first_ms = if number == 0 {
            entry.varint()?
        } else {
            last_ms.checked_add_unsigned(entry.uvarint()?)?
        };
        last_ms = first_ms.checked_add_unsigned(entry.uvarint()?)?;
        reference = if number == 0 {
            entry.uvarint()?.cast_signed()
        } else {
            reference.checked_add(entry.varint()?)?
        };
        let place = reference.cast_unsigned();
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the number")]
        let (segment, offset) = ((place >> 32) as u32, place as u32);
        chunks.push(BlockChunk { range_ms: (first_ms, last_ms), segment, offset });
    }
    Some(chunks)
}

/// Reads the file `tombstones`.
///
/// # Errors
/// It is none, or damaged.
pub fn read_tombstones(bytes: &[u8]) -> Result<Deleted, TsdbError> {
    let mut head = Bytes::new(bytes);
    if head.u32() != Some(TOMBSTONES_MAGIC) {
        return Err(TsdbError::Foreign { what: "file of tombstones" });
    }
    match head.take(1) {
        Some([1]) => {}
        Some([found]) => return Err(TsdbError::Version { found: *found, known: 1 }),
        _ => return Err(damaged("tombstones", 4)),
    }
    let length = bytes.len().saturating_sub(5 + 4);
    let content = bytes.get(5..).and_then(|rest| checked(rest, length));
    let mut content = content.ok_or_else(|| damaged("tombstones", 5))?;
    let mut deleted = Deleted::new();
    while content.len() > 0 {
        let entry = (content.uvarint(), content.varint(), content.varint());
        let (Some(series), Some(from_ms), Some(to_ms)) = entry else {
            return Err(damaged("tombstones", bytes.len() - content.len()));
        };
        deleted.entry(series).or_default().push((from_ms, to_ms));
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_files_and_versions_are_refused() {
        let foreign = TsdbError::Foreign { what: "index" };
        assert_eq!(BlockIndex::new(b"").unwrap_err(), foreign);
        assert_eq!(
            BlockIndex::new(&[0xba, 0xaa, 0xd7, 0, 3]).unwrap_err().to_string(),
            "its format has version 3, but only 2 is known"
        );
        let error = BlockIndex::new(&[0xba, 0xaa, 0xd7, 0, 2, 0]).unwrap_err();
        assert_eq!(error.to_string(), "the table of contents at byte 0 is damaged");
    }

    #[test]
    fn tombstones_are_read_and_their_checksum_is_checked() {
        let mut bytes = vec![0x01, 0x30, 0xba, 0x30, 1, 5, 2, 4];
        let crc = crc32c::crc32c(&bytes[5..]);
        bytes.extend_from_slice(&crc.to_be_bytes());
        assert_eq!(read_tombstones(&bytes).unwrap(), [(5, vec![(1, 2)])].into());
        bytes[6] ^= 1;
        assert!(read_tombstones(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_index_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 60..300)) {
            bytes[..5].copy_from_slice(&[0xba, 0xaa, 0xd7, 0, 2]);
            let toc_at = bytes.len() - TOC_BYTES;
            let crc = crc32c::crc32c(&bytes[toc_at..toc_at + 48]);
            bytes[toc_at + 48..].copy_from_slice(&crc.to_be_bytes());
            if let Ok(index) = BlockIndex::new(&bytes) {
                index.for_each(drop);
            }
            drop(read_tombstones(&bytes));
        }
    }
}
