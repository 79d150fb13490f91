//! The calls to PDH against the double, which does on request what Windows does by chance.

mod objects;
mod offers;

use std::env;

use windows_sys::Win32::System::Performance::PDH_INVALID_HANDLE;

use super::*;
use crate::parse::raw_counter::CounterKind;
use crate::system_counters::SystemCounters;

/// A query of the double, which cargo puts beside this program.
pub(in super::super) fn source() -> CounterSource {
    let program = env::current_exe().unwrap();
    let double = program.with_file_name("pdh_double.dll");
    CounterSource::open_in(Library::at(&double)).unwrap()
}

/// A query with one counter, collected `times` times.
fn collected(path: &str, times: u32) -> CounterSource {
    let mut source = source();
    source.add(path).unwrap();
    for _ in 0..times {
        source.collect().unwrap();
    }
    source
}

fn read(source: &mut CounterSource) -> Vec<RawInstance> {
    let mut instances = Vec::new();
    source.read(0, &mut instances).unwrap();
    instances
}

fn names(source: &mut CounterSource) -> Vec<String> {
    read(source).into_iter().map(|instance| instance.name).collect()
}

/// The value of the only instance after one more collection.
fn next_value(source: &mut CounterSource) -> Option<f64> {
    let earlier = read(source)[0].raw;
    source.collect().unwrap();
    let facts = source.facts(0).unwrap();
    let kind = CounterKind::from_code(facts.kind).unwrap();
    kind.cook(facts.frequency, Some(&earlier), &read(source)[0].raw)
}

#[test]
fn a_rate_is_made_from_two_collections() {
    let mut source = collected(r"\Double(*)\Rate", 1);
    assert_eq!(names(&mut source), ["slow", "fast"]);
    let facts = source.facts(0).unwrap();
    assert_eq!(facts, CounterFacts { kind: 0x1041_0500, frequency: 10_000_000 });
    assert_eq!(next_value(&mut source), Some(10.0));
}

#[test]
fn a_share_needs_one_collection() {
    let mut source = collected(r"\Double\Share", 1);
    let kind = CounterKind::from_code(source.facts(0).unwrap().kind).unwrap();
    assert_eq!(kind.cook(1, None, &read(&mut source)[0].raw), Some(25.0));
    assert_eq!(names(&mut source), [""]);
}

#[test]
fn a_set_that_grows_between_the_calls_is_read_whole() {
    let mut source = collected(r"\Double(*)\Grows", 1);
    // Room for none, so that the first call measures.
    source.buffer = vec![0; 1];
    let names = names(&mut source);
    assert!(names.len() >= 2, "{names:?}");
    assert_eq!(names[0], "number 0");
}

#[test]
fn a_buffer_grows_also_when_pdh_does_not_say_how_far() {
    let mut source = collected(r"\Double(*)\Lies", 1);
    source.buffer = vec![0; 1];
    assert_eq!(names(&mut source), ["one", "two"]);
}

#[test]
fn a_set_without_an_end_is_an_error_and_not_all_the_memory() {
    let mut source = collected(r"\Double(*)\Endless", 1);
    let error = source.read(0, &mut Vec::new()).unwrap_err();
    let text = crate::chain(&error);
    assert!(text.contains("more instances than can be read"), "{text}");
    assert_eq!(source.buffer.len() * 8, LARGEST_BYTES);
}

#[test]
fn instances_of_one_name_stay_apart_and_in_order() {
    let mut source = collected(r"\Double(*)\Twins", 1);
    let read = read(&mut source);
    let values: Vec<_> =
        read.iter().map(|instance| (instance.name.as_str(), instance.raw.first)).collect();
    assert_eq!(values, [("Code", 1), ("Code", 2), ("Code", 3)]);
}

#[test]
fn an_instance_without_a_value_is_left_out_and_the_others_stay() {
    assert_eq!(names(&mut collected(r"\Double(*)\Sick", 1)), ["well", "well too"]);
}

#[test]
fn nothing_to_say_yet_is_no_error() {
    let mut source = collected(r"\Double(*)\Late", 1);
    assert_eq!(read(&mut source), []);
    source.collect().unwrap();
    assert_eq!(names(&mut source), ["one", "two"]);
    assert_eq!(read(&mut collected(r"\Double(*)\Rate", 0)), []);
}

#[test]
fn instances_come_and_go_with_each_collection() {
    let mut source = collected(r"\Double(*)\Churn", 1);
    assert_eq!(names(&mut source), ["number 1", "always"]);
    source.collect().unwrap();
    assert_eq!(names(&mut source), ["number 2", "always"]);
}

#[test]
fn a_total_that_restarts_has_no_value_once_and_one_that_wraps_has() {
    let mut restarts = collected(r"\Double\Restarts", 1);
    let values: Vec<_> = (0..3).map(|_| next_value(&mut restarts)).collect();
    assert_eq!(values, [Some(1000.0), None, Some(1.0)]);
    let mut wraps = collected(r"\Double\Wraps", 1);
    assert_eq!([next_value(&mut wraps), next_value(&mut wraps)], [Some(100.0), Some(100.0)]);
}

