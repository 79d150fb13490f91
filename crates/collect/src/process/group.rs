//! A group of watched processes as series: sums over its members now, and totals that do not
//! fall when a member ends.

use barograph_model::{Desc, Unit};

use super::table::{Known, ProcessTable};
use crate::Sink;
use crate::desc::{counter, gauge};

static COUNT: Desc = gauge(
    "process_group_count",
    Unit::Count,
    &["name"],
    "Processes that run under a watched name; 0 when none does.",
);
static CPU_SECONDS: Desc = counter(
    "process_group_cpu_seconds_total",
    Unit::Seconds,
    &["name", "mode"],
    "Processor time of a watched name in programs (user) and in the kernel (privileged).",
);
static READ_BYTES: Desc = counter(
    "process_group_read_bytes_total",
    Unit::Bytes,
    &["name"],
    "Bytes that processes of a watched name have read, from files and others, cached or not.",
);
static WRITTEN_BYTES: Desc = counter(
    "process_group_written_bytes_total",
    Unit::Bytes,
    &["name"],
    "Bytes that processes of a watched name have written, to files and others, cached or not.",
);
static WORKING_SET: Desc = gauge(
    "process_group_working_set_bytes",
    Unit::Bytes,
    &["name"],
    "Memory in use by a watched name; what processes share counts for each.",
);
static VIRTUAL: Desc = gauge(
    "process_group_virtual_bytes",
    Unit::Bytes,
    &["name"],
    "Address space of a watched name.",
);
static PAGE_FILE: Desc = gauge(
    "process_group_page_file_bytes",
    Unit::Bytes,
    &["name"],
    "Memory of a watched name in swap (Linux) or promised from the page file (Windows).",
);
static THREADS: Desc =
    gauge("process_group_threads", Unit::Count, &["name"], "Threads of a watched name.");
static HANDLES: Desc = gauge(
    "process_group_handles",
    Unit::Count,
    &["name"],
    "Open files (Linux) or handles (Windows) of a watched name.",
);
static OLDEST_START: Desc = gauge(
    "process_group_oldest_start_time_seconds",
    Unit::UnixSeconds,
    &["name"],
    "When the oldest process of a watched name started; absent when none runs.",
);

pub(super) static DESCS: [&Desc; 10] = [
    &COUNT,
    &CPU_SECONDS,
    &READ_BYTES,
    &WRITTEN_BYTES,
    &WORKING_SET,
    &VIRTUAL,
    &PAGE_FILE,
    &THREADS,
    &HANDLES,
    &OLDEST_START,
];

/// Totals since Barograph started, and with what its members of that moment had used before.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct GroupTotals {
    user_seconds: f64,
    privileged_seconds: f64,
    read_bytes: f64,
    written_bytes: f64,
}

/// What the members are now.
#[derive(Debug, Default)]
struct Now {
    count: usize,
    working_set: u64,
    virtual_bytes: u64,
    page_file: Option<u64>,
    threads: u64,
    handles: Option<u64>,
    oldest_ms: Option<i64>,
}

/// Emits every group after a whole pass.
pub(super) fn push(totals: &mut Vec<GroupTotals>, table: &ProcessTable, out: &mut dyn Sink) {
    let watch = table.watch();
    totals.resize(watch.names().len(), GroupTotals::default());
    for (index, (name, totals)) in watch.names().zip(totals).enumerate() {
        let mut now = Now::default();
        for member in table.iter().filter(|known| known.groups.contains(index)) {
            totals.add(member);
            now.add(member);
        }
        totals.push(name, out);
        now.push(name, out);
    }
}

impl GroupTotals {
    fn add(&mut self, member: &Known) {
        self.user_seconds += member.used.user_seconds;
        self.privileged_seconds += member.used.privileged_seconds;
        self.read_bytes += member.used.read_bytes;
        self.written_bytes += member.used.written_bytes;
    }

    fn push(&self, name: &str, out: &mut dyn Sink) {
        out.push(&CPU_SECONDS, &[name, "user"], self.user_seconds);
        out.push(&CPU_SECONDS, &[name, "privileged"], self.privileged_seconds);
        out.push(&READ_BYTES, &[name], self.read_bytes);
        out.push(&WRITTEN_BYTES, &[name], self.written_bytes);
    }
}

impl Now {
    fn add(&mut self, member: &Known) {
        self.count += 1;
        self.working_set += member.vitals.working_set_bytes;
        self.virtual_bytes = self.virtual_bytes.saturating_add(member.vitals.virtual_bytes);
        self.threads += member.vitals.threads;
        add_some(&mut self.page_file, member.extras.page_file_bytes);
        add_some(&mut self.handles, member.extras.handles);
        let started = member.vitals.started_ms;
        self.oldest_ms = self.oldest_ms.into_iter().chain(started).min();
    }

    fn push(&self, name: &str, out: &mut dyn Sink) {
        let labels = [name];
        out.push(&COUNT, &labels, self.count as f64);
        out.push(&WORKING_SET, &labels, self.working_set as f64);
        out.push(&VIRTUAL, &labels, self.virtual_bytes as f64);
        out.push(&THREADS, &labels, self.threads as f64);
        out.push_some(&PAGE_FILE, &labels, self.page_file.map(|bytes| bytes as f64));
        out.push_some(&HANDLES, &labels, self.handles.map(|count| count as f64));
        out.push_some(&OLDEST_START, &labels, self.oldest_ms.map(|ms| ms as f64 / 1e3));
    }
}

fn add_some(sum: &mut Option<u64>, value: Option<u64>) {
    if let Some(value) = value {
        *sum = Some(sum.unwrap_or(0).saturating_add(value));
    }
}
