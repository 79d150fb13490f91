//! Performance counters by path: Windows' Performance Data Helper.
//!
//! Only raw numbers are taken from it. They survive a missed collection, and Barograph makes the
//! values itself ([`crate::parse::raw_counter`]).
#![expect(unsafe_code, reason = "calls through a table of functions; buffers that they fill")]

mod library;
mod objects;
mod status;

use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::System::Performance::{
    PDH_COUNTER_INFO_W, PDH_HCOUNTER, PDH_HQUERY, PDH_RAW_COUNTER_ITEM_W,
};

use super::wide::{narrow, wide};
use crate::Error;
use crate::parse::raw_counter::{CounterFacts, RawCounter, RawInstance};
use library::Library;
pub(crate) use objects::CounterNames;
use status::{INVALID_DATA, MORE_DATA, OK};

/// Where a buffer for values starts, and where it ends: more instances are an error.
const SMALLEST_BYTES: usize = 4 * 1024;
const LARGEST_BYTES: usize = 4 * 1024 * 1024;

/// An open query with its counters. Closed, with all of them, when dropped.
#[derive(Debug)]
pub(crate) struct CounterSource {
    library: Arc<Library>,
    query: PDH_HQUERY,
    counters: Vec<Added>,
    /// Kept between readings; of `u64` so that items in it are aligned.
    buffer: Vec<u64>,
}

// SAFETY: PDH's handles belong to the process; a query is used by one thread at a time, which
// `&mut self` ensures.
unsafe impl Send for CounterSource {}

#[derive(Debug)]
struct Added {
    path: String,
    handle: PDH_HCOUNTER,
}

impl CounterSource {
    /// Opens a query of the system's own counters.
    ///
    /// # Errors
    /// The system has no usable PDH.
    pub(crate) fn open() -> Result<Self, Error> {
        Self::open_in(Library::system()?)
    }

    fn open_in(library: Arc<Library>) -> Result<Self, Error> {
        let mut query = ptr::null_mut();
        // SAFETY: no source means this machine; a place for a handle.
        let code = unsafe { (library.open_query)(ptr::null(), 0, &raw mut query) };
        status::check("PdhOpenQueryW", "performance counters", code)?;
        Ok(Self { library, query, counters: Vec::new(), buffer: vec![0; SMALLEST_BYTES / 8] })
    }

    /// Adds a counter by its English path and returns its number, from 0. The instance may be `*`.
    ///
    /// # Errors
    /// [`Error::Absent`] if this Windows has no such object or counter.
    pub(crate) fn add(&mut self, path: &str) -> Result<usize, Error> {
        let wide_path = wide(path);
        let mut handle = ptr::null_mut();
        // SAFETY: the query is open, the path ends with a zero; a place for a handle.
        let code = unsafe {
            (self.library.add_english_counter)(self.query, wide_path.as_ptr(), 0, &raw mut handle)
        };
        status::check("PdhAddEnglishCounterW", path, code)?;
        self.counters.push(Added { path: path.to_owned(), handle });
        Ok(self.counters.len() - 1)
    }

    /// Collects all counters. Kinds that need two collections want a second between them.
    ///
    /// # Errors
    /// A provider has nothing to say.
    pub(crate) fn collect(&mut self) -> Result<(), Error> {
        // SAFETY: the query is open.
        let code = unsafe { (self.library.collect_query_data)(self.query) };
        status::check("PdhCollectQueryData", &self.paths(), code)
    }

    /// What the counter of this number is; known once it was collected.
    ///
    /// # Errors
    /// There is no such counter, or Windows does not tell.
    pub(crate) fn facts(&mut self, counter: usize) -> Result<CounterFacts, Error> {
        let Added { path, handle } = self.counter(counter)?;
        let (path, handle) = (path.clone(), *handle);
        let mut frequency = 0;
        // SAFETY: the counter belongs to the open query; a place for a number.
        let code = unsafe { (self.library.get_counter_time_base)(handle, &raw mut frequency) };
        status::check("PdhGetCounterTimeBase", &path, code)?;

        let info = self.info(counter, false)?;
        let info = info
            .ok_or_else(|| super::failure::absent("the counter's kind", "PDH does not tell it"))?;
        Ok(CounterFacts { kind: info.dwType, frequency })
    }

    /// What PDH has to say about a counter; its texts are in the buffer.
    fn info(
        &mut self,
        counter: usize,
        with_explanation: bool,
    ) -> Result<Option<PDH_COUNTER_INFO_W>, Error> {
        let Added { path, handle } = self.counter(counter)?;
        let (path, handle) = (path.clone(), *handle);
        let library = Arc::clone(&self.library);
        let filled = self.fill("PdhGetCounterInfoW", &path, |size, buffer| {
            let explain = u8::from(with_explanation);
            // SAFETY: the buffer has `size` bytes and is aligned.
            unsafe { (library.get_counter_info)(handle, explain, size, buffer.cast()) }
        })?;
        if !filled || self.buffer.len() * size_of::<u64>() < size_of::<PDH_COUNTER_INFO_W>() {
            return Ok(None);
        }
        // SAFETY: PDH has filled the start of the buffer with this structure, and all bytes are
        // valid in it.
        Ok(Some(unsafe { self.buffer.as_ptr().cast::<PDH_COUNTER_INFO_W>().read() }))
    }

