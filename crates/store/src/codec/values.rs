//! A column of values: constants, integers where all are integral, floats otherwise.
//!
//! Not-a-numbers in an otherwise ordinary column (a series that ends has one) are kept aside
//! with their bits, so that one stale marker does not turn integers into floats.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pco::data_types::Number;
use pco::metadata::DeltaEncoding;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, PagingSpec};

use super::MAX_CHUNK_SAMPLES;
use super::bytes::{Damaged, Decoded, Reader, put_count, put_varint, zigzag};

const CONSTANT: u8 = 0;
const CONSTANT_INTEGER: u8 = 1;
const PLAIN_INTEGERS: u8 = 2;
const PLAIN_FLOATS: u8 = 3;
const PCO_INTEGERS: u8 = 4;
const PCO_FLOATS: u8 = 5;
/// Added to the tag when not-a-numbers are kept aside.
const WITH_EXCEPTIONS: u8 = 0x80;

/// Up to here plain numbers can be smaller than pco with its header of some twenty bytes.
const PLAIN_UP_TO: usize = 64;
const PCO_DICTIONARY: u8 = 4;
const WHAT: &str = "a column of values";
/// Integers up to here are exact as floats.
const EXACT: u64 = 1 << 53;

/// How hard to look for a smaller form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// For the head, which lives for minutes: integers as differences, other numbers by pco at
    /// its fastest.
    Quick,
    /// For sealing: 22 ns and 0.46 bytes per sample in chunks of 900.
    Good,
    /// For the final form: 21 ns and 0.45 bytes per sample in chunks of 3,600.
    Best,
}

impl Effort {
    fn pco_level(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Good => 4,
            Self::Best => 8,
        }
    }

    fn delta_spec(self) -> DeltaSpec {
        match self {
            Self::Quick => DeltaSpec::NoOp,
            Self::Good | Self::Best => DeltaSpec::Auto,
        }
    }
}

/// The integer that is exactly this value, bit for bit (so not −0).
#[expect(clippy::cast_possible_truncation, reason = "the cast is checked by casting back")]
#[inline]
pub(crate) fn exact_integer(value: f64) -> Option<i64> {
    let integer = value as i64;
    (integer.unsigned_abs() <= EXACT && (integer as f64).to_bits() == value.to_bits())
        .then_some(integer)
}

/// Appends the encoded column; the count is not stored.
pub(crate) fn encode(values: &[f64], effort: Effort, out: &mut Vec<u8>) -> Result<(), Damaged> {
    let Some((&first, rest)) = values.split_first() else { return Ok(()) };
    if rest.iter().all(|value| value.to_bits() == first.to_bits()) {
        encode_constant(first, 0, out);
        return Ok(());
    }
    let nans = values.iter().filter(|value| value.is_nan()).count();
    if nans == 0 || nans > values.len() / 16 + 1 {
        return encode_column(values, 0, effort, out);
    }
    let mut kept = values.to_vec();
    let mut exceptions = Vec::with_capacity(nans * 9);
    let mut last_index = 0;
    // A gap is filled with its neighbour: what compresses best.
    let mut fill = values.iter().copied().find(|value| !value.is_nan()).unwrap_or_default();
    for (index, value) in kept.iter_mut().enumerate() {
        if value.is_nan() {
            put_count(&mut exceptions, index - last_index);
            exceptions.extend_from_slice(&value.to_bits().to_le_bytes());
            last_index = index;
            *value = fill;
        }
        fill = *value;
    }
    let tag_at = out.len();
    if kept.iter().all(|value| value.to_bits() == kept[0].to_bits()) {
        encode_constant(kept[0], WITH_EXCEPTIONS, out);
    } else {
        encode_column(&kept, WITH_EXCEPTIONS, effort, out)?;
    }
    let mut block = Vec::with_capacity(exceptions.len() + 2);
    put_count(&mut block, nans);
    block.append(&mut exceptions);
    out.splice(tag_at + 1..=tag_at, block);
    Ok(())
}

fn encode_constant(value: f64, flags: u8, out: &mut Vec<u8>) {
    if let Some(integer) = exact_integer(value) {
        out.push(CONSTANT_INTEGER | flags);
        put_varint(out, zigzag(integer));
    } else {
        out.push(CONSTANT | flags);
        out.extend_from_slice(&value.to_bits().to_le_bytes());
    }
}

