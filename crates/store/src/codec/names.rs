//! The labels of several new series: each as far as it differs from the one before.
//!
//! ```text
//! 1 u8 │ n_series │ per series: shared bytes, other bytes, the others │ crc32c u32
//! 2 u8 │ length of the same unpacked │ the same packed (see `pack`)   │ crc32c u32
//! ```

use barograph_model::Labels;

use super::bytes::{Decoded, Reader, put_checksum, put_count, verified};
use super::pack::{pack, unpack};

const PLAIN: u8 = 1;
const PACKED: u8 = 2;
const WHAT: &str = "a group of series";
/// What the encoded labels of one series can take at most.
const MAX_LABELS_BYTES: usize =
    Labels::MAX_COUNT * (Labels::MAX_NAME_BYTES + Labels::MAX_VALUE_BYTES + 6);

/// For a commit, which somebody waits for.
pub(crate) fn encode(series: &[Labels], seed: u32) -> Vec<u8> {
    row(vec![PLAIN], &body(series), seed)
}

/// For a file in its final form.
pub(crate) fn encode_packed(series: &[Labels], seed: u32) -> Vec<u8> {
    let body = body(series);
    let Some(packed) = pack(&body) else { return row(vec![PLAIN], &body, seed) };
    let mut start = vec![PACKED];
    put_count(&mut start, body.len());
    row(start, &packed, seed)
}

fn row(mut start: Vec<u8>, rest: &[u8], seed: u32) -> Vec<u8> {
    start.extend_from_slice(rest);
    put_checksum(&mut start, 0, seed);
    start
}

fn body(series: &[Labels]) -> Vec<u8> {
    let mut out = Vec::new();
    put_count(&mut out, series.len());
    let mut last: &[u8] = &[];
    for labels in series {
        let bytes = labels.encoded();
        let shared = last.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        put_count(&mut out, shared);
        put_count(&mut out, bytes.len() - shared);
        out.extend_from_slice(&bytes[shared..]);
        last = bytes;
    }
    out
}

pub(crate) fn decode(bytes: &[u8], seed: u32) -> Decoded<Vec<Labels>> {
    let unpacked;
    let mut reader = Reader::new(verified(bytes, seed, WHAT)?, WHAT);
    match reader.byte()? {
        PLAIN => {}
        PACKED => {
            let length = reader.at_most(usize::MAX)?;
            unpacked = unpack(reader.rest(), length, WHAT)?;
            reader = Reader::new(&unpacked, WHAT);
        }
        _ => return Err(reader.damaged()),
    }
    let n_series = reader.count()?;
    let mut series = Vec::new();
    let mut labels = Vec::new();
    for _ in 0..n_series {
        let shared = reader.at_most(labels.len())?;
        let others = reader.at_most(MAX_LABELS_BYTES - shared)?;
        labels.truncate(shared);
        labels.extend_from_slice(reader.take(others)?);
        series.push(Labels::from_encoded(&labels).map_err(|_| reader.damaged())?);
    }
    reader.finish()?;
    Ok(series)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_many_are_packed() {
        let labels =
            |i: u32| Labels::new([("__name__", "m"), ("i", &(i * i).to_string())]).unwrap();
        let series: Vec<Labels> = (0..2000).map(labels).collect();
        let (plain, packed) = (encode(&series, 9), encode_packed(&series, 9));
        assert!(packed.len() < plain.len() / 2, "{} of {}", packed.len(), plain.len());
        assert_eq!(decode(&packed, 9).unwrap(), series);
    }

    proptest! {
        #[test]
        fn labels_come_back(
            sets in prop::collection::vec(prop::collection::btree_map("[a-c]{1,3}", "[a-z]{1,9}", 0..5), 0..20)
        ) {
            let series: Vec<Labels> = sets.iter().map(|set| Labels::new(set).unwrap()).collect();
            prop_assert_eq!(&decode(&encode(&series, 9), 9).unwrap(), &series);
            prop_assert_eq!(&decode(&encode_packed(&series, 9), 9).unwrap(), &series);
        }

        #[test]
        fn any_bytes_are_labels_or_damaged(
            version in PLAIN..=PACKED,
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = vec![version];
            bytes.extend(body);
            put_checksum(&mut bytes, 0, 0);
            drop(decode(&bytes, 0));
        }
    }
}
