//! A flipped bit has no effect on answers, or it is reported. It never makes a wrong answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use barograph_model::Clock as _;
use barograph_store::{OpenError, Settings, Store, Warning};

use crate::support::{
    Dice, HOUR_MS, Map, NOON_MS, TestClock, as_map, batch, contents, hours_only, live_through,
    minutes_only, open, select_all, settings,
};

/// Fills a store with what compresses well and what does not.
fn fill(store: &Store, from: i64, to: i64) {
    for i in from..to {
        let samples = (0..40).map(|series| match series % 4 {
            0 => (series, 1.0),
            1 => (series, (i * i64::from(series)) as f64),
            2 => (series, ((i * 7919 + i64::from(series)) % 1009) as f64 / 8.0),
            _ => (series, (i as f64).sqrt() * f64::from(series)),
        });
        store.append(&[batch(NOON_MS + i * 1000, samples)]).unwrap();
    }
}

/// The file of the only partition.
fn the_file(dir: &Path) -> PathBuf {
    let files = fs::read_dir(dir.join("raw")).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|it| it == "db"));
    let file = files.next().unwrap();
    assert!(files.next().is_none(), "one file");
    file
}

fn is_part_of(part: &Map, whole: &Map) -> bool {
    part.iter().all(|(labels, samples)| {
        let known = whole.get(labels);
        known.is_some_and(|known| samples.iter().all(|(time, bits)| known.get(time) == Some(bits)))
    })
}

/// What is left of a store that was killed, file by file, and what was in it.
struct Remains {
    /// The folder in which they lie.
    tier: &'static str,
    files: Vec<(String, Vec<u8>)>,
    expected: Map,
    /// What is said of it as long as nothing is damaged.
    notes: Vec<Warning>,
    settings: fn(&Path) -> Settings,
    now_ms: i64,
}

impl Remains {
    fn of(dir: &Path, expected: Map) -> Self {
        let (files, notes) = (files_in(dir, "raw"), Vec::new());
        Self { tier: "raw", files, expected, notes, settings, now_ms: NOON_MS }
    }

    /// Flips bits in the files whose names end so, one at a time; says how many were reported.
    fn flip(&self, ending: &str, flips: usize, seed: u64) -> usize {
        const THREADS: usize = 2;
        thread::scope(|scope| {
            let part = |thread| move || self.flip_some(ending, flips / THREADS, seed + thread);
            let parts: Vec<_> = (0..THREADS as u64).map(|i| scope.spawn(part(i))).collect();
            parts.into_iter().map(|part| part.join().unwrap()).sum()
        })
    }

    fn flip_some(&self, ending: &str, flips: usize, seed: u64) -> usize {
        let (name, bytes) = self.files.iter().find(|(name, _)| name.ends_with(ending)).unwrap();
        let mut dice = Dice(seed);
        let dir = in_memory();
        let mut reported = 0;
        for _ in 0..flips {
            let bit = dice.below(bytes.len() * 8);
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            for tier in ["raw", "1m", "1h"] {
                drop(fs::remove_dir_all(dir.path().join(tier)));
            }
            fs::create_dir(dir.path().join(self.tier)).unwrap();
            for (other, bytes) in &self.files {
                fs::write(dir.path().join(other), if other == name { &flipped } else { bytes })
                    .unwrap();
            }
            reported += usize::from(self.is_reported(dir.path(), &format!("{name}, bit {bit}")));
        }
        reported
    }

    fn is_reported(&self, dir: &Path, flip: &str) -> bool {
        let store = match Store::open((self.settings)(dir), TestClock::at(self.now_ms)) {
            Ok(store) => store,
            // The bit made it look like a later version's file.
            Err(OpenError::Newer { .. }) => return true,
            Err(error) => panic!("{flip}: {error:?}"),
        };
        let answer = select_all(&store);
        let found = as_map(&answer.data);
        assert!(is_part_of(&found, &self.expected), "{flip}: wrong data");
        let is_reported = answer.warnings != self.notes;
        assert!(found == self.expected || is_reported, "{flip}: silence");
        assert_eq!(store.stats().panics, 0, "{flip}");
        is_reported
    }
}

