//! Rules over a real store, by a clock that is turned by hand.

mod clock;
mod pager;
mod published;
mod remedies;

use std::fs;
use std::sync::Arc;

use barograph_alerts::incident::Acknowledgement;
use barograph_alerts::machine::Phase;
use barograph_model::{Batch, Labels, Sample};
use barograph_promql::Settings as QuerySettings;
use barograph_store::Settings as StoreSettings;
use barograph_testkit::FakeClock;
use tempfile::TempDir;

use super::*;
use crate::documents::{Author, Wanted};

const START_MS: i64 = 1_700_000_000_000;

/// A store, a database of documents, and rules, without the thread that evaluates them.
struct Bench {
    folder: TempDir,
    clock: Arc<FakeClock>,
    shared: Shared,
}

impl Bench {
    fn new(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let clock = Arc::new(FakeClock::new(START_MS));
        Self { shared: shared(&folder, &clock), folder, clock }
    }

    /// As after a restart.
    fn reopened(self) -> Self {
        let Self { folder, clock, shared: before } = self;
        before.save_all();
        drop(before);
        Self { shared: shared(&folder, &clock), folder, clock }
    }

    fn tell(&self, usage: &[(&str, f64)]) {
        tell(&self.shared, &self.clock, usage);
    }

    fn phases(&self) -> Vec<(String, Phase, bool)> {
        let groups = lock(&self.shared.groups);
        let rules = groups.iter().flat_map(|group| &group.rules);
        let alerts = rules.flat_map(|rule| rule.alerts.iter());
        alerts.map(|it| (it.labels["host"].clone(), it.phase, it.is_unknown)).collect()
    }

    fn open_incidents(&self) -> usize {
        lock(&self.shared.desk).incidents().filter(|(_, it)| it.is_open()).count()
    }
}

/// Ten seconds later these hosts tell their processor usage, and rules are evaluated.
fn tell(shared: &Shared, clock: &FakeClock, usage: &[(&str, f64)]) {
    clock.advance(Duration::from_secs(10));
    let sample = |(host, value): &(&str, f64)| Sample {
        labels: Labels::new([("__name__", "cpu_usage"), ("host", *host)]).unwrap(),
        value: *value,
    };
    let samples = usage.iter().map(sample).collect();
    shared.store.append(&[Batch { time_ms: clock.now_ms(), samples }]).unwrap();
    shared.tick();
}

fn shared(folder: &TempDir, clock: &Arc<FakeClock>) -> Shared {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let settings = AlertingSettings {
        files: vec![folder.path().join("rules.yml")],
        defaults: false,
        actions: Arc::new(
            fs::read_to_string(folder.path().join("actions.yml"))
                .map_or_else(|_| Actions::default(), |text| Actions::read(&text).unwrap()),
        ),
        host: "a".to_owned(),
        ..AlertingSettings::default()
    };
    let store = StoreSettings::new(folder.path().join("store"));
    let state = State::open(&folder.path().join("state"), Arc::clone(&clock)).unwrap();
    let state = Arc::new(state);
    let documents = Arc::new(Documents::new(Arc::clone(&state), Arc::clone(&clock)));
    let store = Arc::new(Store::open(store, Arc::clone(&clock)).unwrap());
    let engine = Engine::new(QuerySettings::default(), Arc::clone(&clock));
    Shared::restore(store, documents, engine, clock, settings).unwrap()
}

/// The rules of these settings alone, or what is wrong with them.
fn load(settings: &AlertingSettings) -> Result<Vec<loading::Loaded>, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(START_MS));
    let state = Arc::new(State::open(folder.path(), Arc::clone(&clock)).unwrap());
    let documents = Documents::new(state, clock);
    let mut rules = Rules::new();
    assert!(rules.refresh(settings, &documents, Duration::ZERO));
    let problems = rules.problems();
    if problems.is_empty() { Ok(rules.loaded()) } else { Err(problems) }
}

