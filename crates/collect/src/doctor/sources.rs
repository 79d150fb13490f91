//! Runs every collector twice, each in a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use barograph_model::{Clock, Desc};

use super::facts::{Outcome, SourceFact};
use crate::{Collector, Error, Roots, Sink, chain, registry};

/// A source that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rates and kept lists show themselves at the second run.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) fn gather(roots: &Roots, clock: &Arc<dyn Clock>) -> Vec<SourceFact> {
    let collectors = registry::all(roots, clock);
    let running: Vec<_> = collectors
        .into_iter()
        .map(|collector| (collector.name(), start(collector, Arc::clone(clock))))
        .collect();
    running.into_iter().map(|(name, answer)| fact(name, &answer)).collect()
}

type Answer = Receiver<(Outcome, f64)>;

/// A thread that hangs is left behind; it ends with the program.
fn start(mut collector: Box<dyn Collector>, clock: Arc<dyn Clock>) -> Answer {
    let (sender, answer) = channel();
    let run = move || {
        let first = run_once(&mut *collector);
        let told = if matches!(first, Outcome::Absent(_)) {
            (first, 0.0)
        } else {
            thread::sleep(PAUSE);
            let began = clock.monotonic();
            let outcome = run_once(&mut *collector);
            (outcome, clock.monotonic().saturating_sub(began).as_secs_f64())
        };
        // Nobody waits any more for one that took too long.
        sender.send(told).unwrap_or_default();
    };
    // A thread that cannot be started never answers, and counts as hanging.
    drop(thread::Builder::new().name("doctor".into()).spawn(run));
    answer
}

fn run_once(collector: &mut dyn Collector) -> Outcome {
    let mut count = Count(0);
    match collector.collect(&mut count) {
        Ok(()) => Outcome::Told(count.0),
        Err(Error::Absent { why, .. }) => Outcome::Absent(why),
        Err(error) => Outcome::Failed(chain(&error)),
    }
}

fn fact(name: &'static str, answer: &Answer) -> SourceFact {
    let (outcome, seconds) = match answer.recv_timeout(PATIENCE) {
        Ok(told) => told,
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            (Outcome::Hung, PATIENCE.as_secs_f64())
        }
    };
    SourceFact { name, outcome, seconds }
}

/// Only how many.
struct Count(usize);

impl Sink for Count {
    fn push(&mut self, _: &'static Desc, _: &[&str], _: f64) {
        self.0 += 1;
    }
}