/// The marker of a folder, and the files of a tier.
fn files_in(dir: &Path, tier: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("FORMAT".to_owned(), fs::read(dir.join("FORMAT")).unwrap())];
    for entry in fs::read_dir(dir.join(tier)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with("-shm") {
            files.push((format!("{tier}/{name}"), fs::read(&path).unwrap()));
        }
    }
    files
}

/// Flips need no disk, and are quicker without.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Under Wine a file takes many times as long to open.
const SHARE: usize = if matches!(std::env::consts::OS.as_bytes(), b"windows") { 20 } else { 1 };

#[test]
fn four_thousand_flips_in_a_final_file_are_harmless_or_reported() {
    let dir = in_memory();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 150);
    let expected = contents(&store);
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    drop(store);
    let reported =
        Remains::of(dir.path(), expected).flip(".final.db", 4000 / SHARE, 0x1234_5678_9abc_def1);
    assert!(reported > 1000 / SHARE, "only {reported} flips met anything");
}

#[test]
fn three_thousand_flips_in_a_live_file_are_harmless_or_reported() {
    let dir = in_memory();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 40);
    store.seal().unwrap();
    fill(&store, 40, 80);
    store.seal().unwrap();
    fill(&store, 80, 120);
    let expected = contents(&store);
    drop(store);
    let reported =
        Remains::of(dir.path(), expected).flip(".db", 3000 / SHARE, 0xfeed_5678_9abc_def1);
    assert!(reported > 300 / SHARE, "only {reported} flips met anything");
}

#[test]
fn three_thousand_flips_in_the_journal_of_a_killed_store_are_harmless_or_reported() {
    let dir = in_memory();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 40);
    store.seal().unwrap();
    fill(&store, 40, 60);
    // The files are those that a kill would leave.
    let remains = Remains::of(dir.path(), contents(&store));
    let reported = remains.flip(".db-wal", 3000 / SHARE, 0x0bad_5678_9abc_def1);
    assert!(reported > 300 / SHARE, "only {reported} flips met anything");
}

/// Flips in the files of a tier that has outlived all others.
fn flip_buckets(
    tier: &'static str,
    settings: fn(&Path) -> Settings,
    hours: i64,
    flips: usize,
    seed: u64,
) {
    let dir = in_memory();
    let clock = TestClock::at(NOON_MS);
    let store = Store::open(settings(dir.path()), clock.clone()).unwrap();
    live_through(&store, &clock, 0..hours);
    // All samples have expired.
    clock.advance(24 * HOUR_MS);
    store.maintain().unwrap();
    drop(store);
    let store = Store::open(settings(dir.path()), clock.clone()).unwrap();
    let answer = select_all(&store);
    assert!(!answer.data.is_empty() && !answer.warnings.is_empty());
    drop(store);
    let remains = Remains {
        tier,
        files: files_in(dir.path(), tier),
        expected: as_map(&answer.data),
        notes: answer.warnings,
        settings,
        now_ms: clock.now_ms(),
    };
    let reported = remains.flip(".db", flips / SHARE, seed);
    // A share of so few may meet nothing.
    assert!(SHARE > 1 || reported > flips / 400, "only {reported} flips met anything");
}

#[test]
fn two_thousand_flips_in_the_buckets_of_hours_are_harmless_or_reported() {
    flip_buckets("1h", hours_only, 60, 2000, 0x0dd5_5678_9abc_def1);
}

#[test]
fn a_thousand_flips_in_the_buckets_of_minutes_are_harmless_or_reported() {
    flip_buckets("1m", minutes_only, 6, 1000, 0x0ace_5678_9abc_def1);
}

