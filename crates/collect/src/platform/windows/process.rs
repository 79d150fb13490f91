//! Processes: one call for all, and one look at each new one.
#![expect(unsafe_code, reason = "calls to ntdll, kernel32 and advapi32")]

use std::collections::HashMap;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Wdk::System::Threading::NtQueryInformationProcess;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, HANDLE, RtlNtStatusToDosError, STATUS_INFO_LENGTH_MISMATCH,
};
use windows_sys::Win32::Security::{
    GetLengthSid, GetTokenInformation, LookupAccountSidW, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, OpenProcess, OpenProcessToken, PROCESS_QUERY_LIMITED_INFORMATION,
    QueryFullProcessImageNameW,
};

use super::clock::{TICKS_PER_SECOND, unix_ms};
use super::failure;
use super::service::names_by_pid;
use super::wide::narrow;
use super::wine::under_wine;
use crate::Error;
use crate::event::cut;
use crate::parse::system_processes::{SystemProcess, SystemProcesses};
use crate::process::events::Exit;
use crate::process::{Extras, Facts, IoTotals, ProcessId, Vitals};
use crate::roots::Roots;

/// Windows does not tell `NGINX.EXE` from `nginx.exe`.
pub(crate) const PROGRAM_NAMES_IGNORE_CASE: bool = true;

/// Reads the table of all processes in one call, and asks about each process once.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    /// Eight bytes each, since the kernel wants the table aligned.
    table: Vec<u64>,
    processes: Vec<SystemProcess>,
    at: usize,
    /// What the last table says of each, for [`ProcessReader::extras`].
    by_pid: HashMap<u32, usize>,
    users: HashMap<Vec<u8>, Option<String>>,
    /// By number, for [`ProcessReader::exit`].
    open: HashMap<u32, Open>,
    /// The names of services by their process, as of this pass; asked for when they are wanted.
    services: Option<HashMap<u32, String>>,
}

/// A process that is kept open, so that its exit code is there when it has ended.
#[derive(Debug)]
struct Open {
    created: u64,
    process: OwnedHandle,
    /// It was not in the last table.
    is_gone: bool,
}

/// The process that stands for idle processors.
const IDLE: u32 = 0;

impl ProcessReader {
    const CALL: &str = "NtQuerySystemInformation";
    const FIRST_WORDS: usize = 32 * 1024;
    /// A hundred thousand processes with ten threads each.
    const MAX_WORDS: usize = 32 * 1024 * 1024;
    const MAX_USERS: usize = 10_000;
    /// A handle each.
    const MAX_OPEN: usize = 1000;

    pub(crate) fn new(_: &Roots) -> Self {
        Self {
            table: Vec::new(),
            processes: Vec::new(),
            at: 0,
            by_pid: HashMap::new(),
            users: HashMap::new(),
            open: HashMap::new(),
            services: None,
        }
    }

    /// Reads all processes that there are now, and returns how many.
    ///
    /// # Errors
    /// The call fails.
    pub(crate) fn begin(&mut self) -> Result<usize, Error> {
        let length = self.fill()?;
        let base = self.table.as_ptr() as u64;
        let bytes: Vec<u8> = self
            .table
            .iter()
            .take(length.div_ceil(8))
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        let mut walk = SystemProcesses::new(&bytes, base);
        self.processes.clear();
        self.by_pid.clear();
        self.at = 0;
        let mut process = SystemProcess::default();
        while walk.next_into(&mut process) {
            if process.pid != IDLE {
                self.by_pid.insert(process.pid, self.processes.len());
                self.processes.push(process.clone());
            }
        }
        self.services = None;
        // Who wants an exit code asks at the end of the pass.
        let Self { open, by_pid, processes, .. } = self;
        open.retain(|pid, open| {
            let now = by_pid.get(pid).and_then(|at| processes.get(*at));
            let is_gone = now.is_none_or(|process| process.created != open.created);
            !(std::mem::replace(&mut open.is_gone, is_gone) && is_gone)
        });
        Ok(self.processes.len())
    }

    /// How a process of an earlier pass ended, if it was seen while it ran.
    pub(crate) fn exit(&mut self, id: ProcessId) -> Exit {
        /// Also what `GetExitCodeProcess` gives for a process that runs.
        const STILL_ACTIVE: u32 = 259;
        let Some(open) = self.open.get(&id.pid).filter(|open| open.created == id.start) else {
            return Exit::Unknown;
        };
        let mut code = STILL_ACTIVE;
        // SAFETY: the handle is open, and `code` is a place for a number.
        let done = unsafe { GetExitCodeProcess(open.process.as_raw_handle(), &raw mut code) };
        self.open.remove(&id.pid);
        if done == 0 || code == STILL_ACTIVE { Exit::Unknown } else { Exit::Code(code.into()) }
    }

