//! Channels: the ways by which people are told.

use barograph_alerts::document::Problem;
use barograph_notify::Channel;

use super::{Draft, Reading};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    match Channel::parse(draft.name, draft.text) {
        Ok(_) => Ok(Reading::default()),
        Err(problems) => Err(problems.into_iter().map(problem).collect()),
    }
}

fn problem(it: barograph_notify::Problem) -> Problem {
    Problem { line: it.line, column: it.column, place: it.field, message: it.message }
}
