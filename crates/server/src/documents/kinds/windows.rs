//! Maintenance windows.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::mute::Window;

use super::{Draft, Reading};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let window: Window = draft.read()?;
    let mut reading = Reading::default();
    if window.matchers.match_everything() {
        let message = "it hides every alert while it is open";
        reading.warnings.push(draft.problem(&Path::root().field("matchers"), message));
    }
    if window.schedule.next_after(draft.now_ms).is_none() && !window.schedule.is_open(draft.now_ms)
    {
        let message = "it does not open within the next four years";
        reading.warnings.push(draft.problem(&Path::root().field("schedule"), message));
    }
    Ok(reading)
}
