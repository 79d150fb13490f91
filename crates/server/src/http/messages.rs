//! What the two sides of a live connection say. `docs/api/http.md` describes it for clients.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::HistoryAnswer;
use crate::query::Query;

use super::range::AnswerLabels;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum FromClient {
    Subscribe(Subscribe),
    Unsubscribe { id: String },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscribe {
    pub(crate) id: String,
    pub(crate) query: Query,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: Option<i64>,
    pub(crate) step_ms: i64,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ToClient<'a> {
    Hello {
        host: &'a str,
        version: &'a str,
        server_time_ms: i64,
        interval_ms: i64,
        oldest_ms: Option<i64>,
    },
    History {
        id: &'a str,
        #[serde(flatten)]
        answer: &'a HistoryAnswer,
    },
    Series {
        id: &'a str,
        index: usize,
        labels: &'a AnswerLabels,
    },
    Tick {
        time_ms: i64,
        values: BTreeMap<&'a str, Vec<Option<f64>>>,
    },
    Error {
        id: Option<&'a str>,
        code: &'a str,
        message: &'a str,
    },
}
