//! Exporters that are scraped.

use barograph_alerts::document::Problem;

use crate::scrape::ScrapeDocument;

use super::{Draft, Reading};

pub(super) fn read(draft: &Draft<'_>) -> Result<Reading, Vec<Problem>> {
    ScrapeDocument::check(draft.name, draft.text).map_err(|problem| vec![problem])?;
    Ok(Reading::default())
}
