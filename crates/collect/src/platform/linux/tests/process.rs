//! The collector of processes, on processes made for it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, Desc};
use barograph_testkit::{FakeClock, Tree};
use tracing_mutex::stdsync::Mutex;

use crate::event::{Event, EventSink, EventValue};
use crate::process::{
    EventSource, Facts, ProcessCollector, ProcessId, ProcessSnapshot, ProcessState, Watch, events,
};
use crate::{Changeable, Collector, Roots, Setup, Sink};

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl EventSink for Told {
    fn happened(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn lost(&self, count: u64) {
        panic!("{count} events were lost");
    }
}

#[derive(Default)]
struct Samples(Vec<(String, f64)>);

impl Sink for Samples {
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
        self.0.push((format!("{}{values:?}", desc.name), value));
    }
}

struct Bench {
    tree: Tree,
    clock: Arc<FakeClock>,
    told: Arc<Told>,
    setup: Setup,
    collector: ProcessCollector,
}

const BOOT_SECONDS: i64 = 1_700_000_000;

fn watched(names: &[&str]) -> Watch {
    Watch::new(names.iter().map(|&name| name.to_owned())).unwrap()
}

impl Bench {
    fn new(watch: &[&str]) -> Self {
        let tree = Tree::empty().unwrap();
        tree.write("proc/stat", format!("cpu 1 1 1 1\nbtime {BOOT_SECONDS}\n")).unwrap();
        let clock = Arc::new(FakeClock::new(BOOT_SECONDS * 1000 + 1_000_000));
        let told = Arc::new(Told::default());
        let as_clock: Arc<dyn Clock> = clock.clone();
        let setup = Setup {
            events: told.clone(),
            watch: Arc::new(Changeable::new(watched(watch))),
            ..Setup::new(&Roots::recorded(tree.path()), &as_clock)
        };
        Self { collector: ProcessCollector::new(&setup), tree, clock, told, setup }
    }

    fn process(&self, pid: u32, name: &str, [user, system]: [u32; 2], start: u32, rchar: u64) {
        let write = |file: &str, text: String| {
            self.tree.write(&format!("proc/{pid}/{file}"), text).unwrap();
        };
        write(
            "stat",
            format!(
                "{pid} ({name}) S 1 1 1 0 -1 0 9 0 1 0 {user} {system} 0 0 20 0 3 0 {start} \
                 1000000 5 0\n"
            ),
        );
        write(
            "status",
            "Uid:\t0\t33\t33\t33\nVmHWM:\t9 kB\nRssAnon:\t4 kB\nVmSwap:\t1 kB\n".into(),
        );
        write("io", format!("rchar: {rchar}\nwchar: 0\nsyscr: 1\nsyscw: 0\n"));
        write("cmdline", format!("/usr/bin/{name}\0-x\0a b\0"));
        write("cgroup", "0::/system.slice/web.service\n".into());
        write("fd/0", String::new());
    }

    fn pass(&mut self, seconds: u64) -> (Arc<ProcessSnapshot>, Samples) {
        self.clock.advance(Duration::from_secs(seconds));
        let mut samples = Samples::default();
        self.collector.collect(&mut samples).unwrap();
        (self.setup.processes.snapshot().unwrap(), samples)
    }

    fn events(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.told.0.lock().unwrap());
        told.iter().map(|event| format!("{} {}", event.kind, event.subject)).collect()
    }
}

impl Samples {
    #[track_caller]
    fn check(&self, name: &str, expect: f64) {
        let found = self.0.iter().find(|(known, _)| known == name);
        let (_, value) = found.unwrap_or_else(|| panic!("{name} is missing in {:?}", self.0));
        assert!((value - expect).abs() < 1e-9, "{name}: {value}");
    }
}

