//! A database in a folder of its own, under a clock that is turned by hand.

use std::sync::Arc;

use barograph_state::{Edit, Expected, State};
use barograph_testkit::FakeClock;
use tempfile::TempDir;

pub(crate) const START_MS: i64 = 1_700_000_000_000;

pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) state: State,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::new(START_MS));
        let state = State::open(folder.path(), Arc::clone(&clock) as _).unwrap();
        Self { folder, clock, state }
    }

    /// Closes the database and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { folder, clock, state } = self;
        drop(state);
        let state = State::open(folder.path(), Arc::clone(&clock) as _).unwrap();
        Self { folder, clock, state }
    }

    /// Runs a statement behind the back of the database.
    pub(crate) fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("state.db")).unwrap();
        let changed = connection.execute(sql, []).unwrap();
        assert!(changed > 0, "nothing matched: {sql}");
    }
}

pub(crate) fn edit(author: &str, expected: Expected) -> Edit<'_> {
    Edit { author, note: "", expected }
}
