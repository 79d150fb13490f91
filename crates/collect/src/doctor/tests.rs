//! Every finding, over facts as they were met.

use std::sync::Arc;

use barograph_model::{Clock, SystemClock};

use super::*;

fn facts(system: SystemFacts) -> Facts {
    let sources = vec![SourceFact { name: "cpu", outcome: Outcome::Told(20), seconds: 0.000_1 }];
    Facts { sources, clock: ClockFacts { reading_seconds: 3e-8, jump_seconds: 0.001 }, system }
}

fn root() -> LinuxFacts {
    LinuxFacts {
        kernel: Some([6, 8]),
        files: vec![FileFact {
            path: "/proc/stat".into(),
            what: "processor times",
            is_basic: true,
            state: FileState::Readable,
            seconds: 0.000_1,
        }],
        rights: Rights { traces: true, reads_all: true, administers_net: true },
        cgroup_versions: vec![2],
        memory_total_bytes: Some(16 << 30),
        cpu_count: Some(8),
        clock_source: Some("tsc".into()),
        ..LinuxFacts::default()
    }
}

fn healthy_windows() -> WindowsFacts {
    let told = |path| ObjectFact { path, state: ObjectState::Told(3), seconds: 0.01 };
    WindowsFacts {
        objects: vec![told(r"\Memory\Available Bytes"), told(r"\Process(*)\ID Process")],
        language: Some("0409".into()),
        cross_checks: vec![CrossCheck { path: r"\System\Threads", native: 100.0, counter: 99.0 }],
        ..WindowsFacts::default()
    }
}

/// Severities and codes, the worst first.
#[track_caller]
fn check_facts(facts: &Facts, expected: &[(&str, &str)]) -> Vec<Finding> {
    let findings = check(facts);
    let found: Vec<_> = findings.iter().map(|f| (f.severity.as_str(), f.code)).collect();
    assert_eq!(found, expected, "{findings:#?}");
    findings
}

#[track_caller]
fn check_linux(change: impl FnOnce(&mut LinuxFacts), expected: &[(&str, &str)]) -> Vec<Finding> {
    let mut linux = root();
    change(&mut linux);
    check_facts(&facts(SystemFacts::Linux(linux)), expected)
}

#[track_caller]
fn check_windows(
    change: impl FnOnce(&mut WindowsFacts),
    expected: &[(&str, &str)],
) -> Vec<Finding> {
    let mut windows = healthy_windows();
    change(&mut windows);
    check_facts(&facts(SystemFacts::Windows(windows)), expected)
}

#[test]
fn healthy_machines_have_no_findings() {
    check_linux(|_| {}, &[]);
    check_windows(|_| {}, &[]);
}

#[test]
fn sources_are_slow_absent_failing_or_hanging() {
    let mut facts = facts(SystemFacts::Linux(root()));
    let source = |name, outcome, seconds| SourceFact { name, outcome, seconds };
    facts.sources = vec![
        source("a", Outcome::Told(1), 0.06),
        source("b", Outcome::Told(1), 0.6),
        source("c", Outcome::Absent("no such thing".into()), 0.0),
        source("d", Outcome::Failed("broken".into()), 0.0),
        source("e", Outcome::Hung, 5.0),
    ];
    let findings = check_facts(
        &facts,
        &[
            ("error", "slow-source"),
            ("error", "failed-source"),
            ("error", "hung-source"),
            ("warning", "slow-source"),
            ("note", "absent-source"),
        ],
    );
    assert_eq!(findings[2].what, "the source `e` gave no answer in 5 s");
    assert!(findings[2].repair.is_some());
}

#[test]
fn clocks_that_jump_or_are_slow_are_told() {
    let mut facts = facts(SystemFacts::Linux(root()));
    facts.clock = ClockFacts { reading_seconds: 2.5e-6, jump_seconds: -3600.0 };
    let findings = check_facts(&facts, &[("warning", "slow-clock"), ("warning", "clock-jump")]);
    assert_eq!(findings[0].what, "asking the time takes 2500 ns");
    check_linux(
        |linux| linux.clock_source = Some("hpet".into()),
        &[("warning", "slow-clock-source")],
    );
}