const CPU: &str = "groups: [{name: g, interval: 10s, rules: [
    {alert: Cpu, metric: cpu_usage, greater_than: 80, for: 20s, severity: warning}]}]";

#[test]
fn the_rules_that_ship_are_rules() {
    let loaded = load(&AlertingSettings::default()).unwrap();
    assert!(loaded.iter().any(|it| it.group.name == "barograph" && it.group.rules.len() > 5));
}

#[test]
fn a_rule_of_ones_own_goes_before_the_one_that_ships() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.yml");
    let own = "groups: [{name: barograph, rules: [{alert: CpuHigh, expr: cpu_usage > 50}]}]";
    fs::write(&path, own).unwrap();
    let settings = AlertingSettings { files: vec![path], ..AlertingSettings::default() };
    let loaded = load(&settings).unwrap();
    let names =
        loaded.iter().flat_map(|it| it.group.rules.iter().map(barograph_alerts::rule::Rule::name));
    assert_eq!(names.filter(|name| *name == "CpuHigh").count(), 1);
}

#[test]
fn mistakes_in_rule_files_are_told_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.yml");
    fs::write(&path, "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'sum('}\n").unwrap();
    let missing = folder.path().join("none.yml");
    let settings = AlertingSettings { files: vec![path, missing], ..AlertingSettings::default() };
    let problems = load(&settings).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[1].contains("none.yml: "), "{problems:?}");
    assert!(problems[0].contains("bad.yml:4:"), "{problems:?}");
}

#[test]
fn files_that_match_a_pattern_come_and_go_while_the_rules_run() {
    let bench = Bench::new(CPU);
    let (own, more) = (
        bench.folder.path().join("own.d"),
        "groups: [{name: more, rules: [{alert: Two, expr: 'vector(2)'}]}]",
    );
    fs::create_dir(&own).unwrap();
    let settings = AlertingSettings {
        files: vec![own.join("*.yml")],
        defaults: false,
        ..AlertingSettings::default()
    };
    let mut rules = loading::Rules::new();
    let mut names = |at_s: u64| {
        rules.refresh(&settings, &bench.shared.documents, Duration::from_secs(at_s));
        let loaded = rules.loaded();
        let names: Vec<String> = loaded.iter().map(|it| it.group.name.clone()).collect();
        (names, rules.problems().len())
    };
    assert_eq!(names(0), (vec![], 0));
    fs::write(own.join("a.yml"), CPU).unwrap();
    fs::write(own.join("b.yml"), more).unwrap();
    fs::write(own.join("b.yml~"), "not rules").unwrap();
    assert_eq!(names(10).0.len(), 2);
    fs::remove_file(own.join("a.yml")).unwrap();
    assert_eq!(names(20), (vec!["more".to_owned()], 0));
    fs::rename(&own, bench.folder.path().join("moved")).unwrap();
    assert_eq!(names(30), (vec!["more".to_owned()], 1), "a folder that is missed ends nothing");
    fs::rename(bench.folder.path().join("moved"), &own).unwrap();
    assert_eq!(names(40), (vec!["more".to_owned()], 0));
}

#[test]
fn an_alert_goes_its_way_from_the_store_to_an_incident_and_back() {
    let bench = Bench::new(CPU);
    bench.tell(&[("a", 90.0), ("b", 10.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Pending, false)]);
    assert_eq!(bench.open_incidents(), 0);
    bench.tell(&[("a", 90.0)]);
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    assert_eq!(bench.open_incidents(), 1);
    bench.tell(&[("a", 10.0)]);
    assert_eq!(bench.open_incidents(), 0);
    let desk = lock(&bench.shared.desk);
    let (id, incident) = desk.incidents().next().unwrap();
    assert_eq!((id, incident.group["host"].as_str()), (1, "a"));
}

