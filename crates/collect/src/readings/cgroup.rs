//! What a system says of its control groups.

/// A control group: a service, a session, a container. What its version or its controllers do not
/// tell is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cgroup {
    /// Below the root of all groups: `/system.slice/nginx.service`.
    pub path: String,
    pub cpu_user_seconds: Option<f64>,
    pub cpu_system_seconds: Option<f64>,
    /// Time in which it could have run and its quota was used up.
    pub cpu_throttled_seconds: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Without file contents that are dropped first.
    pub memory_working_set_bytes: Option<u64>,
    /// Processes that were killed because the group's memory was used up.
    pub oom_kills: Option<u64>,
    pub processes: Option<u64>,
    pub read_bytes: Option<u64>,
    pub written_bytes: Option<u64>,
    pub limits: Limits,
}

/// What a group may take; absent where it may take all that there is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    pub cpu_cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u64>,
}

/// The limits that this process lives under, whoever set them, and what is used of each.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Container {
    pub limits: Limits,
    pub cpu_seconds: Option<f64>,
    pub memory_working_set_bytes: Option<u64>,
    pub processes: Option<u64>,
}
