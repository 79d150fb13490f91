//! Lists of processes and events go when the settings say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, SystemClock};
use barograph_store::{Record, RecordLog, RecordSettings};

use crate::program::Server;

const DAY_MS: i64 = 86_400_000;
const OLD_RECORD_BYTES: usize = 2_000_000;

/// Makes a log with a record of five days ago and one of yesterday; gives the older one's file.
fn old_log(data: &Path, kind: &str) -> PathBuf {
    let kept = RecordSettings { keep: Duration::MAX, max_bytes: u64::MAX };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now_ms = clock.now_ms();
    let log = RecordLog::open(data, kind, kept, clock).unwrap();
    for (days, bytes) in [(5, OLD_RECORD_BYTES), (1, 1)] {
        log.append(&[Record { time_ms: now_ms - days * DAY_MS, data: vec![0; bytes] }]).unwrap();
    }
    let files = fs::read_dir(data.join("records").join(kind)).unwrap();
    let is_file = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "db");
    files.map(|entry| entry.unwrap().path()).filter(is_file).min().unwrap()
}

#[test]
fn processes_and_events_are_kept_by_age_and_size_as_the_settings_say() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let [processes, events] = ["processes", "events"].map(|kind| old_log(&data, kind));
    drop(Server::start(&data));
    assert!(processes.exists() && events.exists(), "the defaults keep them");
    let settings = "[store]\nmax_processes = '1MB'\nkeep_events = '2d'\n";
    fs::write(folder.path().join("barograph.toml"), settings).unwrap();
    drop(Server::start(&data));
    assert!(!processes.exists(), "too large");
    assert!(!events.exists(), "too old");
}
