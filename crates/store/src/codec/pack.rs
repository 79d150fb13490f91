//! Encoded bytes made smaller once more by Zstandard: small chunks of many series repeat each other's
//! headers, times and values, which a codec that sees one chunk at a time cannot tell.

use super::bytes::{Damaged, Decoded};

/// Harder levels take several times as long for a hundredth.
const LEVEL: i32 = 9;
/// What is packed has to be unpacked to be read; an eighth less is worth it.
const LEAST_GAIN: usize = 8;
/// More is neither packed nor unpacked.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Nothing when it is not worth it.
pub(crate) fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let packed = zstd::bulk::compress(bytes, LEVEL).ok()?;
    (packed.len() + bytes.len() / LEAST_GAIN < bytes.len()).then_some(packed)
}

/// What was packed, of which the length is known.
pub(crate) fn unpack(packed: &[u8], length: usize, what: &'static str) -> Decoded<Vec<u8>> {
    if length > MAX_BYTES {
        return Err(Damaged { what });
    }
    let bytes = zstd::bulk::decompress(packed, length).map_err(|_| Damaged { what })?;
    if bytes.len() == length { Ok(bytes) } else { Err(Damaged { what }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_repeats_comes_back_and_what_does_not_is_left_as_it_is() {
        let repeating: Vec<u8> = (0..20_000_u32).flat_map(|i| [7, 0, (i % 5) as u8]).collect();
        let packed = pack(&repeating).unwrap();
        assert!(packed.len() < repeating.len() / 8);
        assert_eq!(unpack(&packed, repeating.len(), "x").unwrap(), repeating);
        for wrong in [0, repeating.len() - 1, repeating.len() + 1, MAX_BYTES + 1, usize::MAX] {
            assert_eq!(unpack(&packed, wrong, "x"), Err(Damaged { what: "x" }), "{wrong}");
        }
        assert_eq!(pack(&[]), None);
        assert_eq!(pack(&packed), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_damaged(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            length in 0_usize..5000,
        ) {
            let framed = [&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat();
            if let Ok(unpacked) = unpack(&framed, length, "x") {
                prop_assert_eq!(unpacked.len(), length);
            }
        }
    }
}