#[test]
fn files_are_missing_denied_broken_or_slow() {
    let file = |path: &str, is_basic, state, seconds| FileFact {
        path: path.into(),
        what: "something",
        is_basic,
        state,
        seconds,
    };
    let findings = check_linux(
        |linux| {
            linux.files = vec![
                file("/proc/stat", true, FileState::Missing, 0.0),
                file("/proc/pressure/cpu", false, FileState::Missing, 0.0),
                file("/proc/diskstats", true, FileState::Denied, 0.0),
                file("/proc/vmstat", false, FileState::Failed("input/output error".into()), 0.0),
                file("/proc/interrupts", false, FileState::Readable, 0.2),
            ];
        },
        &[
            ("error", "missing-file"),
            ("error", "denied-file"),
            ("warning", "unreadable-file"),
            ("warning", "slow-file"),
            ("note", "missing-file"),
        ],
    );
    assert!(findings[4].repair.as_ref().unwrap().contains("psi=1"));
}

#[test]
fn rights_hidden_processes_and_old_kernels_are_told() {
    check_linux(
        |linux| {
            linux.rights = Rights::default();
            linux.hidepid = Some("2".into());
        },
        &[("warning", "hidepid"), ("note", "not-root")],
    );
    // Root sees them all, and 0 hides nothing.
    check_linux(|linux| linux.hidepid = Some("2".into()), &[]);
    let shown = |linux: &mut LinuxFacts| {
        linux.rights = Rights::default();
        linux.hidepid = Some("0".into());
    };
    check_linux(shown, &[("note", "not-root")]);
    // Neither is uid 0 all of it, nor is another user without any.
    let findings =
        check_linux(|linux| linux.rights.administers_net = false, &[("note", "lacks-capability")]);
    assert!(findings[0].what.ends_with("without CAP_NET_ADMIN"), "{findings:?}");
    let findings = check_linux(
        |linux| linux.kernel = Some([4, 18]),
        &[("note", "old-kernel"), ("note", "old-kernel"), ("note", "old-kernel")],
    );
    assert_eq!(findings[0].what, "Linux 4.18 does not tell pressure stall information, 4.20 does");
}

#[test]
fn limits_of_containers_are_told_when_they_are_narrower_than_the_host() {
    let findings = check_linux(
        |linux| {
            linux.memory_limit_bytes = Some(512 << 20);
            linux.cpu_limit = Some(1.5);
        },
        &[("note", "memory-limit"), ("note", "cpu-limit")],
    );
    assert_eq!(findings[0].what, "this container may use 512 MiB of 16384 MiB");
    assert_eq!(findings[1].what, "this container may use 1.5 of 8 processors");
    let wide = |linux: &mut LinuxFacts| {
        linux.memory_limit_bytes = Some(u64::MAX);
        linux.cpu_limit = Some(64.0);
    };
    check_linux(wide, &[]);
    check_linux(|linux| linux.cgroup_versions = vec![1], &[("note", "old-cgroups")]);
    check_linux(|linux| linux.cgroup_versions = vec![1, 2], &[("note", "mixed-cgroups")]);
}

#[test]
fn counters_that_are_gone_are_repaired_by_rebuilding() {
    let findings = check_windows(
        |windows| {
            windows.pdh_failure = Some("no library".into());
            windows.objects.clear();
        },
        &[("error", "no-counters")],
    );
    assert!(findings[0].repair.as_ref().unwrap().contains("lodctr /R"));
}

