//! A program on this machine: one of those that the machine's owner allows by name.

use super::{Telling, Way};
use crate::carry::Parcel;
use crate::carry::process::Run;
use crate::escape;
use crate::failure::Failure;
use crate::reader::Fields;

#[derive(Debug)]
struct Command {
    name: String,
}

pub(super) fn read(fields: &mut Fields) -> Box<dyn Way> {
    Box::new(Command { name: fields.needed("command") })
}

impl Way for Command {
    /// The notification comes as JSON on the program's input; what is said often is in variables.
    /// Nothing of it becomes an argument.
    fn compose(&self, telling: &Telling<'_>) -> Result<Vec<Parcel>, Failure> {
        let it = telling.notification;
        let input = it.to_json().map_err(|error| Failure::permanent(error.to_string()))?;
        let variable = |name: &str, value: String| (format!("BAROGRAPH_{name}"), value);
        let incident = it.incident.map_or_else(String::new, |number| number.to_string());
        let variables = vec![
            variable("ID", it.id.clone()),
            variable("GROUP", it.group.clone()),
            variable("EVENT", it.event.word().to_lowercase().replace(' ', "_")),
            variable("SEVERITY", it.severity.word().to_owned()),
            variable("INCIDENT", incident),
            variable("HOST", it.host.clone().unwrap_or_default()),
            variable("TITLE", telling.title(escape::line, 500)),
            variable("TEXT", telling.text(escape::plain, 8000)),
            variable("URL", it.links.page.clone().unwrap_or_default()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name, value.replace('\0', "")));
        Ok(vec![Parcel::Run(Run {
            name: self.name.clone(),
            input,
            variables: variables.collect(),
        })])
    }
}
