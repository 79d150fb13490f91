//! Rules, evaluated over the store, and the incidents that come of them.
//!
//! One thread evaluates the groups that are due, before anything else that reads the store. What
//! changes is kept in memory at once and written in one transaction; when the database cannot be
//! written, alerts go on and the writing is tried again.

mod asked;
mod backtest;
mod desk;
mod letter;
mod loading;
mod pager;
mod published;
mod recorded;
mod recovery;
mod reloading;
mod remedies;
mod report;
mod round;
mod saved;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use barograph_alerts::machine::{RuleAlerts, TransitionKind};
use barograph_alerts::remediation::Actions;
use barograph_model::{Clock, chain};
use barograph_promql::Engine;
use barograph_state::State;
use barograph_store::Store;
use tracing_mutex::stdsync::{Condvar, Mutex, MutexGuard};

pub(crate) use asked::Offer;
pub use backtest::{Tested, TestedFiring};
pub use desk::ActError;
pub(crate) use letter::Letter;
pub(crate) use pager::PagerReport;
pub(crate) use remedies::Job;
pub use report::{AlertReport, AlertingStatus, GroupReport, Health, RuleReport};
pub(crate) use tell::Attempted;

use crate::documents::Documents;
use desk::Desk;
use loading::Rules;
use published::Published;
use reloading::reload;
use remedies::Remedies;
use round::{GroupState, Happened};

use crate::processes::Processes;

/// What rules are evaluated with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertingSettings {
    /// For groups that name none.
    pub interval: Duration,
    /// Rule files, beside the rules that ship: paths, or patterns with `*` in their last part.
    pub files: Vec<PathBuf>,
    /// Whether the rules that ship are evaluated.
    pub defaults: bool,
    /// Where people reach the server: stands in links, and in templates as `externalURL`.
    pub external_url: String,
    /// What may be done about alerts on this host.
    pub actions: Arc<Actions>,
    /// This host, as its series call it.
    pub host: String,
}

/// Evaluates rules until it is closed.
#[derive(Debug)]
pub struct Alerting {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread and the interfaces share.
#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    state: Arc<State>,
    documents: Arc<Documents>,
    engine: Engine,
    clock: Arc<dyn Clock>,
    settings: AlertingSettings,
    external_labels: BTreeMap<String, String>,
    rules: Mutex<Rules>,
    /// In the order in which they are evaluated.
    groups: Mutex<Vec<GroupState>>,
    published: Published,
    desk: Mutex<Desk>,
    /// Told whenever a message was written.
    posted: tokio::sync::Notify,
    /// Told as long as an attempt is approved and not started.
    job_waits: tokio::sync::Notify,
    /// Asked for a list whenever an alert fires.
    processes: OnceLock<Arc<Processes>>,
    stop: Mutex<bool>,
    stopped: Condvar,
}

impl Default for AlertingSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            files: Vec::new(),
            defaults: true,
            external_url: String::new(),
            actions: Arc::default(),
            host: String::new(),
        }
    }
}

