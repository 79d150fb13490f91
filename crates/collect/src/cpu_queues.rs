//! What waits for a processor: threads, and packets that came in.

use barograph_model::{Desc, Unit};

use crate::desc::counter;
use crate::parse::{ParseError, schedstat, softnet};
use crate::platform::ProcFile;
use crate::readings::CpuQueue;
use crate::{Collector, Error, Roots, Sink};

static RUN: Desc = counter(
    "cpu_scheduler_run_seconds_total",
    Unit::Seconds,
    &["cpu"],
    "Time in which threads ran on a processor, as the scheduler counts it.",
);
static WAIT: Desc = counter(
    "cpu_scheduler_wait_seconds_total",
    Unit::Seconds,
    &["cpu"],
    "Time in which threads could have run and waited for a processor, summed over the threads.",
);
static SLICES: Desc = counter(
    "cpu_scheduler_timeslices_total",
    Unit::Count,
    &["cpu"],
    "How often a thread got a processor.",
);
static PACKETS: Desc = counter(
    "cpu_packets_processed_total",
    Unit::Count,
    &["cpu"],
    "Network packets that a processor took from its queue.",
);
static DROPPED: Desc = counter(
    "cpu_packets_dropped_total",
    Unit::Count,
    &["cpu"],
    "Network packets dropped because a processor's queue was full.",
);
static SQUEEZED: Desc = counter(
    "cpu_packets_squeezed_total",
    Unit::Count,
    &["cpu"],
    "How often a processor ran out of time before its queue of network packets was empty.",
);

/// Emits [`crate::readings::CpuQueue`].
#[derive(Debug)]
pub(crate) struct CpuQueuesCollector {
    /// Nothing for a file that this kernel does not have.
    schedstat: Option<ProcFile>,
    softnet: Option<ProcFile>,
    queues: Vec<CpuQueue>,
    labels: Vec<String>,
}

impl CpuQueuesCollector {
    pub(crate) fn new(roots: &Roots) -> Self {
        Self {
            schedstat: Some(ProcFile::new(roots, "schedstat")),
            softnet: Some(ProcFile::new(roots, "net/softnet_stat")),
            queues: Vec::new(),
            labels: Vec::new(),
        }
    }
}

impl Collector for CpuQueuesCollector {
    fn name(&self) -> &'static str {
        "cpu_queues"
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 6] = [&RUN, &WAIT, &SLICES, &PACKETS, &DROPPED, &SQUEEZED];
        &DESCS
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        let queues = &mut self.queues;
        queues.clear();
        let schedstat = read(&mut self.schedstat, |text| schedstat::parse(text, queues));
        let softnet = read(&mut self.softnet, |text| softnet::parse(text, queues));
        // Either is enough.
        if self.schedstat.is_none() && self.softnet.is_none() {
            return schedstat.and(softnet);
        }
        for error in [schedstat, softnet].into_iter().filter_map(Result::err) {
            if !error.is_absent() {
                return Err(error);
            }
        }
        for queue in &self.queues {
            while self.labels.len() <= queue.cpu as usize {
                self.labels.push(self.labels.len().to_string());
            }
            let labels = [self.labels[queue.cpu as usize].as_str()];
            out.push_some(&RUN, &labels, queue.run_seconds);
            out.push_some(&WAIT, &labels, queue.wait_seconds);
            for (desc, value) in [
                (&SLICES, queue.timeslices),
                (&PACKETS, queue.packets),
                (&DROPPED, queue.dropped),
                (&SQUEEZED, queue.squeezed),
            ] {
                out.push_some(desc, &labels, value.map(|value| value as f64));
            }
        }
        Ok(())
    }
}

fn read(
    file: &mut Option<ProcFile>,
    parse: impl FnOnce(&[u8]) -> Result<(), ParseError>,
) -> Result<(), Error> {
    let Some(kept) = file else { return Ok(()) };
    kept.read(parse).inspect_err(|error| {
        if error.is_absent() {
            *file = None;
        }
    })
}
