//! Tests of people's pagers: sent by the ways that alerts would come, answered by a link, and told
//! of when nobody answers.

use std::collections::{BTreeMap, BTreeSet};

use barograph_alerts::escalation::{Address, Arrival, PagerTest, Person, Probe, ProbeState};
use barograph_alerts::incident::About;
use barograph_alerts::machine::{Texts, Transition};
use barograph_notify::{Event, Links, Notification, Severity};
use barograph_state::{Change, State, StateError};
use serde::Serialize;

use super::desk::{ActError, Desk};
use super::letter::Letter;
use super::round::Happened;
use super::{Alerting, lock, saved};
use crate::link::{Link, LinkError};

const PAGERS: &str = "pager-tests";
/// Tests of a person that are kept.
const MAX_KEPT: usize = 20;
/// As an alert that nobody's rule makes is called.
const MISSED: &str = "PagerTestMissed";

/// The tests of all people, the oldest of each first.
#[derive(Debug, Default)]
pub(super) struct Pagers {
    probes: BTreeMap<String, Vec<Probe>>,
    unsaved: BTreeSet<String>,
}

/// What is known of a person's tests.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PagerReport {
    pub(crate) person: String,
    pub(crate) name: Option<String>,
    /// When the next one is due; none where nothing is set.
    pub(crate) next_ms: Option<i64>,
    /// The newest first.
    pub(crate) tests: Vec<Probe>,
}

impl Pagers {
    pub(super) fn restore(state: &State) -> Result<Self, StateError> {
        let listing = state.read(|view| view.entries(PAGERS))?;
        for damaged in &listing.damaged {
            tracing::error!(entry = damaged, "pager tests are damaged and left out");
        }
        let mut pagers = Self::default();
        for (person, body) in listing.items {
            match serde_json::from_slice(&body) {
                Ok(probes) => drop(pagers.probes.insert(person, probes)),
                Err(error) => tracing::error!(person, %error, "pager tests are not understood"),
            }
        }
        Ok(pagers)
    }

    fn last(&self, person: &str) -> Option<&Probe> {
        self.probes.get(person)?.last()
    }

    fn last_mut(&mut self, person: &str) -> Option<&mut Probe> {
        let last = self.probes.get_mut(person)?.last_mut()?;
        self.unsaved.insert(person.to_owned());
        Some(last)
    }

    fn add(&mut self, person: &str, probe: Probe) {
        let probes = self.probes.entry(person.to_owned()).or_default();
        probes.push(probe);
        let surplus = probes.len().saturating_sub(MAX_KEPT);
        probes.drain(..surplus);
        self.unsaved.insert(person.to_owned());
    }

    pub(super) fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    pub(super) fn write(&self, change: &mut Change<'_>) -> Result<(), StateError> {
        for person in &self.unsaved {
            match self.probes.get(person) {
                Some(probes) => {
                    let body = serde_json::to_vec(probes).unwrap_or_default();
                    change.set_entry(PAGERS, person, &body)?;
                }
                None => drop(change.remove_entry(PAGERS, person)?),
            }
        }
        Ok(())
    }

    pub(super) fn saved(&mut self) {
        self.unsaved.clear();
    }
}

impl Desk {
    /// Sends the tests that are due, and tells of those that nobody answered.
    pub(super) fn test_pagers(&mut self, at_ms: i64) {
        let book = std::sync::Arc::clone(&self.book);
        let people = &book.directory.people;
        for (name, person) in people {
            let Some(test) = &person.pager_test else { continue };
            if let Some(due_ms) = test.due(self.pagers.last(name), at_ms) {
                self.send_test(name, person, (due_ms, test.answer_within), at_ms);
            }
        }
        let missed = |it: &[Probe]| it.last().is_some_and(|it| it.clone().expire(at_ms));
        let overdue: Vec<String> =
            self.pagers.probes.iter().filter(|it| missed(it.1)).map(|it| it.0.clone()).collect();
        for name in overdue {
            let test = people.get(&name).and_then(|it| it.pager_test.as_ref());
            self.miss(&name, test, at_ms);
        }
        let gone = self.pagers.probes.keys().filter(|it| !people.contains_key(*it));
        for name in gone.cloned().collect::<Vec<_>>() {
            self.end(&Transition::resolved(labels(&name), at_ms), at_ms);
            self.pagers.probes.remove(&name);
            self.pagers.unsaved.insert(name);
        }
    }

