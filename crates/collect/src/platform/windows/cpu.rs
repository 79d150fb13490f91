//! Processor times.

use super::wine::under_wine;
use super::{clock, failure, kernel};
use crate::Error;
use crate::parse::processor_times;
use crate::parse::system_performance::Widened;
use crate::readings::Cpu;
use crate::roots::Roots;

/// Asks the kernel for the times of every processor.
#[derive(Debug, Default)]
pub(crate) struct CpuReader {
    table: Vec<u8>,
    interrupts: Vec<Widened>,
    context_switches: Widened,
    cpu: Cpu,
}

impl CpuReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self::default()
    }

    pub(crate) fn read(&mut self) -> Result<&Cpu, Error> {
        self.cpu.cores.clear();
        let Self { table, interrupts: totals, cpu, .. } = self;
        let mut interrupts = 0;
        kernel::each_group(kernel::PROCESSOR_TIMES, table, |table| {
            let first = cpu.cores.as_slice().len();
            processor_times::append(table, &mut cpu.cores);
            let known = totals.len().max(cpu.cores.as_slice().len());
            totals.resize(known, Widened::default());
            interrupts += totals[first..]
                .iter_mut()
                .zip(processor_times::interrupts(table))
                .map(|(total, source)| total.at(source))
                .sum::<u64>();
        })?;
        if self.cpu.cores.as_slice().is_empty() {
            return Err(failure::absent("processor times", "the kernel lists no processor"));
        }
        if under_wine() {
            for core in self.cpu.cores.as_mut_slice() {
                processor_times::forget_interrupts(&mut core.times);
            }
        }
        let counted = kernel::performance(&mut self.table)?;
        self.cpu.total = processor_times::sum(&self.cpu.cores);
        self.cpu.interrupts = Some(interrupts).filter(|_| !under_wine());
        self.cpu.context_switches =
            counted.map(|counted| self.context_switches.at(counted.context_switches));
        self.cpu.boot_time_seconds = Some(clock::boot_time_seconds());
        Ok(&self.cpu)
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::FILETIME;
    use windows_sys::Win32::System::Threading::GetSystemTimes;

    use super::*;
    use crate::platform::windows::wine::linux_file;

    fn reader() -> CpuReader {
        CpuReader::new(&Roots::default())
    }

    fn all(cpu: &Cpu) -> f64 {
        cpu.total.user + cpu.total.system + cpu.total.idle
    }

    #[test]
    #[expect(unsafe_code, reason = "a call to kernel32")]
    fn the_cores_sum_agrees_with_the_systems_own() {
        let (mut idle, mut kernel, mut user) = <(FILETIME, FILETIME, FILETIME)>::default();
        // SAFETY: three places for times.
        let done = unsafe { GetSystemTimes(&raw mut idle, &raw mut kernel, &raw mut user) };
        assert_ne!(done, 0);
        let mut reader = reader();
        let total = reader.read().unwrap().total;
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() < 1.0 + theirs * 0.01;
        assert!(close(total.idle, clock::seconds(idle)), "{total:?}");
        assert!(close(total.user, clock::seconds(user)), "{total:?}");
    }

    #[test]
    fn work_moves_the_times() {
        let mut reader = reader();
        let before = all(reader.read().unwrap());
        // Processor times are kept in ticks of up to a sixty-fourth of a second.
        let moved = (0..20_000_000_u64).find(|turn| {
            std::hint::black_box(turn);
            turn % 100_000 == 0 && all(reader.read().unwrap()) > before
        });
        assert!(moved.is_some());
    }

    #[test]
    fn every_core_of_the_system_below_is_listed() {
        let mut reader = reader();
        let cpu = reader.read().unwrap().clone();
        assert!(!cpu.cores.as_slice().is_empty());
        if let Some(stat) = linux_file("/proc/stat") {
            let cores = stat.lines().filter(|line| line.starts_with("cpu")).count() - 1;
            assert_eq!(cpu.cores.as_slice().len(), cores);
            assert_eq!((cpu.total.irq, cpu.total.softirq), (None, None));
            assert_eq!((cpu.interrupts, cpu.context_switches), (None, None));
        }
    }
}
