//! People who can be told, and how each of them wants to be.

use serde::{Deserialize, Serialize};

use super::pager::PagerTest;
use crate::incident::Level;
use crate::mute::Schedule;

/// Somebody who deals with incidents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// In full, for messages; without it the document's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// All that fit are used.
    pub contacts: Vec<Contact>,
    /// Working hours: outside of them this person is not told, unless a contact has times of its
    /// own. Empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<Schedule>,
    /// Incidents at least this bad are told outside of the working hours, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside_hours: Option<Level>,
    /// When it is tried whether this person can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pager_test: Option<PagerTest>,
}

/// One way to tell a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The name of a channel.
    pub channel: String,
    /// The person's address there, such as a mail address or a number; without it the channel's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only incidents at least this bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Level>,
    /// Only at these times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Schedule>,
}

impl Person {
    /// The contacts for an incident of this severity at a time, milliseconds since 1970 UTC. When
    /// none fits within the working hours, all of them: somebody who is called is better told in the
    /// wrong way than never. Outside of the working hours there may be none.
    pub fn contacts_at(&self, severity: Option<Level>, at_ms: i64) -> Vec<&Contact> {
        let is_on = self.is_on(severity, at_ms);
        let fitting: Vec<&Contact> =
            self.contacts.iter().filter(|it| it.fits(severity, at_ms, is_on)).collect();
        if fitting.is_empty() && is_on { self.contacts.iter().collect() } else { fitting }
    }

    /// Whether the working hours allow to tell of something so severe.
    fn is_on(&self, severity: Option<Level>, at_ms: i64) -> bool {
        let is_bad_enough = |least: Level| severity.is_none_or(|found| found >= least);
        self.hours.is_empty()
            || self.hours.iter().any(|it| it.is_open(at_ms))
            || self.outside_hours.is_some_and(is_bad_enough)
    }
}

impl Contact {
    fn fits(&self, severity: Option<Level>, at_ms: i64, is_on: bool) -> bool {
        // An incident without a severity may be any.
        let is_bad_enough = self.severity.is_none_or(|it| severity.is_none_or(|found| found >= it));
        let is_time = match self.only.as_slice() {
            [] => is_on,
            only => only.iter().any(|it| it.is_open(at_ms)),
        };
        is_bad_enough && is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "
name: Anna Example
contacts:
  - {channel: mail, to: anna@example.org}
  - {channel: sms, to: '+49123', severity: critical}
  - channel: chat
    only: [{time_zone: UTC, from: '08:00', to: '17:00', weekdays: [monday]}]
";

    #[test]
    fn contacts_fit_by_severity_and_time() {
        let anna: Person = serde_saphyr::from_str(ANNA).unwrap();
        let channels = |severity, hour: i64| -> Vec<&str> {
            // 5 January 1970 was a Monday.
            let at_ms = (4 * 24 + hour) * 3_600_000;
            anna.contacts_at(severity, at_ms).iter().map(|it| it.channel.as_str()).collect()
        };
        assert_eq!(channels(Some(Level::Warning), 3), ["mail"]);
        assert_eq!(channels(Some(Level::Critical), 9), ["mail", "sms", "chat"]);
        assert_eq!(channels(None, 3), ["mail", "sms"]);
    }

    #[test]
    fn when_no_contact_fits_all_are_used() {
        let ben: Person =
            serde_saphyr::from_str("contacts: [{channel: sms, severity: critical}]").unwrap();
        assert_eq!(ben.contacts_at(Some(Level::Info), 0).len(), 1);
    }

    #[test]
    fn working_hours_hold_for_contacts_without_times_of_their_own() {
        let cleo: Person = serde_saphyr::from_str(
            "
contacts:
  - {channel: mail}
  - {channel: sms, severity: critical}
  - {channel: night-chat, only: [{time_zone: UTC, from: '22:00', to: '06:00'}]}
hours: [{time_zone: UTC, from: '08:00', to: '17:00'}]
outside_hours: critical
",
        )
        .unwrap();
        let told = |severity, hour: i64| -> Vec<&str> {
            let contacts = cleo.contacts_at(Some(severity), hour * 3_600_000);
            contacts.iter().map(|it| it.channel.as_str()).collect()
        };
        assert_eq!(told(Level::Warning, 9), ["mail"]);
        assert_eq!(told(Level::Warning, 19), [""; 0]);
        assert_eq!(told(Level::Warning, 23), ["night-chat"]);
        assert_eq!(told(Level::Critical, 19), ["mail", "sms"]);
        assert_eq!(cleo.contacts_at(None, 19 * 3_600_000).len(), 2, "it may be critical");
    }
}
