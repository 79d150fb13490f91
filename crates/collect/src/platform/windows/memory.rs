//! Physical memory and the commit charge.
#![expect(unsafe_code, reason = "calls to kernel32")]

use windows_sys::Win32::System::ProcessStatus::{K32GetPerformanceInfo, PERFORMANCE_INFORMATION};
use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

use super::{failure, kernel};
use crate::Error;
use crate::parse::keyed::Keyed;
use crate::parse::system_performance::Widened;
use crate::readings::Memory;
use crate::roots::Roots;

/// Asks Windows for its memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryReader {
    record: Vec<u8>,
    page_faults: Widened,
    page_reads: Widened,
    memory: Memory,
}

impl MemoryReader {
    pub(crate) fn new(_: &Roots) -> Self {
        Self::default()
    }

    pub(crate) fn with_details(roots: &Roots, _: [Keyed; 2]) -> Self {
        Self::new(roots)
    }

    /// Windows has none of these.
    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn details(&self) -> [&[Option<u64>]; 2] {
        [&[], &[]]
    }

    pub(crate) fn read(&mut self) -> Result<&Memory, Error> {
        let status = status()?;
        let counts = performance_information()?;
        let counted = kernel::performance(&mut self.record)?;
        let bytes = |pages: usize| pages as u64 * counts.PageSize as u64;
        // No Windows runs without a pool or a cache; Wine has neither and says zero.
        let present = |pages: usize| Some(bytes(pages)).filter(|bytes| *bytes > 0);
        self.memory = Memory {
            total_bytes: status.ullTotalPhys,
            available_bytes: status.ullAvailPhys,
            cached_bytes: present(counts.SystemCache),
            committed_bytes: Some(bytes(counts.CommitTotal)),
            commit_limit_bytes: Some(bytes(counts.CommitLimit)),
            pool_paged_bytes: present(counts.KernelPaged),
            pool_nonpaged_bytes: present(counts.KernelNonpaged),
            page_faults: counted.map(|it| self.page_faults.at(it.page_faults)),
            major_page_faults: counted.map(|it| self.page_reads.at(it.page_reads)),
            ..Memory::default()
        };
        Ok(&self.memory)
    }
}

fn status() -> Result<MEMORYSTATUSEX, Error> {
    let mut status = MEMORYSTATUSEX { dwLength: size::<MEMORYSTATUSEX>(), ..Default::default() };
    // SAFETY: the structure says its own size.
    if unsafe { GlobalMemoryStatusEx(&raw mut status) } == 0 {
        return Err(failure::last("GlobalMemoryStatusEx", "memory"));
    }
    Ok(status)
}

/// Pages, processes and threads of the whole system.
pub(super) fn performance_information() -> Result<PERFORMANCE_INFORMATION, Error> {
    let mut counts = PERFORMANCE_INFORMATION::default();
    // SAFETY: the call is told the structure's size.
    if unsafe { K32GetPerformanceInfo(&raw mut counts, size::<PERFORMANCE_INFORMATION>()) } == 0 {
        return Err(failure::last("GetPerformanceInfo", "memory"));
    }
    Ok(counts)
}

fn size<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::meminfo;
    use crate::platform::windows::wine::linux_file;

    #[test]
    fn memory_is_plausible_in_itself() {
        let mut reader = MemoryReader::new(&Roots::default());
        let memory = *reader.read().unwrap();
        assert!(memory.total_bytes > 64 << 20, "{memory:?}");
        assert!((1..=memory.total_bytes).contains(&memory.available_bytes), "{memory:?}");
        assert!(memory.commit_limit_bytes >= memory.committed_bytes, "{memory:?}");
        assert_ne!(memory.pool_paged_bytes, Some(0));
        assert_eq!(memory.swap_in_pages, None);
    }

    #[test]
    fn memory_agrees_with_the_system_below() {
        let Some(text) = linux_file("/proc/meminfo") else { return };
        let mut truth = Memory::default();
        meminfo::parse(text.as_bytes(), &mut truth).unwrap();
        let mut reader = MemoryReader::new(&Roots::default());
        let memory = reader.read().unwrap();
        // Wine leaves out the last page.
        assert!(memory.total_bytes.abs_diff(truth.total_bytes) <= 4096, "{memory:?} {truth:?}");
        let apart = memory.available_bytes.abs_diff(truth.available_bytes);
        assert!(apart < truth.total_bytes / 10, "{memory:?} {truth:?}");
    }
}
