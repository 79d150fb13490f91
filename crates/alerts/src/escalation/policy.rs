//! Steps, one after the other, until somebody acknowledges.

use serde::{Deserialize, Serialize};

use super::{Target, length};

/// What happens with an incident that nobody acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// In order of their times.
    pub steps: Vec<Step>,
    /// Told as long after the last step as the steps before it took, if even that is in vain; then
    /// everything is repeated.
    #[serde(default)]
    pub fall_through: Vec<Target>,
    /// How often the steps are gone through.
    #[serde(default = "once")]
    pub rounds: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time since the incident began to escalate.
    #[serde(default, with = "length")]
    pub after: i64,
    pub notify: Vec<Target>,
    /// Tells the same again after each such time until the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// How often a step is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    #[serde(with = "length")]
    pub every: i64,
    pub times: u32,
}

/// How far an incident has escalated; kept over restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How long it has been escalating, in milliseconds. Stands still while acknowledged.
    pub elapsed_ms: i64,
    /// Tellings that were done, counted over all rounds.
    pub done: u32,
    /// How often everything began anew.
    pub restarts: u32,
    pub is_acknowledged: bool,
}

/// Somebody is to be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which telling it is, after which restart of the escalation: the same numbers are the same
    /// telling, also after a crash.
    pub number: u32,
    pub restarts: u32,
    pub targets: Vec<Target>,
    /// The step before it was in vain.
    pub is_fall_through: bool,
}

/// Why a policy is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    #[error("it has no steps: nobody would be told")]
    NoSteps,
    #[error("step {0} tells nobody")]
    Nobody(usize),
    #[error("step {0} is not later than the step before it")]
    Order(usize),
    #[error("step {0} repeats every {1} ms, allowed is one minute or more")]
    Repeat(usize, i64),
    #[error("`rounds` is {0}, allowed are 1 to 100")]
    Rounds(u32),
    #[error("it comes to {0} tellings, at most {max} are allowed", max = Policy::MAX_TELLINGS)]
    TooMany(usize),
}

const fn once() -> u32 {
    1
}

impl Policy {
    pub const MAX_TELLINGS: usize = 1000;
    const MIN_REPEAT_MS: i64 = 60_000;

    /// # Errors
    /// Everything that makes no sense.
    pub fn check(&self) -> Result<(), Vec<PolicyProblem>> {
        let mut problems = Vec::new();
        if self.steps.is_empty() {
            problems.push(PolicyProblem::NoSteps);
        }
        for (i, step) in self.steps.iter().enumerate() {
            let number = i + 1;
            if step.notify.is_empty() {
                problems.push(PolicyProblem::Nobody(number));
            }
            if i > 0 && self.steps.get(i - 1).is_some_and(|before| before.after >= step.after) {
                problems.push(PolicyProblem::Order(number));
            }
            if let Some(repeat) = step.repeat.filter(|it| it.every < Self::MIN_REPEAT_MS) {
                problems.push(PolicyProblem::Repeat(number, repeat.every));
            }
        }
        if !(1..=100).contains(&self.rounds) {
            problems.push(PolicyProblem::Rounds(self.rounds));
        }
        let repeats = self.steps.iter().filter_map(|it| it.repeat);
        let repeats: usize = repeats.map(|it| it.times as usize).sum();
        let tellings = (self.steps.len() + repeats + 1) * self.rounds as usize;
        if tellings > Self::MAX_TELLINGS {
            problems.push(PolicyProblem::TooMany(tellings));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Everybody whom it names.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.steps.iter().flat_map(|it| &it.notify).chain(&self.fall_through)
    }

    /// All tellings in order of their times since the beginning: when, whom, and whether the steps
    /// before it were in vain. Only of a policy that passes [`Policy::check`] they are few.
    pub fn tellings(&self) -> Vec<(i64, &[Target], bool)> {
        let mut round: Vec<(i64, &[Target], bool)> = Vec::new();
        for (i, step) in self.steps.iter().enumerate() {
            let next = self.steps.get(i + 1).map_or(i64::MAX, |it| it.after);
            round.push((step.after, &step.notify, false));
            if let Some(Repeat { every, times }) = step.repeat {
                let again = (1..=i64::from(times)).map(|n| step.after + n * every);
                round.extend(again.filter(|at| *at < next).map(|at| (at, &step.notify[..], false)));
            }
        }
        let last = round.last().map_or(0, |it| it.0);
        let first = round.first().map_or(0, |it| it.0);
        // A single step leaves as much time as people need at least.
        let pause = (last - first).max(15 * 60_000);
        if !self.fall_through.is_empty() {
            round.push((last + pause, &self.fall_through, true));
        }
        let length = round.last().map_or(0, |it| it.0) + pause - first;
        let rounds = (0..i64::from(self.rounds)).flat_map(|n| {
            round.iter().map(move |(at, targets, is_last)| (at + n * length, *targets, *is_last))
        });
        rounds.collect()
    }

    /// Lets time pass for an incident, and tells what is due. A telling that was missed is due at
    /// once; of several only the last is told, but each counts.
    pub fn advance(&self, progress: &mut Progress, elapsed_ms: i64) -> Option<Due> {
        if progress.is_acknowledged {
            return None;
        }
        progress.elapsed_ms = progress.elapsed_ms.saturating_add(elapsed_ms.max(0));
        let tellings = self.tellings();
        let due = tellings.partition_point(|(at, ..)| *at <= progress.elapsed_ms);
        let done = progress.done as usize;
        let (_, targets, is_fall_through) = tellings.get(done..due)?.last()?;
        let number = u32::try_from(due).unwrap_or(u32::MAX);
        progress.done = number;
        let (targets, is_fall_through) = (targets.to_vec(), *is_fall_through);
        Some(Due { number, restarts: progress.restarts, targets, is_fall_through })
    }

    /// How long until the next telling, if nobody acknowledges.
    pub fn next_in_ms(&self, progress: &Progress) -> Option<i64> {
        let tellings = self.tellings();
        let (at, ..) =
            tellings.get(progress.done as usize).filter(|_| !progress.is_acknowledged)?;
        Some((at - progress.elapsed_ms).max(0))
    }
}

impl Progress {
    pub fn new() -> Self {
        Self { elapsed_ms: 0, done: 0, restarts: 0, is_acknowledged: false }
    }

