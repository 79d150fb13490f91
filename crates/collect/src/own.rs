//! What Barograph itself takes from the machine: the monitor must not be the load.

use std::time::Duration;

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::OwnReader;
use crate::{Collector, Error, Roots, Sink};

static CPU: Desc = counter(
    "barograph_cpu_seconds_total",
    Unit::Seconds,
    &[],
    "Processor time that Barograph took.",
);
static RESIDENT: Desc = gauge(
    "barograph_memory_resident_bytes",
    Unit::Bytes,
    &[],
    "Physical memory that Barograph occupies.",
);
static THREADS: Desc = gauge("barograph_threads", Unit::Count, &[], "Threads of Barograph.");
static HANDLES: Desc = gauge(
    "barograph_open_handles",
    Unit::Count,
    &[],
    "File descriptors (Linux) or handles (Windows) that Barograph has open.",
);

/// Emits [`crate::readings::Own`].
#[derive(Debug)]
pub(crate) struct OwnCollector {
    reader: OwnReader,
}

impl OwnCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: OwnReader::new(roots) }
    }
}

impl Collector for OwnCollector {
    fn name(&self) -> &'static str {
        "own"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 4] = [&CPU, &RESIDENT, &THREADS, &HANDLES];
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let own = self.reader.read()?;
        out.push(&CPU, &[], own.cpu_seconds);
        out.push(&RESIDENT, &[], own.resident_bytes as f64);
        out.push_some(&THREADS, &[], own.threads.map(|n| n as f64));
        out.push_some(&HANDLES, &[], own.handles.map(|n| n as f64));
        Ok(())
    }
}
