//! Which objects, counters and instances Windows offers.
//!
//! PDH lists them in Windows' language and takes them so; here they go in and out in English.

use std::sync::Arc;
use std::{fmt, ptr};

use windows_sys::Win32::System::Performance::{
    PDH_CSTATUS_NO_COUNTER, PDH_CSTATUS_NO_COUNTERNAME, PDH_CSTATUS_NO_INSTANCE,
    PDH_CSTATUS_NO_OBJECT, PDH_INSUFFICIENT_BUFFER, PERF_DETAIL_WIZARD,
};

use super::super::registry::performance_text;
use super::super::wide::wide;
use super::library::Library;
use super::status::{self, MORE_DATA, OK};
use crate::Error;
use crate::parse::perf_names::{self, Translation};
use crate::system_objects::ObjectItems;

/// Of a list, in UTF-16 units: where its buffer starts, and where it ends.
const SMALLEST_UNITS: usize = 16 * 1024;
const LARGEST_UNITS: usize = 4 * 1024 * 1024;

/// Asks for names. Each question may wait for the programs that offer counters.
pub(crate) struct CounterNames {
    library: Arc<Library>,
    translation: Translation,
}

impl fmt::Debug for CounterNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CounterNames").finish_non_exhaustive()
    }
}

impl CounterNames {
    /// # Errors
    /// The system has no usable PDH.
    pub(crate) fn open() -> Result<Self, Error> {
        let library = Library::system()?;
        let [english, local] = performance_text().map(|units| perf_names::names(&units));
        Ok(Self::over(library, Translation::new(&english, &local)))
    }

    pub(super) fn over(library: Arc<Library>, translation: Translation) -> Self {
        Self { library, translation }
    }

    /// All objects that there are now, in order of their English names.
    ///
    /// # Errors
    /// PDH refuses.
    pub(crate) fn objects(&mut self) -> Result<Vec<String>, Error> {
        // The list is kept by PDH in this process: the first call makes it anew.
        let mut refresh = 1;
        let mut units = Vec::new();
        let code = grow(|room| {
            units.resize(room, 0);
            let mut length = u32::try_from(room).unwrap_or(u32::MAX);
            // SAFETY: no source and no machine mean this one; the buffer has `length` units.
            let code = unsafe {
                (self.library.enum_objects)(
                    ptr::null(),
                    ptr::null(),
                    units.as_mut_ptr(),
                    &raw mut length,
                    PERF_DETAIL_WIZARD,
                    refresh,
                )
            };
            refresh = 0;
            (code, length as usize)
        });
        status::check("PdhEnumObjectsW", "all objects", code)?;
        let english = |local: &String| self.translation.to_english(local).to_owned();
        let mut names: Vec<_> = perf_names::list(&units).iter().map(english).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The counters and instances of an object, by its English name; nothing if it is gone.
    ///
    /// # Errors
    /// PDH refuses.
    pub(crate) fn items(&mut self, object: &str) -> Result<Option<ObjectItems>, Error> {
        let local = wide(self.translation.to_local(object));
        let (mut counters, mut instances) = (Vec::new(), Vec::new());
        let mut has_instances = true;
        let code = grow(|room| {
            counters.resize(room, 0);
            instances.resize(room, 0);
            let length = u32::try_from(room).unwrap_or(u32::MAX);
            let mut lengths = [length; 2];
            // SAFETY: the object's name ends with a zero; both buffers have as many units.
            let code = unsafe {
                (self.library.enum_object_items)(
                    ptr::null(),
                    ptr::null(),
                    local.as_ptr(),
                    counters.as_mut_ptr(),
                    &raw mut lengths[0],
                    instances.as_mut_ptr(),
                    &raw mut lengths[1],
                    PERF_DETAIL_WIZARD,
                    0,
                )
            };
            has_instances = lengths[1] > 0;
            (code, lengths[0].max(lengths[1]) as usize)
        });
        match code {
            PDH_CSTATUS_NO_OBJECT
            | PDH_CSTATUS_NO_COUNTER
            | PDH_CSTATUS_NO_COUNTERNAME
            | PDH_CSTATUS_NO_INSTANCE => return Ok(None),
            code => status::check("PdhEnumObjectItemsW", object, code)?,
        }
        let english = |local: &String| self.translation.to_english(local).to_owned();
        let counters = perf_names::list(&counters).iter().map(english).collect();
        let instances = has_instances.then(|| perf_names::list(&instances));
        Ok(Some(ObjectItems { counters, instances }))
    }
}

/// Asks with more and more room until that is enough. What PDH says it needs is not reliable when
/// it was given too little, and the set may have grown meanwhile.
fn grow(mut ask: impl FnMut(usize) -> (u32, usize)) -> u32 {
    let mut room = SMALLEST_UNITS;
    loop {
        match ask(room) {
            (MORE_DATA | PDH_INSUFFICIENT_BUFFER, needed) if room < LARGEST_UNITS => {
                room = needed.max(room * 2).min(LARGEST_UNITS);
            }
            (code, needed) => {
                debug_assert!(code != OK || needed <= room, "{needed} of {room}");
                return code;
            }
        }
    }
}