    /// What the counter is there for, in Windows' language; empty where its provider does not say.
    ///
    /// # Errors
    /// There is no such counter, or Windows does not tell.
    pub(crate) fn explanation(&mut self, counter: usize) -> Result<String, Error> {
        let Some(info) = self.info(counter, true)? else { return Ok(String::new()) };
        let text = info.szExplainText;
        Ok(if text.is_null() { String::new() } else { self.name(text.addr()) })
    }

    /// The instances that have a value, in Windows' order, which is the same for all counters of
    /// one object and one collection. None before a counter has anything to say.
    ///
    /// # Errors
    /// There is no such counter, or its values cannot be read.
    pub(crate) fn read(
        &mut self,
        counter: usize,
        instances: &mut Vec<RawInstance>,
    ) -> Result<(), Error> {
        instances.clear();
        let Added { path, handle } = self.counter(counter)?;
        let (path, handle) = (path.clone(), *handle);
        let mut count = 0;
        let library = Arc::clone(&self.library);
        let filled = self.fill("PdhGetRawCounterArrayW", &path, |size, buffer| {
            let count = &raw mut count;
            // SAFETY: the buffer has `size` bytes and is aligned; a place for a number.
            unsafe { (library.get_raw_counter_array)(handle, size, count, buffer.cast()) }
        })?;
        if filled {
            self.take_items(count as usize, instances);
        }
        Ok(())
    }

    /// Calls until the buffer is large enough; `false` if there is nothing to say yet.
    ///
    /// The set of instances can grow between two calls, and the size that PDH asks for is not
    /// reliable when the one it was given is too small, so the buffer at least doubles.
    fn fill(
        &mut self,
        call: &'static str,
        path: &str,
        mut ask: impl FnMut(*mut u32, *mut u64) -> u32,
    ) -> Result<bool, Error> {
        loop {
            let given = self.buffer.len() * size_of::<u64>();
            let mut size = u32::try_from(given).unwrap_or(u32::MAX);
            match ask(&raw mut size, self.buffer.as_mut_ptr()) {
                INVALID_DATA => return Ok(false),
                MORE_DATA if given < LARGEST_BYTES => {
                    let wanted = (size as usize).max(given * 2).min(LARGEST_BYTES);
                    self.buffer.resize(wanted.div_ceil(size_of::<u64>()), 0);
                }
                code => return status::check(call, path, code).map(|()| true),
            }
        }
    }

    /// Copies the items out of the buffer, leaving out those without a value.
    fn take_items(&self, count: usize, instances: &mut Vec<RawInstance>) {
        let size = size_of::<PDH_RAW_COUNTER_ITEM_W>();
        let room = self.buffer.len() * size_of::<u64>() / size;
        let items = self.buffer.as_ptr().cast::<PDH_RAW_COUNTER_ITEM_W>();
        for at in 0..count.min(room) {
            // SAFETY: the item lies in the buffer, is aligned, and all bytes are valid in it.
            let item = unsafe { items.add(at).read() };
            if !status::is_value(item.RawValue.CStatus) {
                continue;
            }
            let raw = RawCounter {
                first: item.RawValue.FirstValue,
                second: item.RawValue.SecondValue,
                sources: item.RawValue.MultiCount,
            };
            instances.push(RawInstance { name: self.name(item.szName.addr()), raw });
        }
    }

    /// The name that starts at an address, which PDH puts behind the items in the same buffer.
    fn name(&self, address: usize) -> String {
        let offset = address.wrapping_sub(self.buffer.as_ptr().addr()) / size_of::<u16>();
        let start = self.buffer.as_ptr().cast::<u16>();
        let room = self.buffer.len() * (size_of::<u64>() / size_of::<u16>());
        // SAFETY: `room` is the buffer's length in these units; all bits are valid in them.
        let units = unsafe { std::slice::from_raw_parts(start, room) };
        narrow(units.get(offset..).unwrap_or_default())
    }

    fn counter(&self, counter: usize) -> Result<&Added, Error> {
        self.counters.get(counter).ok_or_else(|| Error::Absent {
            what: "a counter",
            why: format!("number {counter} was not added"),
        })
    }

    fn paths(&self) -> String {
        let paths: Vec<_> = self.counters.iter().map(|added| added.path.as_str()).collect();
        paths.join(", ")
    }
}

impl Drop for CounterSource {
    fn drop(&mut self) {
        // SAFETY: the query is open; its counters end with it and are not used again.
        let code = unsafe { (self.library.close_query)(self.query) };
        debug_assert_eq!(code, OK, "the query was open");
    }
}

#[cfg(test)]
pub(super) mod tests;
