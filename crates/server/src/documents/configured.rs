//! What the configuration names, which documents stand beside: both together must make sense.

use barograph_alerts::document::{self, Path, Problem};
use barograph_collect::process::{Watch, WatchError};
use barograph_collect::service::{WatchServicesError, WatchedServices};

use super::ProblemSeverity;
use super::kinds::{SCRAPES, WATCH, WatchDocument};
use crate::scrape::{Job, ScrapeDocument};

/// What the configuration has scraped and watched.
#[derive(Debug, Clone, Default)]
pub struct Configured {
    /// What people know the configuration by: its file.
    pub file: String,
    pub jobs: Vec<Job>,
    pub processes: Watch,
    pub services: WatchedServices,
}

impl Configured {
    /// Whether it has a job of this name: a document with the same name would scrape it twice.
    pub(crate) fn has_job(&self, name: &str) -> bool {
        self.jobs.iter().any(|job| job.name == name)
    }

    /// Its watched processes and those of a document; what both name counts once.
    ///
    /// # Errors
    /// They are too many together, or one cannot be watched.
    pub(crate) fn processes_with(&self, more: &[String]) -> Result<Watch, WatchError> {
        let known: Vec<&str> = self.processes.names().collect();
        let new = more.iter().map(String::as_str).filter(|name| !known.contains(name));
        Watch::new(known.iter().copied().chain(new).map(str::to_owned))
    }

    /// Its watched services and those of a document; what both name counts once.
    ///
    /// # Errors
    /// They are too many together, or one cannot be watched.
    pub(crate) fn services_with(
        &self,
        more: &[String],
    ) -> Result<WatchedServices, WatchServicesError> {
        let known: Vec<String> = self.services.names().map(bare).collect();
        let new = more.iter().map(String::as_str).filter(|name| !known.contains(&bare(name)));
        WatchedServices::new(self.services.names().chain(new).map(str::to_owned))
    }

    /// What a text that is sound by itself does beside the configuration.
    pub(super) fn problems(
        &self,
        kind: &str,
        name: &str,
        text: &str,
    ) -> Vec<(ProblemSeverity, Problem)> {
        match kind {
            SCRAPES => self.of_scrape(name, text),
            WATCH => self.of_watch(text),
            _ => Vec::new(),
        }
    }

    fn of_scrape(&self, name: &str, text: &str) -> Vec<(ProblemSeverity, Problem)> {
        let file = &self.file;
        if self.has_job(name) {
            let message = format!(
                "{file} has a job `{name}`, too, and every target would be scraped twice; give \
                 this one another name, or take the `[[scrape]]` out of {file}"
            );
            return vec![(ProblemSeverity::Error, Problem::whole(message))];
        }
        let any_secret = |_: &str| Ok("secret".to_owned());
        let Ok(job) = ScrapeDocument::job(name, text, &any_secret) else { return Vec::new() };
        let targets = |job: &Job| job.targets(&job.groups).0;
        let told = |other: &Job| {
            let theirs = targets(other);
            let both =
                targets(&job).into_iter().find(|it| theirs.iter().any(|at| at.url == it.url))?;
            let message =
                format!("{} is scraped by the job `{}` of {file}, too", both.url, other.name);
            let place = Path::root().field("targets");
            Some((ProblemSeverity::Warning, Problem::at(text, &place, message)))
        };
        self.jobs.iter().filter_map(told).collect()
    }

    fn of_watch(&self, text: &str) -> Vec<(ProblemSeverity, Problem)> {
        let Ok(WatchDocument { processes, services }) = document::read(text) else {
            return Vec::new();
        };
        let refused = |field: &str, error: &dyn std::fmt::Display| {
            let message = format!("with `{field}` in `[watch]` of {}: {error}", self.file);
            (ProblemSeverity::Error, Problem::at(text, &Path::root().field(field), message))
        };
        let processes = self.processes_with(&processes).err();
        let services = self.services_with(&services).err();
        let processes = processes.map(|error| refused("processes", &error));
        processes.into_iter().chain(services.map(|error| refused("services", &error))).collect()
    }
}

/// A service's name as it is compared with others.
fn bare(name: &str) -> String {
    name.strip_suffix(".service").unwrap_or(name).to_lowercase()
}