#[test]
fn batches_that_were_lost_with_the_end_of_a_journal_stay_reported() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 30);
    let remains = Remains::of(dir.path(), contents(&store));
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("raw")).unwrap();
    for (name, bytes) in &remains.files {
        let mut bytes = bytes.clone();
        if name.ends_with("-wal") {
            // In the last frame but one or two: what SQLite takes for the end.
            let at = bytes.len() - 6000;
            bytes[at] ^= 1;
        }
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    for round in 0..4 {
        let store = open(copy.path(), &clock);
        let answer = select_all(&store);
        assert!(is_part_of(&as_map(&answer.data), &remains.expected));
        assert_eq!(answer.warnings.len(), 1, "round {round}: {:?}", answer.warnings);
        assert!(answer.warnings[0].message.contains("batches"), "{:?}", answer.warnings);
        match round {
            0 => {}
            1 => fill(&store, 10, 11),
            2 => store.seal().unwrap(),
            _ => {
                clock.advance(3 * HOUR_MS);
                store.maintain().unwrap();
            }
        }
    }
}

#[test]
fn a_file_cut_at_any_page_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 300);
    let expected = contents(&store);
    clock.advance(3 * HOUR_MS);
    store.maintain().unwrap();
    drop(store);
    let path = the_file(dir.path());
    let bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    for cut in (100..length).step_by(4096).chain([1, 99, length - 1]) {
        fs::write(&path, &bytes[..cut]).unwrap();
        let store = Store::open(settings(dir.path()), TestClock::at(NOON_MS)).unwrap();
        let answer = select_all(&store);
        let found = as_map(&answer.data);
        assert!(is_part_of(&found, &expected), "cut at {cut}");
        // The last byte may be behind the last row.
        let is_harmless = cut == length - 1 && found == expected;
        assert!(is_harmless || !answer.warnings.is_empty(), "cut at {cut}");
    }
}

#[test]
fn writing_goes_on_beside_a_damaged_live_file() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    fill(&store, 0, 200);
    drop(store);
    let path = the_file(dir.path());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    for round in 0..3 {
        let store = open(dir.path(), &clock);
        fill(&store, 200 + round * 10, 210 + round * 10);
        let answer = select_all(&store);
        assert!(!answer.warnings.is_empty());
        let newest = answer.data.iter().filter_map(|series| series.times.last()).max();
        assert_eq!(newest, Some(&(NOON_MS + (209 + round * 10) * 1000)));
        clock.advance(3 * HOUR_MS);
        store.maintain().unwrap();
        assert_eq!(as_map(&select_all(&store).data), as_map(&answer.data));
    }
}

#[test]
fn a_damaged_batch_is_skipped_with_what_goes_on_from_it_and_stays_reported_after_sealing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(NOON_MS);
    let store = open(dir.path(), &clock);
    // Batches 0 to 15 belong together, and 16 to 31.
    fill(&store, 0, 40);
    let expected = contents(&store);
    drop(store);
    let connection = rusqlite::Connection::open(the_file(dir.path())).unwrap();
    let mut data: Vec<u8> =
        connection.query_row("SELECT data FROM batch WHERE seq = 7", [], |row| row.get(0)).unwrap();
    data[20] ^= 4;
    connection.execute("UPDATE batch SET data = ?1 WHERE seq = 7", [data]).unwrap();
    connection.execute("DELETE FROM batch WHERE seq = 20", []).unwrap();
    connection.close().unwrap();
    for round in 0..3 {
        let store = open(dir.path(), &clock);
        let answer = select_all(&store);
        let found = as_map(&answer.data);
        assert!(is_part_of(&found, &expected));
        assert!(found.values().all(|series| series.len() == 7 + 4 + 8));
        assert_eq!(answer.warnings.len(), 1);
        assert_eq!(answer.warnings[0].message, "damaged and left out: 21 batches");
        assert_eq!(answer.warnings[0].partition, "2026-11-22T12");
        if round == 0 {
            store.seal().unwrap();
        } else {
            clock.advance(3 * HOUR_MS);
            store.maintain().unwrap();
        }
    }
}
