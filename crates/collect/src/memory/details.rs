//! What only Linux tells about memory: more of `/proc/meminfo`, and what the memory manager did.

use barograph_model::{Desc, Unit};

use crate::desc::{counter, gauge};
use crate::detail::Detail;

macro_rules! sizes {
    ($($desc:ident $name:literal $metric:literal $help:literal;)*) => {
        $(static $desc: Desc = gauge($metric, Unit::Bytes, &[], $help);)*
        /// Of `/proc/meminfo`, in KiB.
        pub(crate) static SIZES: [Detail; 22] = [$(Detail {
            section: "", name: $name, desc: &$desc, labels: &[], scale: 1024.0,
        }),*];
    };
}

sizes! {
    SWAP_CACHED "SwapCached" "memory_swap_cached_bytes" "Memory that is in swap as well.";
    ACTIVE "Active" "memory_active_bytes" "Memory used not long ago.";
    INACTIVE "Inactive" "memory_inactive_bytes" "Memory that is dropped or swapped first.";
    ACTIVE_ANON "Active(anon)" "memory_active_anonymous_bytes"
        "Programs' own memory used not long ago.";
    INACTIVE_ANON "Inactive(anon)" "memory_inactive_anonymous_bytes"
        "Programs' own memory that is swapped first.";
    ACTIVE_FILE "Active(file)" "memory_active_file_bytes" "File contents used not long ago.";
    INACTIVE_FILE "Inactive(file)" "memory_inactive_file_bytes"
        "File contents that are dropped first.";
    UNEVICTABLE "Unevictable" "memory_unevictable_bytes" "Memory that cannot be dropped or swapped.";
    LOCKED "Mlocked" "memory_locked_bytes" "Memory that programs have locked.";
    MAPPED "Mapped" "memory_mapped_bytes" "Files that programs have mapped.";
    RECLAIMABLE "KReclaimable" "memory_kernel_reclaimable_bytes"
        "Kernel memory that can be dropped.";
    SLAB "Slab" "memory_slab_bytes" "Kernel objects.";
    BOUNCE "Bounce" "memory_bounce_bytes" "Copies for devices that cannot reach all memory.";
    WRITEBACK_TMP "WritebackTmp" "memory_writeback_temporary_bytes"
        "File contents that FUSE is writing.";
    PER_CPU "Percpu" "memory_percpu_bytes" "What the kernel keeps for each processor.";
    CORRUPTED "HardwareCorrupted" "memory_hardware_corrupted_bytes"
        "Memory taken out of use as broken.";
    HUGE_ANON "AnonHugePages" "memory_huge_anonymous_bytes"
        "Programs' own memory in huge pages, made without being asked.";
    HUGE_SHARED "ShmemHugePages" "memory_huge_shared_bytes" "Shared memory in huge pages.";
    HUGE_TLB "Hugetlb" "memory_huge_pool_bytes" "All pools of huge pages, whether used or not.";
    CMA_TOTAL "CmaTotal" "memory_contiguous_total_bytes"
        "Set aside for devices that need memory in one piece.";
    CMA_FREE "CmaFree" "memory_contiguous_free_bytes" "Free part of what is set aside in one piece.";
    ZSWAP "Zswap" "memory_zswap_bytes" "Compressed swap in memory.";
}

pub(crate) static HUGE_PAGES: Desc = gauge(
    "memory_huge_pages",
    Unit::Count,
    &["state"],
    "Huge pages of the default size: `total`, `free`, `reserved` (promised), `surplus`.",
);
pub(crate) static EVENTS: Desc = counter(
    "memory_events_total",
    Unit::Count,
    &["event"],
    "What Linux' memory manager did, by the kernel's name in /proc/vmstat: `pgscan_direct` (pages \
     looked at because a program waited for memory), `oom_kill`, `compact_stall` and others.",
);

const fn huge_pages(name: &'static str, state: &'static [&'static str]) -> Detail {
    Detail { section: "", name, desc: &HUGE_PAGES, labels: state, scale: 1.0 }
}

/// Of `/proc/meminfo`, in pages.
pub(crate) static POOLS: [Detail; 4] = [
    huge_pages("HugePages_Total", &["total"]),
    huge_pages("HugePages_Free", &["free"]),
    huge_pages("HugePages_Rsvd", &["reserved"]),
    huge_pages("HugePages_Surp", &["surplus"]),
];

macro_rules! events {
    ($count:literal: $($name:literal)*) => {
        /// Of `/proc/vmstat`.
        pub(crate) static EVENT_ROWS: [Detail; $count] = [$(Detail {
            section: "", name: $name, desc: &EVENTS, labels: &[$name], scale: 1.0,
        }),*];
    };
}

events! { 52:
    "pgpgin" "pgpgout" "pgfree" "pgactivate" "pgdeactivate" "pglazyfree" "pgrefill"
    "pgsteal_kswapd" "pgsteal_direct" "pgsteal_khugepaged" "pgsteal_anon" "pgsteal_file"
    "pgscan_kswapd" "pgscan_direct" "pgscan_khugepaged" "pgscan_anon" "pgscan_file"
    "pgscan_direct_throttle" "slabs_scanned" "pginodesteal" "kswapd_inodesteal" "pageoutrun"
    "kswapd_low_wmark_hit_quickly" "kswapd_high_wmark_hit_quickly" "allocstall_normal"
    "allocstall_movable" "pgrotated" "drop_pagecache" "drop_slab" "oom_kill" "pgmigrate_success"
    "pgmigrate_fail" "compact_stall" "compact_fail" "compact_success" "workingset_refault_anon"
    "workingset_activate_file" "workingset_restore_file" "unevictable_pgs_culled"
    "thp_fault_alloc" "thp_fault_fallback" "thp_collapse_alloc" "thp_split_page" "thp_swpout"
    "zswpin" "zswpout" "numa_hit" "numa_miss" "numa_foreign" "numa_pte_updates" "numa_hint_faults"
    "numa_pages_migrated"
}

/// The metrics of these tables.
pub(crate) fn descs() -> impl Iterator<Item = &'static Desc> {
    SIZES.iter().map(|detail| detail.desc).chain([&HUGE_PAGES, &EVENTS])
}