#[test]
fn a_silent_provider_is_an_error_that_names_the_counter() {
    let mut source = source();
    source.add(r"\Double\Silent").unwrap();
    let text = crate::chain(&source.collect().unwrap_err());
    let expected =
        r"PdhCollectQueryData failed for \Double\Silent: the provider has no data (0x800007D5)";
    assert_eq!(text, expected);
}

#[test]
fn what_windows_does_not_have_is_absent_and_what_is_no_path_is_not() {
    let mut source = source();
    for path in [r"\Unheard Of(*)\Rate", r"\Double(*)\Unheard Of"] {
        assert!(source.add(path).unwrap_err().is_absent(), "{path}");
    }
    assert!(!source.add("no path").unwrap_err().is_absent());
    assert!(source.read(0, &mut Vec::new()).is_err());
}

#[test]
fn a_name_that_is_no_text_does_no_harm() {
    assert_eq!(names(&mut collected(r"\Double(*)\Garbled", 1)), ["\u{FFFD}A"]);
}

#[test]
fn true_values_of_the_system_below_move() {
    if !super::super::wine::under_wine() {
        return;
    }
    let mut source = collected(r"\System\Context Switches/sec", 1);
    let first = read(&mut source)[0].raw;
    // Each collection asks the Wine server through a pipe: the count moves by itself.
    let moved = (0..1000).find_map(|_| {
        source.collect().unwrap();
        let later = read(&mut source)[0].raw;
        (later.first != first.first).then_some(later)
    });
    let facts = source.facts(0).unwrap();
    let kind = CounterKind::from_code(facts.kind).unwrap();
    assert!(kind.cook(facts.frequency, Some(&first), &moved.unwrap()).unwrap() > 0.0);
}

#[test]
fn a_dropped_query_is_closed_with_its_counters() {
    let source = collected(r"\Double(*)\Rate", 2);
    let (library, query, counter) =
        (Arc::clone(&source.library), source.query, source.counters[0].handle);
    let mut frequency = 0;
    // SAFETY: the double knows which handles are open and never gives one again.
    let mut ask = || unsafe { (library.get_counter_time_base)(counter, &raw mut frequency) };
    assert_eq!(ask(), OK);
    drop(source);
    assert_eq!(ask(), PDH_INVALID_HANDLE);
    // SAFETY: as above.
    assert_eq!(unsafe { (library.close_query)(query) }, PDH_INVALID_HANDLE);
}

#[test]
fn values_are_paired_by_name_and_turn() {
    let mut source = source();
    for path in [r"\Double(*)\Rate", r"\Double(*)\Churn"] {
        source.add(path).unwrap();
    }
    let mut counters = SystemCounters::over(source, 2);
    let mut rates = || {
        counters.collect().unwrap();
        let mut values = Vec::new();
        counters.values(0, &mut values).unwrap();
        values.into_iter().map(|it| (it.instance, it.value)).collect::<Vec<_>>()
    };
    let named = |slow, fast| vec![("slow".to_owned(), slow), ("fast".to_owned(), fast)];
    assert_eq!(rates(), named(None, None));
    assert_eq!(rates(), named(Some(10.0), Some(20.0)));
    assert_eq!(rates(), named(Some(10.0), Some(20.0)));
}

#[test]
fn wines_own_library_is_absent() {
    if super::super::wine::under_wine() {
        let error = CounterSource::open().unwrap_err();
        assert!(error.is_absent(), "{error}");
    }
}

/// Samples by metric and labels.
#[derive(Default)]
struct Samples(Vec<(String, f64)>);

impl crate::Sink for Samples {
    fn push(&mut self, desc: &'static barograph_model::Desc, values: &[&str], value: f64) {
        self.0.push((format!("{}{values:?}", desc.name), value));
    }
}

#[test]
fn counters_of_the_configuration_become_series_by_instance() {
    let paths = [r"\Double(f*)\Rate", r"\Double\Share", r"\No Such Object\X"];
    let paths = paths.map(|path| barograph_model::CounterPath::parse(path).unwrap());
    let counters = SystemCounters::over(source(), 0);
    let mut collector = crate::user_counters::collector_over(paths.into(), Some(counters));
    let mut samples = Samples::default();
    collector.collect(&mut samples).unwrap();
    // A rate takes two readings.
    assert_eq!(samples.0.len(), 1);
    assert_eq!(samples.0[0], ("counter_double_share[]".to_owned(), 25.0));
    samples.0.clear();
    collector.collect(&mut samples).unwrap();
    let names: Vec<&str> = samples.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [r#"counter_double_rate["fast"]"#, "counter_double_share[]"]);
}
