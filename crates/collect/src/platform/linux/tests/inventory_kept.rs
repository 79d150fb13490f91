//! The inventory is looked at in several runs of the collector, on machines that change meanwhile.

use std::path::Path;
use std::sync::Arc;

use barograph_model::{Clock, Desc};
use barograph_testkit::{FakeClock, Tree};
use tracing_mutex::stdsync::Mutex;

use crate::event::{Event, EventSink};
use crate::inventory::InventoryCollector;
use crate::{Collector, Roots, Setup, Sink};

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Event>>);

impl EventSink for Heard {
    fn happened(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }

    fn lost(&self, _count: u64) {}
}

struct Nowhere;

impl Sink for Nowhere {
    fn push(&mut self, _desc: &'static Desc, _values: &[&str], _value: f64) {}
}

const BOOTED_MS: i64 = 1_000_000_000_000;

/// A machine with one processor and these disks, in kilobytes.
fn machine(disks: &[(&str, u64)]) -> Tree {
    let tree = Tree::empty().unwrap();
    tree.write("proc/stat", format!("cpu  1 2 3 4 5 6 7 8\nbtime {}\n", BOOTED_MS / 1000)).unwrap();
    tree.write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some Processor\n").unwrap();
    tree.write("sys/class/net/lo/type", "772\n").unwrap();
    for (name, kilobytes) in disks {
        tree.write(&format!("sys/block/{name}/size"), format!("{}\n", kilobytes * 2)).unwrap();
        tree.write(&format!("sys/block/{name}/device/model"), "Some Disk\n").unwrap();
    }
    tree
}

/// One run of the collector, which looks this long after the machine started; what it told.
fn run(tree: &Tree, file: &Path, looks_after_ms: &[i64]) -> Vec<String> {
    let clock = Arc::new(FakeClock::new(BOOTED_MS));
    let heard = Arc::new(Heard::default());
    let shared: Arc<dyn Clock> = clock.clone();
    let setup = Setup {
        events: Arc::clone(&heard) as Arc<dyn EventSink>,
        inventory_file: Some(file.to_owned()),
        ..Setup::new(&Roots::recorded(tree.path()), &shared)
    };
    let mut collector = InventoryCollector::new(&setup);
    for after_ms in looks_after_ms {
        clock.set(BOOTED_MS + after_ms);
        collector.collect(&mut Nowhere).unwrap();
    }
    let heard = heard.0.lock().unwrap();
    heard.iter().map(|event| format!("{} {}", event.kind, event.subject)).collect()
}

#[test]
fn what_changed_while_the_machine_was_off_is_told_once_it_has_settled() {
    let folder = Tree::empty().unwrap();
    let file = folder.path().join("inventory");
    let both = machine(&[("sda", 8), ("sdb", 8)]);
    assert_eq!(run(&both, &file, &[300_000]), [""; 0]);
    assert_eq!(run(&both, &file, &[300_000]), [""; 0]);
    let other = machine(&[("sda", 9), ("sdc", 8)]);
    let told =
        ["inventory_changed disk sda", "inventory_removed disk sdb", "inventory_added disk sdc"];
    assert_eq!(run(&other, &file, &[5_000]), [""; 0], "the machine has just started");
    assert_eq!(run(&other, &file, &[5_000, 65_000, 125_000]), told);
    assert_eq!(run(&other, &file, &[300_000]), [""; 0], "told already");
}

#[test]
fn a_damaged_file_is_begun_anew() {
    let folder = Tree::empty().unwrap();
    let file = folder.path().join("inventory");
    folder.write("inventory", "barograph-inventory 1\n[[[\"disk\",\"sdx\"],[]]]\n").unwrap();
    let one = machine(&[("sda", 8)]);
    assert_eq!(run(&one, &file, &[300_000]), [""; 0]);
    let other = machine(&[("sdb", 8)]);
    let told = ["inventory_removed disk sda", "inventory_added disk sdb"];
    assert_eq!(run(&other, &file, &[300_000]), told);
}
