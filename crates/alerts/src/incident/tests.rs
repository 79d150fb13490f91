//! Incidents from their beginning to their end.

use std::sync::Arc;

use super::*;
use crate::escalation::Policy;
use crate::machine::{Answered, Evaluation, RuleAlerts};
use crate::rule::{AlertingRule, Rule, read_rules};

const MINUTE: i64 = 60_000;

fn rule() -> AlertingRule {
    let text = "groups: [{name: g, rules: [{alert: A, expr: x}]}]";
    match read_rules(text).unwrap().remove(0).rules.remove(0) {
        Rule::Alerting(rule) => Arc::unwrap_or_clone(rule),
        Rule::Recording(_) => unreachable!("the rule is an alerting one"),
    }
}

/// Every target is a place of its own, called as it is.
fn everybody(targets: &[Target], _: Option<Level>) -> Vec<Address> {
    let address = |it: &Target| Address { channel: it.to_string(), to: None, person: None };
    targets.iter().map(address).collect()
}

/// A rule, its alerts and the incident that they belong to.
struct Bench {
    rule: AlertingRule,
    alerts: RuleAlerts,
    incident: Incident,
    policy: Policy,
    at_ms: i64,
}

impl Bench {
    fn new() -> Self {
        let policy = "{steps: [{notify: [channel:chat]}, {after: 5m, notify: [person:anna]}]}";
        Self {
            rule: rule(),
            alerts: RuleAlerts::default(),
            incident: Incident::open("i1".to_owned(), Texts::new(), Some("p".to_owned()), 0),
            policy: serde_saphyr::from_str(policy).unwrap(),
            at_ms: 0,
        }
    }

    /// A minute later these alerts are answered. Tells who is told, and whether it ended.
    fn minute(&mut self, answered: &[(&str, &str)]) -> (Option<Notice>, bool) {
        self.at_ms += MINUTE;
        let answered = answered.iter().map(|(device, severity)| {
            let series = Texts::from([("device".to_owned(), (*device).to_owned())]);
            let mut labels = series.clone();
            labels.insert("alertname".to_owned(), "A".to_owned());
            labels.insert("severity".to_owned(), (*severity).to_owned());
            Answered { series, labels, annotations: Texts::new(), value: 1.0 }
        });
        let evaluation = Evaluation {
            at_ms: self.at_ms,
            elapsed_ms: MINUTE,
            answered: answered.collect(),
            cleared: None,
            is_silent: &|_| false,
        };
        let mut ended = false;
        for transition in self.alerts.step(&self.rule, evaluation) {
            ended |= self.incident.take(&transition, None, self.at_ms);
        }
        (self.incident.advance(Some(&self.policy), self.at_ms, MINUTE, &everybody), ended)
    }

    fn told(&mut self, answered: &[(&str, &str)]) -> Vec<String> {
        let targets = self.minute(answered).0.map_or(Vec::new(), |it| it.addresses);
        targets.iter().map(ToString::to_string).collect()
    }

    fn acknowledge(&mut self, until_ms: Option<i64>) -> Result<(), IncidentError> {
        let (by, note) = ("anna".to_owned(), "on it".to_owned());
        self.incident.acknowledge(Acknowledgement { by, note, at_ms: self.at_ms, until_ms })
    }
}

#[test]
fn who_was_told_of_the_beginning_is_told_of_the_end() {
    let mut bench = Bench::new();
    assert_eq!(bench.told(&[("sda", "warning")]), ["channel:chat"]);
    for _ in 0..3 {
        assert!(bench.told(&[("sda", "warning")]).is_empty());
    }
    assert_eq!(bench.told(&[("sda", "warning")]), ["person:anna"]);
    assert_eq!(bench.minute(&[]), (None, true));
    let farewell = bench.incident.farewell().unwrap();
    assert_eq!(farewell.kind, NoticeKind::Resolved);
    let names: Vec<String> = farewell.addresses.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["channel:chat", "person:anna"]);
}

#[test]
fn an_incident_lasts_until_its_last_alert_ends() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning"), ("sdb", "warning")]);
    assert_eq!(bench.minute(&[("sdb", "warning")]), (None, false));
    assert_eq!(bench.minute(&[]), (None, true));
    assert!(!bench.incident.is_open());
}

