//! A process that is killed at any moment has lost nothing that it acknowledged.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use barograph_store::{Settings, Store};

use crate::support::{Dice, HOUR_MS, NOON_MS, TestClock, batch, contents, count, labels, settings};

const ROUNDS: usize = 25;
const SERIES: u32 = 20;
/// Batches are this far apart, so that a round passes through several partitions.
const STEP_MS: i64 = 47_000;
const DIR: &str = "BAROGRAPH_TEST_CRASH_DIR";
const FIRST: &str = "BAROGRAPH_TEST_CRASH_FIRST";

/// Sealing, closing and rewriting all happen all the time.
fn hasty(dir: &Path) -> Settings {
    Settings { seal_bytes: 1, close_after: Duration::ZERO, ..settings(dir) }
}

fn value(number: i64, series: u32) -> f64 {
    (number * 31 + i64::from(series)) as f64 / if series.is_multiple_of(2) { 1.0 } else { 3.0 }
}

/// What the killed process does: appends, and says so.
fn append_forever(dir: &str, first: i64) {
    let clock = TestClock::at(NOON_MS + first * STEP_MS);
    let store = Store::open(hasty(Path::new(dir)), clock.clone()).unwrap();
    for number in first.. {
        let samples = (0..SERIES).map(|series| (series, value(number, series)));
        store.append(&[batch(NOON_MS + number * STEP_MS, samples)]).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {number}").unwrap();
        out.flush().unwrap();
        clock.advance(STEP_MS);
    }
}

/// Runs this test's other role until it is killed; returns the last number it acknowledged.
#[expect(clippy::disallowed_methods, reason = "only a process can be killed")]
fn run_and_kill(dir: &Path, first: i64, after: Duration) -> Option<i64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["crash::kills_lose_nothing_that_was_acknowledged", "--exact", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || {
        let numbers = lines.map_while(Result::ok).filter_map(|line| {
            line.strip_prefix("acknowledged ").and_then(|number| number.parse::<i64>().ok())
        });
        numbers.last()
    });
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn kills_lose_nothing_that_was_acknowledged() {
    if let (Ok(dir), Ok(first)) = (env::var(DIR), env::var(FIRST)) {
        return append_forever(&dir, first.parse().unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut next = 0;
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let after = Duration::from_millis(60 + dice.below(150) as u64);
        let last = run_and_kill(dir.path(), next, after);
        acknowledged += last.map_or(0, |last| last + 1 - next);

        let clock = TestClock::at(NOON_MS + next * STEP_MS);
        let store = Store::open(settings(dir.path()), clock).unwrap();
        let found = contents(&store);
        // What was not acknowledged may be there all the same: one batch, whole.
        let stored = found.values().map(count).max().unwrap_or(0);
        let expected = last.map_or(next, |last| last + 1);
        assert!((expected..=expected + 1).contains(&stored), "round {round}: {stored}");
        for series in 0..SERIES {
            let samples = found.get(&labels(series).to_string());
            let expected = (0..stored)
                .map(|number| (NOON_MS + number * STEP_MS, value(number, series).to_bits()))
                .collect();
            assert_eq!(samples.cloned().unwrap_or_default(), expected, "round {round}");
        }
        next = stored;
    }
    assert!(acknowledged > count(0..ROUNDS), "only {acknowledged} batches in all rounds");
    assert!(next * STEP_MS > HOUR_MS, "never left the first partition");
}
