//! What of an incident is to be told, to whom, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Incident, Level, What};
use crate::escalation::{Address, Due, Policy, Target};

/// Alerts that join an incident are told together, so long after the telling before.
const NEWS_AFTER_MS: i64 = 5 * 60_000;

/// A telling of which nothing has arrived yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// As in [`Notice`].
    pub id: String,
    /// Places where it may still arrive.
    pub open: Vec<Address>,
}

/// What those who were told do not know yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    pub is_any: bool,
    /// How often news were told.
    pub told: u32,
    /// Milliseconds since anything was told.
    pub quiet_ms: i64,
}

/// Tells where targets can be told now of something so severe.
pub type Reach<'a> = dyn Fn(&[Target], Option<Level>) -> Vec<Address> + 'a;

/// Something is to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The same for the same cause, over crashes.
    pub id: String,
    pub kind: NoticeKind,
    pub addresses: Vec<Address>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// It began, or more alerts joined it.
    Firing,
    /// It goes on, and those who were told are told again.
    Repeated,
    /// Nobody acknowledged, so the next are told.
    Escalated,
    Worsened,
    Acknowledged,
    Resolved,
}

impl Incident {
    /// Lets time pass: an acknowledgement may lapse, and the policy may want somebody told.
    /// `elapsed_ms` is measured without the clock on the wall; `reach` tells where targets can be
    /// told now.
    pub fn advance(
        &mut self,
        policy: Option<&Policy>,
        at_ms: i64,
        elapsed_ms: i64,
        reach: &Reach<'_>,
    ) -> Option<Notice> {
        if !self.is_audible() {
            return None;
        }
        let lapsed =
            self.acknowledged.as_ref().and_then(|it| it.until_ms).is_some_and(|it| it <= at_ms);
        if lapsed {
            self.end_acknowledgement("its time is over", at_ms);
            self.progress.restart();
        }
        self.news.quiet_ms = self.news.quiet_ms.saturating_add(elapsed_ms.max(0));
        let Some(policy) = policy else {
            self.note_once(at_ms, What::NobodyToTell);
            return None;
        };
        let Some((due, addresses)) = self.next_reached(policy, elapsed_ms, at_ms, reach) else {
            return self.tell_news();
        };
        let kind = self.kind_of(&due);
        let (targets, number) = (due.targets, due.number);
        self.note(at_ms, None, What::Told { targets, number });
        let id = format!("{}/{}/{number}", self.id, due.restarts);
        self.telling = Some(Telling { id: id.clone(), open: addresses.clone() });
        Some(self.tell(id, kind, addresses))
    }

    /// Why somebody is told now, as the story so far says.
    fn kind_of(&self, due: &Due) -> NoticeKind {
        let mut back = self.timeline.iter().rev();
        let before = back.find_map(|it| match &it.what {
            What::Worse { .. } => Some(NoticeKind::Worsened),
            What::Told { targets, .. } if *targets == due.targets => Some(NoticeKind::Repeated),
            What::Told { .. } if due.number > 1 => Some(NoticeKind::Escalated),
            What::Told { .. } => Some(NoticeKind::Repeated),
            What::Reopened | What::Opened => Some(NoticeKind::Firing),
            _ => None,
        });
        before.unwrap_or(NoticeKind::Firing)
    }

    /// The next telling that is due and reaches somebody. One that reaches nobody is skipped over,
    /// without waiting; when none reaches anybody, the first stays due.
    fn next_reached(
        &mut self,
        policy: &Policy,
        elapsed_ms: i64,
        at_ms: i64,
        reach: &Reach<'_>,
    ) -> Option<(Due, Vec<Address>)> {
        let mut progress = self.progress;
        let mut due = policy.advance(&mut progress, elapsed_ms);
        let mut in_vain: Option<Vec<Target>> = None;
        while let Some(found) = due {
            let addresses = reach(&found.targets, self.severity);
            if !addresses.is_empty() {
                self.progress = progress;
                return Some((found, addresses));
            }
            in_vain.get_or_insert(found.targets);
            let pause_ms = policy.next_in_ms(&progress);
            due = pause_ms.and_then(|it| policy.advance(&mut progress, it));
        }
        match in_vain {
            Some(targets) => {
                self.progress.elapsed_ms =
                    self.progress.elapsed_ms.saturating_add(elapsed_ms.max(0));
                self.note_once(at_ms, What::NobodyReached { targets });
            }
            None => self.progress = progress,
        }
        None
    }

