//! Recorded machines, and exactly what is said about them.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use barograph_model::{Clock, CounterPath, Desc, Labels, METRIC_NAME};
use barograph_testkit::{FakeClock, Tree};
use expect_test::expect_file;

use crate::catalog::{Reading, Session, rows};
use crate::{Collector, HostFacts, Roots, Sink, chain, host_facts, registry};

pub(super) fn trees() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees")
}

/// Samples in the order of their coming.
#[derive(Default)]
struct Samples(Vec<(&'static Desc, Labels, f64)>);

impl Sink for Samples {
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
        let own = desc.labels.iter().copied().zip(values.iter().copied());
        let labels = Labels::new([(METRIC_NAME, desc.name)].into_iter().chain(own)).unwrap();
        self.0.push((desc, labels, value));
    }
}

/// Everything that the collectors say, in the Prometheus text format; by metric, as it asks for.
fn exposition(collectors: &mut [Box<dyn Collector>]) -> String {
    let mut samples = Samples::default();
    let mut text = String::new();
    for collector in collectors {
        let first = samples.0.len();
        if let Err(error) = collector.collect(&mut samples) {
            writeln!(text, "# {}: {}", collector.name(), chain(&error)).unwrap();
        }
        check_contract(&**collector, &samples.0[first..]);
    }
    for desc in registry::descs() {
        let mut is_first = true;
        for (_, labels, value) in samples.0.iter().filter(|(of, ..)| std::ptr::eq(*of, desc)) {
            if std::mem::take(&mut is_first) {
                writeln!(text, "# TYPE {} {}", desc.name, desc.kind.as_str()).unwrap();
            }
            writeln!(text, "{labels} {value}").unwrap();
        }
    }
    text
}

/// What every collector owes its caller.
#[track_caller]
fn check_contract(collector: &dyn Collector, samples: &[(&'static Desc, Labels, f64)]) {
    let mut seen = HashSet::new();
    for (desc, labels, value) in samples {
        let declared = collector.descs().iter().any(|declared| std::ptr::eq(*declared, *desc));
        assert!(declared, "{labels} is not among the metrics of {}", collector.name());
        assert!(seen.insert(labels), "{labels} came twice");
        assert!(value.is_finite(), "{labels} is {value}");
        assert!(*value >= 0.0, "{labels} is {value}");
    }
}

fn counters(readings: &[Reading]) -> String {
    let mut text = String::new();
    for reading in readings {
        match (reading.value, &reading.why_absent) {
            (Some(value), None) => writeln!(text, "{} = {value}", reading.path).unwrap(),
            (None, Some(why)) => writeln!(text, "{} : {why}", reading.path).unwrap(),
            both => panic!("{}: {both:?}", reading.path),
        }
    }
    text
}

/// The errors name files of the temporary folder; the golden text does not.
fn neutral(text: &str, tree: &Tree) -> String {
    text.replace(tree.path().join("now").to_str().unwrap(), "")
}

#[track_caller]
fn check(name: &str) {
    let tree = Tree::unpack(&trees().join(format!("{name}.tar"))).unwrap();
    let roots = Roots::recorded(&tree.path().join("now"));
    let clock = Arc::new(FakeClock::new(0));
    let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
    let mut collectors = registry::all(&roots, &as_clock());
    let paths = rows().map(|row| CounterPath::parse(&row.path()).unwrap()).collect();
    let mut session = Session::new(&roots, as_clock(), paths).unwrap();

    tree.replay("1", "now").unwrap();
    // The architecture is this program's own.
    let facts = HostFacts { architecture: None, ..host_facts(&roots) };
    let facts = format!("# {facts:?}\n");
    let first = facts + &exposition(&mut collectors);
    session.sample();
    clock.advance(Duration::from_secs(1));
    tree.replay("2", "now").unwrap();
    let second = exposition(&mut collectors);
    let cooked = counters(&session.sample());

    let file = |ending: &str| expect_file![trees().join(format!("{name}.{ending}"))];
    file("1.prom").assert_eq(&neutral(&first, &tree));
    file("2.prom").assert_eq(&neutral(&second, &tree));
    file("counters").assert_eq(&neutral(&cooked, &tree));
}

#[test]
fn a_virtual_machine_of_today() {
    check("debian-12-linux-6.18-vm");
}

#[test]
fn an_old_kernel_tells_less() {
    check("centos-7-linux-3.10");
}

#[test]
fn an_enterprise_kernel_with_one_hierarchy_per_controller() {
    check("almalinux-8-linux-4.18");
}

#[test]
fn a_large_server_with_devices_that_come_and_go() {
    check("ubuntu-22.04-linux-5.15-server");
}

#[test]
fn a_laptop_with_sensors_and_swap() {
    check("ubuntu-24.04-linux-6.8-laptop");
}

#[test]
fn a_container_without_devices() {
    check("container-linux-6.6-arm");
}

#[test]
fn ubuntu_of_2016_with_raid_and_old_control_groups() {
    check("ubuntu-16.04-linux-4.4-vm");
}

#[test]
fn ubuntu_of_2018_with_old_control_groups_and_a_share() {
    check("ubuntu-18.04-linux-4.15-vm");
}

#[test]
fn debian_of_2021_with_a_share() {
    check("debian-11-linux-5.10-vm");
}

#[test]
fn ubuntu_of_2024_with_a_share() {
    check("ubuntu-24.04-linux-6.8-vm");
}

#[test]
fn debian_of_2025_with_a_share() {
    check("debian-13-linux-6.12-vm");
}

#[test]
fn debian_of_2025_on_arm_with_a_share() {
    check("debian-13-linux-6.12-arm-vm");
}

#[test]
fn a_machine_that_tells_nothing_gives_errors_and_no_samples() {
    let tree = Tree::empty().unwrap();
    let roots = Roots::recorded(tree.path());
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(0));
    let text = exposition(&mut registry::all(&roots, &clock));
    assert_eq!(text.lines().count(), registry::all(&roots, &clock).len());
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
}
