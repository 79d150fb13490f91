//! Reading the processes of this machine by oneself, again and again, without a runner.

use std::sync::Arc;

use barograph_model::Clock;

use super::counter::CountedProcess;
use super::reading::Vitals;
use super::snapshot::ProcessSnapshot;
use super::table::{Known, Moment, ProcessTable};
use super::watch::Watch;
use crate::platform::ProcessReader;
use crate::{Error, Roots};

/// All processes, each looked at closely at every reading.
#[derive(Debug)]
pub struct LiveProcesses {
    reader: ProcessReader,
    table: ProcessTable,
    clock: Arc<dyn Clock>,
}

impl LiveProcesses {
    /// Nothing is read before [`LiveProcesses::read`].
    pub fn new(roots: &Roots, clock: Arc<dyn Clock>) -> Self {
        let table = ProcessTable::thorough(Watch::default());
        Self { reader: ProcessReader::new(roots), table, clock }
    }

    /// Reads all processes. Shares of the processor, and rates, are those since the reading
    /// before; at the first one there are none. A process that says something odd is left out.
    ///
    /// # Errors
    /// The processes cannot be listed.
    pub fn read(&mut self) -> Result<ProcessSnapshot, Error> {
        self.pass()?;
        let mut processes: Vec<_> = self.table.iter().map(Known::process).collect();
        processes.sort_unstable_by_key(|process| process.id);
        Ok(ProcessSnapshot {
            time_ms: self.clock.now_ms(),
            total: processes.len(),
            denied: self.table.iter().filter(|known| known.is_denied()).count(),
            processes,
        })
    }

    /// As [`LiveProcesses::read`], with what counters are made of.
    pub(crate) fn count(&mut self) -> Result<Vec<CountedProcess>, Error> {
        self.pass()?;
        let now_ms = self.clock.now_ms();
        let mut counted: Vec<_> =
            self.table.iter().map(|known| CountedProcess::new(known, now_ms)).collect();
        counted.sort_unstable_by_key(CountedProcess::pid);
        Ok(counted)
    }

    fn pass(&mut self) -> Result<(), Error> {
        self.reader.begin()?;
        self.table.begin(1);
        let mut vitals = Vitals::default();
        loop {
            match self.reader.next(&mut vitals, |_| true) {
                Ok(false) => break,
                Ok(true) => {
                    let now =
                        Moment { monotonic: self.clock.monotonic(), time_ms: self.clock.now_ms() };
                    if let Err(error) = self.table.look(&vitals, now, &mut self.reader) {
                        tracing::debug!(error = barograph_model::chain(&error), "process skipped");
                    }
                }
                Err(error) => {
                    tracing::debug!(error = barograph_model::chain(&error), "process skipped");
                }
            }
        }
        self.table.end();
        Ok(())
    }
}
