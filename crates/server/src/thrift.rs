//! Keeps this program within limits of its own. Past one of them, what is kept only to be quicker
//! is given up until there is room again, and it is said in the log and wherever the program's own
//! health is shown: the monitor must not be the load.

use std::sync::{Arc, PoisonError};

use barograph_store::Store;
use tracing_mutex::stdsync::{Mutex, MutexGuard};

use crate::latest::{Latest, Table};
use crate::queries::Queries;

/// What this program may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnLimits {
    /// Physical memory; without it a quarter of the machine's.
    pub memory_bytes: Option<u64>,
    /// File descriptors or handles.
    pub handles: u64,
}

impl Default for OwnLimits {
    fn default() -> Self {
        Self { memory_bytes: None, handles: 4096 }
    }
}

impl OwnLimits {
    /// Of the machine's memory, where the settings name no limit.
    const SHARE_OF_MACHINE: f64 = 0.25;
}

/// Watches what this program takes, by its own metrics.
#[derive(Debug)]
pub struct Thrift {
    limits: OwnLimits,
    store: Arc<Store>,
    queries: Arc<Queries>,
    state: Mutex<ThriftStatus>,
}

/// What is over its limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ThriftStatus {
    pub memory: Measure,
    pub handles: Measure,
    /// How often something went over its limit.
    pub exceeded: u64,
}

impl ThriftStatus {
    /// Whether what can be given up is given up.
    pub fn is_thrifty(&self) -> bool {
        self.memory.is_over || self.handles.is_over
    }
}

/// One thing that is taken; absent where the system does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Measure {
    pub now: Option<f64>,
    pub limit: Option<f64>,
    pub is_over: bool,
}

impl Measure {
    /// Of the limit. From above it is not come back within before, or it would swing.
    const CLEARLY_BELOW: f64 = 0.9;

    /// Tells whether the limit was passed just now.
    fn take(&mut self, now: Option<f64>, limit: Option<f64>) -> bool {
        let was_over = self.is_over;
        let allowed = if was_over { limit.map(|it| it * Self::CLEARLY_BELOW) } else { limit };
        let is_over = now.zip(allowed).is_some_and(|(now, allowed)| now > allowed);
        *self = Self { now, limit, is_over };
        is_over && !was_over
    }
}

impl Thrift {
    pub fn new(limits: OwnLimits, store: Arc<Store>, queries: Arc<Queries>) -> Self {
        Self { limits, store, queries, state: Mutex::default() }
    }

    /// Looks at the newest readings of this program. Never waits.
    pub fn look(&self, latest: &Latest) {
        let table = latest.read();
        let memory = newest(&table, "barograph_memory_resident_bytes");
        let handles = newest(&table, "barograph_open_handles");
        let machine = newest(&table, "memory_total_bytes");
        drop(table);
        let of_machine = || machine.map(|bytes| bytes * OwnLimits::SHARE_OF_MACHINE);
        let memory_limit = self.limits.memory_bytes.map(|bytes| bytes as f64).or_else(of_machine);
        let mut state = self.state();
        let before = state.is_thrifty();
        let over = [
            ("memory", state.memory.take(memory, memory_limit), state.memory),
            (
                "handles",
                state.handles.take(handles, Some(self.limits.handles as f64)),
                state.handles,
            ),
        ];
        for (what, is_new, measure) in over {
            if is_new {
                state.exceeded += 1;
                let (now, limit) = (measure.now.unwrap_or(0.0), measure.limit.unwrap_or(0.0));
                tracing::warn!(what, now, limit, "over a limit of its own, gives up what it can");
            }
        }
        let is_thrifty = state.is_thrifty();
        drop(state);
        if is_thrifty != before {
            self.store.keep_decoded(!is_thrifty);
            if !is_thrifty {
                tracing::info!("within its own limits again");
            }
        }
        if is_thrifty {
            self.queries.forget();
        }
    }

    pub fn status(&self) -> ThriftStatus {
        *self.state()
    }

    fn state(&self) -> MutexGuard<'_, ThriftStatus> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn newest(table: &Table, metric: &str) -> Option<f64> {
    Some(table.entries(metric).first()?.now.value)
}

#[cfg(test)]
mod tests {
    use barograph_model::{Batch, Labels, METRIC_NAME, Sample};
    use barograph_store::Settings;
    use barograph_testkit::FakeClock;

    use super::*;

    const MIB: f64 = 1024.0 * 1024.0;

    struct Host {
        thrift: Thrift,
        latest: Latest,
        seconds: i64,
        _folder: tempfile::TempDir,
    }

    impl Host {
        fn new(limits: OwnLimits) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(FakeClock::new(1_000_000));
            let store = Arc::new(Store::open(Settings::new(folder.path()), clock.clone()).unwrap());
            let queries = Arc::new(Queries::new(barograph_promql::Settings::default(), clock));
            let thrift = Thrift::new(limits, store, queries);
            Self { thrift, latest: Latest::new(), seconds: 1000, _folder: folder }
        }

        /// Whether it is thrifty after a reading.
        fn takes(&mut self, values: &[(&str, f64)]) -> bool {
            self.seconds += 10;
            let sample = |(name, value): &(&str, f64)| Sample {
                labels: Labels::new([(METRIC_NAME, *name), ("host", "h")]).unwrap(),
                value: *value,
            };
            let samples = values.iter().map(sample).collect();
            self.latest.publish(&Batch { time_ms: self.seconds * 1000, samples });
            self.thrift.look(&self.latest);
            let is_thrifty = self.thrift.status().is_thrifty();
            assert_eq!(self.thrift.store.keeps_decoded(), !is_thrifty);
            is_thrifty
        }

        fn memory(&mut self, mib: f64) -> bool {
            self.takes(&[("barograph_memory_resident_bytes", mib * MIB)])
        }
    }

    #[test]
    fn over_its_memory_it_keeps_nothing_decoded_until_it_is_clearly_below() {
        let mut host =
            Host::new(OwnLimits { memory_bytes: Some(100 << 20), ..OwnLimits::default() });
        let seen = [90.0, 100.0, 101.0, 95.0, 91.0, 89.0, 99.0].map(|mib| host.memory(mib));
        assert_eq!(seen, [false, false, true, true, true, false, false]);
        assert_eq!(host.thrift.status().exceeded, 1);
        assert!(host.memory(200.0));
        assert_eq!(host.thrift.status().exceeded, 2);
    }

    #[test]
    fn without_a_limit_it_may_take_a_quarter_of_the_machine() {
        let mut host = Host::new(OwnLimits::default());
        assert!(!host.memory(1e6));
        let machine = ("memory_total_bytes", 1000.0 * MIB);
        assert!(!host.takes(&[machine, ("barograph_memory_resident_bytes", 249.0 * MIB)]));
        assert!(host.takes(&[machine, ("barograph_memory_resident_bytes", 251.0 * MIB)]));
        assert_eq!(host.thrift.status().memory.limit, Some(250.0 * MIB));
    }

    #[test]
    fn handles_are_limited_too_and_what_the_system_does_not_tell_is_not() {
        let mut host = Host::new(OwnLimits { handles: 100, ..OwnLimits::default() });
        assert!(!host.takes(&[]));
        assert!(host.takes(&[("barograph_open_handles", 101.0)]));
        let status = host.thrift.status();
        assert!(status.handles.is_over && !status.memory.is_over);
    }
}
