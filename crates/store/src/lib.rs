//! Barograph's embedded store of time series: samples on disk, one SQLite file per day.
//!
//! SQLite gives the journal, the locking and the safety against crashes; this crate adds what
//! makes it a store of time series: batches as a write-ahead log, a compressed head in memory,
//! chunks per series with checksums, and one file per partition, so that expiry deletes files.
//! `docs/format/store.md` draws every byte. It knows no query language and has no threads but
//! its writer and its maintenance.
//!
//! ```
//! use std::sync::Arc;
//!
//! use barograph_model::{Batch, Clock as _, Labels, Matcher, Sample, SystemClock};
//! use barograph_store::{Limits, Settings, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let clock = Arc::new(SystemClock::new());
//! let store = Store::open(Settings::new(dir.path()), clock.clone())?;
//! let sample = Sample { labels: Labels::metric("cpu_usage")?, value: 12.5 };
//! let now_ms = clock.now_ms();
//! store.append(&[Batch { time_ms: now_ms, samples: vec![sample] }])?;
//!
//! let matchers = [Matcher::equal("__name__", "cpu_usage")];
//! let answer = store.select(&matchers, now_ms - 60_000, now_ms, &Limits::default())?;
//! assert_eq!(answer.data[0].values, [12.5]);
//! # Ok(())
//! # }
//! ```

mod backup;
mod block_cache;
mod blocks;
mod buckets;
mod codec;
mod columns;
mod db;
mod error;
mod expiry;
mod folder;
mod gathered;
mod growth;
mod head;
mod head_room;
mod import;
mod index;
mod live;
mod load;
mod maintenance;
mod output;
mod partition;
mod plan;
mod problems;
mod queue;
mod records;
mod reduce;
mod registry;
mod retention;
mod rewrite;
mod rollup;
mod room;
mod seal;
mod sealed;
mod select;
mod selected;
mod sequence;
mod settings;
mod shapes;
mod shared;
mod source;
mod space;
mod span;
mod stats;
mod store;
mod sync;
mod tiers;
mod verify;
mod view;
mod writer;

pub use backup::{BackedUp, BackupError, Progress, Replace, Restored, backup, restore};
pub use error::{AppendError, OpenError, SealError, SeriesError};
pub use growth::{Outlook, TierStats};
pub use import::{Finished, Import, ImportError};
pub use live::Rows;
pub use records::{Record, RecordAnswer, RecordError, RecordLog, RecordSettings, RecordStats};
pub use registry::SeriesRef;
pub use retention::{Keep, KeepRule, Retention};
pub use select::{Answer, Piece, SeriesData, Steps, Warning};
pub use settings::{Limits, Settings};
pub use space::Space;
pub use stats::Stats;
pub use store::{Appended, Store};
pub use tiers::Tier;
pub use verify::{Checked, verify};
pub use view::StoreView;
