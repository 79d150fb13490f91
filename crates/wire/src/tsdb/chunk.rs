//! Chunks: samples of one series, each value the difference in bits to the one before.

use super::TsdbError;
use super::bits::{Bits, Bytes};

/// Prometheus cuts chunks at 120 samples, or 1,024 bytes of histograms; others write longer ones.
pub const MAX_CHUNK_BYTES: usize = 16 * 1024 * 1024;

const XOR: u8 = 1;

/// What is in a chunk.
#[derive(Debug, Clone, PartialEq)]
pub enum ChunkData {
    /// Times in milliseconds since 1970 UTC, ascending, and values.
    Floats(Vec<(i64, f64)>),
    /// A native histogram.
    Other,
}

/// How many bytes the chunk that begins so takes, from its first one to the end of its checksum.
/// Five bytes are enough to know.
///
/// # Errors
/// That is no chunk.
pub fn chunk_length(start: &[u8]) -> Result<usize, TsdbError> {
    let mut bytes = Bytes::new(start);
    let length = bytes.length().filter(|length| *length <= MAX_CHUNK_BYTES);
    let head = start.len() - bytes.len();
    length.map(|length| head + 1 + length + 4).ok_or_else(damaged)
}

/// Reads one chunk, whose checksum must be right.
///
/// # Errors
/// Damage.
pub fn read_chunk(bytes: &[u8]) -> Result<ChunkData, TsdbError> {
    let mut rest = Bytes::new(bytes);
    let length = rest.length().ok_or_else(damaged)?;
    let checked = rest.take(length.checked_add(1).ok_or_else(damaged)?).ok_or_else(damaged)?;
    if rest.u32() != Some(crc32c::crc32c(checked)) {
        return Err(damaged());
    }
    match checked.split_first() {
        Some((&XOR, data)) => floats(data).map(ChunkData::Floats).ok_or_else(damaged),
        _ => Ok(ChunkData::Other),
    }
}

fn damaged() -> TsdbError {
    TsdbError::Damaged { what: "chunk", offset: 0 }
}

fn floats(data: &[u8]) -> Option<Vec<(i64, f64)>> {
    let (count, data) = data.split_first_chunk::<2>()?;
    let count = usize::from(u16::from_be_bytes(*count));
    let mut bits = Bits::new(data);
    let mut samples = Vec::with_capacity(count);
    let (mut time, mut step) = (0_i64, 0_i64);
    let mut value = Value::default();
    for number in 0..count {
        match number {
            0 => {
                time = bits.varint()?;
                value.bits = bits.number(64)?;
            }
            1 => {
                step = bits.uvarint()?.cast_signed();
                time = time.checked_add(step)?;
                value.next(&mut bits)?;
            }
            _ => {
                step = step.checked_add(second_difference(&mut bits)?)?;
                time = time.checked_add(step)?;
                value.next(&mut bits)?;
            }
        }
        samples.push((time, f64::from_bits(value.bits)));
    }
    samples.is_sorted_by(|a, b| a.0 < b.0).then_some(samples)
}

/// `0`: none; `10`, `110`, `1110`: in 14, 17, 20 bits; `1111`: in 64.
fn second_difference(bits: &mut Bits<'_>) -> Option<i64> {
    let mut ones = 0;
    while ones < 4 && bits.bit()? {
        ones += 1;
    }
    let length = match ones {
        0 => return Some(0),
        1 => 14,
        2 => 17,
        3 => 20,
        _ => return Some(bits.number(64)?.cast_signed()),
    };
    let number = bits.number(length)?.cast_signed();
    // One more positive number than two's complement has.
    Some(if number > 1 << (length - 1) { number - (1 << length) } else { number })
}

#[derive(Debug, Default)]
struct Value {
    bits: u64,
    /// Zeros before and after the bits that the last difference had; none yet at first.
    window: Option<(u32, u32)>,
}

impl Value {
    /// `0`: the same; `10`: a difference in the window of the one before; `11`: with a new window.
    fn next(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        if !bits.bit()? {
            return Some(());
        }
        if bits.bit()? {
            let leading = u32::try_from(bits.number(5)?).ok()?;
            let length = u32::try_from(bits.number(6)?).ok()?;
            let length = if length == 0 { 64 } else { length };
            self.window = Some((leading, 64_u32.checked_sub(leading + length)?));
        }
        let (leading, trailing) = self.window?;
        self.bits ^= bits.number(64 - leading - trailing)? << trailing;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(encoding: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(data.len()).unwrap(), encoding];
        bytes.extend_from_slice(data);
        let crc = crc32c::crc32c(&bytes[1..]);
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes
    }

    #[test]
    fn one_sample_and_a_histogram() {
        let mut data = vec![0, 1, 0xd0, 0x0f];
        data.extend_from_slice(&2.5_f64.to_bits().to_be_bytes());
        let bytes = chunk(XOR, &data);
        assert_eq!(chunk_length(&bytes[..5]), Ok(bytes.len()));
        assert_eq!(read_chunk(&bytes), Ok(ChunkData::Floats(vec![(1000, 2.5)])));
        assert_eq!(read_chunk(&chunk(2, &data)), Ok(ChunkData::Other));
    }

    #[test]
    fn a_flipped_bit_is_damage() {
        let mut data = vec![0, 1, 0xd0, 0x0f];
        data.extend_from_slice(&2.5_f64.to_bits().to_be_bytes());
        let bytes = chunk(XOR, &data);
        for bit in 8..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read_chunk(&flipped).is_err(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_chunk_or_an_error(data in prop::collection::vec(any::<u8>(), 0..100)) {
            drop(read_chunk(&data));
            drop(read_chunk(&chunk(XOR, &data)));
            drop(chunk_length(&data));
        }
    }
}