    /// Returns how many bytes the table has.
    fn fill(&mut self) -> Result<usize, Error> {
        const PROCESSES: i32 = 5;
        if self.table.is_empty() {
            self.table.resize(Self::FIRST_WORDS, 0);
        }
        loop {
            let mut needed = 0;
            let room = u32::try_from(self.table.len() * 8).unwrap_or(u32::MAX);
            let start = self.table.as_mut_ptr().cast();
            // SAFETY: `start` has room for `room` bytes, and `needed` is a place for a number.
            let status =
                unsafe { NtQuerySystemInformation(PROCESSES, start, room, &raw mut needed) };
            if status >= 0 {
                return Ok((needed as usize).min(self.table.len() * 8));
            }
            if status != STATUS_INFO_LENGTH_MISMATCH || self.table.len() >= Self::MAX_WORDS {
                // SAFETY: it takes a number and cannot fail.
                let code = unsafe { RtlNtStatusToDosError(status) };
                return Err(failure::code(Self::CALL, "the list of processes", code));
            }
            // Processes start while we ask: some room beyond what was needed just now.
            let words = (needed as usize).div_ceil(8) * 9 / 8;
            self.table.resize(words.max(self.table.len() * 2).min(Self::MAX_WORDS), 0);
        }
    }

    /// The next process; false at the end. All are read already, so that nothing is saved by not
    /// wanting one.
    #[expect(clippy::unnecessary_wraps, reason = "every system's readers have the same form")]
    pub(crate) fn next(
        &mut self,
        vitals: &mut Vitals,
        _: impl FnMut(u32) -> bool,
    ) -> Result<bool, Error> {
        let Some(process) = self.processes.get(self.at) else { return Ok(false) };
        self.at += 1;
        vitals.id = ProcessId { pid: process.pid, start: process.created };
        vitals.parent = process.parent;
        vitals.started_ms = unix_ms(process.created);
        vitals.name.clone_from(&process.name);
        vitals.state = process.state;
        vitals.user_seconds = process.user as f64 / TICKS_PER_SECOND;
        vitals.privileged_seconds = process.kernel as f64 / TICKS_PER_SECOND;
        vitals.threads = process.threads.into();
        vitals.working_set_bytes = process.working_set_bytes;
        vitals.virtual_bytes = process.virtual_bytes;
        vitals.page_faults = process.page_faults.into();
        vitals.priority = process.base_priority.into();
        Ok(true)
    }

    /// From the same table. Wine fills some of it with zeros, which is no answer.
    #[expect(clippy::unnecessary_wraps, reason = "every system's readers have the same form")]
    pub(crate) fn extras(&mut self, id: ProcessId) -> Result<Extras, Error> {
        let process = self.by_pid.get(&id.pid).and_then(|at| self.processes.get(*at));
        let Some(process) = process.filter(|process| process.created == id.start) else {
            return Ok(Extras::default());
        };
        let told = |value: u64| Some(value).filter(|_| !under_wine());
        Ok(Extras {
            peak_working_set_bytes: Some(process.peak_working_set_bytes),
            private_working_set_bytes: told(process.private_working_set_bytes),
            private_bytes: told(process.private_bytes),
            page_file_bytes: Some(process.page_file_bytes),
            handles: told(process.handles.into()),
            io: Some(process.io).filter(|_| !under_wine()),
            denied: false,
        })
    }

    /// What a process has read and written; nothing if that is not told.
    pub(crate) fn io_totals(&mut self, id: ProcessId) -> Result<Option<IoTotals>, Error> {
        Ok(self.extras(id)?.io)
    }

    /// Whether facts would say more if they were asked for anew.
    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn knows_better(&self, _: &Facts) -> bool {
        false
    }

    /// What does not change while the program runs.
    pub(crate) fn facts(&mut self, vitals: &Vitals) -> Facts {
        let mut facts = Facts { name: vitals.name.clone(), ..Facts::default() };
        match open(vitals.id.pid) {
            Ok(process) => {
                self.look(&process, &mut facts);
                if self.open.len() < Self::MAX_OPEN {
                    let created = vitals.id.start;
                    self.open.insert(vitals.id.pid, Open { created, process, is_gone: false });
                }
            }
            Err(error) => {
                let is_gone = error.raw_os_error() == Some(ERROR_INVALID_PARAMETER.cast_signed());
                facts.denied = !is_gone;
            }
        }
        facts.service = self.service(vitals);
        facts
    }

