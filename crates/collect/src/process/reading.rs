//! What the system says about one process.

/// A process for as long as it lives: numbers of ended processes are given anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ProcessId {
    pub pid: u32,
    /// When it started, in a unit of the system's own: ticks since boot, or 100 ns since 1601.
    pub start: u64,
}

/// What one cheap look tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vitals {
    pub id: ProcessId,
    /// The process that made it, which may have ended since; 0 if there is none.
    pub parent: u32,
    /// Milliseconds since 1970-01-01 UTC.
    pub started_ms: Option<i64>,
    /// What the program is called. Linux keeps 15 bytes of it here.
    pub name: String,
    pub state: ProcessState,
    /// Processor time in programs, and in the kernel.
    pub user_seconds: f64,
    pub privileged_seconds: f64,
    pub threads: u64,
    /// Memory in use.
    pub working_set_bytes: u64,
    /// Address space.
    pub virtual_bytes: u64,
    pub page_faults: u64,
    /// As the system counts priorities: 20 is usual on Linux, 8 on Windows.
    pub priority: i64,
}

/// What costs a look more, where the system has another file or call for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// The largest that the memory in use has been.
    pub peak_working_set_bytes: Option<u64>,
    /// Memory in use that no other process shares.
    pub private_working_set_bytes: Option<u64>,
    /// The same with what has been paged out.
    pub private_bytes: Option<u64>,
    /// In swap (Linux), or promised from the page file (Windows).
    pub page_file_bytes: Option<u64>,
    /// Open files (Linux) or handles (Windows).
    pub handles: Option<u64>,
    pub io: Option<IoTotals>,
    /// The system refused to tell some of it.
    pub denied: bool,
}

/// Calls that read and write, and their bytes, whatever they go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IoTotals {
    pub read_bytes: u64,
    pub written_bytes: u64,
    pub reads: u64,
    pub writes: u64,
}

/// What does not change while a program runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The program's whole name.
    pub name: String,
    pub path: Option<String>,
    /// With blanks between the arguments, and at most [`Facts::MAX_COMMAND_LINE_BYTES`].
    pub command_line: Option<String>,
    pub user: Option<String>,
    /// The control group's path.
    pub cgroup: Option<String>,
    /// The systemd unit or Windows service.
    pub service: Option<String>,
    /// The system refused to tell some of it.
    pub denied: bool,
}

impl Facts {
    /// Some programs have hundreds of thousands of bytes there.
    pub const MAX_COMMAND_LINE_BYTES: usize = 1024;
}

/// What a process is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs, or could if there were a processor for it.
    Running,
    Sleeping,
    /// It waits for a device and cannot be interrupted.
    Waiting,
    Stopped,
    /// It has ended, and its parent has not asked how.
    Zombie,
    /// A thread of the kernel with nothing to do.
    Idle,
    #[default]
    Unknown,
}

impl ProcessState {
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Sleeping,
        Self::Waiting,
        Self::Stopped,
        Self::Zombie,
        Self::Idle,
        Self::Unknown,
    ];

    /// The word of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
            Self::Zombie => "zombie",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
        }
    }
}
