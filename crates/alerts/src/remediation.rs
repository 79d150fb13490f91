//! What may be done about an alert by itself, and what became of it.
//!
//! Actions are named in a file on the host; whoever asks for one names it and its parameters, and
//! nothing else. An attempt belongs to one firing of one alert: it is asked for, approved, started at
//! most once, and judged by whether the alert ends. Or a person asks for it, where the file lets them.

mod action;

use serde::{Deserialize, Serialize};

use crate::machine::Texts;
pub use action::{Action, Actions, ActionsError, Order};

/// One attempt to mend something; kept over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The same for the same firing of the same alert.
    pub id: String,
    pub action: String,
    /// What exactly is to be done, for whoever approves it.
    pub order: String,
    pub host: String,
    /// The alert, as incidents name it; empty, and the incident 0, where a person asked.
    pub alert: String,
    pub incident: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    pub proposed_ms: i64,
    pub state: AttemptState,
    /// People who want it done.
    pub approved_by: Vec<String>,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    /// What it said or why it did not happen.
    pub outcome: String,
}

/// What a person asked for without an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub by: String,
    pub why: String,
    /// In the place of an alert's labels.
    pub labels: Texts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// It waits for people.
    Proposed,
    /// It is to be done as soon as it may.
    Approved,
    /// Written before it is done, so that it is never done twice.
    Started,
    /// Done; whether it helped, the alert will tell.
    Done,
    Helped,
    /// The alert fires on.
    InVain,
    Failed,
    Refused,
    /// Done for a person who asked: no alert judges it.
    Finished,
    /// The alert ended, or whoever asked was left alone, before anything was done.
    Overtaken,
    /// The program ended while it was done: nobody knows how far it came, and a person decides.
    Unknown,
}

/// How an action did lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Times it helped since it last did not.
    pub helped: u32,
    /// Times it did not help since it last did.
    pub failed: u32,
}

/// Why an attempt does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttemptError {
    #[error("it waits for nobody any more")]
    Over,
    #[error("the same person wanted it already; another one has to approve")]
    SamePerson,
}

impl AttemptState {
    /// Whether nothing more comes of it.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Proposed | Self::Approved | Self::Started | Self::Done)
    }

    fn is_failure(self) -> bool {
        matches!(self, Self::InVain | Self::Failed | Self::Unknown)
    }
}

impl Record {
    /// So many failures in a row take an action's trust away.
    pub const MAX_FAILURES: u32 = 2;

    /// Of attempts of one action, the oldest first.
    pub fn of<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Self {
        attempts.fold(Self::default(), |record, it| match it.state {
            AttemptState::Helped => Self { helped: record.helped + 1, failed: 0 },
            state if state.is_failure() => Self { helped: 0, failed: record.failed + 1 },
            _ => record,
        })
    }

    /// Whether an action may be done without asking anybody.
    pub fn is_trusted(self, action: &Action) -> bool {
        let earned = action.automatic_after.is_some_and(|least| self.helped >= least);
        earned && self.failed == 0
    }
}

impl Attempt {
    /// One that waits for people, for no alert yet.
    pub fn proposed(id: String, action: &str, order: String, host: String, at_ms: i64) -> Self {
        Self {
            id,
            action: action.to_owned(),
            order,
            host,
            alert: String::new(),
            incident: 0,
            asked: None,
            proposed_ms: at_ms,
            state: AttemptState::Proposed,
            approved_by: Vec::new(),
            started_ms: None,
            ended_ms: None,
            outcome: String::new(),
        }
    }

    /// It is only told what would be done.
    pub fn end_dry(&mut self, at_ms: i64) {
        let outcome = format!("dry run: would {}", self.order);
        self.end(AttemptState::Refused, &outcome, at_ms);
    }

    /// Somebody wants it done. With as many people as the action needs it is approved.
    ///
    /// # Errors
    /// It is over, or the same person wanted it already.
    pub fn approve(&mut self, by: &str, action: &Action) -> Result<(), AttemptError> {
        if self.state != AttemptState::Proposed {
            return Err(AttemptError::Over);
        }
        if self.approved_by.iter().any(|it| it == by) {
            return Err(AttemptError::SamePerson);
        }
        self.approved_by.push(by.to_owned());
        if self.approved_by.len() >= action.approvals as usize {
            self.state = AttemptState::Approved;
        }
        Ok(())
    }

    /// Somebody does not want it done.
    ///
    /// # Errors
    /// It was begun, or is over.
    pub fn refuse(&mut self, by: &str, at_ms: i64) -> Result<(), AttemptError> {
        if !matches!(self.state, AttemptState::Proposed | AttemptState::Approved) {
            return Err(AttemptError::Over);
        }
        self.end(AttemptState::Refused, &format!("refused by {by}"), at_ms);
        Ok(())
    }

