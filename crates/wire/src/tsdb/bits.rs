//! Bytes and bits, read from the front; nothing at the end.

#[derive(Debug, Clone)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// Go's `binary.Uvarint`.
    pub(super) fn uvarint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for group in 0..10 {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Go's `binary.Varint`: zigzag.
    pub(super) fn varint(&mut self) -> Option<i64> {
        let value = self.uvarint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    pub(super) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.uvarint()?).ok()
    }
}

/// Reads bit by bit, the highest of each byte first.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// At most 64 bits.
    pub(super) fn number(&mut self, mut bits: u32) -> Option<u64> {
        let mut value = 0_u64;
        while bits > 0 {
            let byte = *self.bytes.get(self.at / 8)?;
            #[expect(clippy::cast_possible_truncation, reason = "below eight")]
            let used = (self.at % 8) as u32;
            let taken = bits.min(8 - used);
            let part = (byte << used) >> (8 - taken);
            value = value << taken | u64::from(part);
            self.at += taken as usize;
            bits -= taken;
        }
        Some(value)
    }

    /// As [`Bytes::uvarint`], at any bit.
    pub(super) fn uvarint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for group in 0..10 {
            let byte = self.number(8)?;
            value |= (byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn varint(&mut self) -> Option<i64> {
        let value = self.uvarint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