    /// Nobody is told any more.
    pub fn acknowledge(&mut self) {
        self.is_acknowledged = true;
    }

    /// It got worse, or the acknowledgement ended: everything begins anew.
    pub fn restart(&mut self) {
        *self = Self { restarts: self.restarts + 1, ..Self::new() };
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn policy(yaml: &str) -> Policy {
        serde_saphyr::from_str(yaml).unwrap()
    }

    /// In which minute who is told, if minute after minute passes.
    fn told(policy: &Policy, minutes: i64) -> Vec<(i64, String)> {
        let mut progress = Progress::new();
        let mut told = Vec::new();
        for minute in 0..=minutes {
            let elapsed = if minute == 0 { 0 } else { MINUTE };
            if let Some(due) = policy.advance(&mut progress, elapsed) {
                let names: Vec<String> = due.targets.iter().map(ToString::to_string).collect();
                told.push((minute, names.join(" ")));
            }
        }
        told
    }

    const NIGHT: &str = "
steps:
  - notify: [channel:chat]
  - after: 5m
    notify: ['rota:night']
    repeat: {every: 5m, times: 5}
  - after: 20m
    notify: [person:anna, person:ben]
fall_through: [channel:everyone]
";

    #[test]
    fn steps_repeats_and_the_last_resort_come_in_their_time() {
        let expected = [
            (0, "channel:chat"),
            (5, "rota:night"),
            (10, "rota:night"),
            (15, "rota:night"),
            (20, "person:anna person:ben"),
            (40, "channel:everyone"),
        ];
        let expected = expected.map(|(minute, names)| (minute, names.to_owned()));
        assert_eq!(told(&policy(NIGHT), 100), expected);
    }

    #[test]
    fn rounds_begin_again() {
        let policy = policy("{steps: [{notify: [channel:a]}], rounds: 3}");
        let minutes: Vec<i64> = told(&policy, 100).into_iter().map(|it| it.0).collect();
        assert_eq!(minutes, [0, 15, 30]);
    }

    #[test]
    fn acknowledging_stops_and_restarting_begins_anew() {
        let policy = policy(NIGHT);
        let mut progress = Progress::new();
        assert!(policy.advance(&mut progress, 0).is_some());
        progress.acknowledge();
        assert_eq!(policy.advance(&mut progress, 60 * MINUTE), None);
        assert_eq!(policy.next_in_ms(&progress), None);
        progress.restart();
        assert_eq!(
            policy.advance(&mut progress, 0).unwrap().targets[0].to_string(),
            "channel:chat"
        );
        assert_eq!(policy.next_in_ms(&progress), Some(5 * MINUTE));
    }

    #[test]
    fn of_what_was_missed_only_the_last_is_told() {
        let policy = policy(NIGHT);
        let mut progress = Progress::new();
        let due = policy.advance(&mut progress, 16 * MINUTE).unwrap();
        assert_eq!((due.number, due.targets[0].to_string()), (4, "rota:night".to_owned()));
        assert_eq!(policy.advance(&mut progress, MINUTE), None);
    }

    #[test]
    fn what_makes_no_sense_is_told_at_once() {
        let policy = policy(
            "steps:
- {after: 5m, notify: []}
- {after: 5m, notify: [channel:a], repeat: {every: 10s, times: 2000}}
rounds: 0",
        );
        let problems = policy.check().unwrap_err();
        let expected = [
            PolicyProblem::Nobody(1),
            PolicyProblem::Order(2),
            PolicyProblem::Repeat(2, 10_000),
            PolicyProblem::Rounds(0),
        ];
        assert_eq!(problems, expected);
        let nobody: Policy = serde_saphyr::from_str("steps: []").unwrap();
        assert_eq!(nobody.check(), Err(vec![PolicyProblem::NoSteps]));
        let wrong = serde_saphyr::from_str::<Policy>("steps: [{notify: [mail]}]").unwrap_err();
        assert!(wrong.to_string().contains("`mail` is no target"), "{wrong}");
    }
}
