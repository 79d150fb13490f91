//! A collector that burns processor time, and what becomes of it and of the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barograph_testkit::FakeClock;

use super::*;
use crate::platform::thread_cpu_time;

/// Burns 30 ms of processor time in each run, while it is told to.
fn burning(name: &'static str) -> (Box<dyn Collector>, Arc<AtomicBool>) {
    let burns = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&burns);
    let burn = move |_| {
        let until = thread_cpu_time() + Duration::from_millis(30);
        while told.load(Ordering::Relaxed) && thread_cpu_time() < until {}
        Ok(())
    };
    (collector(name, burn), burns)
}

/// A collector that is read as long as anything is.
struct Essential(Box<dyn Collector>);

impl Collector for Essential {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn descs(&self) -> &'static [&'static Desc] {
        self.0.descs()
    }

    fn interval(&self) -> Duration {
        self.0.interval()
    }

    fn is_essential(&self) -> bool {
        true
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        self.0.collect(out)
    }
}

/// Ticks follow each other as fast as they can: each turns the clock to the next second. A
/// hundredth of a processor may be taken.
fn start_hurried(collectors: Vec<Box<dyn Collector>>) -> (Runner, Receiver<Batch>) {
    let clock = Arc::new(FakeClock::new(1_000_000));
    let (first, turned) = (Arc::clone(&clock), Arc::clone(&clock));
    let settings = RunnerSettings {
        cpu_budget: 0.01,
        hard_deadline: Duration::from_secs(20),
        ..RunnerSettings::new("h", clock)
    };
    // No more ticks than are looked at.
    let (sender, receiver) = std::sync::mpsc::sync_channel(0);
    let runner = Runner::start(settings, collectors, move |batch| {
        let _gone = sender.send(batch);
        turned.advance(Duration::from_secs(1));
    })
    .unwrap();
    // Nothing is delivered before the clock is turned, however late the threads come to look at it.
    while receiver.recv_timeout(Duration::from_millis(100)).is_err() {
        first.advance(Duration::from_secs(1));
    }
    (runner, receiver)
}

fn names(batch: &Batch) -> Vec<&str> {
    values(batch).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_burns_processor_time_is_read_less_often_and_nothing_else_is() {
    let (dear, burns) = burning("dear");
    let (runner, batches) = start_hurried(vec![dear, collector("quick", |_| Ok(()))]);
    until(&batches, |_| status(&runner, "dear").stretch > 1);
    let slowed = status(&runner, "dear");
    assert_eq!(slowed.state, CollectorState::Slowed);
    // A run takes three times what a second may cost.
    assert!(slowed.stretch >= 4, "{slowed:?}");
    assert_eq!(slowed.interval, Duration::from_secs(slowed.stretch.into()));
    let seen: Vec<Batch> = (0..2 * slowed.stretch).map(|_| next(&batches)).collect();
    let dear = seen.iter().filter(|batch| names(batch).contains(&"dear")).count();
    assert!((1..=3).contains(&dear), "{dear}");
    assert!(seen.iter().all(|batch| names(batch).contains(&"quick")));
    assert!(seen.windows(2).all(|pair| pair[1].time_ms - pair[0].time_ms == 1000));
    assert_eq!((runner.status().pace, status(&runner, "quick").stretch), (1, 1));

    burns.store(false, Ordering::Relaxed);
    until(&batches, |_| status(&runner, "dear").stretch == 1);
    assert_eq!(status(&runner, "dear").state, CollectorState::Running);
}

#[test]
fn what_is_essential_is_slowed_with_everything_at_last() {
    let (cpu, _burns) = burning("cpu");
    let cpu = Box::new(Essential(cpu));
    let (runner, batches) = start_hurried(vec![cpu, collector("quick", |_| Ok(()))]);
    until(&batches, |_| runner.status().pace > 1);
    assert_eq!(status(&runner, "cpu").stretch, 1);
}