#[test]
fn a_restart_changes_nothing() {
    let bench = Bench::new(CPU);
    bench.tell(&[("a", 90.0)]);
    bench.tell(&[("a", 90.0)]);
    let bench = bench.reopened();
    bench.tell(&[("a", 90.0)]);
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    let bench = bench.reopened();
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    assert_eq!(bench.open_incidents(), 1);
    bench.tell(&[("a", 10.0)]);
    bench.tell(&[("b", 90.0)]);
    bench.tell(&[("b", 90.0)]);
    bench.tell(&[("b", 90.0)]);
    let newest = lock(&bench.shared.desk).incidents().next().unwrap().0;
    assert_eq!(newest, 2, "numbers go on");
}

#[test]
fn a_host_that_falls_silent_ends_no_alert() {
    let bench = Bench::new(CPU);
    for _ in 0..3 {
        bench.tell(&[("a", 90.0), ("b", 1.0)]);
    }
    // After five minutes the last sample counts no more.
    for _ in 0..40 {
        bench.tell(&[("b", 1.0)]);
    }
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, true)]);
    assert_eq!(bench.open_incidents(), 1);
    bench.tell(&[("a", 1.0)]);
    assert_eq!(bench.phases()[0].1, Phase::Resolved);
}

#[test]
fn what_people_do_is_saved_and_audited() {
    let bench = Bench::new(CPU);
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    let (by, note) = ("anna".to_owned(), "on it".to_owned());
    let at_ms = bench.clock.now_ms();
    let acknowledgement = Acknowledgement { by, note, at_ms, until_ms: None };
    let mut desk = lock(&bench.shared.desk);
    desk.acknowledge(1, acknowledgement).unwrap();
    assert!(matches!(desk.comment(7, "anna", "x", at_ms), Err(ActError::Unknown(7))));
    saved::save(&bench.shared.state, &mut [], &mut desk, Duration::ZERO).unwrap();
    drop(desk);
    let audit = bench.shared.state.read(|view| view.log("audit", 0, 10)).unwrap().items;
    let line = String::from_utf8(audit[0].body.clone()).unwrap();
    assert_eq!(line, r#"{"by":"anna","did":"acknowledged","incident":1,"text":"on it"}"#);
    let bench = bench.reopened();
    let desk = lock(&bench.shared.desk);
    let incident = desk.incident(1).unwrap();
    assert_eq!(incident.acknowledged.as_ref().unwrap().by, "anna");
}

#[test]
fn a_recording_rule_writes_to_the_store_and_the_next_rule_reads_it() {
    let bench = Bench::new(
        "groups: [{name: g, interval: 10s, rules: [
            {record: 'all:cpu:max', expr: max(cpu_usage)},
            {alert: Max, expr: 'all:cpu:max > 80', labels: {host: all}}]}]",
    );
    bench.tell(&[("a", 90.0), ("b", 10.0)]);
    assert_eq!(bench.phases(), [("all".to_owned(), Phase::Firing, false)]);
}

#[test]
fn a_rule_that_fails_keeps_its_alerts() {
    let bench = Bench::new(
        "groups: [{name: g, interval: 10s, rules: [
            {alert: Cpu, expr: 'cpu_usage * on (host) group_left other > 80 or cpu_usage > 80'}]}]",
    );
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    let labels =
        |core: &str| Labels::new([("__name__", "other"), ("host", "a"), ("core", core)]).unwrap();
    let samples = ["0", "1"].map(|core| Sample { labels: labels(core), value: 1.0 }).to_vec();
    let batch = Batch { time_ms: bench.clock.now_ms(), samples };
    bench.shared.store.append(&[batch]).unwrap();
    bench.tell(&[("a", 1.0)]);
    assert!(lock(&bench.shared.groups)[0].rules[0].error.is_some());
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
}

impl Bench {
    fn put(&self, kind: &str, name: &str, text: &str) {
        let wanted = crate::documents::Wanted {
            kind: kind.to_owned(),
            name: name.to_owned(),
            text: Some(text.to_owned()),
            expected: barograph_state::Expected::Any,
        };
        let author = crate::documents::Author { by: "test", note: "" };
        self.shared.documents.apply(&[wanted], author, false).unwrap();
    }

