//! Counters read again and again from a machine that changes.

use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, CounterPath};
use barograph_testkit::{FakeClock, Tree};

use crate::Roots;
use crate::catalog::Session;

struct Machine {
    tree: Tree,
    clock: Arc<FakeClock>,
    session: Session,
}

impl Machine {
    fn watched_for(paths: &[&str]) -> Self {
        let tree = Tree::empty().unwrap();
        let clock = Arc::new(FakeClock::new(0));
        let paths = paths.iter().map(|path| CounterPath::parse(path).unwrap()).collect();
        let session = Session::new(
            &Roots::recorded(tree.path()),
            Arc::clone(&clock) as Arc<dyn Clock>,
            paths,
        )
        .unwrap();
        Self { tree, clock, session }
    }

    fn sample(&mut self) -> Vec<String> {
        let readings = self.session.sample();
        self.clock.advance(Duration::from_secs(2));
        readings
            .into_iter()
            .map(|reading| match reading.value {
                Some(value) => format!("{} {value:.1}", reading.path),
                None => format!("{} - {}", reading.path, reading.why_absent.unwrap()),
            })
            .collect()
    }

    fn net(&self, adapters: &[(&str, u64)]) {
        let rows: Vec<_> = adapters
            .iter()
            .map(|(name, bytes)| format!("{name}: {bytes} 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n"))
            .collect();
        self.tree.write("proc/net/dev", format!("head\nhead\n{}", rows.concat())).unwrap();
    }
}

#[test]
fn a_wildcard_follows_what_is_there() {
    let mut machine = Machine::watched_for(&[r"\Network Interface(e*)\Bytes Received/sec"]);
    machine.net(&[("lo", 0), ("eth0", 1000)]);
    assert_eq!(
        machine.sample(),
        [r"\Network Interface(eth0)\Bytes Received/sec - it takes two readings"]
    );
    machine.net(&[("lo", 0), ("eth0", 1500), ("eth1", 9000)]);
    assert_eq!(
        machine.sample(),
        [
            r"\Network Interface(eth0)\Bytes Received/sec 250.0",
            r"\Network Interface(eth1)\Bytes Received/sec - it takes two readings",
        ]
    );
    machine.net(&[("lo", 0), ("eth1", 9100)]);
    assert_eq!(machine.sample(), [r"\Network Interface(eth1)\Bytes Received/sec 50.0"]);
    machine.net(&[("lo", 0)]);
    assert_eq!(
        machine.sample(),
        [r"\Network Interface(e*)\Bytes Received/sec - no such instance is there now"]
    );
}

#[test]
fn instances_of_any_name_make_a_path_that_is_understood() {
    let mut machine = Machine::watched_for(&[r"\Network Interface(*)\Bytes Sent/sec"]);
    let names = ["a(b", "c)d", "e(f)", "g\\)h", "ü"];
    machine.net(&names.map(|name| (name, 0)));
    let paths = machine.session.sample().into_iter().map(|reading| reading.path);
    let parsed: Vec<_> = paths
        .map(|path| CounterPath::parse(&path).unwrap().instance.unwrap().name.to_string())
        .collect();
    assert_eq!(parsed, names);
}

#[test]
fn what_the_machine_lacks_is_explained() {
    let mut machine = Machine::watched_for(&[
        r"\PhysicalDisk(_Total)\Disk Reads/sec",
        r"\Processor(0)\Interrupts/sec",
        r"\Processor(_Total)\Interrupts/sec",
        r"\Memory\Commit Limit",
        r"\System\Processor Queue Length",
        r"\System\System Calls/sec",
    ]);
    machine.tree.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\n").unwrap();
    machine.tree.write("proc/stat", "cpu 1 2\n").unwrap();
    let folder = machine.tree.path().display().to_string();
    let stat = format!(
        "{folder}/proc/stat has a content that is not understood: \
         line 1: expected a number of ticks, found `cpu 1 2`"
    );
    assert_eq!(
        machine.sample(),
        [
            format!(
                r"\PhysicalDisk(_Total)\Disk Reads/sec - disk counters: absent on this system, {folder}/proc/diskstats is missing (container or no block devices)"
            ),
            format!(
                r"\Processor(0)\Interrupts/sec - interrupts per processor: absent on this system, {folder}/proc/interrupts is missing (hidden in this container)"
            ),
            format!(r"\Processor(_Total)\Interrupts/sec - {stat}"),
            r"\Memory\Commit Limit - this system does not tell `memory_commit_limit_bytes`".into(),
            format!(r"\System\Processor Queue Length - {stat}"),
            r"\System\System Calls/sec - only Windows tells it: Linux counts system calls only while a trace point is on, which slows each of them".into(),
        ]
    );
}
