//! Samples go in and come out.

use std::sync::Arc;

use barograph_model::{Batch, Clock as _, Labels, Matcher, Sample, SystemClock};
use barograph_store::{Limits, Settings, Store};

fn batch(time_ms: i64, value: f64) -> Batch {
    let labels = Labels::new([("__name__", "m"), ("host", "a")]).unwrap();
    Batch { time_ms, samples: vec![Sample { labels, value }] }
}

#[test]
fn samples_come_back_from_head_blocks_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::new());
    let start_ms = clock.now_ms() - 10_000;
    let open = || Store::open(Settings::new(dir.path()), clock.clone()).unwrap();
    let check = |store: &Store, n: i32| {
        let matchers = [Matcher::equal("__name__", "m")];
        let answer = store.select(&matchers, 0, i64::MAX, &Limits::default()).unwrap();
        assert_eq!(answer.warnings, []);
        assert_eq!(answer.data.len(), 1);
        assert_eq!(
            answer.data[0].times,
            (0..n).map(|i| start_ms + i64::from(i)).collect::<Vec<_>>()
        );
        assert_eq!(answer.data[0].values, (0..n).map(f64::from).collect::<Vec<_>>());
    };
    let store = open();
    for i in 0..1000 {
        assert_eq!(
            store.append(&[batch(start_ms + i64::from(i), f64::from(i))]).unwrap().stored,
            1
        );
    }
    check(&store, 1000);
    drop(store);
    let store = open();
    check(&store, 1000);
    store.seal().unwrap();
    check(&store, 1000);
    for i in 1000..1100 {
        store.append(&[batch(start_ms + i64::from(i), f64::from(i))]).unwrap();
    }
    check(&store, 1100);
    drop(store);
    let store = open();
    check(&store, 1100);
    let stats = store.stats();
    assert_eq!((stats.samples, stats.head_samples), (1100, 100));
}
