//! The engine's face.

use std::sync::Arc;

use barograph_model::{Clock, SeriesSource};

use crate::ast::Node;
use crate::{Answer, EvalError, Options, Query, Settings, Stats, Value};

/// Evaluates questions.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Engine {
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Evaluates at one moment, milliseconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// The evaluation makes no sense, a limit is passed, it was cancelled, or the source failed.
    pub fn instant(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        time_ms: i64,
        options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        self.range(source, query, time_ms, time_ms, 1, options)
    }

    /// Evaluates at `start_ms`, `start_ms + step_ms`, … up to `end_ms`, milliseconds since
    /// 1970-01-01 UTC. `step_ms` is at least 1. The value is a [`Value::Matrix`].
    ///
    /// # Errors
    /// As [`Engine::instant`].
    pub fn range(
        &self,
        _source: &dyn SeriesSource,
        query: &Query,
        _start_ms: i64,
        _end_ms: i64,
        _step_ms: i64,
        _options: &Options<'_>,
    ) -> Result<Answer, EvalError> {
        let started = self.clock.monotonic();
        match query.expr().node {
            Node::Number { value, .. } => Ok(Answer {
                value: Value::Scalar(value),
                warnings: Vec::new(),
                infos: Vec::new(),
                stats: Stats {
                    elapsed: self.clock.monotonic().saturating_sub(started),
                    ..Stats::default()
                },
            }),
            _ => Err(EvalError::Execution("only numbers are evaluated so far".to_owned())),
        }
    }
}
