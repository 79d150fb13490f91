//! A trace session of Windows (ETW) with one provider: the kernel's news of processes.
//!
//! A session belongs to the system, not to the program that started it, and there are 64 of them.
//! So it has one name, and what a killed program left under that name is ended first.
#![expect(unsafe_code, reason = "calls to advapi32; a callback with what Windows lends")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_NO_SYSTEM_RESOURCES, ERROR_SUCCESS,
};
use windows_sys::Win32::System::Diagnostics::Etw::{
    CONTROLTRACE_HANDLE, CloseTrace, ControlTraceW, EVENT_CONTROL_CODE_ENABLE_PROVIDER,
    EVENT_RECORD, EVENT_TRACE_CONTROL_STOP, EVENT_TRACE_LOGFILEW, EVENT_TRACE_PROPERTIES,
    EVENT_TRACE_REAL_TIME_MODE, EnableTraceEx2, OpenTraceW, PROCESS_TRACE_MODE_EVENT_RECORD,
    PROCESS_TRACE_MODE_REAL_TIME, ProcessTrace, StartTraceW, TRACE_LEVEL_INFORMATION,
    WNODE_FLAG_TRACED_GUID,
};
use windows_sys::core::GUID;

use super::failure;
use super::wide::wide;
use crate::Error;

const NAME: &str = "Barograph processes";
const WHAT: &str = "trace of processes";

/// `Microsoft-Windows-Kernel-Process`
const PROCESSES: GUID = GUID::from_u128(0x22fb_2cd6_0e7b_422b_a0c7_2fad_1fd0_e716);
/// Of the provider's keywords: starts and ends, without threads and libraries.
const KEYWORD_PROCESS: u64 = 0x10;
/// The session's own news that it had no room for an event.
const LOST: GUID = GUID::from_u128(0x6a39_9ae0_4bc6_4de9_870b_3657_f894_7e7e);

/// A session that is on. It ends when dropped, and with it [`listen`].
#[derive(Debug)]
pub(super) struct Session {
    handle: u64,
}

/// What the session tells.
#[derive(Debug)]
pub(super) enum News<'a> {
    /// An event of the provider: its number, version and data.
    Event { id: u16, version: u8, data: &'a [u8] },
    /// There was no room for some.
    Lost,
}

/// What a session is made with and tells about itself, with room for its name.
#[repr(C)]
struct Properties {
    head: EVENT_TRACE_PROPERTIES,
    name: [u16; 64],
}

impl Properties {
    fn new() -> Self {
        let mut head = EVENT_TRACE_PROPERTIES::default();
        head.Wnode.BufferSize = u32::try_from(size_of::<Self>()).unwrap_or(0);
        head.Wnode.Flags = WNODE_FLAG_TRACED_GUID;
        // Times are taken from the counter that is cheapest to read, and told as those of 1601.
        head.Wnode.ClientContext = 1;
        head.LogFileMode = EVENT_TRACE_REAL_TIME_MODE;
        // Kilobytes; an event has some 200 bytes.
        head.BufferSize = 64;
        head.MinimumBuffers = 4;
        head.MaximumBuffers = 32;
        // Seconds after which a buffer is handed on that is not full.
        head.FlushTimer = 1;
        head.LoggerNameOffset = u32::try_from(size_of::<EVENT_TRACE_PROPERTIES>()).unwrap_or(0);
        Self { head, name: [0; 64] }
    }
}

