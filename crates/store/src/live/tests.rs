//! Commits and sealing when the disk is full, and sealing that is told to stop.

use rusqlite::Connection;

use super::*;

const NOON_MS: i64 = 1_795_348_800_000;

fn rows(ids: &[SeriesRef], i: i64) -> Rows {
    let values = (0_u32..).take(ids.len()).map(|id| f64::from(id) + i as f64 / 3.0).collect();
    Rows { time_ms: NOON_MS + i, series: ids.to_vec(), values }
}

#[test]
fn a_full_disk_passes_without_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let span = Span::holding(NOON_MS, 3_600_000).unwrap();
    let registry = RwLock::new(Registry::default());
    let ids: Vec<SeriesRef> = (0..100)
        .map(|i| {
            let labels = Labels::new([("__name__", "m".to_owned()), ("i", i.to_string())]).unwrap();
            write(&registry).resolve(&labels, 1000).unwrap()
        })
        .collect();
    let opening = Opening { registry: &registry, max_bytes: Some(120_000), now: Duration::ZERO };
    let live = Live::open(dir.path().join("x.db"), span, opening).unwrap();
    let commit = |i| live.commit(&[rows(&ids, i)], &registry, 1000, Duration::ZERO);
    let mut stored = 0;
    let error = loop {
        match commit(stored) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.error, AppendError::DiskFull { .. }));
    assert!(!error.damaged);
    assert!(live.seal(&false.into()).is_err());
    let samples = |live: &Live| live.facts().samples;
    assert_eq!(samples(&live), 100 * u64::try_from(stored).unwrap());

    let more_room = |connection: &Connection| {
        connection.pragma_update(None, "max_page_count", 100_000).unwrap();
    };
    more_room(lock(&live.writer).connection.as_ref().unwrap());
    commit(stored).unwrap();
    // Once for what was set aside when the disk was full, once for what came after it.
    assert!(live.seal(&false.into()).unwrap());
    assert!(live.seal(&false.into()).unwrap());
    assert!(!live.seal(&false.into()).unwrap());
    let facts = live.facts();
    assert_eq!((facts.samples, facts.head_samples), (100 * u64::try_from(stored + 1).unwrap(), 0));
}

#[test]
fn sealing_that_is_told_to_stop_leaves_everything_readable() {
    let dir = tempfile::tempdir().unwrap();
    let span = Span::holding(NOON_MS, 3_600_000).unwrap();
    let registry = RwLock::new(Registry::default());
    let id = write(&registry).resolve(&Labels::metric("m").unwrap(), 9).unwrap();
    let opening = Opening { registry: &registry, max_bytes: None, now: Duration::ZERO };
    let live = Live::open(dir.path().join("x.db"), span, opening).unwrap();
    live.commit(&[rows(&[id], 0)], &registry, 9, Duration::ZERO).unwrap();
    assert!(!live.seal(&true.into()).unwrap());
    let has_frozen = || read(&live.state).frozen.is_some();
    assert!(has_frozen());
    assert!(live.seal(&false.into()).unwrap());
    assert!(!has_frozen());
}
