//! Load averages, which only Linux keeps.

use barograph_model::{Desc, Unit};

use crate::desc::gauge;
use crate::platform::LoadReader;
use crate::{Collector, Error, Roots, Sink};

pub(crate) static ONE: Desc = gauge(
    "system_load1",
    Unit::Count,
    &[],
    "Threads that run, wait for a processor or wait for a disk, averaged over one minute.",
);
pub(crate) static FIVE: Desc =
    gauge("system_load5", Unit::Count, &[], "The same, averaged over five minutes.");
pub(crate) static FIFTEEN: Desc =
    gauge("system_load15", Unit::Count, &[], "The same, averaged over fifteen minutes.");

/// Emits [`crate::readings::Load`].
#[derive(Debug)]
pub(crate) struct LoadCollector {
    reader: LoadReader,
}

impl LoadCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: LoadReader::new(roots) }
    }
}

impl Collector for LoadCollector {
    fn name(&self) -> &'static str {
        "load"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 3] = [&ONE, &FIVE, &FIFTEEN];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let load = self.reader.read()?;
        out.push(&ONE, &[], load.one);
        out.push(&FIVE, &[], load.five);
        out.push(&FIFTEEN, &[], load.fifteen);
        Ok(())
    }
}
