//! A chunk of buckets: what several samples in a row come to.
//!
//! ```text
//! tag u8 │ length, first times (see `times`) │ 7 × column
//! column: 0, length, values (see `values`) │ or 1 + the number of an earlier column with the same values
//! ```
//! The columns are first, last, min, max, sum, lost, count; the times of the last samples are the
//! chunk's column of timestamps. A counter's min is its first value, its max the last.

use std::ops::Range;

use barograph_model::Buckets;

use super::bytes::{Damaged, Decoded, Reader, put_count};
use super::times;
use super::values::{self, Effort};

const TAG: u8 = 0x10;
const WHAT: &str = "a chunk of buckets";

/// Appends encoded buckets. Their last times are stored elsewhere.
pub(crate) fn encode(
    buckets: &Buckets,
    within: Range<usize>,
    effort: Effort,
    out: &mut Vec<u8>,
) -> Result<(), Damaged> {
    out.push(TAG);
    let mut section = Vec::new();
    times::encode(&buckets.first_times[within.clone()], &mut section)?;
    put_section(&section, out);
    let counts: Vec<f64> = buckets.count[within.clone()].iter().map(|n| *n as f64).collect();
    let Buckets { first, last, min, max, sum, lost, .. } = buckets;
    let mut columns: Vec<&[f64]> =
        [first, last, min, max, sum, lost].iter().map(|column| &column[within.clone()]).collect();
    columns.push(&counts);
    for (i, column) in (0_u8..).zip(&columns) {
        let same = (0..i).zip(&columns).find(|(_, earlier)| same_bits(earlier, column));
        if let Some((earlier, _)) = same {
            out.push(1 + earlier);
            continue;
        }
        out.push(0);
        section.clear();
        values::encode(column, effort, &mut section)?;
        put_section(&section, out);
    }
    Ok(())
}

fn put_section(section: &[u8], out: &mut Vec<u8>) {
    put_count(out, section.len());
    out.extend_from_slice(section);
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Appends the buckets with these indices of a chunk whose last times are known.
pub(crate) fn decode(
    bytes: &[u8],
    last_times: &[i64],
    within: Range<usize>,
    out: &mut Buckets,
) -> Decoded<()> {
    let mut reader = Reader::new(bytes, WHAT);
    if reader.byte()? != TAG {
        return Err(reader.damaged());
    }
    let length = reader.count()?;
    let mut first_times = Vec::new();
    times::decode(reader.take(length)?, &mut first_times)?;
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(7);
    for _ in 0..7 {
        let earlier = usize::from(reader.byte()?);
        let mut column = Vec::new();
        if earlier == 0 {
            let length = reader.count()?;
            values::decode(reader.take(length)?, last_times.len(), &mut column)?;
        } else {
            column.clone_from(columns.get(earlier - 1).ok_or(reader.damaged())?);
        }
        columns.push(column);
    }
    let ordered = first_times.iter().zip(last_times).all(|(first, last)| first <= last);
    if first_times.len() != last_times.len() || !ordered {
        return Err(reader.damaged());
    }
    reader.finish()?;
    out.first_times.extend_from_slice(&first_times[within.clone()]);
    out.last_times.extend_from_slice(&last_times[within.clone()]);
    let targets =
        [&mut out.first, &mut out.last, &mut out.min, &mut out.max, &mut out.sum, &mut out.lost];
    for (target, column) in targets.into_iter().zip(&columns) {
        target.extend_from_slice(&column[within.clone()]);
    }
    out.count.extend(columns[6][within].iter().map(|count| as_count(*count)));
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and a count that was stored is exact"
)]
fn as_count(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::buckets::roll_up;
    use crate::columns::Columns;

    proptest! {
        #[test]
        fn buckets_come_back_whole_and_in_part(
            samples in prop::collection::btree_map(
                -5000_i64..5000,
                prop_oneof![any::<u64>().prop_map(f64::from_bits), (-9..9).prop_map(f64::from)],
                1..200,
            ),
            ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        ) {
            let (times, values) = samples.into_iter().unzip();
            let mut buckets = Buckets::default();
            roll_up(&Columns { times, values }, 60, &mut buckets);
            let len = buckets.count.len();
            prop_assume!(len > 0);
            let mut bytes = Vec::new();
            encode(&buckets, 0..len, Effort::Good, &mut bytes).unwrap();
            let (a, b) = (ends.0.index(len), ends.1.index(len));
            let within = a.min(b)..a.max(b);
            let (mut all, mut part) = (Buckets::default(), Buckets::default());
            decode(&bytes, &buckets.last_times, 0..len, &mut all).unwrap();
            decode(&bytes, &buckets.last_times, within.clone(), &mut part).unwrap();
            prop_assert_eq!(format!("{all:?}"), format!("{buckets:?}"));
            prop_assert_eq!(&part.last_times, &buckets.last_times[within.clone()]);
            prop_assert_eq!(&part.count, &buckets.count[within]);
        }

        #[test]
        fn any_bytes_are_buckets_or_damaged(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut out = Buckets::default();
            let bytes = [&[TAG][..], &body].concat();
            if decode(&bytes, &[1, 2, 3], 0..3, &mut out).is_ok() {
                prop_assert_eq!(out.count.len(), 3);
            }
        }
    }
}