    fn posted(&self) -> Vec<String> {
        posted(&self.shared)
    }
}

/// Ids of messages, the oldest first.
fn posted(shared: &Shared) -> Vec<String> {
    let waiting = barograph_state::Status::Waiting;
    let listing = shared.state.read(|view| view.messages(waiting, 1000)).unwrap();
    listing.items.into_iter().rev().map(|it| it.id).collect()
}

const HOOK: &str = "type: webhook\nurl: https://example.org/\n";
const POLICY: &str = "steps: [{notify: [channel:hook]}, {after: 5m, notify: [person:anna]}]";

fn with_policy() -> Bench {
    let bench = Bench::new(CPU);
    bench.put("channels", "hook", HOOK);
    bench.put("channels", "pager", HOOK);
    bench.put("people", "anna", "contacts: [{channel: pager, to: '+491'}]");
    bench.put("policies", "ops", POLICY);
    bench.put("routes", "default", "policy: ops");
    bench
}

#[test]
fn who_is_told_is_written_with_the_incident_and_told_of_its_end() {
    let bench = with_policy();
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.posted(), ["1/0/1/0/hook/"]);
    for _ in 0..30 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.posted(), ["1/0/1/0/hook/", "1/0/2/0/pager/anna"]);
    bench.tell(&[("a", 10.0)]);
    let posted = bench.posted();
    assert_eq!(posted.len(), 4);
    assert!(posted[2].contains("/resolved/") && posted[3].ends_with("/1/pager/anna"), "{posted:?}");
}

#[test]
fn without_routes_every_channel_is_told_and_a_rule_may_name_its_policy() {
    let bench = Bench::new(CPU);
    bench.put("channels", "hook", HOOK);
    bench.put("channels", "mail", HOOK);
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.posted(), ["1/0/1/0/hook/", "1/0/1/1/mail/"]);
    let bench = Bench::new(&CPU.replace("for: 20s", "for: 20s, escalation: night"));
    bench.put("channels", "hook", HOOK);
    bench.put("channels", "mail", HOOK);
    bench.put("policies", "night", "steps: [{notify: [channel:mail]}]");
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.posted(), ["1/0/1/0/mail/"]);
}

#[test]
fn a_restart_tells_nobody_again_and_goes_on_escalating() {
    let bench = with_policy();
    for _ in 0..10 {
        bench.tell(&[("a", 90.0)]);
    }
    let mut bench = bench.reopened();
    for _ in 0..6 {
        bench.tell(&[("a", 90.0)]);
        bench = bench.reopened();
    }
    assert_eq!(bench.posted(), ["1/0/1/0/hook/"]);
    for _ in 0..40 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.posted(), ["1/0/1/0/hook/", "1/0/2/0/pager/anna"]);
}

/// Writes a document of rules, or removes it.
fn put(bench: &Bench, text: Option<&str>) {
    let wanted = Wanted {
        kind: "rules".to_owned(),
        name: "own".to_owned(),
        text: text.map(str::to_owned),
        expected: barograph_state::Expected::Any,
    };
    bench.shared.documents.apply(&[wanted], Author { by: "anna", note: "" }, false).unwrap();
}

#[test]
fn rules_in_documents_count_at_once_and_their_alerts_end_with_them() {
    let bench = Bench::new("groups: []");
    put(&bench, Some(CPU));
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    // Another rule beside it, and another comment: the alert goes on as it is.
    put(&bench, Some(&CPU.replace("rules: [", "rules: [{record: x, expr: max(cpu_usage)},")));
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    assert_eq!(bench.open_incidents(), 1);
    put(&bench, None);
    bench.tell(&[("a", 90.0)]);
    assert_eq!((bench.phases().len(), bench.open_incidents()), (0, 0));
    let left = bench.shared.state.read(|view| view.entries("alerts")).unwrap().items;
    assert_eq!(left.len(), 0, "what was saved of the rule's alerts is gone");
}

