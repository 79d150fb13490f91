//! What Wine lacks is constructed: events as the kernel lays them out.

use std::process::Command;

use barograph_model::{Clock, SystemClock};

use super::*;
use crate::Roots;
use crate::event::{Event, EventSink, EventValue};
use crate::parse::kernel_process::tests::{end, start};
use crate::process::{EventSource, ProcessCollector};

#[derive(Debug, Default)]
struct Heard {
    events: Mutex<Vec<Event>>,
    lost: Mutex<u64>,
}

impl EventSink for Heard {
    fn happened(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    fn lost(&self, count: u64) {
        *self.lost.lock().unwrap() += count;
    }
}

fn setup() -> (Setup, Arc<Heard>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let heard = Arc::new(Heard::default());
    (Setup { events: heard.clone(), ..Setup::new(&Roots::default(), &clock) }, heard)
}

fn text(event: &Event, name: &str) -> String {
    event.get(name).map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// 2026-11-22T12:00:00Z, and some milliseconds, as Windows counts.
fn time(ms: u64) -> u64 {
    116_444_736_000_000_000 + (1_795_348_800_000 + ms) * 10_000
}

#[test]
fn a_start_and_its_end_are_told_with_all_that_is_known() {
    let (setup, heard) = setup();
    let mut hearing = Hearing::new(&setup);
    let own = std::env::current_exe().unwrap();
    let own = own.file_name().unwrap().to_str().unwrap();
    let pid = std::process::id();
    let image = format!(r"\Device\HarddiskVolume9\elsewhere\{own}");
    let data = start(3, pid, time(5), 77, &image);
    hearing.take(&News::Event { id: 1, version: 3, data: &data });
    let data = end(2, pid, time(5), time(9), 0xC000_0005);
    hearing.take(&News::Event { id: 2, version: 2, data: &data });

    let events = heard.events.lock().unwrap();
    let [started, ended] = &events[..] else { panic!("{events:?}") };
    assert_eq!((started.kind.as_ref(), started.time_ms), (events::STARTED, 1_795_348_800_005));
    assert_eq!((ended.kind.as_ref(), ended.time_ms), (events::ENDED, 1_795_348_800_009));
    for event in [started, ended] {
        assert_eq!(text(event, "name"), own);
        assert_eq!(text(event, "parent"), "77");
        // It still runs, so it was asked itself.
        assert!(text(event, "path").ends_with(own) && !text(event, "path").starts_with('\\'));
        assert!(text(event, "user").contains('\\'), "{event:?}");
    }
    assert_eq!(ended.get("exit_code"), Some(&EventValue::Integer(0xC000_0005)));
}

#[test]
fn a_process_that_is_gone_is_told_from_the_event_alone() {
    let (setup, heard) = setup();
    let mut hearing = Hearing::new(&setup);
    hearing.letters = vec![(r"\Device\HarddiskVolume3".into(), 'C')];
    let pid = 0xFFFF_FFF0;
    let data = start(0, pid, time(0), 0, r"\Device\HarddiskVolume3\Tools\short.exe");
    hearing.take(&News::Event { id: 1, version: 0, data: &data });
    // Another one of that number: its start was lost.
    let data = end(1, pid, time(7), time(8), 3);
    hearing.take(&News::Event { id: 2, version: 1, data: &data });
    let events = heard.events.lock().unwrap();
    let told = |name| events.iter().map(|event| text(event, name)).collect::<Vec<_>>();
    assert_eq!(told("name"), ["short.exe", "notepad.exe"]);
    assert_eq!(told("path"), [r"C:\Tools\short.exe", "-"]);
    assert_eq!(told("parent"), ["-", "-"]);
    assert_eq!(told("exit_code"), ["-", "3"]);
}

#[test]
fn a_flood_and_what_the_session_lost_are_counted() {
    let (setup, heard) = setup();
    let mut hearing = Hearing::new(&setup);
    hearing.take(&News::Lost);
    hearing.rate = Rate::new(1, 2);
    for number in 0..10 {
        let data = start(4, 0xFFFF_0000 + number, time(0), 0, r"\x\a.exe");
        hearing.take(&News::Event { id: 1, version: 4, data: &data });
    }
    let told = heard.events.lock().unwrap().len() as u64;
    assert!((2..=4).contains(&told), "{told}");
    assert_eq!(*heard.lost.lock().unwrap() + told, 11);
}

#[test]
fn letters_take_the_place_of_whole_devices_only() {
    let letters = [(r"\Device\HarddiskVolume1".to_owned(), 'D')];
    let path = |image| with_letter(image, &letters);
    assert_eq!(path(r"\Device\HarddiskVolume1\a.exe").as_deref(), Some(r"D:\a.exe"));
    let other = r"\Device\HarddiskVolume12\a.exe";
    assert_eq!(path(other).as_deref(), Some(other));
    assert_eq!(path(""), None);
}

#[test]
fn this_process_is_among_those_that_run_already() {
    let mut hearing = Hearing::new(&setup().0);
    hearing.list_alive();
    let own = &hearing.alive[&std::process::id()];
    assert!(own.facts.name.starts_with("barograph"), "{}", own.facts.name);
    assert!(own.facts.path.is_some() && own.created > 0);
}

/// Collects nothing.
struct Nowhere;

impl crate::Sink for Nowhere {
    fn push(&mut self, _: &'static barograph_model::Desc, _: &[&str], _: f64) {}
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a process that starts and ends")]
fn where_there_is_no_trace_lists_are_compared_and_say_so() {
    use crate::Collector as _;
    if !under_wine() {
        return;
    }
    let (setup, heard) = setup();
    let mut collector = ProcessCollector::new(&setup);
    let mut pass = || {
        // A pass is due two seconds after the one before.
        std::thread::sleep(std::time::Duration::from_millis(1600));
        let before = setup.processes.snapshot().map(|snapshot| snapshot.time_ms);
        while setup.processes.snapshot().map(|snapshot| snapshot.time_ms) == before {
            collector.collect(&mut Nowhere).unwrap();
        }
    };
    pass();
    let mut child = Command::new("cmd").stdin(std::process::Stdio::piped()).spawn().unwrap();
    pass();
    drop(child.stdin.take());
    child.wait().unwrap();
    pass();
    let source = setup.processes.event_source();
    let EventSource::Differences { why } = source else { panic!("{source:?}") };
    assert_eq!(why, "trace of processes: absent on this system, Wine keeps none");
    let events = heard.events.lock().unwrap();
    let of_child = |event: &&Event| text(event, "pid") == child.id().to_string();
    let kinds: Vec<_> = events.iter().filter(of_child).map(|event| &*event.kind).collect();
    assert_eq!(kinds, [events::STARTED, events::ENDED]);
}
