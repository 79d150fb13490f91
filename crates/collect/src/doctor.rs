//! What keeps this machine from telling its counters: facts are gathered from the system, and
//! pure checks over them find what is wrong, why it matters and what repairs it. Nothing is ever
//! repaired here.

mod facts;
mod linux;
mod shared;
mod sources;
mod windows;

use std::sync::Arc;

use barograph_model::Clock;

use crate::{Roots, platform};

pub use facts::{
    ClockFacts, CrossCheck, Facts, FileFact, FileState, LinuxFacts, ObjectFact, ObjectState,
    OfferedFact, Outcome, Rights, SourceFact, SystemFacts, WindowsFacts,
};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Counters that everybody expects are missing or wrong.
    Error,
    /// Some counters are missing, late or not to be trusted.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// For programs: stable, in lower case with hyphens.
    pub code: &'static str,
    pub what: String,
    pub why: &'static str,
    /// What a person can do about it; absent where nothing needs to be done.
    pub repair: Option<String>,
}

impl Finding {
    fn new(severity: Severity, code: &'static str, what: String, why: &'static str) -> Self {
        Self { severity, code, what, why, repair: None }
    }

    fn repaired_by(self, repair: impl Into<String>) -> Self {
        Self { repair: Some(repair.into()), ..self }
    }
}

/// Asks everything of this machine once or twice. Takes some seconds; a source that hangs is
/// given up.
pub fn gather(roots: &Roots, clock: &Arc<dyn Clock>) -> Facts {
    let before = (clock.now_ms(), clock.monotonic());
    let sources = sources::gather(roots, clock);
    let system = platform::doctor_facts(roots, clock);
    let reading_seconds = shared::clock_cost(&**clock);
    let passed = clock.monotonic().saturating_sub(before.1).as_secs_f64();
    let by_wall = (clock.now_ms() - before.0) as f64 / 1000.0;
    Facts { sources, system, clock: ClockFacts { reading_seconds, jump_seconds: by_wall - passed } }
}

/// What the facts say, the worst first.
pub fn check(facts: &Facts) -> Vec<Finding> {
    let mut findings = shared::check(facts);
    match &facts.system {
        SystemFacts::Linux(linux) => findings.extend(linux::check(linux)),
        SystemFacts::Windows(windows) => findings.extend(windows::check(windows)),
    }
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
