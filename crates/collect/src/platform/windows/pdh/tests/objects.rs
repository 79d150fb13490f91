//! Lists of objects, counters and instances, on a Windows that speaks German.

use barograph_model::Pattern;

use super::*;
use crate::parse::perf_names::{Names, Translation};
use crate::system_objects::{Search, SystemObject, SystemObjects};

fn objects() -> SystemObjects {
    let program = env::current_exe().unwrap();
    let library = Library::at(&program.with_file_name("pdh_double.dll"));
    let table = |names: [(u32, &str); 3]| -> Names {
        names.map(|(number, name)| (number, name.to_owned())).into()
    };
    let english = table([(2, "System"), (4, "Double"), (6, "Share")]);
    let local = table([(2, "System"), (4, "Doppelt"), (6, "Anteil")]);
    SystemObjects::over(CounterNames::over(library, Translation::new(&english, &local)))
}

fn find(search: &Search) -> Vec<SystemObject> {
    objects().find_in(search, || Ok(source())).unwrap()
}

fn of_object(name: &str) -> Search {
    Search { object: Some(Pattern::new(name)), ..Search::default() }
}

#[test]
fn objects_are_listed_once_and_in_english() {
    let names = objects().names().unwrap();
    assert_eq!(names, ["Double", "Gedränge", "Leer", "Stumm", "System", "Weg"]);
}

#[test]
fn counters_have_paths_that_can_be_read_here_and_on_any_other_windows() {
    let found = find(&of_object("double"));
    let [object] = &found[..] else { panic!("{found:?}") };
    let paths: Vec<_> = object.counters.iter().map(|counter| counter.path.as_str()).collect();
    assert_eq!(paths, [r"\Double(*)\Rate", r"\Double(*)\Share", r"\Double(*)\Twins"]);
    assert_eq!(object.instances.as_deref().unwrap(), ["slow", "fast"]);
    for path in paths {
        source().add(path).unwrap();
    }
}

#[test]
fn an_object_that_exists_once_is_told_from_one_without_instances_now() {
    let [system] = &find(&of_object("Sys*"))[..] else { panic!() };
    assert_eq!(system.instances, None);
    assert_eq!(system.counters[0].path, r"\System\Context Switches/sec");
    let [empty] = &find(&of_object("leer"))[..] else { panic!() };
    assert_eq!(empty.instances.as_deref(), Some(&[][..]));
    assert_eq!(empty.counters[0].path, r"\Leer(*)\Rate");
}

#[test]
fn a_crowd_that_grows_between_the_calls_is_listed_whole_with_its_twins() {
    let [crowd] = &find(&of_object("Gedr*"))[..] else { panic!() };
    let instances = crowd.instances.as_deref().unwrap();
    assert!(instances.len() >= 70_000, "{}", instances.len());
    assert_eq!(instances.iter().filter(|name| *name == "worker 7").count(), instances.len() / 1000);
}

#[test]
fn what_is_gone_is_left_out_and_what_does_not_answer_says_why() {
    assert_eq!(find(&of_object("Weg")), []);
    let [silent] = &find(&of_object("Stumm"))[..] else { panic!() };
    let why = "PdhEnumObjectItemsW failed for Stumm: the provider has no data (0x800007D5)";
    assert_eq!(silent.failure.as_deref(), Some(why));
}

#[test]
fn kinds_and_explanations_are_told_and_searched() {
    let explained =
        |text: &str| Search { text: text.into(), explained: true, ..of_object("Double") };
    let [double] = &find(&explained(""))[..] else { panic!() };
    let told: Vec<_> = double
        .counters
        .iter()
        .map(|counter| (counter.name.as_str(), counter.kind, counter.explanation.as_str()))
        .collect();
    let expected = [
        ("Rate", Some("rate"), "Zählt Größen je Sekunde 🎈"),
        ("Share", Some("percent"), "Der Anteil am Ganzen"),
        ("Twins", Some("gauge"), ""),
    ];
    assert_eq!(told, expected);
    let [found] = &find(&explained("ZÄHLT"))[..] else { panic!() };
    assert_eq!(found.counters.len(), 1);
}

#[test]
fn a_part_of_a_path_finds_its_counters_and_nothing_finds_all() {
    let search = |text: &str| Search { text: text.into(), ..Search::default() };
    let paths = |found: &[SystemObject]| -> Vec<String> {
        found.iter().flat_map(|it| &it.counters).map(|counter| counter.path.clone()).collect()
    };
    assert_eq!(paths(&find(&search("SHARE"))), [r"\Double(*)\Share"]);
    assert_eq!(paths(&find(&search("no such text"))), [""; 0]);
    assert_eq!(find(&Search::default()).len(), 5);
}

#[test]
fn a_counter_that_explains_itself_at_length_grows_the_buffer() {
    let mut source = collected(r"\Double(*)\Rate", 1);
    source.buffer = vec![0; 1];
    assert_eq!(source.explanation(0).unwrap(), "Zählt Größen je Sekunde 🎈");
    assert_eq!(collected(r"\Double(*)\Twins", 1).explanation(0).unwrap(), "");
}