/// Why rules cannot be evaluated at all.
#[derive(Debug, thiserror::Error)]
pub enum AlertingError {
    #[error("the rules have mistakes:\n{}", .0.join("\n"))]
    Rules(Vec<String>),
    #[error("the saved alerts cannot be read")]
    State(#[from] barograph_state::StateError),
    #[error("cannot start the thread that evaluates rules")]
    Thread(#[from] std::io::Error),
}

impl Alerting {
    /// It is looked at least so often what documents say and how far incidents are.
    const TICK: Duration = Duration::from_secs(1);
    const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

    /// Reads the rules and what was saved of their alerts, and begins to evaluate.
    ///
    /// # Errors
    /// A rule file has mistakes, or the database cannot be read.
    pub fn start(
        store: Arc<Store>,
        documents: Arc<Documents>,
        engine: Engine,
        clock: Arc<dyn Clock>,
        settings: AlertingSettings,
    ) -> Result<Self, AlertingError> {
        let shared = Arc::new(Shared::restore(store, documents, engine, clock, settings)?);
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("rules".to_owned())
            // Deep queries are evaluated on the stack.
            .stack_size(8 * 1024 * 1024)
            .spawn(move || for_thread.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// From now on the processes are noted when an alert fires.
    pub fn note_processes_of(&self, processes: &Arc<Processes>) {
        // The first one stays.
        drop(self.shared.processes.set(Arc::clone(processes)));
    }

    /// Waits for the evaluation that goes on, and saves.
    pub fn close(&self) {
        *lock(&self.shared.stop) = true;
        self.shared.stopped.notify_all();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that evaluates rules had panicked");
        }
        self.shared.save_all();
    }
}

impl Shared {
    /// Reads the rules and what was saved of their alerts.
    fn restore(
        store: Arc<Store>,
        documents: Arc<Documents>,
        engine: Engine,
        clock: Arc<dyn Clock>,
        settings: AlertingSettings,
    ) -> Result<Self, AlertingError> {
        let monotonic = clock.monotonic();
        let mut rules = Rules::new();
        rules.refresh(&settings, &documents, monotonic);
        let of_files = rules.problems_of_files();
        if !of_files.is_empty() {
            return Err(AlertingError::Rules(of_files));
        }
        let state = Arc::clone(documents.state());
        let (groups, orphans) = saved::restore(&state, rules.loaded(), monotonic)?;
        let book = documents.book();
        let remedies =
            Remedies::restore(&state, &settings.actions, &settings.host, clock.now_ms())?;
        let mut desk = Desk::restore(&state, book, remedies, &settings.external_url)?;
        let now_ms = clock.now_ms();
        for (key, alerts) in orphans {
            for transition in RuleAlerts::restore(alerts).end_all(now_ms) {
                desk.end(&transition, now_ms);
            }
            desk.forget_rules(vec![key]);
        }
        let published = Published::default();
        published.renew(&groups, settings.interval);
        Ok(Self {
            store,
            state,
            documents,
            engine,
            clock,
            settings,
            external_labels: BTreeMap::new(),
            rules: Mutex::new(rules),
            groups: Mutex::new(groups),
            published,
            desk: Mutex::new(desk),
            posted: tokio::sync::Notify::new(),
            job_waits: tokio::sync::Notify::new(),
            processes: OnceLock::new(),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
        })
    }

    /// Takes up rules that changed.
    fn reload(&self, groups: &mut Vec<GroupState>, monotonic: Duration) {
        let mut rules = lock(&self.rules);
        if !rules.refresh(&self.settings, &self.documents, monotonic) {
            return;
        }
        let now_ms = self.clock.now_ms();
        let before = std::mem::take(groups);
        let reloaded = reload(before, rules.loaded(), now_ms, monotonic);
        *groups = reloaded.groups;
        self.published.renew(groups, self.settings.interval);
        let mut desk = lock(&self.desk);
        for transition in &reloaded.ended {
            desk.end(transition, now_ms);
        }
        desk.forget_rules(reloaded.gone);
        tracing::info!(groups = groups.len(), "rules read anew");
    }

    fn run(&self) {
        let mut stop = lock(&self.stop);
        while !*stop {
            drop(stop);
            let pause = self.tick();
            stop = lock(&self.stop);
            if !*stop {
                let waited = self.stopped.wait_timeout(stop, pause);
                stop = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    /// Evaluates what is due, lets incidents escalate, and saves what changed. Returns how long
    /// there is nothing to do.
    fn tick(&self) -> Duration {
        let monotonic = self.clock.monotonic();
        let mut groups = lock(&self.groups);
        lock(&self.desk).book = self.documents.book();
        self.reload(&mut groups, monotonic);
        for (place, group) in groups.iter_mut().enumerate() {
            if !group.is_due(monotonic) {
                continue;
            }
            let transitions = self.evaluate(group, monotonic);
            self.published.update(place, group, self.settings.interval);
            if !transitions.is_empty() {
                self.note_processes(&transitions);
                lock(&self.desk).take(&transitions, self.clock.now_ms());
            }
            if *lock(&self.stop) {
                break;
            }
        }
        let mut desk = lock(&self.desk);
        desk.test_pagers(self.clock.now_ms());
        desk.mend(self.clock.now_ms(), monotonic);
        desk.advance(self.clock.now_ms(), monotonic);
        let is_any_new = !desk.outbox.is_empty();
        match saved::save(&self.state, &mut groups, &mut desk, monotonic) {
            Ok(()) if is_any_new => self.posted.notify_one(),
            Ok(()) => {}
            Err(error) => desk.report_unsaved(&chain(&error)),
        }
        if desk.has_job() {
            self.job_waits.notify_one();
        }
        drop(desk);
        let now = self.clock.monotonic();
        let next = groups.iter().map(|group| group.until_due(now)).min();
        drop(groups);
        self.end_silences();
        next.unwrap_or(Alerting::TICK).clamp(Alerting::SHORTEST_PAUSE, Alerting::TICK)
    }

    /// What ran when an alert fired is stored.
    fn note_processes(&self, happened: &[Happened]) {
        let fired = |it: &Happened| it.transition.kind == TransitionKind::Fired;
        if let Some(processes) = self.processes.get().filter(|_| happened.iter().any(fired)) {
            processes.store_soon();
        }
    }

    /// Saves everything, also what has not changed for long.
    fn save_all(&self) {
        let mut groups = lock(&self.groups);
        groups.iter_mut().for_each(GroupState::mark_unsaved);
        let saved = saved::save(&self.state, &mut groups, &mut lock(&self.desk), Duration::MAX);
        if let Err(error) = saved {
            tracing::error!(error = %chain(&error), "alerts not saved");
        }
    }
}

/// What a panic left behind is as good as what was before it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