impl Session {
    /// Starts the session and lets the kernel tell it of processes.
    ///
    /// # Errors
    /// We may not, or all sessions are taken.
    pub(super) fn start() -> Result<Self, Error> {
        let mut started = start();
        if started == Err(ERROR_ALREADY_EXISTS) {
            stop(0);
            started = start();
        }
        let handle = started.map_err(|code| match code {
            ERROR_ACCESS_DENIED => {
                failure::absent(WHAT, "it takes an administrator or the local system's account")
            }
            ERROR_NO_SYSTEM_RESOURCES => {
                failure::absent(WHAT, "other programs have taken all of Windows' trace sessions")
            }
            code => failure::code("StartTraceW", NAME, code),
        })?;
        let session = Self { handle };
        let control = CONTROLTRACE_HANDLE { Value: handle };
        // SAFETY: the session is on; the provider's identity is lent; no parameters.
        let code = unsafe {
            EnableTraceEx2(
                control,
                &PROCESSES,
                EVENT_CONTROL_CODE_ENABLE_PROVIDER,
                u8::try_from(TRACE_LEVEL_INFORMATION).unwrap_or(u8::MAX),
                KEYWORD_PROCESS,
                0,
                0,
                std::ptr::null(),
            )
        };
        match code {
            ERROR_SUCCESS => Ok(session),
            code => Err(failure::code("EnableTraceEx2", NAME, code)),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        stop(self.handle);
    }
}

fn start() -> Result<u64, u32> {
    let mut properties = Properties::new();
    let mut handle = CONTROLTRACE_HANDLE { Value: 0 };
    // SAFETY: a place for a handle; the name ends with a zero; the properties tell their size.
    let code =
        unsafe { StartTraceW(&raw mut handle, wide(NAME).as_ptr(), (&raw mut properties).cast()) };
    if code == ERROR_SUCCESS { Ok(handle.Value) } else { Err(code) }
}

/// Ends a session by its handle, or by its name if that is 0. One that is gone already is ended.
fn stop(handle: u64) {
    let mut properties = Properties::new();
    let name = wide(NAME);
    let name = if handle == 0 { name.as_ptr() } else { std::ptr::null() };
    let handle = CONTROLTRACE_HANDLE { Value: handle };
    let properties = (&raw mut properties).cast();
    // SAFETY: the name ends with a zero; the properties tell their size.
    unsafe { ControlTraceW(handle, name, properties, EVENT_TRACE_CONTROL_STOP) };
}

/// Tells everything that the session hears; returns when the session has ended.
///
/// # Errors
/// There is no such session.
pub(super) fn listen(mut tell: &mut dyn FnMut(News<'_>)) -> Result<(), Error> {
    let mut name = wide(NAME);
    let mut source = EVENT_TRACE_LOGFILEW { LoggerName: name.as_mut_ptr(), ..Default::default() };
    source.Anonymous1.ProcessTraceMode =
        PROCESS_TRACE_MODE_REAL_TIME | PROCESS_TRACE_MODE_EVENT_RECORD;
    source.Anonymous2.EventRecordCallback = Some(on_record);
    source.Context = (&raw mut tell).cast();
    // SAFETY: the source is whole, and the name ends with a zero.
    let opened = unsafe { OpenTraceW(&raw mut source) };
    if opened.Value == u64::MAX {
        return Err(failure::last("OpenTraceW", NAME));
    }
    // SAFETY: one open handle. Windows calls back in this thread only, so `tell` lives.
    let code = unsafe { ProcessTrace(&raw const opened, 1, std::ptr::null(), std::ptr::null()) };
    // SAFETY: the handle is open and not used any more.
    unsafe { CloseTrace(opened) };
    match code {
        ERROR_SUCCESS => Ok(()),
        code => Err(failure::code("ProcessTrace", NAME, code)),
    }
}

/// Called by Windows, through which no panic may go.
unsafe extern "system" fn on_record(record: *mut EVENT_RECORD) {
    // SAFETY: Windows lends a record, if any, until this returns.
    let Some(record) = (unsafe { record.as_ref() }) else { return };
    let tell = record.UserContext.cast::<&mut dyn FnMut(News<'_>)>();
    // SAFETY: the context is the one of `listen`, which waits for us.
    let Some(tell) = (unsafe { tell.as_mut() }) else { return };
    let header = &record.EventHeader;
    let length = usize::from(record.UserDataLength);
    let data = if record.UserData.is_null() {
        &[]
    } else {
        // SAFETY: Windows says how many bytes there are.
        unsafe { slice::from_raw_parts(record.UserData.cast::<u8>(), length) }
    };
    let news = if is(&header.ProviderId, &PROCESSES) {
        let event = header.EventDescriptor;
        News::Event { id: event.Id, version: event.Version, data }
    } else if is(&header.ProviderId, &LOST) {
        News::Lost
    } else {
        return;
    };
    if catch_unwind(AssertUnwindSafe(|| tell(news))).is_err() {
        // One event less; the next one may be sound.
        drop(catch_unwind(AssertUnwindSafe(|| tell(News::Lost))));
    }
}

fn is(a: &GUID, b: &GUID) -> bool {
    (a.data1, a.data2, a.data3, a.data4) == (b.data1, b.data2, b.data3, b.data4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Windows calls back.
    fn hear(provider: GUID, id: u16, version: u8, data: &mut [u8]) -> Vec<String> {
        let mut heard = Vec::new();
        let mut push = |news: News<'_>| {
            heard.push(format!("{news:?}"));
            assert!(!matches!(news, News::Event { id: 99, .. }), "a panic stays here");
        };
        let mut tell: &mut dyn FnMut(News<'_>) = &mut push;
        let mut record = EVENT_RECORD {
            UserContext: (&raw mut tell).cast(),
            UserData: data.as_mut_ptr().cast(),
            UserDataLength: u16::try_from(data.len()).unwrap(),
            ..Default::default()
        };
        record.EventHeader.ProviderId = provider;
        record.EventHeader.EventDescriptor.Id = id;
        record.EventHeader.EventDescriptor.Version = version;
        // SAFETY: the record is whole, and so is its context.
        unsafe { on_record(&raw mut record) };
        heard
    }

    #[test]
    fn records_are_told_with_their_data_and_those_of_others_are_not() {
        let told = hear(PROCESSES, 1, 3, &mut [7, 8]);
        assert_eq!(told, ["Event { id: 1, version: 3, data: [7, 8] }"]);
        assert_eq!(hear(PROCESSES, 2, 0, &mut []), ["Event { id: 2, version: 0, data: [] }"]);
        assert_eq!(hear(LOST, 0, 0, &mut []), ["Lost"]);
        assert_eq!(hear(GUID::from_u128(1), 1, 3, &mut []), [""; 0]);
    }

    #[test]
    fn a_panic_does_not_go_through_windows_and_counts_as_a_loss() {
        let told = hear(PROCESSES, 99, 0, &mut []);
        assert_eq!(told, ["Event { id: 99, version: 0, data: [] }", "Lost"]);
    }

    #[test]
    fn the_session_is_described_as_windows_wants_it() {
        let properties = Properties::new();
        assert_eq!(size_of::<EVENT_TRACE_PROPERTIES>(), 120);
        assert_eq!(properties.head.Wnode.BufferSize as usize, 120 + 2 * 64);
        assert!(NAME.encode_utf16().count() < properties.name.len());
        assert_eq!(std::mem::offset_of!(Properties, name), 120);
    }
}
