//! Documents over a real database.

use barograph_testkit::FakeClock;
use tempfile::TempDir;

use super::*;

const ANNA: Author<'_> = Author { by: "anna", note: "" };
/// Thursday, 1 January 2026.
const NOW_MS: i64 = 1_767_225_600_000;

fn documents() -> (TempDir, Documents) {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::new(NOW_MS));
    let state = Arc::new(State::open(folder.path(), Arc::clone(&clock)).unwrap());
    let edit = barograph_state::Edit { author: "test", note: "", expected: Expected::Any };
    for name in ["mail", "sms", "chat"] {
        let channel = "type: webhook\nurl: https://example.org/\n";
        state.write(|change| change.put_document("channels", name, channel, &edit)).unwrap();
    }
    (folder, Documents::new(state, clock))
}

fn wanted(kind: &str, name: &str, text: &str) -> Wanted {
    Wanted {
        kind: kind.to_owned(),
        name: name.to_owned(),
        text: Some(text.to_owned()),
        expected: Expected::Any,
    }
}

fn put(documents: &Documents, kind: &str, name: &str, text: &str) -> Applied {
    documents.apply(&[wanted(kind, name, text)], ANNA, false).unwrap()
}

/// The problems that a text is refused for, and its warnings.
fn told(documents: &Documents, kind: &str, name: &str, text: &str) -> Vec<String> {
    let problems = match documents.apply(&[wanted(kind, name, text)], ANNA, true) {
        Ok(applied) => applied.warnings,
        Err(DocumentError::Invalid(problems)) => problems,
        Err(error) => panic!("{error}"),
    };
    problems.iter().map(ToString::to_string).collect()
}

const MAIL: &str = "contacts: [{channel: mail}]";
const ROTA: &str = "
time_zone: Europe/Berlin
layers:
- {people: [anna, ben], starts: 2025-12-01T09:00, turn_days: 7}
";

#[test]
fn documents_that_name_each_other_come_together_or_not_at_all() {
    let (_folder, documents) = documents();
    let policy = wanted("policies", "night", "steps: [{notify: ['rota:ops']}]");
    let rota = wanted("rotas", "ops", ROTA);
    let people = ["anna", "ben"].map(|name| wanted("people", name, MAIL));
    let error = documents.apply(&[policy.clone(), rota.clone()], ANNA, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rotas `ops`:4:13: layers[1].people[1]: there is no `anna` among people\n\
         rotas `ops`:4:19: layers[1].people[2]: there is no `ben` among people"
    );
    assert!(documents.list("policies").unwrap().items.is_empty());
    let all = [policy, rota, people[0].clone(), people[1].clone()];
    let applied = documents.apply(&all, ANNA, false).unwrap();
    assert!(applied.documents.iter().all(|it| it.action == Action::Created));
    assert_eq!(documents.book().directory.rotas["ops"].on_call(NOW_MS), Some("anna"));
}

#[test]
fn what_another_document_needs_is_not_removed() {
    let (_folder, documents) = documents();
    put(&documents, "people", "anna", MAIL);
    put(&documents, "policies", "day", "steps:\n- notify: [person:anna]");
    let removed = Wanted { text: None, ..wanted("people", "anna", "") };
    let error = documents.apply(std::slice::from_ref(&removed), ANNA, false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is in use: policies `day`:2:12: steps[1].notify[1]: it names `anna` of people"
    );
    let policy = Wanted { text: None, ..wanted("policies", "day", "") };
    assert!(documents.apply(&[policy, removed], ANNA, false).is_ok());
}

#[test]
fn working_hours_that_leave_nobody_are_shown_before_they_count() {
    let (_folder, documents) = documents();
    let hours = "contacts: [{channel: mail}]\nhours: [{time_zone: Europe/Berlin, from: '08:00', \
                 to: '16:00'}]\n";
    put(&documents, "people", "anna", hours);
    put(&documents, "people", "ben", MAIL);
    put(&documents, "rotas", "ops", ROTA);
    let policy = "steps:\n- notify: [person:anna]";
    let warnings = told(&documents, "policies", "day", policy);
    let expected =
        "policies `day`:2:3: steps: it reaches nobody from 2026-01-01 01:00 to 2026-01-01 08:00";
    assert_eq!((warnings[0].as_str(), warnings.len()), (expected, 6));
    assert_eq!(
        told(&documents, "policies", "day", &format!("{policy}\nfall_through: [channel:chat]")),
        [""; 0]
    );
    put(&documents, "policies", "day", policy);
    let warnings = told(&documents, "people", "anna", &format!("{hours}outside_hours: critical\n"));
    assert_eq!(
        warnings,
        [
            "people `anna`:2:8: hours: nobody is on call in the rota `ops` from 2026-01-01 01:00 to \
             2026-01-01 08:00, except for what is critical",
            "people `anna`:2:8: hours: the policy `day` reaches nobody from 2026-01-01 01:00 to \
             2026-01-01 08:00, except for what is critical",
        ]
    );
    let lost = "contacts: [{channel: mail}]\noutside_hours: critical\n";
    let expected = "people `ben`:2:16: outside_hours: it goes with `hours`, which are missing";
    assert_eq!(told(&documents, "people", "ben", lost), [expected]);
}

