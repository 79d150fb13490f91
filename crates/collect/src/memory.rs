//! Memory, commit charge and paging.

pub(crate) mod details;

use std::sync::LazyLock;

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::platform::MemoryReader;
use crate::readings::Memory;
use crate::{Collector, Error, Roots, Sink, detail};

const MEBIBYTE: f64 = 1024.0 * 1024.0;
const GIBIBYTE: f64 = 1024.0 * MEBIBYTE;

pub(crate) static MEMORY_AVAILABLE: Desc = gauge(
    "memory_available",
    Unit::Mebibytes,
    &[],
    "Memory that a new program can get without swapping, in MB of 2^20 bytes.",
);
pub(crate) static MEMORY_COMMITTED: Desc =
    gauge("memory_committed", Unit::Bytes, &[], "Memory that has been promised to programs.");
pub(crate) static MEMORY_PERCENT: Desc = gauge(
    "memory_percent",
    Unit::Percent,
    &[],
    "Share of the physical memory that is not available.",
);
pub(crate) static MEMORY_TOTAL_GB: Desc =
    gauge("memory_total_gb", Unit::Gibibytes, &[], "Physical memory, in GB of 2^30 bytes.");
pub(crate) static MEMORY_USED_GB: Desc = gauge(
    "memory_used_gb",
    Unit::Gibibytes,
    &[],
    "Physical memory that is not available, in GB of 2^30 bytes.",
);

macro_rules! bytes {
    ($($desc:ident $name:literal $help:literal;)*) => {
        $(pub(crate) static $desc: Desc = gauge($name, Unit::Bytes, &[], $help);)*
    };
}

bytes! {
    TOTAL "memory_total_bytes" "Physical memory that the system can use.";
    AVAILABLE "memory_available_bytes" "Memory that a new program can get without swapping.";
    FREE "memory_free_bytes" "Memory that holds nothing.";
    BUFFERS "memory_buffers_bytes" "Cached parts of disks outside of files.";
    CACHED "memory_cached_bytes" "File contents in memory, with what is shared.";
    SHARED "memory_shared_bytes" "Memory that programs share, and files that live in memory.";
    SLAB_RECLAIMABLE "memory_slab_reclaimable_bytes" "Kernel objects that can be dropped.";
    SLAB_UNRECLAIMABLE "memory_slab_unreclaimable_bytes" "Kernel objects that stay.";
    KERNEL_STACK "memory_kernel_stack_bytes" "Stacks of threads inside the kernel.";
    PAGE_TABLES "memory_page_tables_bytes" "Tables that map addresses to memory.";
    SWAP_TOTAL "memory_swap_total_bytes" "Size of all paging files and swap devices.";
    SWAP_FREE "memory_swap_free_bytes" "Unused part of the paging files and swap devices.";
    DIRTY "memory_dirty_bytes" "Changed file contents that are still to be written.";
    WRITEBACK "memory_writeback_bytes" "File contents that are being written.";
    ANONYMOUS "memory_anonymous_bytes" "Programs' own memory that no file stands behind.";
    COMMITTED "memory_committed_bytes" "Memory that has been promised to programs.";
    VMALLOC_TOTAL "memory_vmalloc_total_bytes" "Addresses that the kernel can map for itself.";
    VMALLOC_USED "memory_vmalloc_used_bytes" "Addresses that the kernel has mapped for itself.";
    COMMIT_LIMIT "memory_commit_limit_bytes"
        "What can be promised; on Linux a bound only with overcommit_memory=2.";
    POOL_PAGED "memory_pool_paged_bytes"
        "Kernel memory that can be paged out (Windows) or dropped (Linux).";
    POOL_NONPAGED "memory_pool_nonpaged_bytes"
        "Kernel memory that stays: objects, stacks and page tables.";
}

pub(crate) static PAGE_FAULTS: Desc = counter(
    "memory_page_faults_total",
    Unit::Count,
    &[],
    "Accesses to memory that the system had to settle, with or without a disk.",
);
pub(crate) static MAJOR_PAGE_FAULTS: Desc = counter(
    "memory_major_page_faults_total",
    Unit::Count,
    &[],
    "Accesses to memory that had to wait for a disk.",
);
pub(crate) static SWAP_IN: Desc = counter(
    "memory_swap_in_pages_total",
    Unit::Count,
    &[],
    "Pages read from the paging files and swap devices.",
);
pub(crate) static SWAP_OUT: Desc = counter(
    "memory_swap_out_pages_total",
    Unit::Count,
    &[],
    "Pages written to the paging files and swap devices.",
);
pub(crate) static CACHE_REFAULTS: Desc = counter(
    "memory_cache_refaults_total",
    Unit::Count,
    &[],
    "Pages of files that were read again soon after they had been dropped.",
);

