//! The catalog of counters: what can be asked for by its path.

use axum::Json;
use axum::extract::State;
use barograph_collect::catalog::{self, History, Row};
use serde::Serialize;

use crate::app::{App, Context};

use super::error::ApiError;
use super::host::LOOK_BACK_MS;
use super::waiting::wait;

#[derive(Debug, Serialize)]
pub(crate) struct CounterAnswer {
    path: String,
    kind: &'static str,
    unit: &'static str,
    help: &'static str,
    /// The question in PromQL that gives the cooked value; `null` where there is none.
    promql: Option<String>,
    /// Whether all that it is made of was stored within the last day.
    stored: bool,
}

pub(crate) async fn counters(
    State(context): State<Context>,
) -> Result<Json<Vec<CounterAnswer>>, ApiError> {
    wait("listing the counters", move || list(&context)).await.map(Json)
}

fn list(app: &App) -> Vec<CounterAnswer> {
    let since_ms = app.clock.now_ms().saturating_sub(LOOK_BACK_MS);
    let names = app.store.metric_names(since_ms, i64::MAX).data;
    catalog::rows().map(|row| answer(row, |metric| names.contains_key(metric))).collect()
}

fn answer(row: &Row, is_stored: impl Fn(&str) -> bool) -> CounterAnswer {
    let history = History { instance: None, host: None, window: "1m" };
    CounterAnswer {
        path: row.path(),
        kind: row.kind().as_str(),
        unit: row.unit.as_str(),
        help: row.help,
        promql: row.promql(&history),
        stored: row.descs().all(|desc| is_stored(desc.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counter: &str, stored: &[&str]) -> CounterAnswer {
        let row = catalog::rows().find(|row| row.counter == counter).unwrap();
        answer(row, |metric| stored.contains(&metric))
    }

    #[test]
    fn a_counter_tells_its_question_and_whether_it_is_stored() {
        let told = of("Context Switches/sec", &["system_context_switches_total"]);
        assert_eq!(told.path, r"\System\Context Switches/sec");
        assert!(told.stored);
        assert!(told.promql.unwrap().contains("rate(system_context_switches_total"));
        assert!(!of("Context Switches/sec", &["cpu_usage"]).stored);
    }
}