#[test]
fn gaps_and_alerts_for_nobody_are_shown_before_they_count() {
    let (_folder, documents) = documents();
    put(&documents, "people", "anna", MAIL);
    let office = "time_zone: UTC
layers:
- people: [anna]
  starts: 2025-12-01T00:00
  turn_days: 7
  only: [{time_zone: UTC, from: '08:00', to: '20:00'}]
";
    let warnings = told(&documents, "rotas", "office", office);
    let expected =
        "rotas `office`:3:3: layers: nobody is on call from 2026-01-01 00:00 to 2026-01-01 08:00";
    assert_eq!((warnings.len(), warnings[0].as_str()), (6, expected));
    let nobody = told(&documents, "policies", "p", "steps: []");
    assert_eq!(nobody, ["policies `p`:1:8: steps: it has no steps: nobody would be told"]);
    let routes = told(&documents, "routes", "default", "group_by: [host]");
    assert!(routes[0].contains("the root names no policy"), "{routes:?}");
}

#[test]
fn mistakes_stand_where_they_are() {
    let (_folder, documents) = documents();
    for (kind, name, text, expected) in [
        (
            "rules",
            "a",
            "groups:\n- {name: g, rules: [{alert: A, expr: 'sum('}]}",
            ":2:38: group `g`, rule `A`",
        ),
        ("people", "a", "contacts:\n- {chanel: mail}", ":2:4: unknown field `chanel`"),
        ("policies", "a", "steps:\n- {notify: [mail]}", ":2:13: `mail` is no target"),
        ("routes", "other", "{}", ": the tree of routes is called `default`"),
        (
            "silences",
            "a",
            "{matchers: [], from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z, owner: a, reason: b}",
            ":1:12: matchers: it would hide every alert",
        ),
        (
            "silences",
            "a",
            "{matchers: [host=a], from: tomorrow, to: 2026-01-02T00:00:00Z, owner: a, reason: b}",
            "`tomorrow` is no moment",
        ),
        (
            "windows",
            "a",
            "matchers: [host=a]\nschedule: {time_zone: Mars, from: '02:00', to: '04:00'}",
            "`time_zone` is `Mars`",
        ),
        ("people", "a", " \n# nothing\n", ": it is empty"),
    ] {
        let told = told(&documents, kind, name, text);
        assert!(told[0].contains(expected), "{kind}: {told:?}");
    }
    assert!(matches!(documents.list("rule"), Err(DocumentError::Kind(_))));
}

#[test]
fn a_rule_may_name_a_policy_that_is_not_there_yet() {
    let (_folder, documents) = documents();
    let rules = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up == 0, escalation: night}";
    let applied = put(&documents, "rules", "own", rules);
    assert_eq!(
        applied.warnings[0].to_string(),
        "rules `own`:4:43: groups[1].rules[1].escalation: there is no `night` among policies"
    );
}

#[test]
fn versions_are_kept_compared_and_brought_back() {
    let (_folder, documents) = documents();
    put(&documents, "people", "anna", "contacts:\n- channel: mail\n");
    put(&documents, "people", "anna", "contacts:\n- channel: sms\n");
    let again = put(&documents, "people", "anna", "contacts:\n- channel: sms\n");
    assert_eq!((again.documents[0].action, again.documents[0].version), (Action::Unchanged, 2));
    let diff = documents.diff("people", "anna", None, None).unwrap();
    assert_eq!((diff.from, diff.to), (1, 2));
    assert_eq!(
        diff.diff,
        "--- version 1\n+++ version 2\n@@ -1,2 +1,2 @@\n contacts:\n-- channel: mail\n+- channel: sms\n"
    );
    let back = documents.roll_back("people", "anna", 1, ANNA).unwrap();
    assert_eq!(back.documents[0].version, 3);
    let history = documents.history("people", "anna").unwrap().items;
    assert_eq!((history.len(), history[0].note.as_str()), (3, "back to version 1"));
    let seen = Wanted { expected: Expected::Version(2), ..wanted("people", "anna", MAIL) };
    let error = documents.apply(&[seen], ANNA, false).unwrap_err();
    assert!(error.to_string().contains("is at version 3"), "{error}");
    let audit = documents.state().read(|view| view.log("audit", 0, 10)).unwrap().items;
    assert_eq!(audit.len(), 3);
}

