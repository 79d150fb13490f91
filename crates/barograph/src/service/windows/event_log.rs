//! The event log: events of a source of our own in the log `Application`.
#![expect(unsafe_code, reason = "calls to advapi32, which read texts")]

use std::io;
use std::ptr;
use std::sync::OnceLock;

use barograph_notify::{Event, LogLine, Severity, SystemLog};
use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
    REPORT_EVENT_TYPE, RegisterEventSourceW, ReportEventW,
};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_DWORD, REG_EXPAND_SZ, RegSetKeyValueW,
};

/// As Event Viewer and `Get-WinEvent -ProviderName` call it.
const SOURCE: &str = "Barograph";
const KEY: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\Barograph";
/// A program of every Windows whose messages 1 to 1000 are the event's text and nothing else:
/// without one, Event Viewer puts a complaint before each text.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// Errors, warnings and information.
const TYPES: u32 = 7;

/// Writes as [`SOURCE`], which is registered at the first event.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    registered: OnceLock<()>,
}

impl SystemLog for EventLog {
    fn write(&self, line: &LogLine) -> io::Result<()> {
        self.registered.get_or_init(|| {
            if let Err(error) = register() {
                // Who may not do so may still write.
                tracing::warn!(%error, source = SOURCE, "the event source is not registered");
            }
        });
        let source = Source::open()?;
        let text = wide(&line.text);
        let texts = [text.as_ptr()];
        // SAFETY: one text, which ends with a zero and lives until the call returns.
        let done = unsafe {
            ReportEventW(
                source.0,
                kind(line),
                0,
                number(line.event),
                ptr::null_mut(),
                1,
                0,
                texts.as_ptr(),
                ptr::null(),
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// What Event Viewer calls the level.
fn kind(line: &LogLine) -> REPORT_EVENT_TYPE {
    match (line.event, line.severity) {
        (Event::Resolved | Event::Acknowledged | Event::Test, _) | (_, Severity::Info) => {
            EVENTLOG_INFORMATION_TYPE
        }
        (_, Severity::Warning) => EVENTLOG_WARNING_TYPE,
        (_, Severity::Critical) => EVENTLOG_ERROR_TYPE,
    }
}

/// The event's number, by which filters and tasks find it: it is never changed.
fn number(event: Event) -> u32 {
    match event {
        Event::Firing => 1,
        Event::Repeated => 2,
        Event::Escalated => 3,
        Event::Worsened => 4,
        Event::Acknowledged => 5,
        Event::Resolved => 6,
        Event::Test => 7,
        Event::Digest => 8,
    }
}

/// Closed when dropped.
struct Source(windows_sys::Win32::Foundation::HANDLE);

impl Source {
    fn open() -> io::Result<Self> {
        let name = wide(SOURCE);
        // SAFETY: the name ends with a zero; no server means this machine.
        let handle = unsafe { RegisterEventSourceW(ptr::null(), name.as_ptr()) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // SAFETY: the handle is ours.
        unsafe { DeregisterEventSource(self.0) };
    }
}

/// Says where the texts of our events come from.
fn register() -> io::Result<()> {
    let messages = wide(MESSAGES);
    let bytes: Vec<u8> = messages.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    set("EventMessageFile", REG_EXPAND_SZ, &bytes)?;
    set("TypesSupported", REG_DWORD, &TYPES.to_le_bytes())
}

fn set(name: &str, kind: u32, value: &[u8]) -> io::Result<()> {
    let (key, name) = (wide(KEY), wide(name));
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    // SAFETY: the names end with a zero, and the call is told the value's length.
    let status = unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kind,
            value.as_ptr().cast(),
            length,
        )
    };
    if status == ERROR_SUCCESS {
        return Ok(());
    }
    Err(io::Error::from_raw_os_error(status.cast_signed()))
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::EventLog::{
        CloseEventLog, EVENTLOG_SEQUENTIAL_READ, EVENTLOGRECORD, GetNumberOfEventLogRecords,
        OpenEventLogW, ReadEventLogW,
    };
    use windows_sys::Win32::System::Registry::{RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW};
    use windows_sys::Win32::System::SystemServices::EVENTLOG_BACKWARDS_READ;

    use super::*;

    /// The newest events of the log `Application` with their numbers, levels and texts, as bytes;
    /// none where the system keeps no log, as Wine does.
    fn newest() -> Option<Vec<(u32, u16, Vec<u8>)>> {
        let name = wide("Application");
        let mut bytes = vec![0_u64; 8192];
        let (mut read, mut needed, mut count) = (0, 0, 0);
        // SAFETY: the name ends with a zero, and the call is told the buffer's size.
        let done = unsafe {
            let log = OpenEventLogW(ptr::null(), name.as_ptr());
            assert!(!log.is_null());
            GetNumberOfEventLogRecords(log, &raw mut count);
            let done = ReadEventLogW(
                log,
                EVENTLOG_SEQUENTIAL_READ | EVENTLOG_BACKWARDS_READ,
                0,
                bytes.as_mut_ptr().cast(),
                65_536,
                &raw mut read,
                &raw mut needed,
            );
            CloseEventLog(log);
            done
        };
        if count == 0 {
            return None;
        }
        assert_ne!(done, 0, "{}", io::Error::last_os_error());
        let bytes: Vec<u8> = bytes.iter().flat_map(|it| it.to_le_bytes()).collect();
        let mut rest = &bytes[..read as usize];
        let mut events = Vec::new();
        while !rest.is_empty() {
            // SAFETY: the buffer holds whole records, each with its length.
            let record = unsafe { rest.as_ptr().cast::<EVENTLOGRECORD>().read_unaligned() };
            let (one, others) = rest.split_at(record.Length as usize);
            events.push((record.EventID & 0xFFFF, record.EventType, one.to_vec()));
            rest = others;
        }
        Some(events)
    }

    fn value(name: &str, flags: u32, bytes: usize) -> Vec<u8> {
        let (key, name) = (wide(KEY), wide(name));
        let mut found = vec![0_u8; bytes];
        let mut length = u32::try_from(bytes).unwrap();
        // SAFETY: the call is told the buffer's length.
        let status = unsafe {
            RegGetValueW(
                HKEY_LOCAL_MACHINE,
                key.as_ptr(),
                name.as_ptr(),
                flags,
                ptr::null_mut(),
                found.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        assert_eq!(status, ERROR_SUCCESS);
        found.truncate(length as usize);
        found
    }

    #[test]
    fn an_event_is_taken_and_its_source_has_texts() {
        let log = EventLog::default();
        let text =
            format!("[FIRING critical] {}: \u{1f525}\r\nOpen: https://x", std::process::id());
        let (event, severity) = (Event::Firing, Severity::Critical);
        let sent: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        log.write(&LogLine { event, severity, facility: 0, text }).unwrap();
        if let Some(events) = newest() {
            let is_ours = |event: &(u32, u16, Vec<u8>)| {
                event.0 == 1
                    && event.1 == EVENTLOG_ERROR_TYPE
                    && event.2.windows(sent.len()).any(|part| part == sent)
            };
            assert!(events.iter().any(is_ours), "it is among the newest {}", events.len());
        }
        let units: Vec<u16> = value("EventMessageFile", RRF_RT_REG_SZ, 600)
            .chunks_exact(2)
            .map(|it| u16::from_le_bytes([it[0], it[1]]))
            .take_while(|unit| *unit != 0)
            .collect();
        let file = String::from_utf16(&units).unwrap().to_lowercase();
        assert!(file.ends_with(r"\system32\eventcreate.exe") && !file.contains('%'), "{file}");
        assert_eq!(value("TypesSupported", RRF_RT_REG_DWORD, 4), TYPES.to_le_bytes());
    }

    #[test]
    fn the_level_is_that_of_the_news() {
        let of =
            |event, severity| kind(&LogLine { event, severity, facility: 0, text: String::new() });
        assert_eq!(of(Event::Firing, Severity::Critical), EVENTLOG_ERROR_TYPE);
        assert_eq!(of(Event::Escalated, Severity::Warning), EVENTLOG_WARNING_TYPE);
        assert_eq!(of(Event::Resolved, Severity::Critical), EVENTLOG_INFORMATION_TYPE);
        assert_eq!(of(Event::Firing, Severity::Info), EVENTLOG_INFORMATION_TYPE);
    }
}
