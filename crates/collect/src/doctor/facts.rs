//! What the doctor asks of a machine, as plain data.

/// Everything that is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    pub sources: Vec<SourceFact>,
    pub clock: ClockFacts,
    pub system: SystemFacts,
}

/// One collector, run twice.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFact {
    pub name: &'static str,
    pub outcome: Outcome,
    /// What the second run took.
    pub seconds: f64,
}

/// What a collector said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// So many samples.
    Told(usize),
    /// This system lacks it, and why.
    Absent(String),
    Failed(String),
    /// No answer within the doctor's patience.
    Hung,
}

/// The clocks that everything is stamped with.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClockFacts {
    /// What it takes to ask the time.
    pub reading_seconds: f64,
    /// By how much the wall clock moved while no time passed; negative when it was set back.
    pub jump_seconds: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SystemFacts {
    Linux(LinuxFacts),
    Windows(WindowsFacts),
}

/// What this program may do beyond what any may; root has all of it, unless it was taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// `CAP_SYS_PTRACE`
    pub traces: bool,
    /// `CAP_DAC_READ_SEARCH`, or `CAP_DAC_OVERRIDE`, which is more.
    pub reads_all: bool,
    /// `CAP_NET_ADMIN`
    pub administers_net: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct LinuxFacts {
    /// Major and minor version.
    pub kernel: Option<[u32; 2]>,
    pub files: Vec<FileFact>,
    pub rights: Rights,
    /// The mount option of `/proc` that hides other users' processes, as it is written.
    pub hidepid: Option<String>,
    /// Control groups: 1, 2, or both in one hierarchy each.
    pub cgroup_versions: Vec<u8>,
    /// What this program's control group may use at most.
    pub memory_limit_bytes: Option<u64>,
    pub memory_total_bytes: Option<u64>,
    /// In processors.
    pub cpu_limit: Option<f64>,
    pub cpu_count: Option<u32>,
    /// `tsc`, `hpet`
    pub clock_source: Option<String>,
}

/// A file that counters come from.
#[derive(Debug, Clone, PartialEq)]
pub struct FileFact {
    pub path: String,
    /// What comes from it.
    pub what: &'static str,
    /// Without it, headline metrics are missing.
    pub is_basic: bool,
    pub state: FileState,
    /// What it took to read it.
    pub seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    Readable,
    Missing,
    Denied,
    Failed(String),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct WindowsFacts {
    /// Why there are no performance counters at all.
    pub pdh_failure: Option<String>,
    pub objects: Vec<ObjectFact>,
    /// Services whose performance counters are switched off in the registry.
    pub disabled: Vec<String>,
    /// The language that Windows was installed in, as in the registry: `0409`.
    pub language: Option<String>,
    pub cross_checks: Vec<CrossCheck>,
    /// How many names of objects and counters the registry has, in English and in Windows' language.
    pub names: Option<[usize; 2]>,
    /// Services whose counters come from a library that is not there, and the library.
    pub lost_libraries: Vec<(String, String)>,
    /// Everything that any program offers.
    pub offered: Vec<OfferedFact>,
    /// Of these so many were not asked: the others had taken too long.
    pub not_asked: usize,
}

/// An object that the system or a program offers.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedFact {
    pub object: String,
    /// What its list of counters and instances took.
    pub seconds: f64,
    pub failure: Option<String>,
}

/// An object that every Windows has, asked for by one of its counters.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectFact {
    pub path: &'static str,
    pub state: ObjectState,
    /// What a collection took.
    pub seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectState {
    /// So many instances had a raw value.
    Told(usize),
    /// The object or the counter is not registered.
    Missing(String),
    /// It is registered and does not answer.
    Failed(String),
}

/// One number by two roads.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossCheck {
    pub path: &'static str,
    /// By a call to the system.
    pub native: f64,
    /// By the performance counters.
    pub counter: f64,
}
