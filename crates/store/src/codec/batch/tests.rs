//! Rows of the write-ahead log come back, or are damaged.

use proptest::prelude::*;

use super::*;
use crate::codec::bytes::Damaged;

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        Just(-0.0),
        Just(f64::from_bits(0x7ff0_0000_0000_0002)),
        (-3..99).prop_map(f64::from),
        (-999..9999).prop_map(|i| f64::from(i) / 100.0),
        (0..9_999_999).prop_map(|i| f64::from(i) / 1e9),
    ]
}

/// Of series below a number.
fn frames(n_series: u32) -> impl Strategy<Value = Vec<Frame>> {
    let frame = (any::<i64>(), prop::collection::vec((0..n_series, value()), 0..50));
    prop::collection::vec(frame, 0..5).prop_map(|frames| {
        let frame = |(time_ms, samples): (i64, Vec<(u32, f64)>)| {
            let (series, values) = samples.into_iter().unzip();
            let mut frame = Frame { time_ms, series, values };
            frame.normalise(&mut Sorter::default());
            frame
        };
        frames.into_iter().map(frame).collect()
    })
}

fn bits(frames: &[Frame]) -> Vec<(i64, &[u32], Vec<u64>)> {
    let bits = |frame: &Frame| frame.values.iter().map(|v| v.to_bits()).collect();
    frames.iter().map(|frame| (frame.time_ms, &frame.series[..], bits(frame))).collect()
}

fn decode(bytes: &[u8], seed: u32) -> Result<(Vec<Frame>, u32), Damaged> {
    Chain::default().decode(bytes, 7, seed)
}

proptest! {
    #[test]
    fn rows_come_back_one_after_the_other(
        rows in prop::collection::vec(frames(300), 1..60),
        seed in any::<u32>(),
    ) {
        let (mut writer, mut reader) = (Chain::default(), Chain::default());
        for (seq, frames) in (5..).zip(&rows) {
            let bytes = writer.encode(frames, 300, seq, seed);
            let (back, n_series) = reader.decode(&bytes, seq, seed).unwrap();
            prop_assert_eq!(bits(&back), bits(frames));
            prop_assert_eq!(n_series, 300);
            prop_assert!(decode(&bytes, seed ^ 1).is_err());
        }
    }

    #[test]
    fn what_follows_a_lost_row_is_right_or_damaged(
        rows in prop::collection::vec(frames(12), 3..60),
        lost in any::<prop::sample::Index>(),
    ) {
        let (mut writer, mut reader) = (Chain::default(), Chain::default());
        let lost = lost.index(rows.len());
        for (seq, frames) in (0..).zip(&rows) {
            let bytes = writer.encode(frames, 12, seq, 0);
            if seq == i64::try_from(lost).unwrap() {
                continue;
            }
            if let Ok((back, _)) = reader.decode(&bytes, seq, 0) {
                prop_assert_eq!(bits(&back), bits(frames));
            }
        }
    }

    #[test]
    fn any_bytes_are_frames_or_damaged(
        version in 1_u8..=2,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = if version == 1 { vec![1, 100] } else { vec![2, 0, 100] };
        bytes.extend(body);
        put_checksum(&mut bytes, 0, 0);
        if let Ok((frames, _)) = decode(&bytes, 0) {
            for frame in frames {
                prop_assert_eq!(frame.series.len(), frame.values.len());
                prop_assert!(frame.series.iter().all(|id| *id < 100));
            }
        }
    }

    #[test]
    fn both_ways_to_order_agree(
        samples in prop::collection::vec((0_u32..200, value()), 0..400),
        far in any::<bool>(),
    ) {
        let (series, values): (Vec<u32>, Vec<f64>) = samples.iter().copied().unzip();
        let mut frame = Frame { time_ms: 0, series, values };
        if far {
            frame.series.push(1_000_000);
            frame.values.push(0.5);
        }
        let pairs = frame.series.iter().copied().zip(frame.values.iter().map(|v| v.to_bits()));
        let expected: std::collections::BTreeMap<u32, u64> = pairs.collect();
        let mut sorter = Sorter::default();
        for _ in 0..2 {
            let mut frame = frame.clone();
            frame.normalise(&mut sorter);
            let got = frame.series.into_iter().zip(frame.values.into_iter().map(f64::to_bits));
            prop_assert_eq!(got.collect::<Vec<_>>(), expected.clone().into_iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn of_two_samples_of_one_series_the_last_stays() {
    let mut frame = Frame { time_ms: 1, series: vec![3, 1, 3], values: vec![1.0, 2.0, 3.0] };
    frame.normalise(&mut Sorter::default());
    assert_eq!((frame.series, frame.values), (vec![1, 3], vec![2.0, 3.0]));
}

#[test]
fn a_series_beyond_the_known_ones_is_damage() {
    let frame = Frame { time_ms: 1, series: vec![5], values: vec![1.0] };
    let encode = |n_series| Chain::default().encode(std::slice::from_ref(&frame), n_series, 7, 0);
    let bytes = encode(6);
    assert!(decode(&bytes, 0).is_ok());
    let mut fewer = bytes[..bytes.len() - 4].to_vec();
    fewer[2] = 5;
    put_checksum(&mut fewer, 0, 0);
    assert!(decode(&fewer, 0).is_err());
}

#[test]
fn what_does_not_change_costs_a_bit_and_what_counts_a_byte_more() {
    let mut chain = Chain::default();
    let frame = |seq: i64| Frame {
        time_ms: seq * 1000,
        series: (0..800).collect(),
        values: (0..800)
            .map(|id| if id % 4 == 0 { (seq * 3) as f64 / 100.0 } else { 7.5 })
            .collect(),
    };
    chain.encode(&[frame(1)], 800, 1, 0);
    let bytes = chain.encode(&[frame(2)], 800, 2, 0);
    assert!(bytes.len() < 800 / 8 + 200 + 200 / 4 + 24, "{}", bytes.len());
}

#[test]
fn a_row_of_the_first_version_stands_for_itself() {
    let mut bytes = vec![1, 9, 1, 2, 3, 1, 0, 3, 0b101, 2, 3];
    bytes.extend(0.5_f64.to_le_bytes());
    put_checksum(&mut bytes, 0, 0);
    let (frames, n_series) = decode(&bytes, 0).unwrap();
    let expected = Frame { time_ms: 1, series: vec![0, 1, 2], values: vec![1.0, 0.5, -2.0] };
    assert_eq!((frames, n_series), (vec![expected], 9));
}
