//! Who takes the space: series by metric, by label and by pair of both.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use barograph_model::{Labels, METRIC_NAME, Matcher, Selection, SeriesSource};
use barograph_store::Space;
use serde_json::{Value, json};

use super::error::{ErrorKind, Refused};
use super::params::Params;
use super::respond::success;
use crate::app::Context;
use crate::http::storage::Storage;

/// Rows of each list, unless `limit` says otherwise.
const ROWS: usize = 10;
const MAX_ROWS: usize = 10_000;
/// Series that have been reported within this time count.
const LATELY_MS: i64 = 3_600_000;
/// Bytes are those of the days that overlap this time: every file of years would have to be
/// opened else.
const BYTES_OF_MS: i64 = 7 * 24 * 3_600_000;

pub(super) async fn tsdb(
    State(context): State<Context>,
    params: Params,
) -> Result<Response, Refused> {
    let rows = rows(&params)?;
    let queries = context.queries.clone();
    queries
        .run(move |cancel| {
            let now_ms = context.clock.now_ms();
            let stats = context.store.stats();
            let newest_ms = stats.newest_ms.unwrap_or(now_ms);
            let matchers: [Matcher; 0] = [];
            let selection = Selection {
                matchers: &matchers,
                from_ms: newest_ms.min(now_ms).saturating_sub(LATELY_MS),
                to_ms: newest_ms.max(now_ms),
                windows: None,
                max_series: usize::MAX,
                max_samples: usize::MAX,
                cancel: Some(cancel),
            };
            let selected = SeriesSource::select(context.store.as_ref(), &selection)?;
            let shares = Shares::of(selected.labels());
            let space = context.store.space(now_ms.saturating_sub(BYTES_OF_MS), now_ms);
            let bytes = Bytes::of(&space);
            let of_series = |labels: &Labels| space.get(labels).map_or(0, |it| it.bytes());
            let sources = context.ingest.add_up(of_series);
            let by_source = |value: fn(&(String, usize, u64)) -> usize| {
                sources.iter().map(move |source| (source.0.as_str(), value(source)))
            };
            let data = json!({
                "headStats": {
                    "numSeries": selected.labels().len(),
                    "numLabelPairs": shares.pairs.len(),
                    // What is kept in memory is one chunk for each series.
                    "chunkCount": selected.labels().len(),
                    "minTime": stats.oldest_ms,
                    "maxTime": stats.newest_ms,
                    "numSamples": stats.head_samples,
                    "memoryBytes": stats.head_bytes,
                    "diskBytes": stats.disk_bytes,
                },
                // Prometheus has nothing of the kind.
                "storage": Storage::of(&context, &stats),
                "seriesCountByMetricName": largest(shares.metrics, rows),
                "labelValueCountByLabelName":
                    largest(shares.values.into_iter().map(|(l, v)| (l, v.len())), rows),
                "memoryInBytesByLabelName": largest(shares.bytes, rows),
                "seriesCountByLabelValuePair": largest(shares.pairs, rows),
                "seriesCountBySource": largest(by_source(|source| source.1), rows),
                "bytesByMetricName": largest(bytes.metrics, rows),
                "bytesByLabelValuePair": largest(bytes.pairs, rows),
                "bytesBySource": largest(by_source(|source| to_usize(source.2)), rows),
            });
            Ok(success(&data.to_string(), &[], &[]))
        })
        .await?
}

fn rows(params: &Params) -> Result<usize, Refused> {
    const PROBLEM: &str = "limit must be a positive number";
    match params.whole("limit", PROBLEM)?.map(usize::try_from) {
        None => Ok(ROWS),
        Some(Ok(rows)) if rows > MAX_ROWS => {
            let problem = format!("limit must not exceed {MAX_ROWS}");
            Err(Refused::new(ErrorKind::BadData, problem))
        }
        Some(Ok(rows)) if rows > 0 => Ok(rows),
        Some(_) => Err(Refused::new(ErrorKind::BadData, PROBLEM)),
    }
}

/// Counts of series and bytes.
#[derive(Default)]
struct Shares<'a> {
    metrics: HashMap<&'a str, usize>,
    values: HashMap<&'a str, HashSet<&'a str>>,
    /// Of names and values in the sets of labels.
    bytes: HashMap<&'a str, usize>,
    pairs: HashMap<String, usize>,
}

impl<'a> Shares<'a> {
    fn of(series: &'a [barograph_model::Labels]) -> Self {
        let mut shares = Self::default();
        let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
        for labels in series {
            for (label, value) in labels.iter() {
                if label == METRIC_NAME {
                    *shares.metrics.entry(value).or_default() += 1;
                }
                *pairs.entry((label, value)).or_default() += 1;
                shares.values.entry(label).or_default().insert(value);
                *shares.bytes.entry(label).or_default() += label.len() + value.len();
            }
        }
        let pair = |((label, value), count)| (format!("{label}={value}"), count);
        shares.pairs = pairs.into_iter().map(pair).collect();
        shares
    }
}

/// What the samples of series take, on disk and in memory.
#[derive(Default)]
struct Bytes<'a> {
    metrics: HashMap<&'a str, usize>,
    pairs: HashMap<String, usize>,
}

impl<'a> Bytes<'a> {
    fn of(space: &'a HashMap<Labels, Space>) -> Self {
        let mut bytes = Self::default();
        let mut pairs: HashMap<(&str, &str), usize> = HashMap::new();
        for (labels, space) in space {
            let size = to_usize(space.bytes());
            for (label, value) in labels.iter() {
                if label == METRIC_NAME {
                    *bytes.metrics.entry(value).or_default() += size;
                } else {
                    *pairs.entry((label, value)).or_default() += size;
                }
            }
        }
        let pair = |((label, value), size)| (format!("{label}={value}"), size);
        bytes.pairs = pairs.into_iter().map(pair).collect();
        bytes
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The largest first; those of equal size in order of their names.
fn largest<N>(counts: impl IntoIterator<Item = (N, usize)>, rows: usize) -> Vec<Value>
where
    N: Ord + AsRef<str>,
{
    let mut counts: Vec<_> =
        counts.into_iter().map(|(name, count)| (Reverse(count), name)).collect();
    counts.sort();
    counts.truncate(rows);
    counts
        .into_iter()
        .map(|(Reverse(count), name)| json!({ "name": name.as_ref(), "value": count }))
        .collect()
}