#[test]
fn a_trial_writes_nothing() {
    let (_folder, documents) = documents();
    let (before, trial) = (documents.changes(), wanted("people", "anna", MAIL));
    let applied = documents.apply(&[trial], ANNA, true).unwrap();
    assert_eq!(applied.documents[0].action, Action::Created);
    assert!(documents.list("people").unwrap().items.is_empty());
    assert_eq!(documents.changes(), before);
}

#[test]
fn what_is_scraped_and_watched_is_told_with_its_places() {
    let (_folder, documents) = documents();
    let told = |kind, name, text| told(&documents, kind, name, text);
    assert_eq!(told("scrapes", "n", "targets: ['a:1']\nuser: u\npassword: {secret: s}\n"), [""; 0]);
    let cases = [
        (
            "targets: []",
            "scrapes `n`:1:10: targets: `targets` is empty: there is nothing to scrape",
        ),
        (
            "targets: [a]\ninterval: soon",
            "scrapes `n`:2:11: interval: `interval` is `soon`, but must be a duration such as `15s` \
             or `1m30s`",
        ),
        (
            "targets: [a]\nuser: u",
            "scrapes `n`:2:7: user: `user` and `password` are given together or not at all",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(told("scrapes", "n", text), [expected]);
    }
    let file = told("scrapes", "n", "targets: [a]\ntarget_files: [/etc/x.json]");
    assert!(file[0].contains("unknown field"), "{file:?}");
    assert_eq!(told("watch", "default", "processes: [nginx]\nservices: ['ssh*']"), [""; 0]);
    let twice = told("watch", "default", "processes: [a, a]\nservices: [b/c]");
    assert!(twice[0].ends_with("processes: `a` is given twice"), "{twice:?}");
    assert!(twice[1].contains("services: `b/c` is not the name of a service"), "{twice:?}");
    assert!(told("watch", "other", "{}")[0].contains("there is only one"));
}

#[test]
fn what_the_configuration_scrapes_and_watches_is_not_done_twice() {
    let (_folder, documents) = documents();
    let secret = |_: &str| Err("there is none".to_owned());
    let job = crate::scrape::ScrapeDocument::job("node", "targets: ['localhost:9100']", &secret);
    let names = |count: usize, letter: char| (0..count).map(move |at| format!("{letter}{at}"));
    let documents = documents.beside(Configured {
        file: "/etc/barograph.toml".to_owned(),
        jobs: vec![job.unwrap()],
        processes: barograph_collect::process::Watch::new(names(60, 'a')).unwrap(),
        services: barograph_collect::service::WatchedServices::new(names(64, 'a')).unwrap(),
    });
    let told = |kind, name, text: &str| told(&documents, kind, name, text);
    assert_eq!(
        told("scrapes", "node", "targets: ['localhost:9200']"),
        ["scrapes `node`: /etc/barograph.toml has a job `node`, too, and every target would be \
          scraped twice; give this one another name, or take the `[[scrape]]` out of \
          /etc/barograph.toml"]
    );
    assert_eq!(
        told("scrapes", "other", "targets: ['localhost:9100']"),
        [
            "scrapes `other`:1:10: targets: http://localhost:9100/metrics is scraped by the job `node` \
          of /etc/barograph.toml, too"
        ]
    );
    assert_eq!(told("scrapes", "other", "targets: ['localhost:9200']"), [""; 0]);
    let four: Vec<String> = names(4, 'b').collect();
    let watch = |more: &str| {
        told(
            "watch",
            "default",
            &format!("processes: [a0, {}{more}]\nservices: [A1.service]\n", four.join(", ")),
        )
    };
    assert_eq!(watch(""), [""; 0]);
    assert_eq!(
        watch(", c"),
        ["watch `default`:1:12: processes: with `processes` in `[watch]` of /etc/barograph.toml: \
          65 names are given, at most 64 are allowed"]
    );
    let services = told("watch", "default", "services: [b]");
    assert!(services[0].contains("services: with `services` in `[watch]`"), "{services:?}");
}
