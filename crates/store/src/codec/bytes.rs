//! Little-endian numbers, base-128 numbers and checksums over byte slices.

/// Stored bytes that cannot be what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is damaged")]
pub(crate) struct Damaged {
    pub(crate) what: &'static str,
}

pub(crate) type Decoded<T> = Result<T, Damaged>;

/// Maps signed to unsigned so that small magnitudes stay small.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    put_varint(out, count as u64);
}

/// Appends a CRC32C over `seed` and the bytes of `out` from `start`.
pub(crate) fn put_checksum(out: &mut Vec<u8>, start: usize, seed: u32) {
    let checksum = crc32c::crc32c_append(seed, &out[start..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Splits off and verifies the checksum that [`put_checksum`] appended.
pub(crate) fn verified<'a>(bytes: &'a [u8], seed: u32, what: &'static str) -> Decoded<&'a [u8]> {
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(Damaged { what })?;
    if crc32c::crc32c_append(seed, body) != u32::from_le_bytes(*checksum) {
        return Err(Damaged { what });
    }
    Ok(body)
}

/// Reads what the `put_` functions wrote, never past the end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn damaged(&self) -> Damaged {
        Damaged { what: self.what }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn byte(&mut self) -> Decoded<u8> {
        let (byte, rest) = self.rest.split_first().ok_or(self.damaged())?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(crate) fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(self.damaged())?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn u64(&mut self) -> Decoded<u64> {
        let (taken, rest) = self.rest.split_first_chunk::<8>().ok_or(self.damaged())?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*taken))
    }

    pub(crate) fn varint(&mut self) -> Decoded<u64> {
        let mut value = 0_u64;
        for group in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if group == 9 && bits > 1 {
                return Err(self.damaged());
            }
            value |= bits << (7 * group);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    pub(crate) fn signed(&mut self) -> Decoded<i64> {
        self.varint().map(unzigzag)
    }

    /// A number that may be at most `limit`.
    pub(crate) fn at_most(&mut self, limit: usize) -> Decoded<usize> {
        let value = self.varint()?;
        usize::try_from(value).ok().filter(|value| *value <= limit).ok_or(self.damaged())
    }

    /// The count of things that take at least a byte each.
    pub(crate) fn count(&mut self) -> Decoded<usize> {
        let mut ahead = self.clone();
        let count = ahead.at_most(self.rest.len())?;
        *self = ahead;
        Ok(count)
    }

    pub(crate) fn u32(&mut self) -> Decoded<u32> {
        let value = self.varint()?;
        u32::try_from(value).map_err(|_| self.damaged())
    }

    pub(crate) fn finish(self) -> Decoded<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(value in any::<i64>()) {
            let mut out = Vec::new();
            put_varint(&mut out, zigzag(value));
            let mut reader = Reader::new(&out, "number");
            prop_assert_eq!(reader.signed().unwrap(), value);
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn any_bytes_are_a_number_or_damaged(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&bytes, "number");
            if reader.varint().is_ok() {
                prop_assert!(reader.rest().len() < bytes.len());
            }
        }
    }

    #[test]
    fn a_changed_bit_fails_the_checksum() {
        let mut bytes = b"barograph".to_vec();
        put_checksum(&mut bytes, 0, 7);
        assert_eq!(verified(&bytes, 7, "text").unwrap(), b"barograph");
        assert!(verified(&bytes, 8, "text").is_err());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verified(&flipped, 7, "text"), Err(Damaged { what: "text" }));
        }
    }
}
