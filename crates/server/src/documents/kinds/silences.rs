//! Silences.

use barograph_alerts::document::{Path, Problem};
use barograph_alerts::mute::{Silence, SilenceError};

use super::{Draft, Reading};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    let silence: Silence = draft.read()?;
    let mut reading = Reading::default();
    if let Err(error) = silence.check(draft.now_ms) {
        let field = match error {
            SilenceError::Everything => "matchers",
            SilenceError::Reversed | SilenceError::Over | SilenceError::Long => "to",
            SilenceError::NoOwner => "owner",
        };
        let problem = draft.problem(&Path::root().field(field), error);
        // One that was exported and comes back may have ended meanwhile.
        if error != SilenceError::Over {
            return Err(vec![problem]);
        }
        reading.warnings.push(problem);
    }
    Ok(reading)
}
