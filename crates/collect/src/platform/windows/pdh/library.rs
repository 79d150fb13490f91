//! The functions of `pdh.dll`, resolved at run time.
//!
//! Barograph starts without the library, and where it is Wine's it is not used at all: there
//! most functions end the process, and the others know two counters, one of them a constant.
#![expect(unsafe_code, reason = "loads a library and gives its functions their types")]

#[cfg(test)]
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::{io, mem, ptr};

use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};
use windows_sys::Win32::System::Performance::{
    PDH_COUNTER_INFO_W, PDH_HCOUNTER, PDH_HQUERY, PDH_RAW_COUNTER_ITEM_W,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PWSTR};
use windows_sys::s;

use super::super::failure;
use super::super::wide::wide;
use super::super::wine::under_wine;
use crate::Error;

const WHAT: &str = "performance counters (PDH)";

type OpenQuery = unsafe extern "system" fn(PCWSTR, usize, *mut PDH_HQUERY) -> u32;
type CloseQuery = unsafe extern "system" fn(PDH_HQUERY) -> u32;
type AddEnglishCounter =
    unsafe extern "system" fn(PDH_HQUERY, PCWSTR, usize, *mut PDH_HCOUNTER) -> u32;
type CollectQueryData = unsafe extern "system" fn(PDH_HQUERY) -> u32;
type GetCounterTimeBase = unsafe extern "system" fn(PDH_HCOUNTER, *mut i64) -> u32;
type GetCounterInfo =
    unsafe extern "system" fn(PDH_HCOUNTER, u8, *mut u32, *mut PDH_COUNTER_INFO_W) -> u32;
type EnumObjects = unsafe extern "system" fn(PCWSTR, PCWSTR, PWSTR, *mut u32, u32, BOOL) -> u32;
type EnumObjectItems = unsafe extern "system" fn(
    PCWSTR,
    PCWSTR,
    PCWSTR,
    PWSTR,
    *mut u32,
    PWSTR,
    *mut u32,
    u32,
    u32,
) -> u32;
type GetRawCounterArray =
    unsafe extern "system" fn(PDH_HCOUNTER, *mut u32, *mut u32, *mut PDH_RAW_COUNTER_ITEM_W) -> u32;

/// A loaded `pdh.dll`. It stays loaded: providers start threads of their own in it.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) open_query: OpenQuery,
    pub(super) close_query: CloseQuery,
    pub(super) add_english_counter: AddEnglishCounter,
    pub(super) collect_query_data: CollectQueryData,
    pub(super) get_counter_time_base: GetCounterTimeBase,
    pub(super) get_counter_info: GetCounterInfo,
    pub(super) get_raw_counter_array: GetRawCounterArray,
    pub(super) enum_objects: EnumObjects,
    pub(super) enum_object_items: EnumObjectItems,
}

impl Library {
    /// Windows' own, never one that lies beside the program.
    pub(super) fn system() -> Result<Arc<Self>, Error> {
        static SYSTEM: LazyLock<Result<Arc<Library>, String>> = LazyLock::new(|| {
            if under_wine() {
                return Err("Wine's are not usable".to_owned());
            }
            Library::load("pdh.dll", LOAD_LIBRARY_SEARCH_SYSTEM32)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        });
        match &*SYSTEM {
            Ok(library) => Ok(Arc::clone(library)),
            Err(why) => Err(failure::absent(WHAT, why.as_str())),
        }
    }

    /// A library at a place that the caller trusts.
    #[cfg(test)]
    pub(super) fn at(path: &Path) -> Arc<Self> {
        let name = path.to_str().unwrap();
        let from_there = windows_sys::Win32::System::LibraryLoader::LOAD_WITH_ALTERED_SEARCH_PATH;
        Arc::new(Self::load(name, from_there).unwrap_or_else(|error| {
            panic!("{name}: {error}; `cargo xtask test --only wine` builds it")
        }))
    }

    fn load(name: &str, flags: u32) -> io::Result<Self> {
        let name = wide(name);
        // SAFETY: the name ends with a zero; the library's start-up code is Windows' own.
        let module = unsafe { LoadLibraryExW(name.as_ptr(), ptr::null_mut(), flags) };
        if module.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: each name ends with a zero and has the type that `pdh.h` gives it.
        unsafe {
            Ok(Self {
                open_query: function(module, s!("PdhOpenQueryW"))?,
                close_query: function(module, s!("PdhCloseQuery"))?,
                add_english_counter: function(module, s!("PdhAddEnglishCounterW"))?,
                collect_query_data: function(module, s!("PdhCollectQueryData"))?,
                get_counter_time_base: function(module, s!("PdhGetCounterTimeBase"))?,
                get_counter_info: function(module, s!("PdhGetCounterInfoW"))?,
                get_raw_counter_array: function(module, s!("PdhGetRawCounterArrayW"))?,
                enum_objects: function(module, s!("PdhEnumObjectsW"))?,
                enum_object_items: function(module, s!("PdhEnumObjectItemsW"))?,
            })
        }
    }
}

/// # Safety
/// `F` is a pointer to a function, with the type of the one that has this name.
unsafe fn function<F>(module: HMODULE, name: PCSTR) -> io::Result<F> {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: the module is loaded and the name ends with a zero.
    let address = unsafe { GetProcAddress(module, name) };
    let address = address.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: by the caller's promise; both are addresses of functions.
    Ok(unsafe { mem::transmute_copy(&address) })
}
