//! Uptime, processes and threads.

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::SystemReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static PROCESS_COUNT: Desc =
    gauge("process_count", Unit::Count, &[], "Processes, those of the system among them.");
pub(crate) static THREAD_COUNT: Desc =
    gauge("thread_count", Unit::Count, &[], "Threads of all processes.");
pub(crate) static UPTIME: Desc =
    gauge("system_uptime_seconds", Unit::Seconds, &[], "Time since the system started.");

/// Emits [`crate::readings::System`].
#[derive(Debug)]
pub(crate) struct SystemCollector {
    reader: SystemReader,
}

impl SystemCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: SystemReader::new(roots) }
    }
}

impl Collector for SystemCollector {
    fn name(&self) -> &'static str {
        "system"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 3] = [&PROCESS_COUNT, &THREAD_COUNT, &UPTIME];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let system = self.reader.read()?;
        out.push(&UPTIME, &[], system.uptime_seconds);
        out.push_some(&PROCESS_COUNT, &[], system.processes.map(|n| n as f64));
        out.push_some(&THREAD_COUNT, &[], system.threads.map(|n| n as f64));
        Ok(())
    }
}
