//! Questions in PromQL: parsed once, evaluated with a bound on how many run at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use barograph_model::{Clock, SeriesSource};
use barograph_promql::{Answer, Engine, EvalError, Options, ParseError, Query, Settings};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing_mutex::stdsync::RwLock;

use crate::baseline::Baselines;

mod paths;

pub use paths::CounterPaths;

/// Evaluates questions for all interfaces.
#[derive(Debug)]
pub struct Queries {
    engine: Engine,
    cache: RwLock<HashMap<String, Arc<Query>>>,
    /// Evaluations at once: more would take the cores from the collectors.
    running: Arc<Semaphore>,
    /// What was found to be usual.
    pub(crate) baselines: Baselines,
}

/// When a question is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Instant { at_ms: i64 },
    Range { from_ms: i64, to_ms: i64, step_ms: i64 },
}

/// What one question wants otherwise than the settings say; limits can only be tightened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    pub lookback: Option<Duration>,
    pub timeout: Option<Duration>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error("query timed out in query queue: {running} questions are being answered")]
    Queue { running: usize },
    /// A bug; the panic is in the log.
    #[error("evaluating the question failed; see the log")]
    Panicked,
}

impl Queries {
    /// Texts that are kept parsed. Dashboards ask the same again and again.
    const MAX_CACHED: usize = 1000;
    /// Longer texts are not worth their memory.
    const MAX_CACHED_BYTES: usize = 4096;
    /// What a counter path's rates are taken over, as long as a step is not longer.
    const WINDOW_MS: i64 = 60_000;
    /// What is answered without changing threads: some ten microseconds of work.
    const SMALL_SERIES: usize = 32;
    const SMALL_SAMPLES: usize = 1000;

    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let at_once = settings.threads.max(2);
        Self {
            engine: Engine::new(settings, clock),
            cache: RwLock::default(),
            running: Arc::new(Semaphore::new(at_once)),
            baselines: Baselines::default(),
        }
    }

    /// Forgets what is kept only to be quicker.
    pub(crate) fn forget(&self) {
        *self.cache.write().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
    }

    pub fn settings(&self) -> &Settings {
        self.engine.settings()
    }

    /// PromQL, in which counter paths such as `\PhysicalDisk(*)\Disk Reads/sec` may be operands.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(&self, text: &str, step_ms: i64) -> Result<Arc<Query>, ParseError> {
        if let Some(query) = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(Arc::clone(query));
        }
        let window = barograph_promql::format_duration(step_ms.max(Self::WINDOW_MS));
        let paths = CounterPaths::new(&window);
        let query = Arc::new(Query::parse_with(text, &paths)?);
        // A path's window is that of its step.
        if text.len() <= Self::MAX_CACHED_BYTES && !paths.found() {
            let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
            if cache.len() >= Self::MAX_CACHED {
                cache.clear();
            }
            cache.insert(text.to_owned(), Arc::clone(&query));
        }
        Ok(query)
    }

    /// Evaluates, small instants at once, the rest on a thread of its own. Whoever stops waiting
    /// ends the evaluation.
    ///
    /// # Errors
    /// No answer, or no place to evaluate before the time is up.
    pub async fn ask<S>(
        self: &Arc<Self>,
        source: &Arc<S>,
        query: &Arc<Query>,
        when: When,
        wishes: Wishes,
    ) -> Result<Answer, AskError>
    where
        S: SeriesSource + Send + Sync + 'static,
    {
        if let When::Instant { .. } = when
            && let Some(answer) = self.small(source.as_ref(), query, when, wishes)
        {
            return answer.map_err(AskError::Eval);
        }
        let permit = self.permit(wishes).await?;
        let (queries, source, query) = (Arc::clone(self), Arc::clone(source), Arc::clone(query));
        let cancel = Arc::new(AtomicBool::new(false));
        let on_leave = CancelOnDrop(Arc::clone(&cancel));
        let work = move || {
            let _permit = permit;
            let options = Options {
                lookback: wishes.lookback,
                timeout: wishes.timeout,
                cancel: Some(&cancel),
                ..Options::default()
            };
            queries.evaluate(source.as_ref(), &query, when, &options)
        };
        let answer = tokio::task::spawn_blocking(work).await;
        drop(on_leave);
        answer.map_err(|_| AskError::Panicked)?.map_err(AskError::Eval)
    }

    /// Runs something else that reads series under the same bound.
    ///
    /// # Errors
    /// No place before the time is up, or a bug.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, AskError> {
        let permit = self.permit(Wishes::default()).await?;
        let cancel = Arc::new(AtomicBool::new(false));
        let on_leave = CancelOnDrop(Arc::clone(&cancel));
        let work = move || {
            let _permit = permit;
            work(&cancel)
        };
        let done = tokio::task::spawn_blocking(work).await;
        drop(on_leave);
        done.map_err(|_| AskError::Panicked)
    }

    async fn permit(&self, wishes: Wishes) -> Result<OwnedSemaphorePermit, AskError> {
        let patience = self.settings().timeout.min(wishes.timeout.unwrap_or(Duration::MAX));
        let place = Arc::clone(&self.running).acquire_owned();
        match tokio::time::timeout(patience, place).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(AskError::Queue { running: self.settings().threads.max(2) }),
        }
    }

    /// The answer, if it takes no time worth a thread.
    fn small(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        when: When,
        wishes: Wishes,
    ) -> Option<Result<Answer, EvalError>> {
        let options = Options {
            lookback: wishes.lookback,
            timeout: wishes.timeout,
            max_series: Some(Self::SMALL_SERIES),
            max_samples: Some(Self::SMALL_SAMPLES),
            threads: Some(1),
            ..Options::default()
        };
        match self.evaluate(source, query, when, &options) {
            Err(EvalError::TooManySeries { .. } | EvalError::TooManySamples { .. }) => None,
            answer => Some(answer),
        }
    }

    fn evaluate(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        when: When,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        match when {
            When::Instant { at_ms } => self.engine.instant(source, query, at_ms, options),
            When::Range { from_ms, to_ms, step_ms } => {
                self.engine.range(source, query, from_ms, to_ms, step_ms, options)
            }
        }
    }
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