    /// Sends a test by all contacts of a person: each of them may be the one that fails.
    fn send_test(
        &mut self,
        name: &str,
        person: &Person,
        (due_ms, within_ms): (i64, i64),
        at_ms: i64,
    ) {
        let mut probe = Probe::new(due_ms, at_ms, within_ms);
        let channels = &self.book.directory.channels;
        let there = person.contacts.iter().filter(|it| channels.contains(&it.channel));
        let addresses: Vec<Address> = there
            .map(|it| Address {
                channel: it.channel.clone(),
                to: it.to.clone(),
                person: Some(name.to_owned()),
            })
            .collect();
        let notice = notice(name, due_ms);
        let notification = self.test_of(name, person, &notice, at_ms);
        for (place, address) in addresses.into_iter().enumerate() {
            probe.ways.insert(way(&address), Arrival::Waiting);
            let notice = notice.clone();
            let notification = notification.clone();
            self.enqueue(place, &Letter { notice, incident: 0, address, notification }, at_ms);
        }
        self.pagers.add(name, probe);
        self.did(0, "barograph", "pager test sent", name);
    }

    fn test_of(&self, name: &str, person: &Person, notice: &str, at_ms: i64) -> Notification {
        let called = person.name.as_deref().unwrap_or(name);
        let server = self.external_url.trim_end_matches('/').to_owned();
        Notification {
            id: notice.to_owned(),
            group: format!("pager-{name}"),
            event: Event::Test,
            severity: Severity::Info,
            title: format!("Pager test for {called}: please acknowledge"),
            host: None,
            since_ms: at_ms,
            at_ms,
            alerts: Vec::new(),
            evidence: barograph_notify::Evidence::default(),
            links: Links { server: Some(server), ..Links::default() },
            ..Notification::test(at_ms, None)
        }
    }

    fn miss(&mut self, name: &str, test: Option<&PagerTest>, at_ms: i64) {
        let Some(probe) = self.pagers.last_mut(name) else { return };
        probe.expire(at_ms);
        let ways: Vec<String> = probe.ways.iter().map(|(way, it)| told(way, it)).collect();
        let ways = if ways.is_empty() { "by no channel".to_owned() } else { ways.join(", ") };
        tracing::warn!(person = name, ways, "a pager test was not answered");
        self.did(0, "barograph", "pager test missed", &format!("{name}: {ways}"));
        let summary = format!("{name} did not answer the pager test ({ways})");
        let annotations = Texts::from([("summary".to_owned(), summary)]);
        let missed = Happened {
            transition: Transition::fired(labels(name), annotations, at_ms),
            depends_on: Vec::new(),
            escalation: test.and_then(|it| it.escalation.clone()),
            about: About::default(),
        };
        self.take(&[missed], at_ms);
    }

    /// The newest test of a person is answered, which ends what was told of a missed one.
    pub(super) fn answer_test(&mut self, name: &str, at_ms: i64) -> Option<Probe> {
        let probe = self.pagers.last_mut(name)?;
        let is_new = probe.answer(at_ms);
        let probe = probe.clone();
        if is_new {
            let did = if probe.state == ProbeState::Late { "answered late" } else { "answered" };
            self.did(0, name, &format!("pager test {did}"), name);
            self.end(&Transition::resolved(labels(name), at_ms), at_ms);
        }
        Some(probe)
    }

    /// Notes what became of a test's message, once that is certain.
    pub(super) fn test_attempted(&mut self, letter: &Letter, problem: Option<&str>) {
        let Some(person) = letter.address.person.as_deref().filter(|_| letter.is_pager_test())
        else {
            return;
        };
        let Some(probe) = self.pagers.last_mut(person) else { return };
        if notice(person, probe.due_ms) == letter.notice {
            let arrival = match problem {
                None => Arrival::Delivered,
                Some(problem) => Arrival::Failed { problem: problem.to_owned() },
            };
            probe.ways.insert(way(&letter.address), arrival);
        }
    }

