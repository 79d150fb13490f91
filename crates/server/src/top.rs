//! The highest of many series: a chart of five thousand processes shows those that matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use barograph_model::{MatchOp, Matcher, SeriesSource};
use barograph_promql::{ParseError, Value, format_duration};

use crate::queries::{AskError, Queries, When, Wishes};
use crate::query::Query;

type AnswerLabels = BTreeMap<String, String>;

/// The series that were chosen, and of how many.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Top {
    pub(crate) labels: BTreeSet<AnswerLabels>,
    pub(crate) of: usize,
}

/// Why nothing could be chosen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopError {
    #[error("the query cannot be asked as PromQL: {0}")]
    Query(#[from] ParseError),
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl Top {
    /// The `query.top` series with the highest means over a range; `None` where the query wants
    /// all, or has no more than that.
    ///
    /// # Errors
    /// The question could not be answered.
    pub(crate) async fn find<S: SeriesSource + Send + Sync + 'static>(
        (queries, source): (&Arc<Queries>, &Arc<S>),
        (query, own_host): (&Query, &str),
        (from_ms, to_ms): (i64, i64),
    ) -> Result<Option<Self>, TopError> {
        let Some(top) = query.top else { return Ok(None) };
        let (from_ms, to_ms) = whole_buckets(from_ms, to_ms);
        let text = query.means(&format_duration(to_ms - from_ms));
        let parsed = queries.parse(&text, 0)?;
        let when = When::Instant { at_ms: to_ms };
        let answer = queries.ask(source, &parsed, when, Wishes::default()).await?;
        let Value::Vector(samples) = answer.value else { return Ok(None) };
        let mut means: Vec<(f64, AnswerLabels)> = samples
            .into_iter()
            .filter(|sample| sample.value.is_finite())
            .map(|sample| (sample.value, query.answer_labels(&sample.labels, own_host)))
            .collect();
        let of = means.len();
        if of <= top {
            return Ok(None);
        }
        // Among equals the order is that of their labels: the same question has the same answer.
        means.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        means.truncate(top);
        Ok(Some(Self { labels: means.into_iter().map(|(_, labels)| labels).collect(), of }))
    }

    /// Conditions that keep most of the other series from being read.
    pub(crate) fn matchers(&self) -> Vec<Matcher> {
        let names = self.labels.first().into_iter().flat_map(BTreeMap::keys);
        names.filter_map(|name| self.matcher(name)).collect()
    }

    fn matcher(&self, name: &str) -> Option<Matcher> {
        let values: Option<BTreeSet<&String>> =
            self.labels.iter().map(|labels| labels.get(name)).collect();
        let values: Vec<String> = values?.into_iter().map(|it| regex::escape(it)).collect();
        // What is too long for an expression is left to the comparison of the labels.
        Matcher::new(name, MatchOp::Regex, values.join("|")).ok()
    }
}

/// A long range is ranked by whole buckets of a tier, which are read a thousand times faster.
fn whole_buckets(from_ms: i64, to_ms: i64) -> (i64, i64) {
    const HOUR_MS: i64 = 3_600_000;
    let unit_ms = match to_ms - from_ms {
        range_ms if range_ms >= 48 * HOUR_MS => HOUR_MS,
        range_ms if range_ms >= HOUR_MS => 60_000,
        _ => 1000,
    };
    let from_ms = from_ms.div_euclid(unit_ms) * unit_ms;
    let to_ms = (to_ms + unit_ms - 1).div_euclid(unit_ms) * unit_ms;
    (from_ms, to_ms.max(from_ms + unit_ms))
}

#[cfg(test)]
mod tests {
    use barograph_model::{Labels, METRIC_NAME, SystemClock};
    use barograph_promql::{MemorySource, Settings};

    use super::*;

    const TO_MS: i64 = 1_000_000;

    /// Counters `m{disk}` that grow by their own number each second.
    fn source(disks: i32) -> Arc<MemorySource> {
        let mut source = MemorySource::new();
        for disk in 0..disks {
            let disk_name = format!("sd.{disk}");
            let labels = [(METRIC_NAME, "m"), ("host", "h"), ("disk", disk_name.as_str())];
            for second in 0..60 {
                let time_ms = TO_MS - 60_000 + i64::from(second) * 1000;
                source.push(&Labels::new(labels).unwrap(), time_ms, f64::from(second * disk));
            }
        }
        Arc::new(source)
    }

    async fn find(disks: i32, top: usize) -> Option<Top> {
        let queries = Arc::new(Queries::new(Settings::default(), Arc::new(SystemClock::new())));
        let query = Query { rate: true, top: Some(top), ..Query::metric("m") };
        let range = (TO_MS - 30_000, TO_MS);
        Top::find((&queries, &source(disks)), (&query, "h"), range).await.unwrap()
    }

    #[tokio::test]
    async fn the_highest_of_many_are_chosen() {
        let top = find(300, 2).await.unwrap();
        assert_eq!(top.of, 300);
        let disks: Vec<&str> = top.labels.iter().map(|labels| labels["disk"].as_str()).collect();
        assert_eq!(disks, ["sd.298", "sd.299"]);
        let [matcher] = top.matchers().try_into().unwrap();
        assert!(matcher.matches_value("sd.298"));
        assert!(!matcher.matches_value("sd.297") && !matcher.matches_value("sdx298"));
    }

    #[tokio::test]
    async fn a_few_are_not_chosen_from() {
        assert_eq!(find(3, 3).await, None);
    }

    #[test]
    fn long_ranges_are_made_of_whole_buckets() {
        assert_eq!(whole_buckets(1500, 2500), (1000, 3000));
        assert_eq!(whole_buckets(61_000, 3_700_000), (60_000, 3_720_000));
        assert_eq!(whole_buckets(1, 200 * 3_600_000 - 1), (0, 200 * 3_600_000));
    }
}
