//! Somebody who can be told.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::escalation::Person;

use super::{CHANNELS, Draft, Reading, Use};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let person: Person = draft.read()?;
    let contacts = Path::root().field("contacts");
    if person.contacts.is_empty() {
        return Err(vec![draft.problem(&contacts, "there are none: nobody can be told")]);
    }
    let uses = person.contacts.iter().enumerate().map(|(number, contact)| {
        Use::needed(contacts.item(number).field("channel"), CHANNELS, &contact.channel)
    });
    Ok(Reading { uses: uses.collect(), warnings: Vec::new() })
}
