//! `/proc/meminfo`: memory in kibibytes.

use super::ParseError;
use super::fields::lines;
use crate::readings::Memory;

/// Reads the whole file into `memory`; what `/proc/vmstat` gives stays as it is.
///
/// # Errors
/// A known line without its number, or no `MemTotal`.
pub fn parse(text: &[u8], memory: &mut Memory) -> Result<(), ParseError> {
    let mut available = None;
    let mut total = None;
    let mut kept = Memory {
        page_faults: memory.page_faults,
        major_page_faults: memory.major_page_faults,
        swap_in_pages: memory.swap_in_pages,
        swap_out_pages: memory.swap_out_pages,
        cache_refaults: memory.cache_refaults,
        ..Memory::default()
    };
    for line in lines(text) {
        let mut words = line.words();
        let field = match words.word("a name")? {
            b"MemTotal:" => &mut total,
            b"MemAvailable:" => &mut available,
            b"MemFree:" => &mut kept.free_bytes,
            b"Buffers:" => &mut kept.buffers_bytes,
            b"Cached:" => &mut kept.cached_bytes,
            b"Shmem:" => &mut kept.shared_bytes,
            b"SReclaimable:" => &mut kept.slab_reclaimable_bytes,
            b"SUnreclaim:" => &mut kept.slab_unreclaimable_bytes,
            b"KernelStack:" => &mut kept.kernel_stack_bytes,
            b"PageTables:" => &mut kept.page_tables_bytes,
            b"SwapTotal:" => &mut kept.swap_total_bytes,
            b"SwapFree:" => &mut kept.swap_free_bytes,
            b"Dirty:" => &mut kept.dirty_bytes,
            b"Writeback:" => &mut kept.writeback_bytes,
            b"AnonPages:" => &mut kept.anonymous_bytes,
            b"Committed_AS:" => &mut kept.committed_bytes,
            b"CommitLimit:" => &mut kept.commit_limit_bytes,
            b"VmallocTotal:" => &mut kept.vmalloc_total_bytes,
            b"VmallocUsed:" => &mut kept.vmalloc_used_bytes,
            _ => continue,
        };
        *field = Some(words.number("a number of kB")?.saturating_mul(1024));
    }
    kept.total_bytes = total.ok_or_else(|| ParseError::new(1, "a line `MemTotal:`", text))?;
    kept.available_bytes =
        available.unwrap_or_else(|| available_estimate(&kept)).min(kept.total_bytes);
    kept.pool_paged_bytes = kept.slab_reclaimable_bytes;
    kept.pool_nonpaged_bytes = kept.slab_unreclaimable_bytes.map(|slab| {
        slab + kept.kernel_stack_bytes.unwrap_or(0) + kept.page_tables_bytes.unwrap_or(0)
    });
    *memory = kept;
    Ok(())
}

/// What kernels before 3.14 do not say: free memory and the caches, without what lies in `tmpfs`
/// and so cannot be dropped.
fn available_estimate(memory: &Memory) -> u64 {
    let of = |field: Option<u64>| field.unwrap_or(0);
    (of(memory.free_bytes)
        + of(memory.buffers_bytes)
        + of(memory.cached_bytes)
        + of(memory.slab_reclaimable_bytes))
    .saturating_sub(of(memory.shared_bytes))
}