static DESCS: [&Desc; 31] = [
    &MEMORY_AVAILABLE,
    &MEMORY_COMMITTED,
    &MEMORY_PERCENT,
    &MEMORY_TOTAL_GB,
    &MEMORY_USED_GB,
    &TOTAL,
    &AVAILABLE,
    &FREE,
    &BUFFERS,
    &CACHED,
    &SHARED,
    &SLAB_RECLAIMABLE,
    &SLAB_UNRECLAIMABLE,
    &KERNEL_STACK,
    &PAGE_TABLES,
    &SWAP_TOTAL,
    &SWAP_FREE,
    &DIRTY,
    &WRITEBACK,
    &ANONYMOUS,
    &COMMITTED,
    &COMMIT_LIMIT,
    &VMALLOC_TOTAL,
    &VMALLOC_USED,
    &POOL_PAGED,
    &POOL_NONPAGED,
    &PAGE_FAULTS,
    &MAJOR_PAGE_FAULTS,
    &SWAP_IN,
    &SWAP_OUT,
    &CACHE_REFAULTS,
];

/// Emits [`Memory`].
#[derive(Debug)]
pub(crate) struct MemoryCollector {
    reader: MemoryReader,
}

impl MemoryCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        let sizes = detail::keyed(details::SIZES.iter().chain(&details::POOLS));
        let events = detail::keyed(&details::EVENT_ROWS);
        Self { reader: MemoryReader::with_details(roots, [sizes, events]) }
    }
}

impl Collector for MemoryCollector {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn is_essential(&self) -> bool {
        true
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static ALL: LazyLock<Vec<&Desc>> =
            LazyLock::new(|| DESCS.into_iter().chain(details::descs()).collect());
        &ALL
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let memory = self.reader.read()?;
        push_headlines(memory, out);
        push_details(memory, out);
        let [sizes, events] = self.reader.details();
        detail::push(details::SIZES.iter().chain(&details::POOLS), sizes, out);
        detail::push(&details::EVENT_ROWS, events, out);
        Ok(())
    }
}

fn push_headlines(memory: &Memory, out: &mut dyn Sink) {
    let total = memory.total_bytes as f64;
    let available = memory.available_bytes as f64;
    let used = total - available;
    out.push(&MEMORY_AVAILABLE, &[], available / MEBIBYTE);
    out.push_some(&MEMORY_COMMITTED, &[], memory.committed_bytes.map(|bytes| bytes as f64));
    out.push_some(&MEMORY_PERCENT, &[], (total > 0.0).then(|| 100.0 * used / total));
    out.push(&MEMORY_TOTAL_GB, &[], total / GIBIBYTE);
    out.push(&MEMORY_USED_GB, &[], used / GIBIBYTE);
}

fn push_details(memory: &Memory, out: &mut dyn Sink) {
    for (desc, value) in [
        (&TOTAL, Some(memory.total_bytes)),
        (&AVAILABLE, Some(memory.available_bytes)),
        (&FREE, memory.free_bytes),
        (&BUFFERS, memory.buffers_bytes),
        (&CACHED, memory.cached_bytes),
        (&SHARED, memory.shared_bytes),
        (&SLAB_RECLAIMABLE, memory.slab_reclaimable_bytes),
        (&SLAB_UNRECLAIMABLE, memory.slab_unreclaimable_bytes),
        (&KERNEL_STACK, memory.kernel_stack_bytes),
        (&PAGE_TABLES, memory.page_tables_bytes),
        (&SWAP_TOTAL, memory.swap_total_bytes),
        (&SWAP_FREE, memory.swap_free_bytes),
        (&DIRTY, memory.dirty_bytes),
        (&WRITEBACK, memory.writeback_bytes),
        (&ANONYMOUS, memory.anonymous_bytes),
        (&COMMITTED, memory.committed_bytes),
        (&COMMIT_LIMIT, memory.commit_limit_bytes),
        (&VMALLOC_TOTAL, memory.vmalloc_total_bytes),
        (&VMALLOC_USED, memory.vmalloc_used_bytes),
        (&POOL_PAGED, memory.pool_paged_bytes),
        (&POOL_NONPAGED, memory.pool_nonpaged_bytes),
        (&PAGE_FAULTS, memory.page_faults),
        (&MAJOR_PAGE_FAULTS, memory.major_page_faults),
        (&SWAP_IN, memory.swap_in_pages),
        (&SWAP_OUT, memory.swap_out_pages),
        (&CACHE_REFAULTS, memory.cache_refaults),
    ] {
        out.push_some(desc, &[], value.map(|value| value as f64));
    }
}
