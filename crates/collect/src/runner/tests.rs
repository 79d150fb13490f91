//! Collectors that do as they are told, and what the runner makes of them.

mod budget;

use std::sync::mpsc::{Receiver, Sender, channel};

use barograph_model::{Desc, SystemClock, Unit};

use super::*;
use crate::desc::gauge;
use crate::{Error, Sink};

static VALUE: Desc = gauge("value", Unit::Count, &["source"], "A value.");

/// Emits the number of its run, after doing what it is told for that run.
struct Scripted<F> {
    name: &'static str,
    run: u32,
    act: F,
}

impl<F: FnMut(u32) -> Result<(), Error> + Send> Collector for Scripted<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn descs(&self) -> &'static [&'static Desc] {
        static DESCS: [&Desc; 1] = [&VALUE];
        &DESCS
    }

    fn interval(&self) -> Duration {
        Duration::ZERO
    }

    fn collect(&mut self, out: &mut dyn Sink) -> Result<(), Error> {
        self.run += 1;
        out.push(&VALUE, &[self.name], f64::from(self.run));
        (self.act)(self.run)
    }
}

fn collector(
    name: &'static str,
    act: impl FnMut(u32) -> Result<(), Error> + Send + 'static,
) -> Box<dyn Collector> {
    Box::new(Scripted { name, run: 0, act })
}

/// Hangs in its `hangs_at`th run, until the sender is used or dropped.
fn hanging(name: &'static str, hangs_at: u32) -> (Box<dyn Collector>, Sender<()>) {
    let (release, wait) = channel::<()>();
    let act = move |run| {
        if run == hangs_at {
            let _released = wait.recv();
        }
        Ok(())
    };
    (collector(name, act), release)
}

/// With a deadline that no collector here passes, however busy the machine is.
fn settings() -> RunnerSettings {
    RunnerSettings {
        interval: Duration::from_millis(100),
        hard_deadline: Duration::from_secs(20),
        ..RunnerSettings::new("h", Arc::new(SystemClock::new()))
    }
}

/// With a deadline for those that hang.
fn short_deadline() -> RunnerSettings {
    RunnerSettings {
        interval: Duration::from_millis(400),
        hard_deadline: Duration::from_millis(200),
        ..settings()
    }
}

fn start(
    settings: RunnerSettings,
    collectors: Vec<Box<dyn Collector>>,
) -> (Runner, Receiver<Batch>) {
    let (sender, receiver) = channel();
    let runner = Runner::start(settings, collectors, move |batch| {
        let _gone = sender.send(batch);
    })
    .unwrap();
    (runner, receiver)
}