    /// What a process that has just started tells; nothing if it is gone or not ours to ask. Its
    /// name is for the caller, who was told it.
    pub(crate) fn facts_of(&mut self, pid: u32) -> Option<Facts> {
        let process = open(pid).ok()?;
        let mut facts = Facts::default();
        self.look(&process, &mut facts);
        Some(facts)
    }

    fn look(&mut self, process: &OwnedHandle, facts: &mut Facts) {
        facts.path = path(process);
        facts.command_line = command_line(process);
        facts.user = self.user(process);
    }

    /// The services that a process is there for; only the manager of services starts such.
    fn service(&mut self, vitals: &Vitals) -> Option<String> {
        let parent = self.by_pid.get(&vitals.parent).and_then(|at| self.processes.get(*at))?;
        if !parent.name.eq_ignore_ascii_case("services.exe") {
            return None;
        }
        self.services.get_or_insert_with(names_by_pid).get(&vitals.id.pid).cloned()
    }

    /// `DOMAIN\name`; asked once for each user, since a domain controller may have to answer.
    fn user(&mut self, process: &OwnedHandle) -> Option<String> {
        let sid = owner(process)?;
        if let Some(name) = self.users.get(&sid) {
            return name.clone();
        }
        let name = account_name(&sid);
        if self.users.len() < Self::MAX_USERS {
            self.users.insert(sid, name.clone());
        }
        name
    }
}

fn open(pid: u32) -> io::Result<OwnedHandle> {
    // SAFETY: it takes numbers.
    let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

fn path(process: &OwnedHandle) -> Option<String> {
    let mut path = vec![0_u16; 32 * 1024];
    let mut length = u32::try_from(path.len()).unwrap_or(u32::MAX);
    let handle: HANDLE = process.as_raw_handle();
    // SAFETY: `path` has room for `length` units, and the handle is open.
    let done = unsafe { QueryFullProcessImageNameW(handle, 0, path.as_mut_ptr(), &raw mut length) };
    (done != 0).then(|| narrow(path.get(..length as usize).unwrap_or_default()))
}

fn command_line(process: &OwnedHandle) -> Option<String> {
    /// Since Windows 8.1; Wine has none.
    const COMMAND_LINE: i32 = 60;
    // A string's length, its room, and where it is; then the longest text that it counts.
    let mut answer = vec![0_u64; 2 + 64 * 1024 / 8];
    let room = u32::try_from(answer.len() * 8).unwrap_or(u32::MAX);
    let mut written = 0;
    let handle: HANDLE = process.as_raw_handle();
    let start = answer.as_mut_ptr().cast();
    // SAFETY: `start` has room for `room` bytes, and the handle is open.
    let status =
        unsafe { NtQueryInformationProcess(handle, COMMAND_LINE, start, room, &raw mut written) };
    if status < 0 {
        return None;
    }
    let bytes: Vec<u8> = answer.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let length = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    let units: Vec<u16> = bytes
        .get(16..16 + length)?
        .chunks_exact(2)
        .map(|unit| u16::from_ne_bytes([unit[0], unit[1]]))
        .collect();
    let text = narrow(&units);
    Some(cut(&text, Facts::MAX_COMMAND_LINE_BYTES).to_owned()).filter(|text| !text.is_empty())
}

/// The security identifier of the user that a process runs as.
fn owner(process: &OwnedHandle) -> Option<Vec<u8>> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the handle is open, and `token` is a place for one.
    let done = unsafe { OpenProcessToken(process.as_raw_handle(), TOKEN_QUERY, &raw mut token) };
    if done == 0 {
        return None;
    }
    // SAFETY: the handle is open, and nobody else has it.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    // The longest identifier has 68 bytes.
    let mut answer = [0_u64; 32];
    let mut written = 0;
    let room = u32::try_from(size_of_val(&answer)).unwrap_or(u32::MAX);
    let start = answer.as_mut_ptr().cast();
    // SAFETY: `start` has room for `room` bytes, and the handle is open.
    let done = unsafe {
        GetTokenInformation(token.as_raw_handle(), TokenUser, start, room, &raw mut written)
    };
    if done == 0 {
        return None;
    }
    // SAFETY: a success means that the answer begins with this structure, and it is aligned; the
    // identifier that it points to lies in the answer and tells its own length.
    unsafe {
        let user: TOKEN_USER = answer.as_ptr().cast::<TOKEN_USER>().read();
        let length = GetLengthSid(user.User.Sid) as usize;
        Some(std::slice::from_raw_parts(user.User.Sid.cast::<u8>(), length.min(68)).to_vec())
    }
}

