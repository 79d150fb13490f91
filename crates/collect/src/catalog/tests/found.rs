//! Which counters there are, and how they are found.

use barograph_model::CounterPath;

use crate::catalog::{Instances, Row, find, rows};

#[test]
fn counters_are_listed_once() {
    let mut paths: Vec<_> = rows().map(Row::path).collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
    for path in paths {
        assert_eq!(find(&CounterPath::parse(&path).unwrap()).unwrap().len(), 1, "{path}");
    }
}

#[test]
fn formulas_hold_together() {
    for row in rows() {
        let path = row.path();
        for sum in row.formula.value.sums() {
            assert!(!sum.is_empty() && !sum[0].optional, "{path}");
        }
        let Instances::Each { label, .. } = row.instances else { continue };
        assert!(row.formula.descs().all(|desc| desc.labels.contains(&label)), "{path}");
    }
}

/// Else history would have several series for what exists once, and a reading none.
#[test]
fn what_exists_once_leaves_no_label_over() {
    for row in rows() {
        if !matches!(row.instances, Instances::None | Instances::OnlyTotal) {
            continue;
        }
        for term in row.formula.value.sums().flatten() {
            let only = term.only.map(|(label, _)| label);
            let is_gone = |label: &&str| only == Some(*label) || term.over.contains(label);
            assert!(term.desc.labels.iter().all(is_gone), "{} of {}", row.path(), term.desc.name);
        }
    }
}

#[test]
fn objects_and_counters_are_found_by_wildcard_and_without_regard_to_case() {
    let found = |path| find(&CounterPath::parse(path).unwrap()).unwrap().len();
    assert_eq!(found(r"\PROCESSOR(*)\% user time"), 1);
    assert_eq!(found(r"\Physical*(*)\Disk *s/sec"), 6);
    assert_eq!(found(r"\System\*"), 9);
    let of_two = find(&CounterPath::parse(r"\*\Threads").unwrap()).unwrap();
    assert_eq!(of_two.iter().map(|row| row.object).collect::<Vec<_>>(), ["System", "Objects"]);
}

#[track_caller]
fn check_refused(path: &str, expect: &str) {
    let error = find(&CounterPath::parse(path).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn what_is_not_found_is_named_with_its_nearest() {
    check_refused(
        r"\Procesor(_Total)\% Processor Time",
        "no object is called `Procesor`; near to it: `Processor`, `Process`, `Process V2`",
    );
    check_refused(
        r"\PhysicalDisk(*)\Disk Read/sec",
        "object `PhysicalDisk` has no counter `Disk Read/sec`; near to it: `Disk Reads/sec`, \
         `Disk Read Bytes/sec`, `Disk Writes/sec`",
    );
    check_refused(r"\Zzz\Zzz", "no object is called `Zzz`");
    check_refused(
        r"\Processor\% User Time",
        "the counters of `Processor` need an instance, for example `\\Processor(*)\\% User Time`",
    );
    check_refused(
        r"\System(*)\Threads",
        "object `System` exists once: its counters take no instance",
    );
}