fn next(batches: &Receiver<Batch>) -> Batch {
    batches.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn values(batch: &Batch) -> Vec<(&str, f64)> {
    batch.samples.iter().map(|s| (s.labels.get("source").unwrap(), s.value)).collect()
}

/// Batches until one fits; fails after far more than that can take.
#[track_caller]
fn until(batches: &Receiver<Batch>, fits: impl Fn(&Batch) -> bool) -> Batch {
    (0..200).map(|_| next(batches)).find(fits).expect("a batch like that within 200 ticks")
}

fn status(runner: &Runner, name: &str) -> CollectorStatus {
    runner.status().collectors.into_iter().find(|status| status.name == name).unwrap()
}

#[test]
fn each_tick_is_one_batch_at_an_aligned_time_with_the_host() {
    let (runner, batches) =
        start(settings(), vec![collector("a", |_| Ok(())), collector("b", |_| Ok(()))]);
    let (first, second) = (until(&batches, |b| b.samples.len() == 2), next(&batches));
    assert_eq!(first.time_ms % 100, 0);
    assert!(second.time_ms > first.time_ms);
    let run = values(&first)[0].1;
    assert_eq!(values(&first), [("a", run), ("b", run)]);
    assert_eq!(first.samples[0].labels.to_string(), r#"value{host="h",source="a"}"#);
    assert!(runner.stop().is_empty());
}

#[test]
fn a_collector_that_hangs_stops_nothing_else_and_comes_back() {
    let (slow, release) = hanging("slow", 2);
    let (runner, batches) = start(short_deadline(), vec![slow, collector("quick", |_| Ok(()))]);
    assert_eq!(values(&next(&batches)), [("slow", 1.0), ("quick", 1.0)]);
    // The tick in which it hangs is delivered too, and so are those after it.
    let others = [next(&batches), next(&batches), next(&batches)];
    assert!(others.iter().all(|batch| values(batch).iter().all(|(name, _)| *name == "quick")));
    assert!(others.iter().any(|batch| !batch.samples.is_empty()));
    let hung = status(&runner, "slow");
    assert_eq!((hung.state, hung.timeouts, hung.runs), (CollectorState::Stuck, 1, 1));
    assert_eq!(hung.last_error.as_deref(), Some("no answer within 200 ms"));

    release.send(()).unwrap();
    let back = until(&batches, |batch| batch.samples.len() == 2);
    // What it read while it hung is not in any batch.
    assert_eq!(values(&back)[0], ("slow", 3.0));
    let back = status(&runner, "slow");
    assert_eq!((back.state, back.timeouts), (CollectorState::Running, 1));
    assert_eq!(back.last_error, None);
    assert!(runner.stop().is_empty());
}

#[test]
fn each_of_several_hanging_collectors_keeps_one_thread() {
    let (one, release_one) = hanging("one", 1);
    let (two, release_two) = hanging("two", 1);
    let (runner, batches) = start(short_deadline(), vec![one, two, collector("quick", |_| Ok(()))]);
    let batch = until(&batches, |batch| batch.samples.len() == 1);
    assert_eq!(values(&batch)[0].0, "quick");
    let until_both_hang = until(&batches, |_| {
        ["one", "two"].iter().all(|name| status(&runner, name).state == CollectorState::Stuck)
    });
    assert_eq!(values(&until_both_hang).len(), 1);
    drop((release_one, release_two));
    until(&batches, |batch| batch.samples.len() == 3);
    assert!(runner.stop().is_empty());
}

#[test]
fn a_panic_is_counted_and_the_collector_runs_again() {
    let fragile = collector("fragile", |run| {
        if run <= 2 {
            // As `panic!`, but without the message and the trace on the terminal.
            std::panic::resume_unwind(Box::new(format!("run {run} goes wrong")));
        }
        Ok(())
    });
    let (runner, batches) = start(settings(), vec![fragile, collector("quick", |_| Ok(()))]);
    // What it said before the panic is kept.
    let batch = until(&batches, |batch| batch.samples.len() == 2);
    assert_eq!(values(&batch)[0].0, "fragile");
    until(&batches, |batch| values(batch)[0].1 > 2.0);
    until(&batches, |_| status(&runner, "fragile").last_error.is_none());
    assert_eq!(status(&runner, "fragile").panics, 2);
}

#[test]
fn errors_are_counted_and_absent_sources_are_left_alone() {
    let broken = collector("broken", |_| Err(Error::TooLarge { path: "/x".into(), limit: 1 }));
    let absent = collector("absent", |_| Err(Error::Absent { what: "a thing", why: "old".into() }));
    let (runner, batches) = start(settings(), vec![absent, broken]);
    for _ in 0..4 {
        next(&batches);
    }
    let absent = status(&runner, "absent");
    assert_eq!((absent.state, absent.runs, absent.failures), (CollectorState::Absent, 1, 0));
    let broken = status(&runner, "broken");
    assert!(broken.failures >= 3, "{broken:?}");
    assert_eq!(broken.state, CollectorState::Running);
}

/// The system's clock, set forward together with the time that passes.
#[derive(Debug)]
struct Hasty {
    clock: SystemClock,
    ahead_s: std::sync::atomic::AtomicU32,
}

impl Hasty {
    fn ahead(&self) -> Duration {
        Duration::from_secs(self.ahead_s.load(std::sync::atomic::Ordering::SeqCst).into())
    }
}

impl Clock for Hasty {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms() + i64::try_from(self.ahead().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic() + self.ahead()
    }
}

#[test]
fn what_is_absent_is_looked_for_again_after_five_minutes() {
    let late = collector("late", |run| match run {
        1 => Err(Error::Absent { what: "a thing", why: "its driver is not loaded".into() }),
        _ => Ok(()),
    });
    let clock = Arc::new(Hasty { clock: SystemClock::new(), ahead_s: 0.into() });
    let settings = RunnerSettings {
        hard_deadline: Duration::from_secs(10_000),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..settings()
    };
    let (runner, batches) = start(settings, vec![late, collector("quick", |_| Ok(()))]);
    until(&batches, |batch| values(batch).contains(&("quick", 3.0)));
    let absent = status(&runner, "late");
    assert_eq!((absent.state, absent.runs), (CollectorState::Absent, 1));
    clock.ahead_s.store(301, std::sync::atomic::Ordering::SeqCst);
    until(&batches, |batch| values(batch).iter().any(|(name, run)| *name == "late" && *run >= 2.0));
    assert_eq!(status(&runner, "late").state, CollectorState::Running);
}

#[test]
fn stopping_names_what_hangs_and_delivers_the_tick_under_way() {
    let (slow, release) = hanging("slow", 1);
    let (runner, batches) = start(short_deadline(), vec![collector("quick", |_| Ok(())), slow]);
    assert_eq!(values(&next(&batches)), [("quick", 1.0)]);
    assert_eq!(runner.stop(), ["slow"]);
    // After the stop the receiver is let go of by all threads but the one that hangs.
    drop(release);
    assert!((0..200).any(|_| batches.recv_timeout(Duration::from_secs(20)).is_err()));
}

#[test]
fn a_receiver_that_panics_loses_its_tick_only() {
    let (sender, batches) = channel();
    let mut first = true;
    let _runner = Runner::start(settings(), vec![collector("a", |_| Ok(()))], move |batch| {
        assert!(!std::mem::replace(&mut first, false), "the receiver is broken");
        let _gone = sender.send(batch);
    })
    .unwrap();
    let batch = until(&batches, |batch| !batch.samples.is_empty());
    assert!(values(&batch)[0].1 >= 2.0);
}

#[test]
fn settings_out_of_range_are_named() {
    let refused = |change: fn(&mut RunnerSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Runner::start(settings, Vec::new(), drop).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|s| s.interval = Duration::from_millis(99)),
        "the interval is 99 ms, allowed are 100 to 3600000 ms"
    );
    assert_eq!(
        refused(|s| s.host = String::new()),
        "the host's name is empty or has more than 253 bytes"
    );
}
