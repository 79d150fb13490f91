//! Appends, reads and sealing at the same time.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use crate::support::{NOON_MS, TestClock, batch, contents, count, labels, open, select_all};

const WRITERS: u32 = 3;
const BATCHES: i64 = 150;

#[test]
fn readers_miss_nothing_and_see_nothing_twice_while_heads_are_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    let acknowledged: Vec<AtomicI64> = (0..WRITERS).map(|_| AtomicI64::new(0)).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, acknowledged) = (&store, &acknowledged);
                scope.spawn(move || {
                    for i in 0..BATCHES {
                        let samples = [(writer, i as f64), (writer + 100, 5.0)];
                        store.append(&[batch(NOON_MS + i * 1000, samples)]).unwrap();
                        acknowledged[writer as usize].store(i + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                store.seal().unwrap();
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let before: Vec<i64> =
                    acknowledged.iter().map(|count| count.load(Ordering::SeqCst)).collect();
                let answer = select_all(&store);
                assert_eq!(answer.warnings, []);
                for series in &answer.data {
                    // select() checks nothing of this itself: times are 0, 1, 2, … seconds.
                    let expected: Vec<i64> =
                        (0_i64..).take(series.times.len()).map(|i| NOON_MS + i * 1000).collect();
                    assert_eq!(series.times, expected, "{}", series.labels);
                }
                for (writer, before) in (0..WRITERS).zip(before) {
                    let found = answer.data.iter().find(|s| s.labels == labels(writer));
                    assert!(found.map_or(0, |s| count(&s.times)) >= before);
                }
            }
        });
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok));
    });
    let found = contents(&store);
    assert_eq!(found.len(), 2 * WRITERS as usize);
    assert!(found.values().all(|series| count(series) == BATCHES));
    // Waiting appends share a transaction.
    assert!(store.stats().commits <= u64::from(WRITERS) * BATCHES as u64);
}
