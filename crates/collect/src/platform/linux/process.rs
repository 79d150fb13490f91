//! Processes, from `/proc`.

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, openat, readlinkat, statat};
use rustix::io::{Errno, pread};

use super::kept_file::KeptFile;
use super::users::Users;
use crate::Error;
use crate::parse::{self, ParseError, pid_stat::PidStat};
use crate::process::events::Exit;
use crate::process::{Extras, Facts, IoTotals, ProcessId, ProcessState, Vitals};
use crate::readings::Cpu;
use crate::roots::Roots;

/// `Nginx` and `nginx` are two programs.
pub(crate) const PROGRAM_NAMES_IGNORE_CASE: bool = false;

/// Lists the processes and reads their files, one process after the other. Each look at a file
/// costs the kernel 10 to 20 µs, so that everything beyond `stat` is asked for apart.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    proc: PathBuf,
    /// Whether it is not this system's `/proc`.
    is_recorded: bool,
    folder: Option<OwnedFd>,
    stat: KeptFile,
    boot_time_ms: Option<i64>,
    users: Users,
    page_bytes: u64,
    /// Whether the kernel gives the number of open files as the folder's size (6.2 and later).
    fd_folder_has_size: Option<bool>,
    /// In the order of their numbers.
    listed: Vec<Listed>,
    at: usize,
    path: String,
    buffer: Vec<u8>,
}

/// A process of the list, with its `stat` where that stays open.
#[derive(Debug)]
struct Listed {
    pid: u32,
    stat: Option<OwnedFd>,
}

