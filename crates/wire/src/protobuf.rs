//! Reads protocol buffers where they lie: no copies, no generated code.
//!
//! The format is that of <https://protobuf.dev/programming-guides/encoding/>. Nesting is up to the
//! caller, who asks for the fields of each message by itself, so its depth is bounded by the code.

/// A field's value. Groups, which nobody uses any more, are refused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// A text, bytes, a message, or packed numbers.
    Bytes(&'a [u8]),
}

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a number that does not end")]
    Varint,
    #[error("a field that is longer than what is left")]
    Length,
    #[error("a field of a kind that does not exist")]
    WireType,
    #[error("a field of another kind than its number says")]
    Field,
}

/// The fields of one message in the order in which they were written.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<(u64, Value<'a>), Malformed> {
        let tag = take_varint(&mut self.rest)?;
        let value = match tag & 7 {
            0 => Value::Varint(take_varint(&mut self.rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(take_array(&mut self.rest)?)),
            2 => {
                let length = take_varint(&mut self.rest)?;
                Value::Bytes(take(&mut self.rest, length)?)
            }
            5 => Value::Fixed32(u32::from_le_bytes(take_array(&mut self.rest)?)),
            _ => return Err(Malformed::WireType),
        };
        Ok((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed::Field),
        }
    }

    pub(crate) fn varint(self) -> Result<u64, Malformed> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(Malformed::Field),
        }
    }

    /// An `int64` or `int32`, which are written as if they had no sign.
    pub(crate) fn int(self) -> Result<i64, Malformed> {
        Ok(self.varint()?.cast_signed())
    }

    pub(crate) fn double(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(Malformed::Field),
        }
    }
}

/// Takes a number off the front.
#[inline]
pub(crate) fn take_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    if let Some((&first, after)) = rest.split_first()
        && first < 0x80
    {
        *rest = after;
        return Ok(u64::from(first));
    }
    take_long_varint(rest)
}

fn take_long_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    const MAX_BYTES: usize = 10;
    let mut number = 0_u64;
    let mut shift = 0;
    for (index, &byte) in rest.iter().take(MAX_BYTES).enumerate() {
        // Bits beyond the 64th are dropped, as every reader does.
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            *rest = rest.get(index + 1..).unwrap_or_default();
            return Ok(number);
        }
    }
    Err(Malformed::Varint)
}

/// The number that fills the last `length` bytes of a message, at most eight: found in some steps
/// for all bytes together.
#[inline]
pub(crate) fn last_varint(message: &[u8], length: usize) -> Option<u64> {
    const MORE: u64 = 0x8080_8080_8080_8080;
    if !(1..=8).contains(&length) {
        return None;
    }
    let word = u64::from_le_bytes(*message.last_chunk()?) >> (64 - 8 * length);
    let ends_at = (!word & MORE).trailing_zeros() as usize / 8;
    if ends_at + 1 != length {
        return None;
    }
    // Seven bits of each byte move together: by twos, by fours, by eights.
    let by_one = word & !MORE;
    let by_two = by_one & 0x007f_007f_007f_007f | (by_one & 0x7f00_7f00_7f00_7f00) >> 1;
    let by_four = by_two & 0x0000_3fff_0000_3fff | (by_two & 0x3fff_0000_3fff_0000) >> 2;
    Some(by_four & 0x0fff_ffff | (by_four & 0x0fff_ffff_0000_0000) >> 4)
}

/// Appends a number.
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a text, bytes or a message under its tag of one byte.
pub(crate) fn put_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes so many bytes off the front.
#[inline]
pub(crate) fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], Malformed> {
    let length = usize::try_from(length).map_err(|_| Malformed::Length)?;
    let (taken, after) = rest.split_at_checked(length).ok_or(Malformed::Length)?;
    *rest = after;
    Ok(taken)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, after) = rest.split_first_chunk::<N>().ok_or(Malformed::Length)?;
    *rest = after;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_come_in_order_with_their_values() {
        let message = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
        let fields: Result<Vec<_>, _> = Fields::of(&message).collect();
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(b"hi")),
            (3, Value::Fixed64(1.0_f64.to_bits())),
        ];
        assert_eq!(fields.unwrap(), expected);
    }

    #[test]
    fn what_is_cut_off_or_of_no_kind_is_malformed() {
        let first = |bytes: &[u8]| Fields::of(bytes).next().unwrap().unwrap_err();
        assert_eq!(first(&[0x08, 0x80]), Malformed::Varint);
        assert_eq!(first(&[0x12, 5, 1]), Malformed::Length);
        assert_eq!(
            first(&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            Malformed::Length
        );
        assert_eq!(first(&[0x09, 1]), Malformed::Length);
        assert_eq!(first(&[0x0b]), Malformed::WireType);
        assert_eq!(first(&[0x80; 11]), Malformed::Varint);
    }

    proptest! {
        #[test]
        fn a_number_at_the_end_is_what_reading_it_gives(
            before in prop::collection::vec(any::<u8>(), 0..12), number: u64, bits in 0..=64_u32,
        ) {
            let number = number.checked_shr(bits).unwrap_or_default();
            let mut message = before.clone();
            put_varint(&mut message, number);
            let length = message.len() - before.len();
            let can_be = length <= 8 && message.len() >= 8;
            prop_assert_eq!(last_varint(&message, length), can_be.then_some(number));
        }

        #[test]
        fn bytes_at_the_end_are_one_number_or_none(bytes in prop::collection::vec(any::<u8>(), 8..9), length in 0..10_usize) {
            let mut rest = bytes.get(8_usize.saturating_sub(length)..).unwrap();
            let read = take_varint(&mut rest).ok().filter(|_| rest.is_empty() && length <= 8);
            prop_assert_eq!(last_varint(&bytes, length), read);
        }

        #[test]
        fn any_bytes_are_fields_or_malformed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let fields: Vec<_> = Fields::of(&bytes).collect();
            prop_assert!(fields.len() <= bytes.len());
            let bad = fields.iter().filter(|field| field.is_err()).count();
            prop_assert!(bad <= 1);
        }

        #[test]
        fn numbers_come_back(number in any::<u64>()) {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, number);
            let mut rest = &bytes[..];
            prop_assert_eq!(take_varint(&mut rest), Ok(number));
            prop_assert!(rest.is_empty());
        }
    }
}