#[test]
fn a_file_with_mistakes_leaves_its_last_good_rules_running() {
    let bench = Bench::new(CPU);
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    let path = bench.folder.path().join("rules.yml");
    fs::write(&path, "groups: [{name: g, rules: [{alert: Cpu, expr: 'sum('}]}]").unwrap();
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases(), [("a".to_owned(), Phase::Firing, false)]);
    let problems = lock(&bench.shared.rules).problems();
    assert!(problems[0].contains("rules.yml:1:"), "{problems:?}");
    assert!(lock(&bench.shared.groups)[0].loaded.problem.is_some());
    fs::write(&path, CPU.replace("greater_than: 80", "greater_than: 95")).unwrap();
    bench.tell(&[("a", 90.0)]);
    assert_eq!(bench.phases()[0].1, Phase::Resolved);
    assert!(lock(&bench.shared.rules).problems().is_empty());
}

#[test]
fn alerts_of_a_rule_that_went_while_nothing_ran_end_at_the_start() {
    let bench = Bench::new(CPU);
    for _ in 0..3 {
        bench.tell(&[("a", 90.0)]);
    }
    fs::write(bench.folder.path().join("rules.yml"), "groups: []").unwrap();
    let bench = bench.reopened();
    assert_eq!((bench.phases().len(), bench.open_incidents()), (0, 0));
}

#[test]
fn a_silence_ends_by_itself_once_what_it_hid_is_over() {
    let bench = Bench::new(CPU);
    let silence = "{matchers: [host=a], from: 2023-11-14T00:00:00Z, to: 2023-11-20T00:00:00Z,
        owner: anna, reason: patching, ends_on_recovery: true}";
    bench.put("silences", "patching", silence);
    bench.tell(&[("a", 10.0)]);
    let is_active = |bench: &Bench| {
        let now_ms = bench.clock.now_ms();
        bench.shared.documents.book().silences["patching"].is_active(now_ms)
    };
    for _ in 0..4 {
        bench.tell(&[("a", 90.0)]);
        assert!(is_active(&bench));
    }
    assert_eq!(bench.open_incidents(), 1);
    bench.tell(&[("a", 10.0)]);
    assert!(!is_active(&bench));
}

#[test]
fn alerts_are_series_that_end_with_them() {
    let bench = Bench::new(
        "groups: [{name: g, interval: 10s, rules: [
            {alert: Cpu, metric: cpu_usage, greater_than: 80, for: 10s},
            {record: firing, expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})'}]}]",
    );
    let ask = |text: &str| {
        let query = barograph_promql::Query::parse(text).unwrap();
        let (at_ms, options) = (bench.clock.now_ms(), barograph_promql::Options::default());
        let store = &*bench.shared.store;
        match bench.shared.engine.instant(store, &query, at_ms, &options).unwrap().value {
            barograph_promql::Value::Vector(found) => {
                found.into_iter().map(|it| (it.labels.to_string(), it.value)).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        }
    };
    bench.tell(&[("a", 90.0)]);
    let since = bench.clock.now_ms() / 1000;
    assert_eq!(ask("ALERTS")[0].0, r#"ALERTS{alertname="Cpu",alertstate="pending",host="a"}"#);
    bench.tell(&[("a", 90.0)]);
    assert_eq!(ask("ALERTS").len(), 1, "the pending series has ended");
    assert_eq!(ask("ALERTS_FOR_STATE")[0].1.to_string(), since.to_string());
    assert_eq!(ask("firing"), [(r#"firing{alertname="Cpu"}"#.to_owned(), 1.0)]);
    bench.tell(&[("a", 1.0)]);
    assert!(ask("ALERTS or ALERTS_FOR_STATE or firing").is_empty());
}