fn account_name(sid: &[u8]) -> Option<String> {
    let mut name = [0_u16; 257];
    let mut domain = [0_u16; 257];
    let (mut name_length, mut domain_length, mut kind) = (257, 257, 0);
    let mut sid = sid.to_vec();
    // SAFETY: the identifier is whole, and both texts have the room that they are given.
    let done = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            sid.as_mut_ptr().cast(),
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if done == 0 {
        return None;
    }
    let (name, domain) = (narrow(&name), narrow(&domain));
    Some(if domain.is_empty() { name } else { format!("{domain}\\{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> (Vitals, Extras, Facts, usize) {
        let mut reader = ProcessReader::new(&Roots::default());
        let count = reader.begin().unwrap();
        let mut vitals = Vitals::default();
        while reader.next(&mut vitals, |_| true).unwrap() {
            if vitals.id.pid == std::process::id() {
                let extras = reader.extras(vitals.id).unwrap();
                let facts = reader.facts(&vitals);
                return (vitals, extras, facts, count);
            }
        }
        panic!("this process is not among {count}");
    }

    #[test]
    fn this_process_is_in_the_table() {
        let (vitals, extras, facts, count) = own();
        assert!(count > 1);
        let program = std::env::current_exe().unwrap();
        let name = program.file_name().unwrap().to_string_lossy();
        assert!(vitals.name.eq_ignore_ascii_case(&name), "{vitals:?}");
        assert!(vitals.threads >= 1 && vitals.working_set_bytes > 1 << 20, "{vitals:?}");
        assert!(vitals.started_ms.is_some_and(|ms| ms > 1_500_000_000_000), "{vitals:?}");
        assert!(vitals.user_seconds + vitals.privileged_seconds < 1e5, "{vitals:?}");
        assert!(extras.page_file_bytes.is_some(), "{extras:?}");
        let path = facts.path.unwrap();
        assert!(path.to_lowercase().ends_with(&*name.to_lowercase()), "{path}");
        assert!(facts.user.is_some_and(|user| !user.is_empty()));
    }

    #[test]
    fn an_ended_process_has_its_exit_code() {
        #[expect(clippy::disallowed_methods, reason = "a process to end")]
        let mut child = std::process::Command::new("cmd.exe")
            .args(["/c", "set /p x= & exit 7"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut reader = ProcessReader::new(&Roots::default());
        reader.begin().unwrap();
        let mut vitals = Vitals::default();
        while vitals.id.pid != child.id() {
            assert!(reader.next(&mut vitals, |_| true).unwrap(), "the child is not in the table");
        }
        let id = vitals.id;
        let facts = reader.facts(&vitals);
        assert!(!facts.denied, "{facts:?}");
        assert_eq!(facts.service, None);
        drop(child.stdin.take());
        assert_eq!(child.wait().unwrap().code(), Some(7));
        reader.begin().unwrap();
        assert_eq!(reader.exit(id), Exit::Code(7));
        assert_eq!(reader.exit(id), Exit::Unknown);
    }

    #[test]
    fn a_process_that_nobody_asks_about_is_not_kept_open() {
        let mut reader = ProcessReader::new(&Roots::default());
        reader.begin().unwrap();
        let mut vitals = Vitals::default();
        while reader.next(&mut vitals, |_| true).unwrap() {
            reader.facts(&vitals);
        }
        let kept = reader.open.len();
        assert!(kept > 0);
        for open in reader.open.values_mut() {
            open.created += 1;
        }
        reader.begin().unwrap();
        assert_eq!(reader.open.len(), kept);
        reader.begin().unwrap();
        assert_eq!(reader.open.len(), 0);
    }

    #[test]
    fn a_process_that_is_gone_is_not_denied() {
        let mut reader = ProcessReader::new(&Roots::default());
        // Numbers are multiples of four, and this one is out of their reach.
        let id = ProcessId { pid: 0x7fff_fff0, start: 1 };
        let facts = reader.facts(&Vitals { id, ..Vitals::default() });
        assert!(!facts.denied && facts.path.is_none(), "{facts:?}");
        assert_eq!(reader.extras(id).unwrap(), Extras::default());
    }
}