    /// People whose newest test was missed, in words.
    pub(super) fn missed_tests(&self) -> Vec<String> {
        let missed =
            self.pagers.probes.iter().filter(|(_, probes)| {
                probes.last().is_some_and(|it| it.state == ProbeState::Missed)
            });
        missed.map(|(name, _)| format!("{name} did not answer the last pager test")).collect()
    }

    pub(super) fn report_pagers(&self, at_ms: i64) -> Vec<PagerReport> {
        let people = self.book.directory.people.iter();
        let reports = people.map(|(person, it)| PagerReport {
            person: person.clone(),
            name: it.name.clone(),
            next_ms: it.pager_test.as_ref().and_then(|test| test.next_ms(at_ms)),
            tests: self.pagers.probes.get(person).cloned().unwrap_or_default(),
        });
        let mut reports: Vec<PagerReport> = reports.collect();
        for report in &mut reports {
            report.tests.reverse();
        }
        reports
    }
}

impl Alerting {
    /// The tests of all people, of those too who were added a moment ago.
    pub(crate) fn pagers(&self) -> Vec<PagerReport> {
        let mut desk = lock(&self.shared.desk);
        desk.book = self.shared.documents.book();
        desk.report_pagers(self.shared.clock.now_ms())
    }

    /// Tests somebody's pager now; `None`: there is nobody of this name.
    ///
    /// # Errors
    /// It cannot be saved.
    pub(crate) fn test_pager(&self, name: &str) -> Result<Option<PagerReport>, StateError> {
        /// Where nothing is set, as long as it usually is.
        const USUAL_MS: i64 = 30 * 60_000;
        let mut desk = lock(&self.shared.desk);
        desk.book = self.shared.documents.book();
        let book = std::sync::Arc::clone(&desk.book);
        let at_ms = self.shared.clock.now_ms();
        let Some(person) = book.directory.people.get(name) else { return Ok(None) };
        let within_ms = person.pager_test.as_ref().map_or(USUAL_MS, |it| it.answer_within);
        desk.send_test(name, person, (at_ms, within_ms), at_ms);
        saved::save_with(&self.shared.state, &mut desk, |_| Ok::<_, StateError>(()))?;
        self.shared.posted.notify_one();
        Ok(desk.report_pagers(at_ms).into_iter().find(|it| it.person == name))
    }

    /// Somebody answers a test by its link, which counts only once.
    ///
    /// # Errors
    /// The link was used, or it cannot be saved.
    pub(crate) fn answer_pager_by(&self, link: &Link) -> Result<Probe, ActError> {
        let mut desk = lock(&self.shared.desk);
        // Every use of a link passes here, so nobody uses it up meanwhile.
        self.shared.state.read(|view| link.check_unused(view))?;
        let probe = desk.answer_test(&link.who, self.shared.clock.now_ms());
        let probe = probe.ok_or(ActError::Link(LinkError::Expired))?;
        saved::save_with(&self.shared.state, &mut desk, |change| link.use_up(change))?;
        self.shared.posted.notify_one();
        Ok(probe)
    }
}

fn notice(person: &str, due_ms: i64) -> String {
    format!("pager/{due_ms}/{person}")
}

/// As people read it; somebody may have two addresses of one channel.
fn way(address: &Address) -> String {
    match &address.to {
        None => address.channel.clone(),
        Some(to) => format!("{} {to}", address.channel),
    }
}

fn labels(person: &str) -> Texts {
    let pairs = [("alertname", MISSED), ("person", person), ("severity", "warning")];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn told(way: &str, arrival: &Arrival) -> String {
    match arrival {
        Arrival::Waiting => format!("by {way}, on its way"),
        Arrival::Delivered => format!("by {way}, delivered"),
        Arrival::Failed { problem } => format!("by {way}, failed: {problem}"),
    }
}
