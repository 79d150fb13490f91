//! `\Memory` and `\Paging File`

use barograph_model::Unit;

use super::formula::{Formula, Term};
use super::row::{Instances, PdhType, Row, Total};
use crate::kernel_objects::MODULES;
use crate::memory::{
    AVAILABLE, BUFFERS, CACHE_REFAULTS, CACHED, COMMIT_LIMIT, COMMITTED, DIRTY, FREE,
    MAJOR_PAGE_FAULTS, PAGE_FAULTS, POOL_NONPAGED, POOL_PAGED, SHARED, SWAP_IN, SWAP_OUT,
    VMALLOC_TOTAL, VMALLOC_USED, WRITEBACK,
};
use crate::paging::{PEAK, SIZE, USED};

const fn bytes(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    Row {
        object: "Memory",
        counter,
        pdh_type: PdhType::LargeRawCount,
        unit: Unit::Bytes,
        help,
        instances: Instances::None,
        formula: Formula::level(sum),
    }
}

const fn only_windows(counter: &'static str, help: &'static str, why: &'static str) -> Row {
    Row { formula: Formula::only_windows(why), ..events(counter, &[], help) }
}

const fn events(counter: &'static str, sum: &'static [Term], help: &'static str) -> Row {
    Row {
        object: "Memory",
        counter,
        pdh_type: PdhType::Counter,
        unit: Unit::PerSecond,
        help,
        instances: Instances::None,
        formula: Formula::rate(sum),
    }
}

pub(super) static ROWS: [Row; 27] = [
    bytes(
        "Available Bytes",
        &[Term::of(&AVAILABLE)],
        "Memory that a new program can get without swapping.",
    ),
    Row {
        unit: Unit::Mebibytes,
        formula: Formula::level(&[Term::of(&AVAILABLE)]).times(1.0 / (1024.0 * 1024.0)),
        ..bytes(
            "Available MBytes",
            &[],
            "Memory that a new program can get without swapping, in MB of 2^20 bytes.",
        )
    },
    bytes("Committed Bytes", &[Term::of(&COMMITTED)], "Memory that has been promised to programs."),
    bytes("Commit Limit", &[Term::of(&COMMIT_LIMIT)], "Memory that can be promised to programs."),
    Row {
        pdh_type: PdhType::RawFraction,
        unit: Unit::Percent,
        formula: Formula::percent_of_levels(&[Term::of(&COMMITTED)], &[Term::of(&COMMIT_LIMIT)]),
        ..bytes(
            "% Committed Bytes In Use",
            &[],
            "Promised memory by what can be promised; on Linux it may pass 100.",
        )
    },
    bytes("Free & Zero Page List Bytes", &[Term::of(&FREE)], "Memory that holds nothing."),
    bytes(
        "Cache Bytes",
        &[Term::of(&CACHED), Term::if_there(&BUFFERS)],
        "Memory that caches files and disks.",
    ),
    bytes(
        "System Cache Resident Bytes",
        &[Term::of(&CACHED), Term::less(&SHARED)],
        "Memory that caches files and could be dropped.",
    ),
    bytes(
        "Modified Page List Bytes",
        &[Term::of(&DIRTY), Term::of(&WRITEBACK)],
        "Changed file contents that have to be written before their memory can be reused.",
    ),
    bytes(
        "Standby Cache Normal Priority Bytes",
        &[Term::of(&CACHED), Term::less(&SHARED), Term::less(&DIRTY)],
        "Memory that caches files unchanged; near to the Windows counter, not equal.",
    ),
    bytes(
        "Pool Paged Bytes",
        &[Term::of(&POOL_PAGED)],
        "Kernel memory that can be paged out (Windows) or dropped (Linux).",
    ),
    bytes("Pool Nonpaged Bytes", &[Term::of(&POOL_NONPAGED)], "Kernel memory that stays."),
    events(
        "Page Faults/sec",
        &[Term::of(&PAGE_FAULTS)],
        "Accesses to memory that the system had to settle, with or without a disk.",
    ),
    events(
        "Transition Faults/sec",
        &[Term::of(&PAGE_FAULTS), Term::less(&MAJOR_PAGE_FAULTS)],
        "Page faults settled without a disk; near to the Windows counter, not equal.",
    ),
    events(
        "Cache Faults/sec",
        &[Term::of(&CACHE_REFAULTS)],
        "Pages of files that had to be read again; near to the Windows counter, not equal.",
    ),
    events(
        "Page Reads/sec",
        &[Term::of(&MAJOR_PAGE_FAULTS)],
        "Reads of a disk to settle page faults.",
    ),
    events(
        "Pages Input/sec",
        &[Term::of(&SWAP_IN), Term::of(&MAJOR_PAGE_FAULTS)],
        "Pages read from disk to settle page faults; those of files count by their faults.",
    ),
    events(
        "Pages Output/sec",
        &[Term::of(&SWAP_OUT)],
        "Pages written to disk to free their memory.",
    ),
    events(
        "Pages/sec",
        &[Term::of(&SWAP_IN), Term::of(&MAJOR_PAGE_FAULTS), Term::of(&SWAP_OUT)],
        "Pages read or written to settle page faults: high while memory is short.",
    ),
    events(
        "Page Writes/sec",
        &[Term::of(&SWAP_OUT)],
        "Writes to the paging files, each counted as one page.",
    ),
    only_windows(
        "Demand Zero Faults/sec",
        "Page faults settled by a page of zeros, per second.",
        "Linux counts them among all page faults and not by themselves",
    ),
    only_windows(
        "Write Copies/sec",
        "Pages copied because somebody wrote to a shared one, per second.",
        "Linux counts no copies on write for the whole system",
    ),
    Row {
        formula: Formula::only_windows(
            "the file cache of Linux has no priorities, so that no part of it is a core",
        ),
        ..bytes(
            "Standby Cache Core Bytes",
            &[],
            "Memory that caches files of the system's own, the last to be dropped.",
        )
    },
    bytes(
        "System Driver Total Bytes",
        &[Term::of(&MODULES)],
        "Memory of drivers (Windows) or loaded modules (Linux); near to the Windows counter.",
    ),
    Row {
        pdh_type: PdhType::RawCount,
        unit: Unit::Count,
        formula: Formula::level(&[Term::of(&VMALLOC_TOTAL), Term::less(&VMALLOC_USED)])
            .times(1.0 / 4096.0),
        ..bytes(
            "Free System Page Table Entries",
            &[],
            "Pages of 4096 bytes that the kernel can still map for itself; near to the Windows \
             counter, and hardly ever scarce with 64 bits.",
        )
    },
    Row {
        object: "Paging File",
        counter: "% Usage Peak",
        pdh_type: PdhType::RawFraction,
        unit: Unit::Percent,
        help: "The most of a paging file that was used, since the system (Windows) or Barograph \
               (Linux) started.",
        instances: Instances::Each { label: "file", total: Total::OfSums { without: &[] } },
        formula: Formula::percent_of_levels(&[Term::of(&PEAK)], &[Term::of(&SIZE)]),
    },
    Row {
        object: "Paging File",
        counter: "% Usage",
        pdh_type: PdhType::RawFraction,
        unit: Unit::Percent,
        help: "Used share of a paging file or swap device.",
        instances: Instances::Each { label: "file", total: Total::OfSums { without: &[] } },
        formula: Formula::percent_of_levels(&[Term::of(&USED)], &[Term::of(&SIZE)]),
    },
];