#[test]
fn a_process_is_read_with_all_its_particulars() {
    let mut bench = Bench::new(&[]);
    bench.process(7, "web", [100, 50], 4000, 1000);
    bench.pass(1);
    bench.process(7, "web", [300, 150], 4000, 5000);
    let (snapshot, _) = bench.pass(4);
    assert_eq!((snapshot.total, snapshot.denied), (1, 0));
    let process = &snapshot.processes[0];
    assert_eq!(process.id, ProcessId { pid: 7, start: 4000 });
    assert_eq!(process.started_ms, Some(BOOT_SECONDS * 1000 + 40_000));
    assert_eq!((process.cpu_user_percent, process.cpu_percent()), (Some(50.0), Some(75.0)));
    assert_eq!(process.io_bytes_per_second(), Some(1000.0));
    assert_eq!((process.page_file_bytes, process.handles), (Some(1024), Some(1)));
    assert_eq!((process.threads, process.state), (3, ProcessState::Sleeping));
    let expect = Facts {
        name: "web".into(),
        path: None,
        command_line: Some("/usr/bin/web -x a b".into()),
        user: Some("33".into()),
        cgroup: Some("/system.slice/web.service".into()),
        service: Some("web.service".into()),
        denied: false,
    };
    assert_eq!(*process.facts, expect);
}

#[test]
fn starts_and_ends_are_told_from_two_lists() {
    let mut bench = Bench::new(&[]);
    bench.process(1, "init", [0, 0], 1, 0);
    bench.process(2, "two", [0, 0], 2, 0);
    bench.pass(1);
    assert_eq!(bench.events(), [""; 0]);
    bench.tree.remove("proc/2").unwrap();
    bench.process(3, "three", [5, 5], 99_000, 0);
    let (snapshot, _) = bench.pass(3);
    assert_eq!(bench.events(), ["process_started three (3)", "process_ended two (2)"]);
    // It started 14 s ago and has used a tenth of a second since.
    let share = snapshot.processes[1].cpu_percent().unwrap();
    assert!((share - 100.0 * 0.1 / 14.0).abs() < 1e-9, "{share}");
    // The same number, another process.
    bench.process(3, "other", [0, 0], 99_900, 0);
    bench.pass(3);
    assert_eq!(bench.events(), ["process_ended three (3)", "process_started other (3)"]);
    let EventSource::Differences { why } = bench.setup.processes.event_source() else { panic!() };
    assert!(why.contains("/proc is read"), "{why}");
}

#[test]
fn a_group_is_summed_and_never_falls() {
    let mut bench = Bench::new(&["web*", "gone"]);
    bench.process(7, "web", [100, 0], 1, 1000);
    bench.process(8, "webby", [200, 100], 1, 0);
    bench.process(9, "else", [900, 900], 1, 9000);
    let (_, samples) = bench.pass(1);
    samples.check("process_group_count[\"web*\"]", 2.0);
    samples.check("process_group_count[\"gone\"]", 0.0);
    samples.check("process_group_cpu_seconds_total[\"web*\", \"user\"]", 3.0);
    samples.check("process_group_read_bytes_total[\"web*\"]", 1000.0);
    samples.check("process_group_threads[\"web*\"]", 6.0);
    assert!(!samples.0.iter().any(|(name, _)| name.contains("oldest") && name.contains("gone")));
    bench.tree.remove("proc/8").unwrap();
    bench.process(7, "web", [150, 0], 1, 4000);
    let (_, samples) = bench.pass(3);
    samples.check("process_group_count[\"web*\"]", 1.0);
    samples.check("process_group_cpu_seconds_total[\"web*\", \"user\"]", 3.5);
    samples.check("process_group_cpu_seconds_total[\"web*\", \"privileged\"]", 1.0);
    samples.check("process_group_read_bytes_total[\"web*\"]", 4000.0);
    // A new member brings what it has used so far.
    bench.process(10, "web", [25, 0], 100_000, 10);
    let (_, samples) = bench.pass(3);
    samples.check("process_group_cpu_seconds_total[\"web*\", \"user\"]", 3.75);
    samples.check("process_group_read_bytes_total[\"web*\"]", 4010.0);
}

