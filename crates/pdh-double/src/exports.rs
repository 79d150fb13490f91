//! The functions of `pdh.dll` that Barograph calls, with their true signatures.
#![expect(unsafe_code, reason = "a C interface: pointers come from the caller")]

use std::ptr;

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::Performance::{
    PDH_COUNTER_INFO_W, PDH_HCOUNTER, PDH_HQUERY, PDH_RAW_COUNTER, PDH_RAW_COUNTER_ITEM_W,
};
use windows_sys::core::{BOOL, PCWSTR, PWSTR};

use crate::names;
use crate::registry::{Handle, registry};
use crate::script::{BAD_COUNTER_NAME, FREQUENCY, INVALID_ARGUMENT, Item, MORE_DATA, OK, Script};

/// The longest counter path, in UTF-16 units, as PDH has it.
const LONGEST_PATH: usize = 2048;

fn number(handle: *mut core::ffi::c_void) -> Handle {
    handle.addr()
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhOpenQueryW(_: PCWSTR, _: usize, query: *mut PDH_HQUERY) -> u32 {
    if query.is_null() {
        return INVALID_ARGUMENT;
    }
    let handle = registry().open();
    // SAFETY: not null; the caller lends a place for a handle.
    unsafe { query.write(ptr::without_provenance_mut(handle)) };
    OK
}

#[unsafe(no_mangle)]
extern "system" fn PdhCloseQuery(query: PDH_HQUERY) -> u32 {
    registry().close(number(query))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhAddEnglishCounterW(
    query: PDH_HQUERY,
    path: PCWSTR,
    _: usize,
    counter: *mut PDH_HCOUNTER,
) -> u32 {
    if path.is_null() || counter.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: not null; the caller passes text that ends with a zero.
    let Some(path) = (unsafe { text(path) }) else { return BAD_COUNTER_NAME };
    match registry().add(number(query), &path) {
        Ok(handle) => {
            // SAFETY: not null; the caller lends a place for a handle.
            unsafe { counter.write(ptr::without_provenance_mut(handle)) };
            OK
        }
        Err(status) => status,
    }
}

/// # Safety
/// `start` points to UTF-16 that ends with a zero.
unsafe fn text(start: PCWSTR) -> Option<String> {
    let mut units = Vec::new();
    for at in 0..LONGEST_PATH {
        // SAFETY: no zero has been met before `at`.
        match unsafe { *start.add(at) } {
            0 => return String::from_utf16(&units).ok(),
            unit => units.push(unit),
        }
    }
    None
}

#[unsafe(no_mangle)]
extern "system" fn PdhCollectQueryData(query: PDH_HQUERY) -> u32 {
    registry().collect(number(query))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhGetCounterTimeBase(counter: PDH_HCOUNTER, base: *mut i64) -> u32 {
    if base.is_null() {
        return INVALID_ARGUMENT;
    }
    match registry().script(number(counter)) {
        Ok(_) => {
            // SAFETY: not null; the caller lends a place for a number.
            unsafe { base.write(FREQUENCY) };
            OK
        }
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhGetCounterInfoW(
    counter: PDH_HCOUNTER,
    explain: u8,
    size: *mut u32,
    buffer: *mut PDH_COUNTER_INFO_W,
) -> u32 {
    let script = match registry().script(number(counter)) {
        Ok(script) => script,
        Err(status) => return status,
    };
    if size.is_null() {
        return INVALID_ARGUMENT;
    }
    let text: Vec<u16> = match script.explanation() {
        Some(text) if explain != 0 => text.encode_utf16().chain([0]).collect(),
        _ => Vec::new(),
    };
    let head = size_of::<PDH_COUNTER_INFO_W>();
    let needed = head + text.len() * size_of::<u16>();
    // SAFETY: not null; the caller lends a size to read and to write.
    if !unsafe { enough(size, needed) } || buffer.is_null() {
        return MORE_DATA;
    }
    // SAFETY: the buffer has room for the structure and the text behind it, as its size says; all
    // zero is a valid structure.
    unsafe {
        ptr::write_bytes(buffer.cast::<u8>(), 0, needed);
        (&raw mut (*buffer).dwLength).write(u32::try_from(needed).unwrap_or(0));
        (&raw mut (*buffer).dwType).write(script.kind());
        if !text.is_empty() {
            let place = buffer.add(1).cast::<u16>();
            ptr::copy_nonoverlapping(text.as_ptr(), place, text.len());
            (&raw mut (*buffer).szExplainText).write(place);
        }
    }
    OK
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhEnumObjectsW(
    _: PCWSTR,
    _: PCWSTR,
    objects: PWSTR,
    length: *mut u32,
    _detail: u32,
    _refresh: BOOL,
) -> u32 {
    if length.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: not null; the caller's buffer has as many units as `length` says.
    unsafe { write_list(&names::list(names::OBJECTS), objects, length) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhEnumObjectItemsW(
    _: PCWSTR,
    _: PCWSTR,
    object: PCWSTR,
    counters: PWSTR,
    counters_length: *mut u32,
    instances: PWSTR,
    instances_length: *mut u32,
    _detail: u32,
    _flags: u32,
) -> u32 {
    if object.is_null() || counters_length.is_null() || instances_length.is_null() {
        return INVALID_ARGUMENT;
    }
    // SAFETY: not null; the caller passes text that ends with a zero.
    let Some(object) = (unsafe { text(object) }) else { return INVALID_ARGUMENT };
    let items = match names::items(&object) {
        Ok(items) => items,
        Err(status) => return status,
    };
    // SAFETY: not null; the buffer has as many units as the length says.
    let first = unsafe { write_list(&names::list(items.counters), counters, counters_length) };
    let list = items.instances.map_or_else(Vec::new, names::list);
    // SAFETY: as above.
    let second = unsafe { write_list(&list, instances, instances_length) };
    first.max(second)
}

/// Writes a list, and how many units it has.
///
/// # Safety
/// `buffer` is null or has as many units as `length` says, which may be read and written.
unsafe fn write_list(list: &[u16], buffer: PWSTR, length: *mut u32) -> u32 {
    // SAFETY: the caller's promise.
    if !unsafe { enough(length, list.len()) } || buffer.is_null() {
        return MORE_DATA;
    }
    // SAFETY: there is room for all of it.
    unsafe { ptr::copy_nonoverlapping(list.as_ptr(), buffer, list.len()) };
    OK
}

/// Says how many bytes or units are needed and whether there are as many.
///
/// # Safety
/// `size` points to a number that may be read and written.
unsafe fn enough(size: *mut u32, needed: usize) -> bool {
    // SAFETY: the caller's promise.
    let given = unsafe { size.read() } as usize;
    let needed = u32::try_from(needed).unwrap_or(u32::MAX);
    // SAFETY: the caller's promise.
    unsafe { size.write(needed) };
    given >= needed as usize
}

#[unsafe(no_mangle)]
unsafe extern "system" fn PdhGetRawCounterArrayW(
    counter: PDH_HCOUNTER,
    size: *mut u32,
    count: *mut u32,
    buffer: *mut PDH_RAW_COUNTER_ITEM_W,
) -> u32 {
    if size.is_null() || count.is_null() {
        return INVALID_ARGUMENT;
    }
    let (script, items) = {
        let mut registry = registry();
        let handle = number(counter);
        match (registry.script(handle), registry.read(handle)) {
            (Ok(script), Ok(items)) => (script, items),
            (Err(status), _) | (_, Err(status)) => return status,
        }
    };
    let names: usize = items.iter().map(|item| (item.name.len() + 1) * size_of::<u16>()).sum();
    let needed = items.len() * size_of::<PDH_RAW_COUNTER_ITEM_W>() + names;
    // SAFETY: not null; the caller lends a size to read.
    let given = unsafe { size.read() };
    // SAFETY: not null; the caller lends a size to read and to write.
    let fits = unsafe { enough(size, needed) };
    if script == Script::Endless {
        // SAFETY: as above.
        unsafe { size.write(given.saturating_mul(2).max(64)) };
        return MORE_DATA;
    }
    if !fits || buffer.is_null() {
        if script == Script::Lies && given > 0 {
            // SAFETY: as above.
            unsafe { size.write(given) };
        }
        return MORE_DATA;
    }
    // SAFETY: not null; the caller lends a place for a number.
    unsafe { count.write(u32::try_from(items.len()).unwrap_or(u32::MAX)) };
    // SAFETY: the buffer holds `needed` bytes, as its size says.
    unsafe { write_items(&items, buffer) };
    OK
}

/// Writes the items, and behind them their names.
///
/// # Safety
/// `buffer` has room for both and is aligned for an item.
unsafe fn write_items(items: &[Item], buffer: *mut PDH_RAW_COUNTER_ITEM_W) {
    // SAFETY: the names start where the items end, inside the buffer.
    let mut name = unsafe { buffer.add(items.len()) }.cast::<u16>();
    for (at, item) in items.iter().enumerate() {
        let value = PDH_RAW_COUNTER {
            CStatus: item.status,
            TimeStamp: file_time(item.time),
            FirstValue: item.first,
            SecondValue: item.second,
            MultiCount: 1,
        };
        // SAFETY: `at` is below the number of items that there is room for.
        unsafe { buffer.add(at).write(PDH_RAW_COUNTER_ITEM_W { szName: name, RawValue: value }) };
        // SAFETY: there is room for all names with their zeros.
        unsafe {
            ptr::copy_nonoverlapping(item.name.as_ptr(), name, item.name.len());
            name.add(item.name.len()).write(0);
            name = name.add(item.name.len() + 1);
        }
    }
}

fn file_time(time: i64) -> FILETIME {
    let bytes = time.to_le_bytes();
    let half =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    FILETIME { dwLowDateTime: half(0), dwHighDateTime: half(4) }
}