    /// Those who were told hear of alerts that joined since, now and then.
    fn tell_news(&mut self) -> Option<Notice> {
        let is_due = self.news.is_any && self.news.quiet_ms >= NEWS_AFTER_MS;
        if !is_due || self.acknowledged.is_some() || self.told.is_empty() {
            return None;
        }
        self.news.told += 1;
        let id = format!("{}/{}/news/{}", self.id, self.progress.restarts, self.news.told);
        Some(self.tell(id, NoticeKind::Firing, self.told.clone()))
    }

    fn tell(&mut self, id: String, kind: NoticeKind, addresses: Vec<Address>) -> Notice {
        for address in &addresses {
            if !self.told.contains(address) {
                self.told.push(address.clone());
            }
        }
        self.news = News { is_any: false, quiet_ms: 0, ..self.news };
        Notice { id, kind, addresses }
    }

    /// What is to be told when it has ended: to all who were told that it had begun, and to nobody
    /// else.
    pub fn farewell(&self) -> Option<Notice> {
        let resolved_ms = self.resolved_ms?;
        if self.told.is_empty() {
            return None;
        }
        let id = format!("{}/resolved/{resolved_ms}", self.id);
        Some(Notice { id, kind: NoticeKind::Resolved, addresses: self.told.clone() })
    }

    /// What is to be told of its acknowledgement: to the channels that many read, and to no person
    /// who may sleep.
    pub fn taken_over(&self) -> Option<Notice> {
        let acknowledged = self.acknowledged.as_ref()?;
        let addresses: Vec<Address> =
            self.told.iter().filter(|it| it.person.is_none()).cloned().collect();
        let id = format!("{}/acknowledged/{}", self.id, acknowledged.at_ms);
        let notice = Notice { id, kind: NoticeKind::Acknowledged, addresses };
        (!notice.addresses.is_empty()).then_some(notice)
    }

    /// Writes what became of a message of a notice. When nothing of the newest telling arrived
    /// anywhere, the next one comes at once.
    pub fn delivered(
        &mut self,
        (notice, address): (&str, &Address),
        problem: Option<&str>,
        policy: Option<&Policy>,
        at_ms: i64,
    ) {
        let channel = address.to_string();
        let what = match problem {
            None => What::Delivered { channel },
            Some(problem) => What::NotDelivered { channel, problem: problem.to_owned() },
        };
        self.note(at_ms, None, what);
        let Some(telling) = self.telling.as_mut().filter(|it| it.id == notice) else { return };
        telling.open.retain(|it| it != address);
        if problem.is_none() {
            self.telling = None;
        } else if telling.open.is_empty() {
            self.telling = None;
            if let Some(pause_ms) = policy.and_then(|it| it.next_in_ms(&self.progress)) {
                self.progress.elapsed_ms = self.progress.elapsed_ms.saturating_add(pause_ms);
            }
        }
    }

    /// Notes that a telling is under way for longer than it should be.
    pub fn delayed(&mut self, address: &Address, problem: &str, at_ms: i64) {
        let (channel, problem) = (address.to_string(), problem.to_owned());
        self.note(at_ms, None, What::Delayed { channel, problem });
    }

    /// Writes what became of an attempt to mend it. One that was in vain brings the next telling:
    /// then the policy is given.
    pub fn remedied(&mut self, (action, text): (&str, &str), next: Option<&Policy>, at_ms: i64) {
        let (action, text) = (action.to_owned(), text.to_owned());
        self.note(at_ms, None, What::Remedy { action, text });
        if let Some(pause_ms) = next.and_then(|it| it.next_in_ms(&self.progress)) {
            self.progress.elapsed_ms = self.progress.elapsed_ms.saturating_add(pause_ms);
        }
    }
}