#[test]
fn other_names_are_watched_from_the_next_pass_and_totals_of_those_that_stay_go_on() {
    let mut bench = Bench::new(&["web", "old"]);
    bench.process(7, "web", [100, 0], 1, 0);
    bench.process(8, "new", [500, 0], 1, 0);
    bench.pass(1);
    bench.setup.watch.set(watched(&["new", "web"]));
    bench.process(7, "web", [150, 0], 1, 0);
    bench.process(8, "new", [520, 0], 1, 0);
    let (_, samples) = bench.pass(4);
    samples.check("process_group_cpu_seconds_total[\"web\", \"user\"]", 1.5);
    samples.check("process_group_cpu_seconds_total[\"new\", \"user\"]", 0.2);
    samples.check("process_group_count[\"new\"]", 1.0);
    assert!(!samples.0.iter().any(|(name, _)| name.contains("\"old\"")));
}

#[test]
fn passes_come_as_often_as_the_number_of_processes_allows() {
    let mut bench = Bench::new(&[]);
    for pid in 1..=501 {
        bench.process(pid, "many", [0, 0], pid, 0);
    }
    let (first, _) = bench.pass(1);
    for _ in 0..4 {
        assert_eq!(bench.pass(1).0.time_ms, first.time_ms);
    }
    assert!(bench.pass(1).0.time_ms > first.time_ms);
}

#[test]
fn an_idle_process_is_looked_at_within_ten_seconds_and_a_busy_one_in_each_pass() {
    let mut bench = Bench::new(&[]);
    let used = |bench: &Bench, ticks: u32| {
        for pid in 1..=20 {
            bench.process(pid, "one", [ticks, 0], 1, 0);
        }
    };
    let busy = |snapshot: &ProcessSnapshot| -> HashSet<u32> {
        let busy = snapshot.processes.iter().filter(|one| one.cpu_percent() > Some(0.0));
        busy.map(|one| one.id.pid).collect()
    };
    used(&bench, 0);
    for _ in 0..8 {
        bench.pass(2);
    }
    used(&bench, 100);
    let first = busy(&bench.pass(2).0);
    assert!((1..20).contains(&first.len()), "{first:?}");
    used(&bench, 200);
    let second = busy(&bench.pass(2).0);
    assert!(second.is_superset(&first), "{second:?}");
    let mut all = second;
    for _ in 0..3 {
        all.extend(busy(&bench.pass(2).0));
    }
    assert_eq!(all.len(), 20);
    // That one has gone needs no look at it.
    bench.tree.remove("proc/7").unwrap();
    assert_eq!(bench.pass(2).0.processes.len(), 19);
}

#[test]
fn what_is_broken_or_half_gone_does_not_hide_the_others() {
    let mut bench = Bench::new(&[]);
    bench.process(1, "init", [0, 0], 1, 0);
    bench.process(5, "a) (b\nc", [0, 0], 1, 0);
    bench.tree.write("proc/2/cmdline", "gone before its stat was read").unwrap();
    bench.tree.write("proc/3/stat", "").unwrap();
    bench.tree.write("proc/4/stat", b"4 (\xff\xfe) S 1").unwrap();
    bench.clock.advance(Duration::from_secs(1));
    let error = bench.collector.collect(&mut Samples::default()).unwrap_err();
    let text = barograph_model::chain(&error);
    assert!(text.contains("proc/4/stat") && text.contains("24 fields"), "{text}");
    let snapshot = bench.setup.processes.snapshot().unwrap();
    let names: Vec<_> = snapshot.processes.iter().map(|one| one.facts.name.as_str()).collect();
    assert_eq!(names, ["init", "a) (b\nc"]);
}

#[test]
fn events_hold_what_is_known() {
    let facts = Facts {
        name: "sh".into(),
        command_line: Some("sh -c x".into()),
        user: Some("root".into()),
        ..Facts::default()
    };
    let event = events::ended(5, 7, 1, &facts, events::Exit::Signal(9));
    assert_eq!(event.get("signal"), Some(&EventValue::Integer(9)));
    assert_eq!(event.get("exit_code"), None);
    assert_eq!(event.get("user"), Some(&EventValue::Text("root".into())));
    assert_eq!(event.get("path"), None);
}
