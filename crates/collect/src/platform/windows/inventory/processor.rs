//! Processors.

use std::ffi::c_void;
use std::ptr;

use windows_sys::Win32::System::SystemInformation::{
    GetLogicalProcessorInformationEx, RelationAll, SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX,
};

use super::machine_number;
use crate::platform::windows::cpu_clock::power_information;
use crate::readings::Processor;

const CPU_KEY: &str = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0";

/// By socket. Cores belong to the socket that has their logical processors.
pub(super) fn processors(name: Option<&str>, missing: &mut Vec<String>) -> Vec<Processor> {
    let rows = rows();
    if rows.is_empty() {
        missing.push("processors: Windows does not tell their sockets".into());
    }
    // The registry knows the speed that the processor was made for.
    let hertz = machine_number(CPU_KEY, "~MHz").map(|megahertz| f64::from(megahertz) * 1e6);
    let clocks = clocks();
    let sockets = rows.iter().filter(|row| row.relation == PACKAGE);
    (0..)
        .zip(sockets)
        .map(|(socket, package)| {
            let cores = rows.iter().filter(|row| row.relation == CORE && package.holds(row));
            Processor {
                socket,
                name: name.map(str::to_owned),
                cores: u32::try_from(cores.count()).ok().filter(|cores| *cores > 0),
                logical: package.masks.iter().map(|(_, mask)| mask.count_ones()).sum(),
                maximum_hertz: hertz,
                current_hertz: fastest(&clocks, package),
            }
        })
        .collect()
}

/// Megahertz of now by the number of a logical processor, as far as Windows tells them: those of
/// the group that the thread runs in.
fn clocks() -> Vec<(u32, u32)> {
    let told = power_information();
    let known = told.iter().filter(|one| one.CurrentMhz > 0);
    known.map(|one| (one.Number, one.CurrentMhz)).collect()
}

/// Of a socket's processors.
fn fastest(clocks: &[(u32, u32)], package: &Row) -> Option<f64> {
    let (_, mask) = package.masks.iter().find(|(group, _)| *group == 0)?;
    let own = clocks.iter().filter(|(number, _)| mask.checked_shr(*number).unwrap_or(0) & 1 != 0);
    own.map(|(_, megahertz)| f64::from(*megahertz) * 1e6).reduce(f64::max)
}

/// Whether a hypervisor is below.
#[cfg(target_arch = "x86_64")]
#[expect(clippy::unnecessary_wraps, reason = "other processors do not tell")]
pub(super) fn is_virtual() -> Option<bool> {
    const FEATURES: u32 = 1;
    const HYPERVISOR: u32 = 1 << 31;
    Some(std::arch::x86_64::__cpuid(FEATURES).ecx & HYPERVISOR != 0)
}

/// Whether a hypervisor is below; only processors of PCs can be asked.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn is_virtual() -> Option<bool> {
    None
}

/// `RelationProcessorCore`
const CORE: i32 = 0;
/// `RelationProcessorPackage`
const PACKAGE: i32 = 3;

/// A core or a socket, and the logical processors that it has: groups and bits within them.
struct Row {
    relation: i32,
    masks: Vec<(u16, usize)>,
}

impl Row {
    fn holds(&self, core: &Self) -> bool {
        core.masks.iter().any(|(group, bits)| {
            self.masks.iter().any(|(own, mask)| own == group && mask & bits != 0)
        })
    }
}

fn rows() -> Vec<Row> {
    let mut bytes = 0;
    // SAFETY: without a buffer it only tells the size.
    unsafe { GetLogicalProcessorInformationEx(RelationAll, ptr::null_mut(), &raw mut bytes) };
    let mut buffer = vec![0_u64; (bytes as usize).div_ceil(8)];
    // SAFETY: the call is told the buffer's size.
    let done = unsafe {
        GetLogicalProcessorInformationEx(RelationAll, buffer.as_mut_ptr().cast(), &raw mut bytes)
    };
    if done == 0 {
        return Vec::new();
    }
    let length = (bytes as usize).min(buffer.len() * 8);
    let start = buffer.as_ptr().cast::<u8>();
    let mut rows = Vec::new();
    let mut at = 0;
    while at + 8 <= length {
        // SAFETY: a structure with its relation and size begins here, within the buffer and
        // aligned to 8; it is looked at only as far as its size, which is checked, reaches.
        unsafe {
            let row =
                start.add(at).cast::<c_void>().cast::<SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX>();
            let size = (&raw const (*row).Size).read() as usize;
            if size < 8 || at + size > length {
                break;
            }
            let relation = (&raw const (*row).Relationship).read();
            if relation == CORE || relation == PACKAGE {
                let processor = &raw const (*row).Anonymous.Processor;
                let count = (&raw const (*processor).GroupCount).read();
                let masks = (&raw const (*processor).GroupMask).cast();
                rows.push(Row { relation, masks: read_masks(masks, count) });
            }
            at += size;
        }
    }
    rows
}

/// # Safety
/// So many masks are there.
unsafe fn read_masks(
    masks: *const windows_sys::Win32::System::SystemInformation::GROUP_AFFINITY,
    count: u16,
) -> Vec<(u16, usize)> {
    // SAFETY: as the caller promises.
    (0..usize::from(count))
        .map(|i| unsafe { ((*masks.add(i)).Group, (*masks.add(i)).Mask) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_runs_as_fast_as_its_fastest_processor() {
        let package = |group| Row { relation: PACKAGE, masks: vec![(group, 0b0110)] };
        let clocks = [(0, 5000), (1, 1200), (2, 3400), (64, 9000)];
        assert_eq!(fastest(&clocks, &package(0)), Some(3.4e9));
        assert_eq!(fastest(&clocks, &package(1)), None);
        assert_eq!(fastest(&[], &package(0)), None);
    }

    /// Wine tells what the kernel below it does, which in a virtual machine is nothing.
    #[test]
    fn clocks_are_those_of_processors_that_there_are() {
        let logical = std::thread::available_parallelism().unwrap().get();
        for (number, megahertz) in clocks() {
            assert!((number as usize) < logical.max(64) && (100..10_000).contains(&megahertz));
        }
    }
}