#[test]
fn objects_are_missing_failing_empty_or_slow() {
    let object = |path, state, seconds| ObjectFact { path, state, seconds };
    let findings = check_windows(
        |windows| {
            windows.objects = vec![
                object(r"\Memory\Available Bytes", ObjectState::Missing("no object".into()), 0.0),
                object(r"\System\System Up Time", ObjectState::Failed("no data".into()), 0.0),
                object(r"\PhysicalDisk(*)\Disk Reads/sec", ObjectState::Told(0), 0.0),
                object(r"\Processor(*)\% Processor Time", ObjectState::Told(4), 2.0),
            ];
        },
        &[
            ("error", "missing-object"),
            ("error", "failed-object"),
            ("warning", "empty-object"),
            ("warning", "slow-object"),
        ],
    );
    assert!(findings[0].repair.as_ref().unwrap().contains("1008, 1017 and 1023"));
}

#[test]
fn one_of_the_two_objects_of_processes_is_enough() {
    let missing =
        |path| ObjectFact { path, state: ObjectState::Missing("no object".into()), seconds: 0.0 };
    let new = missing(r"\Process V2(*)\Process ID");
    check_windows(|windows| windows.objects.push(new.clone()), &[]);
    check_windows(
        |windows| windows.objects = vec![new, missing(r"\Process(*)\ID Process")],
        &[("error", "missing-object"), ("error", "missing-object")],
    );
}

#[test]
fn disabled_providers_languages_and_numbers_that_differ_are_told() {
    let findings = check_windows(
        |windows| {
            windows.disabled = vec!["PerfDisk".into()];
            windows.language = Some("0407".into());
            windows.cross_checks[0].counter = 5.0;
        },
        &[
            ("warning", "disabled-provider"),
            ("warning", "numbers-differ"),
            ("note", "localised-names"),
        ],
    );
    assert!(findings[0].repair.as_ref().unwrap().contains("lodctr /E:PerfDisk"));
    let british = |windows: &mut WindowsFacts| windows.language = Some("0809".into());
    check_windows(british, &[]);
}

#[test]
fn names_libraries_and_providers_that_are_lost_failing_or_slow_are_told() {
    let offered = |object: &str, seconds, failure: Option<&str>| OfferedFact {
        object: object.into(),
        seconds,
        failure: failure.map(str::to_owned),
    };
    let findings = check_windows(
        |windows| {
            windows.names = Some([4000, 12]);
            windows.lost_libraries = vec![("Foo".into(), r"C:\foo\perf.dll".into())];
            windows.offered = vec![
                offered("Web Service", 0.01, None),
                offered("Foo", 0.01, Some("no data")),
                offered("Bar", 3.0, None),
            ];
            windows.not_asked = 7;
        },
        &[
            ("error", "lost-names"),
            ("warning", "lost-library"),
            ("warning", "failed-provider"),
            ("warning", "slow-provider"),
            ("note", "objects-not-asked"),
        ],
    );
    let [names, library, ..] = &findings[..] else { panic!("{findings:?}") };
    assert!(names.what.contains("4000 English names of counters and 12"), "{}", names.what);
    assert!(library.repair.as_ref().unwrap().contains("unlodctr Foo"), "{library:?}");
    assert!(findings[3].what.contains("3000 ms"), "{}", findings[3].what);
    // Windows that speaks English has one table for both.
    check_windows(|windows| windows.names = Some([4000, 4000]), &[]);
    check_windows(|windows| windows.names = Some([0, 0]), &[("error", "lost-names")]);
}

#[test]
fn this_machine_tells_its_basic_sources() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let facts = gather(&Roots::default(), &clock);
    let told = |name: &str| {
        let source = facts.sources.iter().find(|source| source.name == name);
        matches!(source.map(|source| &source.outcome), Some(Outcome::Told(count)) if *count > 0)
    };
    for name in ["cpu", "memory", "network", "system"] {
        assert!(told(name), "{facts:?}");
    }
    assert!(facts.clock.reading_seconds > 0.0 && facts.clock.jump_seconds.abs() < 5.0);
    for finding in check(&facts) {
        assert!(!finding.what.is_empty() && !finding.why.is_empty());
    }
}
