//! Somebody who can be told.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::Person;

use super::{CHANNELS, Draft, POLICIES, Reading, Use};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let person: Person = draft.read()?;
    let contacts = Path::root().field("contacts");
    if person.contacts.is_empty() {
        return Err(vec![draft.problem(&contacts, "there are none: nobody can be told")]);
    }
    if let Some(problem) = person.pager_test.as_ref().and_then(|it| it.check().err()) {
        let place = Path::root().field("pager_test");
        return Err(vec![draft.problem(&place, problem)]);
    }
    let mut warnings = Vec::new();
    if person.outside_hours.is_some() && person.hours.is_empty() {
        let place = Path::root().field("outside_hours");
        warnings.push(draft.problem(&place, "it goes with `hours`, which are missing"));
    }
    let escalation = person.pager_test.as_ref().and_then(|it| it.escalation.as_ref());
    let escalation = escalation.map(|policy| {
        Use::needed(Path::root().field("pager_test").field("escalation"), POLICIES, policy)
    });
    let uses = person.contacts.iter().enumerate().map(|(number, contact)| {
        Use::needed(contacts.item(number).field("channel"), CHANNELS, &contact.channel)
    });
    Ok(Reading { uses: uses.chain(escalation).collect(), warnings })
}
