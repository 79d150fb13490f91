//! Pressure: how long threads waited for a resource. Only Linux tells.

use barograph_model::{Desc, Unit};

use crate::desc::counter;
use crate::platform::PressureReader;
use crate::{Collector, Error, Roots, Sink};

macro_rules! stalls {
    ($($desc:ident $name:literal $help:literal;)*) => {
        $(pub(crate) static $desc: Desc = counter($name, Unit::Seconds, &[], $help);)*
    };
}

stalls! {
    CPU_SOME "pressure_cpu_some_seconds_total"
        "Time in which at least one thread waited for a processor.";
    MEMORY_SOME "pressure_memory_some_seconds_total"
        "Time in which at least one thread waited for memory.";
    MEMORY_FULL "pressure_memory_full_seconds_total"
        "Time in which all threads with work to do waited for memory.";
    IO_SOME "pressure_io_some_seconds_total"
        "Time in which at least one thread waited for a disk.";
    IO_FULL "pressure_io_full_seconds_total"
        "Time in which all threads with work to do waited for a disk.";
}

/// Emits [`crate::readings::Pressure`].
#[derive(Debug)]
pub(crate) struct PressureCollector {
    reader: PressureReader,
}

impl PressureCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self { reader: PressureReader::new(roots) }
    }
}

impl Collector for PressureCollector {
    fn name(&self) -> &'static str {
        "pressure"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 5] = [&CPU_SOME, &MEMORY_SOME, &MEMORY_FULL, &IO_SOME, &IO_FULL];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let pressure = self.reader.read()?;
        out.push_some(&CPU_SOME, &[], pressure.cpu_some);
        out.push_some(&MEMORY_SOME, &[], pressure.memory_some);
        out.push_some(&MEMORY_FULL, &[], pressure.memory_full);
        out.push_some(&IO_SOME, &[], pressure.io_some);
        out.push_some(&IO_FULL, &[], pressure.io_full);
        Ok(())
    }
}
