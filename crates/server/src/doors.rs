//! What works without being asked: it asks others for samples, runs checks, sends samples on.

use std::sync::Arc;

use crate::check::Checks;
use crate::forward::Forward;
use crate::scrape::Scraper;
use crate::textfile::Textfiles;

/// The doors that have tasks of their own; the others are interfaces that wait for requests.
#[derive(Debug)]
pub struct Doors {
    pub scraper: Scraper,
    pub textfiles: Textfiles,
    pub checks: Checks,
    pub forward: Arc<Forward>,
}

impl Doors {
    /// What sends on comes last, so that it still takes what the others bring.
    pub async fn close(&self) {
        self.scraper.stop().await;
        self.textfiles.stop().await;
        self.checks.stop().await;
        self.forward.stop().await;
    }
}