#[test]
fn acknowledging_stops_the_escalation_until_it_lapses() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    bench.acknowledge(Some(10 * MINUTE)).unwrap();
    for _ in 2..10 {
        assert!(bench.told(&[("sda", "warning")]).is_empty());
    }
    assert_eq!(bench.told(&[("sda", "warning")]), ["channel:chat"], "at the tenth minute");
    assert_eq!(bench.incident.acknowledged, None);
}

#[test]
fn getting_worse_ends_an_acknowledgement() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    bench.acknowledge(None).unwrap();
    assert!(bench.told(&[("sda", "warning"), ("sdb", "warning")]).is_empty());
    let told = bench.told(&[("sda", "warning"), ("sdb", "warning"), ("sdc", "critical")]);
    assert_eq!(told, ["channel:chat"]);
    assert!(bench.incident.timeline.iter().any(|it| matches!(it.what, What::Worse { .. })));
}

#[test]
fn notices_have_ids_of_their_own_and_the_same_over_a_crash() {
    let mut bench = Bench::new();
    let first = bench.minute(&[("sda", "warning")]).0.unwrap().id;
    bench.acknowledge(None).unwrap();
    let saved = bench.incident.clone();
    let next = |incident: Incident| {
        let mut bench = Bench { incident, ..Bench::new() };
        bench.incident.unacknowledge("anna", MINUTE);
        bench.incident.advance(Some(&bench.policy), MINUTE, 0, &everybody).unwrap().id
    };
    assert_eq!(next(saved.clone()), next(saved.clone()));
    assert_ne!(next(saved), first);
}

#[test]
fn muted_alerts_are_in_the_incident_and_nobody_is_told() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    let mut incident = Incident::open("i2".to_owned(), Texts::new(), None, 0);
    let alert = bench.alerts.iter().next().unwrap().clone();
    let fired = Transition { kind: TransitionKind::Fired, alert };
    incident.take(&fired, Some("silence s1".to_owned()), MINUTE);
    assert!(incident.is_open() && !incident.is_audible());
    assert_eq!(incident.advance(Some(&bench.policy), MINUTE, MINUTE, &everybody), None);
}

#[test]
fn what_comes_back_soon_is_the_same_incident() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    bench.minute(&[]);
    let group = Texts::new();
    assert!(bench.incident.takes_in(&group, Some("p"), bench.at_ms + 9 * MINUTE));
    assert!(!bench.incident.takes_in(&group, Some("p"), bench.at_ms + 10 * MINUTE));
    assert!(!bench.incident.takes_in(&group, None, bench.at_ms));
    assert_eq!(bench.told(&[("sda", "warning")]), ["channel:chat"]);
    assert!(bench.incident.timeline.iter().any(|it| it.what == What::Reopened));
}

#[test]
fn people_comment_resolve_and_are_refused() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    let incident = &mut bench.incident;
    incident.comment("ben", "changed the disk", 5).unwrap();
    assert_eq!(incident.comment("ben", " ", 5), Err(IncidentError::Empty));
    let long = "x".repeat(4001);
    assert_eq!(incident.comment("ben", &long, 5), Err(IncidentError::Long { chars: 4001 }));
    incident.resolve("ben", MINUTE).unwrap();
    assert_eq!(incident.resolve("ben", MINUTE), Err(IncidentError::Resolved));
    assert_eq!(bench.acknowledge(None), Err(IncidentError::Resolved));
    let last = bench.incident.timeline.last().unwrap();
    assert_eq!((last.by.as_deref(), &last.what), (Some("ben"), &What::Resolved));
}

