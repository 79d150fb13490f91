//! Whatever is done in whatever order, the store answers as a plain map would.

use proptest::prelude::*;

use crate::support::{HOUR_MS, Map, NOON_MS, TestClock, batch, contents, labels, open};

#[derive(Debug, Clone)]
enum Step {
    Append {
        time_ms: i64,
        samples: Vec<(u32, u64)>,
    },
    Seal,
    Reopen,
    /// Time goes by, and what is due is done.
    Wait {
        minutes: i64,
    },
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0_u32..5).prop_map(|v| f64::from(v).to_bits()),
        2 => any::<u32>().prop_map(|v| (f64::from(v) / 7.0).to_bits()),
        1 => Just(barograph_model::STALE.to_bits()),
        1 => any::<u64>(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    // A few seconds in each of a few hours, so that duplicates and late samples are common.
    let time = (0_i64..4, 0_i64..40).prop_map(|(h, s)| NOON_MS + h * HOUR_MS + s * 1000);
    let samples = prop::collection::vec((0_u32..12, value()), 1..12);
    prop_oneof![
        12 => (time, samples).prop_map(|(time_ms, samples)| Step::Append { time_ms, samples }),
        2 => Just(Step::Seal),
        1 => Just(Step::Reopen),
        1 => (1_i64..300).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

fn check(steps: &[Step]) {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let mut store = open(dir.path(), &clock);
    let mut oracle = Map::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Append { time_ms, samples } => {
                let values = samples.iter().map(|(series, bits)| (*series, f64::from_bits(*bits)));
                store.append(&[batch(*time_ms, values)]).unwrap();
                for (series, bits) in samples {
                    let series = oracle.entry(labels(*series).to_string()).or_default();
                    series.insert(*time_ms, *bits);
                }
            }
            Step::Seal => store.seal().unwrap(),
            Step::Reopen => {
                drop(store);
                store = open(dir.path(), &clock);
            }
            Step::Wait { minutes } => {
                clock.advance(minutes * 60_000);
                store.maintain().unwrap();
            }
        }
        if number % 5 == 0 {
            assert_eq!(contents(&store), oracle);
        }
    }
    assert_eq!(contents(&store), oracle);
    drop(store);
    assert_eq!(contents(&open(dir.path(), &clock)), oracle);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_a_map_would(steps in prop::collection::vec(step(), 1..60)) {
        check(&steps);
    }
}
