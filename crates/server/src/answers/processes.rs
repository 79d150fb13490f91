//! Processes.

use std::borrow::Cow;

use barograph_collect::process::{EventSource, Process, ProcessSnapshot, ProcessSort};
use serde::{Deserialize, Serialize};

use crate::timestamp::iso;

/// The processes of a host at one moment, the largest first. The command line reads what the
/// server answers, so it comes back as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessesAnswer {
    /// Of the reading that answers: at the asked time or before it.
    pub time_ms: i64,
    pub timestamp: String,
    /// All of the host's processes, also where only those are listed that used most.
    pub total: usize,
    /// Whether these are all of them.
    pub complete: bool,
    /// Processes of which the system refused to tell some particulars.
    pub denied: usize,
    pub sort: Cow<'static, str>,
    pub processes: Vec<ProcessAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventSourceAnswer>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessAnswer {
    pub pid: u32,
    pub parent: u32,
    pub started_ms: Option<i64>,
    pub name: String,
    pub path: Option<String>,
    pub command_line: Option<String>,
    pub user: Option<String>,
    pub service: Option<String>,
    pub cgroup: Option<String>,
    pub state: Cow<'static, str>,
    pub cpu_percent: Option<f64>,
    pub cpu_user_percent: Option<f64>,
    pub cpu_privileged_percent: Option<f64>,
    pub working_set_bytes: u64,
    pub virtual_bytes: u64,
    pub page_file_bytes: Option<u64>,
    pub threads: u64,
    pub handles: Option<u64>,
    pub read_bytes_per_second: Option<f64>,
    pub written_bytes_per_second: Option<f64>,
}

/// How starts and ends of processes are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSourceAnswer {
    pub source: Cow<'static, str>,
    pub why: Option<String>,
}

impl ProcessesAnswer {
    /// The `top` largest, or all.
    pub fn new(snapshot: &ProcessSnapshot, sort: ProcessSort, top: Option<usize>) -> Self {
        let mut order: Vec<&Process> = snapshot.processes.iter().collect();
        order.sort_by(|a, b| sort.compare(a, b));
        order.truncate(top.unwrap_or(usize::MAX));
        Self {
            time_ms: snapshot.time_ms,
            timestamp: iso(snapshot.time_ms),
            total: snapshot.total,
            complete: order.len() == snapshot.total,
            denied: snapshot.denied,
            sort: sort.as_str().into(),
            processes: order.into_iter().map(answer).collect(),
            events: None,
        }
    }

    /// The same, with where events come from.
    #[must_use]
    pub fn with_events(self, source: EventSource) -> Self {
        let (source, why) = match source {
            EventSource::Unknown => ("unknown", None),
            EventSource::Kernel => ("kernel", None),
            EventSource::Differences { why } => ("differences", Some(why)),
        };
        Self { events: Some(EventSourceAnswer { source: source.into(), why }), ..self }
    }
}

fn answer(one: &Process) -> ProcessAnswer {
    let facts = &one.facts;
    ProcessAnswer {
        pid: one.id.pid,
        parent: one.parent,
        started_ms: one.started_ms,
        name: facts.name.clone(),
        path: facts.path.clone(),
        command_line: facts.command_line.clone(),
        user: facts.user.clone(),
        service: facts.service.clone(),
        cgroup: facts.cgroup.clone(),
        state: one.state.as_str().into(),
        cpu_percent: one.cpu_percent(),
        cpu_user_percent: one.cpu_user_percent,
        cpu_privileged_percent: one.cpu_privileged_percent,
        working_set_bytes: one.working_set_bytes,
        virtual_bytes: one.virtual_bytes,
        page_file_bytes: one.page_file_bytes,
        threads: one.threads,
        handles: one.handles,
        read_bytes_per_second: one.read_bytes_per_second,
        written_bytes_per_second: one.written_bytes_per_second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_and_the_answer_says_that_it_is_a_part() {
        let snapshot = crate::process_record::tests::snapshot(5000, 30);
        let answer = ProcessesAnswer::new(&snapshot, ProcessSort::Memory, Some(2));
        let memory: Vec<_> = answer.processes.iter().map(|one| one.working_set_bytes).collect();
        assert_eq!(memory, [29 << 20, 28 << 20]);
        assert_eq!((answer.total, answer.complete), (500, false));
    }

    #[test]
    fn what_the_server_answers_comes_back_the_same() {
        let snapshot = crate::process_record::tests::snapshot(5000, 3);
        let answer = ProcessesAnswer::new(&snapshot, ProcessSort::Cpu, None)
            .with_events(EventSource::Differences { why: "old kernel".into() });
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<ProcessesAnswer>(&text).unwrap(), answer);
    }
}
