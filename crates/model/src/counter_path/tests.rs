//! What a path means, and where a mistake is pointed at.

use proptest::prelude::*;

use super::*;

type Parts = (Option<String>, String, Option<(String, Option<u32>)>, String);

fn parts(path: &str) -> Parts {
    let path = CounterPath::parse(path).unwrap();
    let instance = path.instance.map(|i| (i.name.as_str().to_owned(), i.index));
    (path.machine, path.object.to_string(), instance, path.counter.to_string())
}

#[track_caller]
fn check(path: &str, object: &str, instance: Option<(&str, Option<u32>)>, counter: &str) {
    let instance = instance.map(|(name, index)| (name.to_owned(), index));
    assert_eq!(parts(path), (None, object.to_owned(), instance, counter.to_owned()));
}

#[track_caller]
fn mistake(path: &str, problem: PathProblem, position: usize) {
    let error = CounterPath::parse(path).unwrap_err();
    assert_eq!((error.problem, error.position), (problem, position));
}

#[test]
fn paths_come_apart() {
    check(r"\Memory\Available MBytes", "Memory", None, "Available MBytes");
    check(r"\Processor(_Total)\% Idle Time", "Processor", Some(("_Total", None)), "% Idle Time");
    check(r"\Process(svchost#12)\ID Process", "Process", Some(("svchost", Some(12))), "ID Process");
    check(r"\PhysicalDisk(*)\Disk Reads/sec", "PhysicalDisk", Some(("*", None)), "Disk Reads/sec");
    check(
        r"\LogicalDisk(/var/lib)\% Free Space",
        "LogicalDisk",
        Some(("/var/lib", None)),
        "% Free Space",
    );
    check(r"\Process(c#)\ID Process", "Process", Some(("c#", None)), "ID Process");
}

#[test]
fn machine_is_named_by_two_backslashes() {
    assert_eq!(parts(r"\\db-1\System\Threads").0, Some("db-1".to_owned()));
    mistake(r"\\\System\Threads", PathProblem::NoMachine, 3);
    mistake(r"\\db-1", PathProblem::NoObject, 7);
}

#[test]
fn brackets_in_instances_pair_up_or_are_escaped() {
    check(r"\Process(a (b))\X", "Process", Some(("a (b)", None)), "X");
    check(r"\Process(a\(b)\X", "Process", Some(("a(b", None)), "X");
    check(r"\Process(a\))\X", "Process", Some(("a)", None)), "X");
    check(r"\Process(a\b)\X", "Process", Some((r"a\b", None)), "X");
    mistake(r"\Process(a(b)\X", PathProblem::OpenBracket, 11);
    mistake(r"\Process(a)b)\X", PathProblem::StrayBracket, 11);
}

#[test]
fn mistakes_are_pointed_at() {
    mistake("Processor", PathProblem::NoBackslash, 1);
    mistake("", PathProblem::NoBackslash, 1);
    mistake(r"\", PathProblem::NoCounter, 2);
    mistake(r"\(x)\y", PathProblem::NoObject, 2);
    mistake(r"\Processor(_Total", PathProblem::OpenBracket, 11);
    mistake(r"\Processor(_Total)", PathProblem::NoCounter, 19);
    mistake(r"\Processor()\X", PathProblem::NoInstance, 12);
    mistake(r"\Processor)\X", PathProblem::StrayBracket, 11);
    mistake(r"\Memory\a\b", PathProblem::BackslashInCounter, 10);
    mistake(r"\Memory\", PathProblem::NoCounter, 9);
    mistake(r"\Process(a#99999999999)\X", PathProblem::BadIndex, 12);
    mistake("\\Mem\nory\\X", PathProblem::Control, 5);
}

#[test]
fn position_counts_characters_and_the_mark_stands_under_it() {
    let error = CounterPath::parse(r"\Größe)\X").unwrap_err();
    assert_eq!(error.position, 7);
    assert_eq!(error.marked(), "\\Größe)\\X\n      ^");
}

#[test]
fn wildcards_match_without_case() {
    let check = |pattern: &str, name, expect| {
        assert_eq!(Pattern::new(pattern).matches(name), expect, "{pattern} {name}");
    };
    check("*", "", true);
    check("sda*", "SDA1", true);
    check("*host*", "svchost#3", true);
    check("*a*b", "xaxbxb", true);
    check("a*b", "abc", false);
    check("_total", "_Total", true);
}

#[test]
fn letters_count_where_they_are_asked_to() {
    for (pattern, name, expect) in
        [("Web*", "Website", true), ("web*", "Website", false), ("a*c", "abbc", true)]
    {
        assert_eq!(Pattern::new(pattern).matches_case(name), expect, "{pattern} {name}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_path_or_an_error(text in ".{0,60}") {
        drop(CounterPath::parse(&text));
    }

    #[test]
    fn printed_path_is_read_back(
        object in "[A-Za-z0-9 ]{1,10}",
        name in r"[a-z()\\#* .]{1,12}",
        index in prop::option::of(any::<u32>()),
        counter in "[A-Za-z%/ ]{1,10}",
    ) {
        // A name that ends in `#digits` is an index by definition; one that ends in a backslash
        // would escape the closing bracket.
        prop_assume!(!name.ends_with('\\') && !name.starts_with('#'));
        let path = CounterPath {
            machine: None,
            object: Pattern::new(object),
            instance: Some(Instance { name: Pattern::new(name), index }),
            counter: Pattern::new(counter),
        };
        prop_assert_eq!(CounterPath::parse(&path.to_string()), Ok(path));
    }
}
