//! Snappy's block format, with the declared size checked before anything is allocated.
//!
//! The format is that of <https://github.com/google/snappy/blob/main/format_description.txt>.

/// Why a block cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnappyError {
    #[error("the body is empty, so it is not a snappy block")]
    Empty,
    #[error("the snappy block declares {declared} bytes, at most {max} are allowed")]
    TooLarge { declared: u64, max: usize },
    #[error("the snappy block of {packed} bytes declares {declared} bytes, more than it can hold")]
    Impossible { packed: usize, declared: u64 },
    #[error("the body is not a snappy block")]
    Damaged,
}

/// Packs bytes into a block.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    // It fails beyond 4 GiB only; what is packed here was built in memory.
    snap::raw::Encoder::new().compress_vec(bytes).unwrap_or_default()
}

/// The size of what is packed in a block, if that is at most `max` and can be true.
///
/// # Errors
/// It cannot be true, or is over the limit. Nothing is allocated to find out.
pub fn unpacked_len(block: &[u8], max: usize) -> Result<usize, SnappyError> {
    if block.is_empty() {
        return Err(SnappyError::Empty);
    }
    let mut rest = block;
    let declared = crate::protobuf::take_varint(&mut rest).map_err(|_| SnappyError::Damaged)?;
    // The densest element copies 64 bytes and takes 3.
    let packed = block.len();
    if declared > (packed as u64).saturating_mul(64) / 3 {
        return Err(SnappyError::Impossible { packed, declared });
    }
    match usize::try_from(declared) {
        Ok(len) if len <= max => Ok(len),
        _ => Err(SnappyError::TooLarge { declared, max }),
    }
}

/// Unpacks a block into `out`, whose old content goes.
///
/// # Errors
/// As [`unpacked_len`], or the block is damaged.
pub fn unpack(block: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), SnappyError> {
    let len = unpacked_len(block, max)?;
    // Only what the buffer never held before is zeroed.
    if out.len() < len {
        out.resize(len, 0);
    } else {
        out.truncate(len);
    }
    let written =
        snap::raw::Decoder::new().decompress(block, out).map_err(|_| SnappyError::Damaged)?;
    if written == len { Ok(()) } else { Err(SnappyError::Damaged) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 1 << 20;

    #[test]
    fn twelve_bytes_that_declare_gigabytes_are_refused_unseen() {
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3, 4, 5, 6, 7];
        let declared = u64::from(u32::MAX);
        let expected = SnappyError::Impossible { packed: 12, declared };
        assert_eq!(unpacked_len(&bomb, usize::MAX), Err(expected));
        assert_eq!(unpacked_len(&[], MAX), Err(SnappyError::Empty));
        assert_eq!(unpacked_len(&[0x80], MAX), Err(SnappyError::Damaged));
    }

    #[test]
    fn the_limit_holds_for_honest_blocks() {
        let block = snap::raw::Encoder::new().compress_vec(&[7; 5000]).unwrap();
        assert_eq!(unpacked_len(&block, 5000), Ok(5000));
        let expected = SnappyError::TooLarge { declared: 5000, max: 4999 };
        assert_eq!(unpacked_len(&block, 4999), Err(expected));
    }

    #[test]
    fn the_densest_block_is_within_the_bound() {
        let block = snap::raw::Encoder::new().compress_vec(&vec![0; MAX]).unwrap();
        assert_eq!(unpacked_len(&block, MAX), Ok(MAX));
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(0_u8..4, 0..3000)) {
            let block = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
            let mut out = vec![9; 100];
            unpack(&block, MAX, &mut out).unwrap();
            prop_assert_eq!(out, bytes);
        }

        #[test]
        fn any_bytes_unpack_within_the_limit_or_not(block in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Vec::new();
            if unpack(&block, 1000, &mut out).is_ok() {
                prop_assert!(out.len() <= 1000);
            }
        }
    }
}