fn encode_column(
    values: &[f64],
    flags: u8,
    effort: Effort,
    out: &mut Vec<u8>,
) -> Result<(), Damaged> {
    let start = out.len();
    let integers: Option<Vec<i64>> = values.iter().map(|value| exact_integer(*value)).collect();
    let mut plain = Vec::new();
    if let (Some(integers), Effort::Quick) = (&integers, effort) {
        encode_plain(values, Some(integers), flags, out);
        return Ok(());
    }
    if values.len() <= PLAIN_UP_TO {
        encode_plain(values, integers.as_deref(), flags, &mut plain);
    }
    if plain.is_empty() || plain.len() > 20 {
        if let Some(integers) = &integers {
            out.push(PCO_INTEGERS | flags);
            compress(integers, effort, out)?;
        } else {
            out.push(PCO_FLOATS | flags);
            compress(values, effort, out)?;
        }
    }
    if !plain.is_empty() && (out.len() == start || plain.len() < out.len() - start) {
        out.truncate(start);
        out.append(&mut plain);
    }
    Ok(())
}

fn encode_plain(values: &[f64], integers: Option<&[i64]>, flags: u8, out: &mut Vec<u8>) {
    if let Some(integers) = integers {
        out.push(PLAIN_INTEGERS | flags);
        let mut last = 0;
        for integer in integers {
            // Both are at most 2^53, so the difference fits.
            put_varint(out, zigzag(integer - last));
            last = *integer;
        }
    } else {
        out.push(PLAIN_FLOATS | flags);
        for value in values {
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
    }
}

pub(crate) fn compress<T: Number>(
    numbers: &[T],
    effort: Effort,
    out: &mut Vec<u8>,
) -> Result<(), Damaged> {
    let config = ChunkConfig::default()
        .with_compression_level(effort.pco_level())
        .with_delta_spec(effort.delta_spec())
        .with_paging_spec(PagingSpec::Exact(vec![numbers.len()]));
    let file = FileCompressor::default();
    let mut write = || {
        file.write_header(&mut *out)?;
        let mut chunk = file.chunk_compressor(numbers, &config)?;
        chunk.write_meta(&mut *out)?;
        chunk.write_page(0, &mut *out)?;
        Ok::<(), pco::errors::PcoError>(())
    };
    write().map_err(|_| Damaged { what: WHAT })
}

/// Reads a column of `count` values and appends them to `out`.
pub(crate) fn decode(bytes: &[u8], count: usize, out: &mut Vec<f64>) -> Decoded<()> {
    let mut reader = Reader::new(bytes, WHAT);
    if count > MAX_CHUNK_SAMPLES {
        return Err(reader.damaged());
    }
    if count == 0 {
        return reader.finish();
    }
    let tag = reader.byte()?;
    let mut exceptions = Vec::new();
    if tag & WITH_EXCEPTIONS != 0 {
        read_exceptions(&mut reader, count, &mut exceptions)?;
    }
    let start = out.len();
    decode_column(tag & !WITH_EXCEPTIONS, reader, count, out)?;
    for (index, bits) in exceptions {
        out[start + index] = f64::from_bits(bits);
    }
    Ok(())
}

fn read_exceptions(
    reader: &mut Reader<'_>,
    count: usize,
    exceptions: &mut Vec<(usize, u64)>,
) -> Decoded<()> {
    let n_exceptions = reader.count()?;
    let mut index = 0;
    for _ in 0..n_exceptions {
        index += reader.at_most(count)?;
        if index >= count {
            return Err(reader.damaged());
        }
        exceptions.push((index, reader.u64()?));
    }
    Ok(())
}

fn decode_column(tag: u8, mut reader: Reader<'_>, count: usize, out: &mut Vec<f64>) -> Decoded<()> {
    match tag {
        CONSTANT => out.resize(out.len() + count, f64::from_bits(reader.u64()?)),
        CONSTANT_INTEGER => out.resize(out.len() + count, reader.signed()? as f64),
        PLAIN_INTEGERS => {
            let mut integer = 0_i64;
            for _ in 0..count {
                integer = integer.wrapping_add(reader.signed()?);
                out.push(integer as f64);
            }
        }
        PLAIN_FLOATS => {
            for _ in 0..count {
                out.push(f64::from_bits(reader.u64()?));
            }
        }
        PCO_INTEGERS => {
            let mut integers = vec![0_i64; count];
            decompress(reader.rest(), &mut integers)?;
            out.extend(integers.iter().map(|integer| *integer as f64));
            return Ok(());
        }
        PCO_FLOATS => {
            let start = out.len();
            out.resize(start + count, 0.0);
            return decompress(reader.rest(), &mut out[start..]);
        }
        _ => return Err(reader.damaged()),
    }
    reader.finish()
}

/// Fills `numbers` from what [`compress`] wrote.
pub(crate) fn decompress<T: Number>(bytes: &[u8], numbers: &mut [T]) -> Decoded<()> {
    // The checksum was verified, but pco is not ours and these bytes may be forged: a panic in it
    // is damage here.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let (file, rest) = FileDecompressor::new(bytes).ok()?;
        // The low bits name the mode. A dictionary, which is never written here, would be
        // allocated from its length alone.
        if rest.first()? & 0x0f == PCO_DICTIONARY {
            return None;
        }
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest).ok()?;
        if !fits_a_chunk(&chunk.meta().delta_encoding) {
            return None;
        }
        let mut page = chunk.page_decompressor(rest, numbers.len()).ok()?;
        let progress = page.read(numbers).ok()?;
        (progress.finished && page.into_src().is_empty()).then_some(())
    }));
    read.ok().flatten().ok_or(Damaged { what: WHAT })
}

