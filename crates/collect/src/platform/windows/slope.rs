//! Nothing grows: what collecting takes from the system it gives back, tick after tick.
#![expect(unsafe_code, reason = "a call to ntdll that tells the handles of this process")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barograph_model::{Clock, CounterPath, Desc};
use barograph_testkit::FakeClock;
use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::Foundation::STATUS_INFO_LENGTH_MISMATCH;

use super::pdh::tests::source;
use crate::event::{Event, EventSink};
use crate::platform::OwnReader;
use crate::system_counters::SystemCounters;
use crate::{Collector, Roots, Setup, Sink, registry, user_counters};

/// What does not happen in the first ticks, and must not happen ever more often.
const WARM_UP: u32 = 150;
/// A quarter of an hour, in simulated seconds.
const TICKS: u32 = 900;
/// Rarer ones come this often all the same.
const RAREST: u64 = 20;
/// A kilobyte a tick would be more than that.
const ALLOWED_BYTES: u64 = 600_000;
/// Some come and go with what the system does meanwhile.
const ALLOWED_HANDLES: usize = 10;

struct Counted {
    handles: usize,
    bytes: u64,
}

impl Counted {
    fn now() -> Self {
        let own = *OwnReader::new(&Roots::default()).read().unwrap();
        let handles =
            own.handles.map_or_else(listed_handles, |handles| usize::try_from(handles).unwrap());
        Self { handles, bytes: own.resident_bytes }
    }
}

/// Wine does not count the handles of a process, and lists those of all.
fn listed_handles() -> usize {
    const ALL_HANDLES: i32 = 64;
    /// How many words an entry has, and which of them is the process.
    const WORDS: usize = 5;
    const PROCESS: usize = 1;
    let mut table = vec![0_u64; 4096];
    loop {
        let room = u32::try_from(table.len() * 8).unwrap();
        let mut written = 0;
        let start = table.as_mut_ptr().cast();
        // SAFETY: `start` has room for `room` bytes, and `written` is a place for a number.
        let status =
            unsafe { NtQuerySystemInformation(ALL_HANDLES, start, room, &raw mut written) };
        if status == STATUS_INFO_LENGTH_MISMATCH {
            table.resize(table.len() * 2, 0);
            continue;
        }
        assert!(status >= 0, "0x{status:X}");
        let count = usize::try_from(table[0]).unwrap();
        let own = u64::from(std::process::id());
        let entries = table[2..].chunks_exact(WORDS).take(count);
        return entries.filter(|entry| entry[PROCESS] == own).count();
    }
}

#[derive(Debug, Default)]
struct Nobody(AtomicUsize);

impl EventSink for Nobody {
    fn happened(&self, _: Event) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn lost(&self, _: u64) {}
}

#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn push(&mut self, _: &'static Desc, _: &[&str], _: f64) {
        self.0 += 1;
    }
}

/// One second; what fails or is absent does so without keeping anything, too.
fn tick(collectors: &mut [Box<dyn Collector>], number: u32) -> usize {
    let mut count = Count::default();
    for collector in collectors {
        let every = collector.interval().as_secs().clamp(1, RAREST);
        if u64::from(number).is_multiple_of(every) {
            drop(collector.collect(&mut count));
        }
    }
    // Queries that come and go, as where a provider fails again and again.
    let mut counters = SystemCounters::over(source(), 0);
    for path in [r"\Double(*)\Rate", r"\Double\Silent", r"\No Such Object\X"] {
        drop(counters.add(path));
        drop(counters.collect());
    }
    count.0
}

#[test]
fn handles_and_memory_do_not_grow_over_a_quarter_of_an_hour_of_ticks() {
    let clock = Arc::new(FakeClock::new(1_795_348_800_000));
    let shared: Arc<dyn Clock> = clock.clone();
    let events = Arc::new(Nobody::default());
    let setup = Setup { events, ..Setup::new(&Roots::default(), &shared) };
    let mut collectors = registry::with(&setup);
    let paths = [r"\Double(*)\Rate", r"\Double(*)\Churn", r"\No Such Object\X"];
    let paths = paths.map(|path| CounterPath::parse(path).unwrap());
    let over_double = SystemCounters::over(source(), 0);
    collectors.push(user_counters::collector_over(paths.into(), Some(over_double)));

    let mut samples = 0;
    let mut before = Counted::now();
    for number in 0..WARM_UP + TICKS {
        if number == WARM_UP {
            before = Counted::now();
        }
        samples += tick(&mut collectors, number);
        clock.advance(Duration::from_secs(1));
    }
    let after = Counted::now();
    assert!(samples > 50 * TICKS as usize, "{samples}");
    let told = format!(
        "handles {} to {}, {} to {} kB",
        before.handles,
        after.handles,
        before.bytes / 1000,
        after.bytes / 1000
    );
    println!("{told}");
    assert!(before.handles > 5, "{told}");
    assert!(after.handles <= before.handles + ALLOWED_HANDLES, "{told}");
    assert!(after.bytes <= before.bytes + ALLOWED_BYTES, "{told}");
}
