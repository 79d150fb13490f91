//! Pages of panels.

use barograph_alerts::document::Problem;

use crate::dashboard::Dashboard;

use super::{Draft, Reading};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    Dashboard::read(draft.text).map(|_| Reading::default())
}