impl ProcessReader {
    /// More than any of the files needs that are read here whole; command lines are cut.
    const BUFFER_BYTES: usize = 16 * 1024;
    /// Kernels before 6.2 have the open files counted one by one, up to here.
    const MAX_COUNTED_FILES: u64 = 10_000;
    /// A kept file saves more than half of what reading it costs, 5 µs a pass, and takes a
    /// descriptor. Those with the lowest numbers are kept: they started with the machine and live
    /// longest.
    const MAX_KEPT: usize = 32;
    /// `pid_max` cannot be set higher.
    const MAX_PROCESSES: usize = 4 * 1024 * 1024;

    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            is_recorded: roots.proc != Path::new("/proc"),
            proc: roots.proc.clone(),
            folder: None,
            stat: KeptFile::new(roots.proc.join("stat")),
            boot_time_ms: None,
            users: Users::new(roots),
            page_bytes: rustix::param::page_size() as u64,
            fd_folder_has_size: None,
            listed: Vec::new(),
            at: 0,
            path: String::new(),
            buffer: vec![0; Self::BUFFER_BYTES],
        }
    }

    /// Lists the processes that there are now, and returns how many.
    ///
    /// # Errors
    /// `/proc` cannot be listed.
    pub(crate) fn begin(&mut self) -> Result<usize, Error> {
        self.list().map_err(|errno| {
            self.folder = None;
            Error::Read { path: self.proc.clone(), source: errno.into() }
        })?;
        if self.boot_time_ms.is_none() {
            let mut cpu = Cpu::default();
            self.stat.read(|text| parse::stat::parse(text, &mut cpu))?;
            #[expect(clippy::cast_possible_truncation, reason = "a time of this era")]
            let boot = cpu.boot_time_seconds.map(|seconds| (seconds * 1e3) as i64);
            self.boot_time_ms = boot;
        }
        Ok(self.listed.len())
    }

    fn list(&mut self) -> Result<(), Errno> {
        self.at = 0;
        let mut before = std::mem::take(&mut self.listed).into_iter().peekable();
        // Opened anew: a folder that stays open would have to be wound back, for the same cost.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, &self.proc, flags, Mode::empty())?;
        let mut space = [MaybeUninit::uninit(); 16 * 1024];
        let mut entries = RawDir::new(&folder, &mut space);
        while let Some(entry) = entries.next() {
            let name = number(entry?.file_name().to_bytes());
            if let Some(pid) = name
                && self.listed.len() < Self::MAX_PROCESSES
            {
                // The kernel lists them in order; elsewhere a kept file that is missed is
                // opened again.
                while before.next_if(|listed| listed.pid < pid).is_some() {}
                let kept = before.next_if(|listed| listed.pid == pid);
                self.listed.push(Listed { pid, stat: kept.and_then(|listed| listed.stat) });
            }
        }
        self.folder = Some(folder);
        Ok(())
    }

    /// Reads the next process of the list that is wanted and still there; false at the end.
    ///
    /// # Errors
    /// A process says what is not understood; the next call goes on behind it.
    pub(crate) fn next(
        &mut self,
        vitals: &mut Vitals,
        mut wanted: impl FnMut(u32) -> bool,
    ) -> Result<bool, Error> {
        while let Some(listed) = self.listed.get_mut(self.at) {
            if !wanted(listed.pid) {
                self.at += 1;
                continue;
            }
            let (pid, kept) = (listed.pid, listed.stat.take());
            let place = self.at;
            self.at += 1;
            let Some((length, stat)) = self.stat(pid, kept) else { continue };
            if place < Self::MAX_KEPT {
                self.listed[place].stat = Some(stat);
            }
            self.name(pid, "stat");
            if self.fill(length, vitals)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Closes what is kept for the next list: for whoever seldom makes one.
    pub(super) fn close_kept(&mut self) {
        self.listed.clear();
    }

    /// Fills the buffer from a process' `stat`; nothing if it is gone.
    fn stat(&mut self, pid: u32, kept: Option<OwnedFd>) -> Option<(usize, OwnedFd)> {
        // The file stays that of the process it was opened for, whoever has its number now.
        if let Some(file) = kept
            && let Ok(length @ 1..) = pread(&file, &mut self.buffer[..], 0)
        {
            return Some((length, file));
        }
        let file = self.open(pid, "stat").ok()?;
        let length = pread(&file, &mut self.buffer[..], 0).ok()?;
        Some((length, file))
    }

    /// What other files tell about a process. What cannot be read is absent.
    ///
    /// # Errors
    /// A file that is not understood.
    pub(crate) fn extras(&mut self, id: ProcessId) -> Result<Extras, Error> {
        let mut extras = Extras::default();
        match self.io(id.pid)? {
            Ok(io) => extras.io = Some(io),
            Err(refusal) => extras.denied |= refusal.is_some(),
        }
        match self.read(id.pid, "status") {
            Ok(length) => {
                let status = parse::pid_status::parse(&self.buffer[..length])
                    .map_err(|source| self.not_understood(source))?;
                extras.peak_working_set_bytes = status.peak_resident_bytes;
                extras.private_working_set_bytes = status.anonymous_bytes;
                extras.page_file_bytes = status.swap_bytes;
                extras.private_bytes =
                    status.anonymous_bytes.map(|anon| anon + status.swap_bytes.unwrap_or(0));
            }
            Err(refusal) => extras.denied |= refusal.is_some(),
        }
        match self.open_files(id.pid) {
            Ok(count) => extras.handles = Some(count),
            Err(errno) => extras.denied |= denied(errno).is_some(),
        }
        Ok(extras)
    }

    /// How a process ended: only its parent and the kernel's own events tell that.
    #[expect(clippy::unused_self, reason = "every system's readers have the same form")]
    pub(crate) fn exit(&mut self, _: ProcessId) -> Exit {
        Exit::Unknown
    }

    /// What a process has read and written, which is most of what a busy one changes; nothing if
    /// that is not told.
    ///
    /// # Errors
    /// The file is not understood.
    pub(crate) fn io_totals(&mut self, id: ProcessId) -> Result<Option<IoTotals>, Error> {
        Ok(self.io(id.pid)?.ok())
    }

    fn io(&mut self, pid: u32) -> Result<Result<IoTotals, Refusal>, Error> {
        match self.read(pid, "io") {
            Ok(0) => Ok(Err(None)),
            Ok(length) => parse::pid_io::parse(&self.buffer[..length])
                .map(Ok)
                .map_err(|source| self.not_understood(source)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// What does not change while the program runs.
    pub(crate) fn facts(&mut self, vitals: &Vitals) -> Facts {
        let pid = vitals.id.pid;
        let uid = self.owner(pid);
        self.facts_with(pid, vitals.name.clone(), uid)
    }

    /// Whether facts would say more if they were asked for anew.
    pub(crate) fn knows_better(&self, facts: &Facts) -> bool {
        facts.user.as_deref().is_some_and(|user| self.users.knows_better(user))
    }

    /// What does not change, of a process that nobody has looked at yet; nothing if it is gone.
    pub(super) fn facts_of(&mut self, pid: u32) -> Option<Facts> {
        let length = self.read(pid, "comm").ok()?;
        let name = self.buffer.get(..length)?.strip_suffix(b"\n")?;
        let name = String::from_utf8_lossy(name).into_owned();
        let uid = self.owner(pid);
        Some(self.facts_with(pid, name, uid))
    }

    /// The effective user. The process' folder is theirs, and asking whose it is costs a fifth of
    /// having `status` written; but a recorded folder is that of who has recorded it.
    fn owner(&mut self, pid: u32) -> Option<u32> {
        if self.is_recorded {
            let length = self.read(pid, "status").ok()?;
            return parse::pid_status::parse(&self.buffer[..length]).ok()?.uid;
        }
        self.name(pid, "");
        let folder = self.folder.as_ref()?;
        statat(folder, self.path.as_str(), AtFlags::empty()).ok().map(|stat| stat.st_uid)
    }

    fn facts_with(&mut self, pid: u32, name: String, uid: Option<u32>) -> Facts {
        let mut facts = Facts { name, ..Facts::default() };
        match self.read(pid, "cmdline") {
            Ok(length) => {
                let arguments = &self.buffer[..length];
                facts.name = whole_name(&facts.name, arguments);
                facts.command_line = command_line(arguments);
            }
            Err(refusal) => facts.denied |= refusal.is_some(),
        }
        match self.program(pid) {
            Ok(path) => facts.path = path,
            Err(errno) => facts.denied |= denied(errno).is_some(),
        }
        facts.user = uid.map(|uid| self.users.name(uid));
        if let Ok(length) = self.read(pid, "cgroup") {
            facts.cgroup = parse::cgroup::path(&self.buffer[..length]);
            let unit = facts.cgroup.as_deref().and_then(parse::cgroup::unit);
            facts.service = unit.map(str::to_owned);
        }
        facts
    }

    /// Takes in the `stat` that the buffer holds; false if there is none.
    fn fill(&mut self, length: usize, vitals: &mut Vitals) -> Result<bool, Error> {
        if length == 0 {
            return Ok(false);
        }
        let stat = parse::pid_stat::parse(&self.buffer[..length])
            .map_err(|source| self.not_understood(source))?;
        fill(vitals, &stat, self.page_bytes, self.boot_time_ms);
        Ok(true)
    }

    /// Fills the buffer with the start of a file and returns its length.
    fn read(&mut self, pid: u32, file: &str) -> Result<usize, Refusal> {
        let file = self.open(pid, file).map_err(denied)?;
        rustix::io::retry_on_intr(|| rustix::io::read(&file, &mut self.buffer[..])).map_err(denied)
    }

    fn open(&mut self, pid: u32, file: &str) -> Result<OwnedFd, Errno> {
        self.name(pid, file);
        let Some(folder) = &self.folder else { return Err(Errno::NOENT) };
        openat(folder, self.path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }

    fn program(&mut self, pid: u32) -> Result<Option<String>, Errno> {
        self.name(pid, "exe");
        let Some(folder) = &self.folder else { return Ok(None) };
        match readlinkat(folder, self.path.as_str(), Vec::new()) {
            Ok(path) => Ok(Some(path.to_string_lossy().into_owned())),
            // Threads of the kernel run no program.
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn open_files(&mut self, pid: u32) -> Result<u64, Errno> {
        let has_size = *self.fd_folder_has_size.get_or_insert_with(|| {
            fs::metadata(self.proc.join("self/fd")).is_ok_and(|folder| folder.len() > 0)
        });
        self.name(pid, "fd");
        let Some(folder) = &self.folder else { return Err(Errno::NOENT) };
        if has_size {
            let stat = statat(folder, self.path.as_str(), AtFlags::empty())?;
            return Ok(u64::try_from(stat.st_size).unwrap_or(0));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let files = openat(folder, self.path.as_str(), flags, Mode::empty())?;
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut entries = RawDir::new(&files, &mut space);
        let mut count = 0;
        while let Some(entry) = entries.next() {
            count += u64::from(number(entry?.file_name().to_bytes()).is_some());
            if count == Self::MAX_COUNTED_FILES {
                break;
            }
        }
        Ok(count)
    }

    fn name(&mut self, pid: u32, file: &str) {
        use std::fmt::Write;
        self.path.clear();
        // Writing to a string cannot fail.
        let _ok = write!(self.path, "{pid}/{file}");
    }

    fn not_understood(&self, source: ParseError) -> Error {
        Error::Parse { path: self.proc.join(&self.path), source }
    }
}

/// The number that a folder's name is.
fn number(name: &[u8]) -> Option<u32> {
    std::str::from_utf8(name).ok().filter(|name| !name.starts_with('+'))?.parse().ok()
}

/// Why a file was not read: nothing for a process that is gone.
type Refusal = Option<Errno>;

fn denied(errno: Errno) -> Refusal {
    let is_gone = matches!(errno, Errno::NOENT | Errno::SRCH);
    (!is_gone).then_some(errno)
}

fn fill(vitals: &mut Vitals, stat: &PidStat<'_>, page_bytes: u64, boot_time_ms: Option<i64>) {
    const TICKS_PER_SECOND: f64 = 100.0;
    let since_boot_ms = i64::try_from(stat.start_ticks.saturating_mul(10)).unwrap_or(i64::MAX);
    vitals.id = ProcessId { pid: stat.pid, start: stat.start_ticks };
    vitals.parent = stat.parent;
    vitals.started_ms = boot_time_ms.map(|boot| boot.saturating_add(since_boot_ms));
    vitals.name.clear();
    vitals.name.push_str(&String::from_utf8_lossy(stat.name));
    vitals.state = match stat.state {
        b'R' => ProcessState::Running,
        b'S' => ProcessState::Sleeping,
        b'D' => ProcessState::Waiting,
        b'T' | b't' => ProcessState::Stopped,
        b'Z' | b'X' => ProcessState::Zombie,
        b'I' => ProcessState::Idle,
        _ => ProcessState::Unknown,
    };
    vitals.user_seconds = stat.user_ticks as f64 / TICKS_PER_SECOND;
    vitals.privileged_seconds = stat.system_ticks as f64 / TICKS_PER_SECOND;
    vitals.threads = stat.threads;
    vitals.working_set_bytes = stat.resident_pages.saturating_mul(page_bytes);
    vitals.virtual_bytes = stat.virtual_bytes;
    vitals.page_faults = stat.minor_faults.saturating_add(stat.major_faults);
    vitals.priority = stat.priority;
}

/// The kernel cuts a name after 15 bytes; the first argument mostly holds it whole.
fn whole_name(name: &str, arguments: &[u8]) -> String {
    const KERNEL_BYTES: usize = 15;
    let first = arguments.split(|b| *b == 0).next().unwrap_or_default();
    let program = first.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let program = String::from_utf8_lossy(program);
    if name.len() >= KERNEL_BYTES && program.starts_with(name) {
        crate::event::cut(&program, 255).to_owned()
    } else {
        name.to_owned()
    }
}

/// The arguments with blanks between them; nothing for threads of the kernel.
fn command_line(arguments: &[u8]) -> Option<String> {
    let end = arguments.iter().rposition(|b| *b != 0)? + 1;
    let text = String::from_utf8_lossy(&arguments[..end]).replace('\0', " ");
    Some(crate::event::cut(&text, Facts::MAX_COMMAND_LINE_BYTES).to_owned())
}