    pub fn end(&mut self, state: AttemptState, outcome: &str, at_ms: i64) {
        const MAX_CHARS: usize = 4000;
        self.state = state;
        self.outcome = outcome.chars().take(MAX_CHARS).collect();
        self.ended_ms = Some(at_ms);
    }

    /// What is known after the program was started anew.
    pub fn recover(&mut self, at_ms: i64) -> bool {
        let was_under_way = self.state == AttemptState::Started;
        if was_under_way {
            let outcome = "the program ended meanwhile; nobody knows how far it came";
            self.end(AttemptState::Unknown, outcome, at_ms);
        }
        was_under_way
    }
}

/// Whether an approved attempt may start now.
///
/// # Errors
/// Why not.
pub fn may_start(
    attempt: &Attempt,
    action: &Action,
    all: &[Attempt],
    max_hosts: u32,
    now_ms: i64,
) -> Result<(), String> {
    let under_way = || all.iter().filter(|it| it.state == AttemptState::Started);
    if under_way().any(|it| it.host == attempt.host) {
        return Err("another action is under way on this host".to_owned());
    }
    let mut hosts: Vec<&str> = under_way().map(|it| it.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if hosts.len() >= max_hosts as usize {
        return Err(format!("actions are under way on {} hosts", hosts.len()));
    }
    let same = all.iter().filter(|it| it.action == attempt.action && it.host == attempt.host);
    let last_ms = same.filter_map(|it| it.started_ms).max();
    // A start that seems to come later is of a clock that was put back.
    let is_cooling = |at: i64| at <= now_ms && now_ms - at < action.cool_down_ms;
    if last_ms.is_some_and(is_cooling) {
        return Err("it was done on this host a short while ago".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions() -> Actions {
        Actions::read(
            "actions:\n  nginx: {run: [/usr/bin/true], cool_down: 10m, automatic_after: 2}\n",
        )
        .unwrap()
    }

    fn attempt(id: &str, state: AttemptState) -> Attempt {
        let mut it = Attempt::proposed(id.to_owned(), "nginx", String::new(), "a".to_owned(), 0);
        it.state = state;
        it
    }

    #[test]
    fn two_people_approve() {
        let actions = actions();
        let action = actions.get("nginx").unwrap();
        let mut it = attempt("1", AttemptState::Proposed);
        it.approve("anna", action).unwrap();
        assert_eq!(it.approve("anna", action), Err(AttemptError::SamePerson));
        assert_eq!(it.state, AttemptState::Proposed);
        it.approve("ben", action).unwrap();
        assert_eq!(it.state, AttemptState::Approved);
        it.refuse("anna", 5).unwrap();
        assert_eq!(it.approve("cleo", action), Err(AttemptError::Over));
    }

    #[test]
    fn trust_is_earned_and_lost() {
        use AttemptState::{Finished, Helped, InVain, Refused};
        let actions = actions();
        let action = actions.get("nginx").unwrap();
        let trusted = |states: &[AttemptState]| {
            let all: Vec<Attempt> = states.iter().map(|it| attempt("x", *it)).collect();
            Record::of(all.iter()).is_trusted(action)
        };
        assert!(!trusted(&[Helped]));
        assert!(trusted(&[Helped, Refused, Finished, Helped]));
        assert!(!trusted(&[Finished, Finished, Helped]), "only alerts judge");
        assert!(!trusted(&[Helped, Helped, InVain]));
        assert!(!trusted(&[Helped, Helped, InVain, Helped]));
    }

    #[test]
    fn what_was_under_way_is_never_begun_again() {
        let mut it = attempt("1", AttemptState::Started);
        assert!(it.recover(9));
        assert_eq!((it.state, it.ended_ms), (AttemptState::Unknown, Some(9)));
        assert!(!it.recover(10));
    }

    #[test]
    fn one_at_a_time_on_a_host_and_not_too_often() {
        let actions = actions();
        let action = actions.get("nginx").unwrap();
        let mut before = attempt("1", AttemptState::Started);
        before.started_ms = Some(1000);
        let next = attempt("2", AttemptState::Approved);
        let may = |all: &[Attempt], hosts, now_ms| may_start(&next, action, all, hosts, now_ms);
        assert!(may(&[before.clone()], 5, 2000).unwrap_err().contains("under way"));
        before.state = AttemptState::Helped;
        assert!(may(&[before.clone()], 5, 2000).unwrap_err().contains("short while"));
        assert_eq!(may(&[before.clone()], 5, 601_000), Ok(()));
        assert_eq!(may(&[before.clone()], 5, 500), Ok(()), "the clock was put back");
        let elsewhere = Attempt { host: "b".to_owned(), state: AttemptState::Started, ..before };
        assert!(may(&[elsewhere], 1, 700_000).unwrap_err().contains("hosts"));
    }
}
