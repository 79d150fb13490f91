//! Scraping: asks exporters for their pages, as Prometheus does.
//!
//! Each job has a task that keeps its targets as its settings and files say; each target has a task
//! that asks it at its own moment of the interval, so that targets do not come all at once. What
//! a target answers goes to the store by [`Ingest`], with `up` and the other series that
//! Prometheus adds.

mod answer;
mod asking;
mod config;
mod discovery;
mod document;
mod job;
mod prometheus_file;
mod sign_in;
mod target;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_model::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_mutex::stdsync::{Mutex, MutexGuard};

use crate::ingest::Ingest;

use discovery::Files;
use job::Spec;
use target::{Go, Target};

pub(crate) use answer::Wanted;
pub use answer::{ScrapeStats, TargetsAnswer};
pub use config::ScrapeConfig;
pub(crate) use config::{duration, size};
pub(crate) use document::ScrapeDocument;
pub use job::Job;
pub use prometheus_file::prometheus_jobs;
pub(crate) use sign_in::{Authorization, BasicAuth, SignIn};

/// Asks targets until it is stopped.
#[derive(Debug)]
pub struct Scraper {
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
    working: Mutex<Vec<Working>>,
}

/// A job that is done.
#[derive(Debug)]
struct Working {
    pool: Arc<Pool>,
    /// It comes from a document, and so may go.
    may_go: bool,
    go: watch::Sender<Go>,
    task: JoinHandle<()>,
}

/// One job at work.
#[derive(Debug)]
pub(crate) struct Pool {
    job: Arc<Job>,
    ingest: Arc<Ingest>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<Spec, Running>,
    dropped: Vec<Spec>,
    /// What is wrong with files and addresses.
    problems: Vec<String>,
}

#[derive(Debug)]
struct Running {
    target: Arc<Target>,
    go: watch::Sender<Go>,
    task: JoinHandle<()>,
}

impl Scraper {
    /// Must be called where tokio runs.
    pub fn start(jobs: Vec<Job>, ingest: &Arc<Ingest>, clock: &Arc<dyn Clock>) -> Self {
        let (ingest, clock) = (Arc::clone(ingest), Arc::clone(clock));
        let scraper = Self { ingest, clock, working: Mutex::default() };
        let working = jobs.into_iter().map(|job| scraper.begin(job, false)).collect();
        *scraper.working() = working;
        scraper
    }

    fn begin(&self, job: Job, may_go: bool) -> Working {
        let pool = Arc::new(Pool {
            job: Arc::new(job),
            ingest: Arc::clone(&self.ingest),
            clock: Arc::clone(&self.clock),
            state: Mutex::default(),
        });
        let (go, going) = watch::channel(Go::On);
        let task = tokio::spawn(Arc::clone(&pool).run(going));
        Working { pool, may_go, go, task }
    }

    fn working(&self) -> MutexGuard<'_, Vec<Working>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does these jobs beside those that it was started with. Jobs that stay as they are go on; the
    /// series of those that are gone end.
    pub(crate) async fn follow(&self, mut jobs: Vec<Job>) {
        let gone: Vec<Working> = {
            let mut working = self.working();
            let (stay, gone) = std::mem::take(&mut *working).into_iter().partition(|one| {
                let place = jobs.iter().position(|job| *job == *one.pool.job);
                !one.may_go || place.map(|place| jobs.remove(place)).is_some()
            });
            *working = stay;
            gone
        };
        finish(gone, Go::Gone).await;
        let begun: Vec<Working> = jobs.into_iter().map(|job| self.begin(job, true)).collect();
        self.working().extend(begun);
    }

    /// Ends the tasks. Series keep their last value, as when Prometheus stops: they go on when it
    /// starts again.
    pub async fn stop(&self) {
        let working = std::mem::take(&mut *self.working());
        finish(working, Go::Stop).await;
    }

    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        self.working().iter().map(|one| Arc::clone(&one.pool)).collect()
    }
}

async fn finish(working: Vec<Working>, how: Go) {
    for one in &working {
        one.go.send_replace(how);
    }
    for one in working {
        if one.task.await.is_err() {
            tracing::error!(job = one.pool.job.name, "a scraping task panicked");
        }
    }
}

impl Pool {
    /// How often discovery files are read again.
    const LOOK_EVERY: Duration = Duration::from_secs(5);

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>, mut going: watch::Receiver<Go>) {
        let mut files = Files::default();
        loop {
            files = self.look(files).await;
            let stop = going.wait_for(|go| *go != Go::On);
            let has_files = !self.job.files.is_empty();
            let patience = if has_files { Self::LOOK_EVERY } else { Duration::MAX };
            if tokio::time::timeout(patience, stop).await.is_ok() {
                break;
            }
        }
        let running = std::mem::take(&mut self.state().running);
        let how = if *going.borrow() == Go::Gone { Go::Gone } else { Go::Stop };
        end(running, how).await;
    }

    /// Reads the files and brings the running targets in line with them.
    async fn look(self: &Arc<Self>, files: Files) -> Files {
        let job = Arc::clone(&self.job);
        let read = tokio::task::spawn_blocking(move || {
            let mut files = files;
            let (groups, problems) = files.read(&job.files);
            (files, groups, problems)
        });
        let Ok((files, mut groups, mut problems)) = read.await else { return Files::default() };
        groups.extend(self.job.groups.iter().cloned());
        let (specs, dropped, more) = self.job.targets(&groups);
        problems.extend(more);
        let gone = self.take(specs, dropped, problems);
        end(gone, Go::Gone).await;
        files
    }

    /// Starts what is new; gives back what is gone.
    fn take(
        self: &Arc<Self>,
        specs: Vec<Spec>,
        dropped: Vec<Spec>,
        problems: Vec<String>,
    ) -> HashMap<Spec, Running> {
        let mut state = self.state();
        for problem in problems.iter().filter(|one| !state.problems.contains(one)) {
            tracing::warn!(job = self.job.name, problem, "some targets cannot be scraped");
        }
        state.dropped = dropped;
        state.problems = problems;
        let mut before = std::mem::take(&mut state.running);
        for spec in specs {
            let running = before.remove(&spec).unwrap_or_else(|| self.start(spec.clone()));
            state.running.insert(spec, running);
        }
        before
    }

    fn start(&self, spec: Spec) -> Running {
        let target = Arc::new(Target::new(spec));
        let (go, going) = watch::channel(Go::On);
        let at_work = target::AtWork {
            target: Arc::clone(&target),
            job: Arc::clone(&self.job),
            ingest: Arc::clone(&self.ingest),
            clock: Arc::clone(&self.clock),
        };
        Running { target, go, task: tokio::spawn(at_work.run(going)) }
    }
}

async fn end(running: HashMap<Spec, Running>, how: Go) {
    for one in running.values() {
        one.go.send_replace(how);
    }
    for one in running.into_values() {
        if one.task.await.is_err() {
            tracing::error!(url = one.target.spec.url, "scraping a target panicked");
        }
    }
}
