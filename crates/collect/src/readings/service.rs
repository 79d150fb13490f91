//! Services: programs that the system starts and watches.

/// What a service is doing, in words that hold on both systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceState {
    Running,
    /// It has done what it is for and counts as there (Linux: `active (exited)`).
    Done,
    Starting,
    Stopping,
    Paused,
    Stopped,
    /// It ended by itself or could not be started.
    Failed,
}

impl ServiceState {
    pub const ALL: [Self; 7] = [
        Self::Running,
        Self::Done,
        Self::Starting,
        Self::Stopping,
        Self::Paused,
        Self::Stopped,
        Self::Failed,
    ];

    /// The word of the interfaces, of the label `state`, and of events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether it does its work.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Done)
    }
}

/// When a service is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartMode {
    /// With the system (Linux: `enabled`).
    Automatic,
    /// With the system, some minutes later. Only Windows has this.
    AutomaticDelayed,
    /// By whoever needs it or asks for it (Linux: `disabled`, which starts it all the same).
    Manual,
    /// By nothing (Linux: `masked`).
    Disabled,
    /// By other units that pull it in. Only Linux has this.
    Static,
    /// By something that was made up while the system runs. Only Linux has this.
    Generated,
}

impl StartMode {
    /// The word of the interfaces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::AutomaticDelayed => "automatic_delayed",
            Self::Manual => "manual",
            Self::Disabled => "disabled",
            Self::Static => "static",
            Self::Generated => "generated",
        }
    }
}

/// What is looked at again and again about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceStatus {
    /// `nginx` (Linux, without its `.service`), `Spooler`.
    pub name: String,
    /// For people: `A high performance web server`, `Print Spooler`.
    pub display_name: String,
    pub state: ServiceState,
    /// The system's own words for its state: `active (running)`, `SERVICE_RUNNING`.
    pub native_state: String,
    /// It is set to start with the system and to stay, and nothing says that it rests rightly.
    pub should_run: bool,
    /// Tells its runs apart. Absent while it is down, and where nobody asked for it.
    pub run: Option<u64>,
    /// How often the system has started it again since somebody started it. Only Linux has this.
    pub restarts: Option<u64>,
}

/// All that is known about a service. What the system does not tell is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub status: ServiceStatus,
    pub start_mode: Option<StartMode>,
    /// How it says that it is up: `notify`, `oneshot`; on Windows `own_process`, `share_process`.
    pub kind: Option<String>,
    /// The command line of its program.
    pub command: Option<String>,
    /// The file that describes it. Only Linux has this.
    pub unit_file: Option<String>,
    pub pid: Option<u32>,
    /// Of its last run; absent while that goes on, or if there was none.
    pub exit_code: Option<i64>,
    /// Of all its processes together.
    pub memory_bytes: Option<u64>,
    /// Processor time of all its processes together, since it was started.
    pub cpu_nanoseconds: Option<u64>,
    /// What it is for, in sentences. Only Windows has this beside the display name.
    pub description: Option<String>,
}