#[test]
fn what_was_closed_too_early_is_opened_again_with_what_fires_still() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "critical"), ("sdb", "warning")]);
    assert_eq!(bench.incident.reopen("ben", MINUTE), Err(IncidentError::Open));
    bench.incident.resolve("ben", MINUTE).unwrap();
    bench.minute(&[("sdb", "warning")]);
    assert!(!bench.incident.is_open(), "what ends meanwhile opens nothing");
    bench.incident.reopen("anna", bench.at_ms).unwrap();
    let firing: Vec<_> = bench.incident.firing().map(|it| it.labels["device"].as_str()).collect();
    assert_eq!((firing, bench.incident.severity), (vec!["sdb"], Some(Level::Warning)));
    let last = bench.incident.timeline.last().unwrap();
    assert_eq!((last.by.as_deref(), &last.what), (Some("anna"), &What::Reopened));
    assert_eq!(bench.told(&[("sdb", "warning")]), ["channel:chat"], "told anew");
    assert!(bench.minute(&[]).1, "it ends with the alert");
    assert_eq!(bench.incident.reopen("anna", bench.at_ms), Err(IncidentError::Ended));
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_end() {
    let mut bench = Bench::new();
    for i in 0..2000 {
        bench.incident.comment("ben", &i.to_string(), i).unwrap();
    }
    let timeline = &bench.incident.timeline;
    assert_eq!(timeline.len(), 500);
    assert_eq!(timeline[0].what, What::Opened);
    assert_eq!(timeline.last().unwrap().what, What::Commented { text: "1999".to_owned() });
}

#[test]
fn an_incident_that_nobody_is_told_of_says_so_once() {
    let mut bench = Bench::new();
    bench.minute(&[("sda", "warning")]);
    for _ in 0..3 {
        assert_eq!(bench.incident.advance(None, bench.at_ms, MINUTE, &everybody), None);
    }
    let said = bench.incident.timeline.iter().filter(|it| it.what == What::NobodyToTell).count();
    assert_eq!(said, 1);
}

#[test]
fn alerts_that_join_are_told_together_to_those_who_know() {
    let mut bench = Bench::new();
    bench.policy.steps.truncate(1);
    assert_eq!(bench.told(&[("sda", "warning")]), ["channel:chat"]);
    for _ in 0..4 {
        assert!(bench.told(&[("sda", "warning"), ("sdb", "warning")]).is_empty());
    }
    let (notice, _) = bench.minute(&[("sda", "warning"), ("sdb", "warning")]);
    assert_eq!(notice.unwrap().id, "i1/0/news/1");
    for _ in 0..9 {
        assert!(bench.told(&[("sda", "warning"), ("sdb", "warning")]).is_empty());
    }
}

#[test]
fn whoever_cannot_be_reached_is_skipped_without_waiting() {
    let mut bench = Bench::new();
    bench.minute(&[]);
    let fired = Transition {
        kind: TransitionKind::Fired,
        alert: {
            bench.minute(&[("sda", "warning")]);
            bench.alerts.iter().next().unwrap().clone()
        },
    };
    let incident = || {
        let mut incident = Incident::open("i9".to_owned(), Texts::new(), None, 0);
        incident.take(&fired, None, MINUTE);
        incident
    };
    let only_anna = |targets: &[Target], level: Option<Level>| {
        let anna: Vec<Target> =
            targets.iter().filter(|it| it.to_string() == "person:anna").cloned().collect();
        everybody(&anna, level)
    };
    let mut skipping = incident();
    let notice = skipping.advance(Some(&bench.policy), MINUTE, 0, &only_anna).unwrap();
    assert_eq!(
        (notice.addresses[0].channel.as_str(), notice.id.as_str()),
        ("person:anna", "i9/0/2")
    );
    let mut nobody = incident();
    for _ in 0..3 {
        let told = nobody.advance(Some(&bench.policy), MINUTE, MINUTE, &|_, _| Vec::new());
        assert_eq!(told, None);
    }
    let said = nobody.timeline.iter().filter(|it| matches!(it.what, What::NobodyReached { .. }));
    assert_eq!(said.count(), 1);
    let told = nobody.advance(Some(&bench.policy), MINUTE, MINUTE, &everybody).unwrap();
    assert_eq!(told.id, "i9/0/1", "who can be reached again is told first");
}

#[test]
fn a_telling_that_arrives_nowhere_brings_the_next_one() {
    let mut bench = Bench::new();
    let notice = bench.minute(&[("sda", "warning")]).0.unwrap();
    let at = (notice.id.as_str(), &notice.addresses[0]);
    bench.incident.delivered(at, Some("refused"), Some(&bench.policy), bench.at_ms);
    assert_eq!(bench.told(&[("sda", "warning")]), ["person:anna"], "and not five minutes later");
    let told =
        bench.incident.timeline.iter().rfind(|it| matches!(it.what, What::NotDelivered { .. }));
    assert!(told.is_some());
}
