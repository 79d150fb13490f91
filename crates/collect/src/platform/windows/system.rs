//! Uptime, processes and threads.

use super::{clock, memory};
use crate::Error;
use crate::readings::System;
use crate::roots::Roots;

/// Asks Windows how long it runs and how much.
#[derive(Debug)]
pub(crate) struct SystemReader {
    system: System,
}

impl SystemReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self { system: System::default() }
    }

    pub(crate) fn read(&mut self) -> Result<&System, Error> {
        let counts = memory::performance_information()?;
        self.system = System {
            uptime_seconds: clock::uptime_seconds(),
            processes: Some(counts.ProcessCount.into()),
            threads: Some(counts.ThreadCount.into()),
        };
        Ok(&self.system)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn this_process_and_its_new_threads_are_counted() {
        let mut reader = SystemReader::new(&Roots::default());
        let before = *reader.read().unwrap();
        assert!(before.processes.unwrap() >= 1 && before.uptime_seconds > 0.0, "{before:?}");

        let gate = Barrier::new(51);
        let during = thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| gate.wait());
            }
            let during = *reader.read().unwrap();
            gate.wait();
            during
        });
        // Others of the system may have ended some of theirs meanwhile.
        assert!(during.threads.unwrap() >= before.threads.unwrap() + 25, "{before:?} {during:?}");
    }
}
