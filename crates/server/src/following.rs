//! What is watched and scraped, as documents say it, beside what the configuration names.

use std::sync::Arc;
use std::time::Duration;

use barograph_alerts::document;
use barograph_collect::Changeable;
use barograph_collect::process::Watch;
use barograph_collect::service::WatchedServices;
use barograph_model::chain;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::documents::{
    DocumentError, Documents, SCRAPES, WATCH, WATCHED, WatchDocument, secret_finder,
};
use crate::doors::Doors;
use crate::scrape::{Job, ScrapeDocument};

/// Until documents that could not be read are tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What follows the documents.
#[derive(Debug)]
pub struct Followers {
    pub doors: Arc<Doors>,
    pub processes: Arc<Changeable<Watch>>,
    pub services: Arc<Changeable<WatchedServices>>,
}

/// Takes up changed documents until it is stopped.
#[derive(Debug)]
pub struct Following {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Following {
    /// Must be called where tokio runs. What the configuration names stays watched.
    pub fn start(documents: Arc<Documents>, followers: Followers) -> Self {
        let (stop, mut stopping) = watch::channel(false);
        let mut changes = documents.watch_changes();
        let follow = Follow { documents, followers };
        let task = tokio::spawn(async move {
            loop {
                changes.mark_unchanged();
                let patience = if follow.look().await { Duration::MAX } else { RETRY_AFTER };
                tokio::select! {
                    // The documents are there as long as this is.
                    _ = changes.changed() => {}
                    () = tokio::time::sleep(patience) => {}
                    _ = stopping.wait_for(|stop| *stop) => break,
                }
            }
        });
        Self { stop, task }
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the task that follows documents panicked");
        }
    }
}

struct Follow {
    documents: Arc<Documents>,
    followers: Followers,
}

impl Follow {
    /// Whether everything is taken up.
    async fn look(&self) -> bool {
        let documents = Arc::clone(&self.documents);
        let read = tokio::task::spawn_blocking(move || (watched(&documents), jobs(&documents)));
        let Ok((watched, jobs)) = read.await else { return false };
        match (watched, jobs) {
            (Ok(watched), Ok(jobs)) => {
                self.watch(&watched);
                self.followers.doors.scraper.follow(jobs).await;
                true
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::error!(error = %chain(&error), "what is watched and scraped cannot be read");
                false
            }
        }
    }

    fn watch(&self, document: &WatchDocument) {
        let configured = self.documents.configured();
        let stay = |what: &str, error: &dyn std::fmt::Display| {
            let file = &configured.file;
            tracing::error!(
                %error, file, document = WATCHED,
                "watched {what} of the file and the document do not go together and stay as they were"
            );
        };
        match configured.processes_with(&document.processes) {
            Ok(watch) => self.followers.processes.set(watch),
            Err(error) => stay("processes", &error),
        }
        match configured.services_with(&document.services) {
            Ok(services) => self.followers.services.set(services),
            Err(error) => stay("services", &error),
        }
    }
}

fn watched(documents: &Documents) -> Result<WatchDocument, DocumentError> {
    match documents.get(WATCH, WATCHED) {
        Ok(document) => Ok(document::read(&document.text).unwrap_or_else(|problem| {
            tracing::error!(%problem, "the document of what is watched is left out");
            WatchDocument::default()
        })),
        Err(DocumentError::Missing { .. }) => Ok(WatchDocument::default()),
        Err(error) => Err(error),
    }
}

fn jobs(documents: &Documents) -> Result<Vec<Job>, DocumentError> {
    let open = secret_finder(documents.state());
    let listing = documents.list(SCRAPES)?;
    let configured = documents.configured();
    let job = |document: &barograph_state::Document| {
        let name = &document.name;
        if configured.has_job(name) {
            let file = &configured.file;
            tracing::error!(
                name,
                file,
                "the document scrapes `{name}` is left out, as the file has a job of that name"
            );
            return None;
        }
        let job = ScrapeDocument::job(name, &document.text, &*open);
        job.inspect_err(|problem| {
            tracing::error!(name, problem, "a document of scraping is left out");
        })
        .ok()
    };
    Ok(listing.items.iter().filter_map(job).collect())
}
