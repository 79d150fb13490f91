//! Processes and services that become series. There is one such document.

use barograph_alerts::document::{Path, Problem};
use barograph_collect::process::Watch;
use barograph_collect::service::WatchedServices;
use serde::Deserialize;

use super::{Draft, Reading};

/// What it is called.
pub(crate) const WATCHED: &str = "default";

/// Names and patterns; `*` stands for any text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WatchDocument {
    pub(crate) processes: Vec<String>,
    pub(crate) services: Vec<String>,
}

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    if draft.name != WATCHED {
        let message = format!("what is watched is called `{WATCHED}`; there is only one");
        return Err(vec![Problem::whole(message)]);
    }
    let document: WatchDocument = draft.read()?;
    let root = Path::root();
    let mut problems = Vec::new();
    if let Err(error) = Watch::new(document.processes) {
        problems.push(draft.problem(&root.field("processes"), error));
    }
    if let Err(error) = WatchedServices::new(document.services) {
        problems.push(draft.problem(&root.field("services"), error));
    }
    super::unless(problems, Reading::default())
}