/// A window larger than a chunk is never chosen by [`compress`], and would take memory for it.
fn fits_a_chunk(delta: &DeltaEncoding) -> bool {
    match delta {
        DeltaEncoding::Lookback { config, .. } => {
            config.window_n_log <= MAX_CHUNK_SAMPLES.ilog2() + 1
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn round_trip(values: &[f64]) -> usize {
        let mut sizes = Vec::new();
        for effort in [Effort::Quick, Effort::Good, Effort::Best] {
            let mut bytes = vec![0xaa];
            encode(values, effort, &mut bytes).unwrap();
            let mut back = vec![1.5];
            decode(&bytes[1..], values.len(), &mut back).unwrap();
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back[1..]), bits(values));
            sizes.push(bytes.len() - 1);
        }
        sizes[1]
    }

    fn any_value() -> impl Strategy<Value = f64> {
        let special = prop::sample::select(vec![
            0.0,
            -0.0,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::from_bits(1),
            9_007_199_254_740_992.0,
            9_007_199_254_740_993.0,
            9_007_199_254_740_994.0,
            -9_007_199_254_740_992.0,
            9.3e18,
            f64::from_bits(0x7ff0_0000_0000_0002),
            f64::from_bits(0x7ff8_0000_0000_0001),
            f64::from_bits(0xffff_ffff_ffff_ffff),
        ]);
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            special,
            (-1000_i32..1000).prop_map(f64::from),
            (-1000_i32..1000).prop_map(|i| f64::from(i) / 100.0),
        ]
    }

    proptest! {
        #[test]
        fn every_bit_pattern_comes_back(values in prop::collection::vec(any_value(), 0..300)) {
            round_trip(&values);
        }

        #[test]
        fn integers_with_gaps_come_back(
            values in prop::collection::vec(-1_000_000_i64..1_000_000, 1..400),
            gaps in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut values: Vec<f64> = values.iter().map(|v| *v as f64).collect();
            for gap in gaps {
                let at = gap.index(values.len());
                values[at] = f64::from_bits(0x7ff0_0000_0000_0002);
            }
            round_trip(&values);
        }

        #[test]
        fn any_bytes_are_values_or_damaged(
            tag in 0_u8..8,
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            count in 0_usize..2000,
        ) {
            let mut out = Vec::new();
            if decode(&[&[tag], &bytes[..]].concat(), count, &mut out).is_ok() {
                prop_assert_eq!(out.len(), count);
            }
        }

        #[test]
        fn changed_bytes_are_values_or_damaged(
            values in prop::collection::vec(any_value(), 2..300),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = Vec::new();
            encode(&values, Effort::Good, &mut bytes).unwrap();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let mut out = Vec::new();
            if decode(&bytes, values.len(), &mut out).is_ok() {
                prop_assert_eq!(out.len(), values.len());
            }
        }
    }

    #[test]
    fn constants_and_stale_ends_cost_a_few_bytes() {
        assert_eq!(round_trip(&vec![5.0; 3600]), 2);
        assert_eq!(round_trip(&vec![0.3; 3600]), 9);
        let mut ends = vec![7.0; 3600];
        *ends.last_mut().unwrap() = f64::from_bits(0x7ff0_0000_0000_0002);
        assert_eq!(round_trip(&ends), 13);
    }

    #[test]
    fn a_stale_marker_keeps_integers_integers() {
        let mut values: Vec<f64> = (0..1000_i32).map(|i| f64::from(i * i % 97)).collect();
        let without = round_trip(&values);
        values[500] = f64::from_bits(0x7ff0_0000_0000_0002);
        assert!(round_trip(&values) <= without + 20);
    }

    #[test]
    fn a_chunk_larger_than_allowed_is_refused_before_it_is_allocated() {
        let mut out = Vec::new();
        assert!(decode(&[CONSTANT_INTEGER, 2], MAX_CHUNK_SAMPLES + 1, &mut out).is_err());
        assert_eq!(out.capacity(), 0);
    }
}
