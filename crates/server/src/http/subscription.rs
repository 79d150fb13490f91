//! One chart's standing question on a live connection.

use std::collections::HashMap;

use crate::latest::Table;
use crate::point::six_digits;
use crate::query::Query;

use super::range::AnswerLabels;

/// A query that is asked anew at every tick. Its series keep their order for as long as it lives;
/// new ones come last.
#[derive(Debug)]
pub(crate) struct Subscription {
    query: Query,
    own_host: String,
    series: Vec<LiveSeries>,
    places: HashMap<AnswerLabels, usize>,
    /// The table's generation for which the members were found.
    generation: Option<u64>,
    /// The highest were chosen: no other series joins them.
    closed: bool,
}

#[derive(Debug)]
struct LiveSeries {
    labels: AnswerLabels,
    /// Places among the metric's entries.
    members: Vec<usize>,
}

/// A series that was not in the history, or not yet.
#[derive(Debug, PartialEq)]
pub(crate) struct NewSeries {
    pub(crate) index: usize,
    pub(crate) labels: AnswerLabels,
}

impl Subscription {
    /// Series in one subscription: more lines than that nobody can tell apart.
    pub(crate) const MAX_SERIES: usize = 200;

    /// Goes on from a history that had these series.
    pub(crate) fn new(
        query: Query,
        own_host: &str,
        history: impl Iterator<Item = AnswerLabels>,
    ) -> Self {
        let series: Vec<LiveSeries> =
            history.map(|labels| LiveSeries { labels, members: Vec::new() }).collect();
        let places = series.iter().enumerate().map(|(i, one)| (one.labels.clone(), i)).collect();
        let own_host = own_host.to_owned();
        Self { query, own_host, series, places, generation: None, closed: false }
    }

    /// Takes no series that the history did not have.
    pub(crate) fn closed(mut self, closed: bool) -> Self {
        self.closed = closed;
        self
    }

    /// The values that stand at the table's time, one per series, and the series that are new.
    pub(crate) fn tick(&mut self, table: &Table) -> (Vec<Option<f64>>, Vec<NewSeries>) {
        let mut new = Vec::new();
        if self.generation != Some(table.generation()) {
            self.find_members(table, &mut new);
            self.generation = Some(table.generation());
        }
        let entries = table.entries(&self.query.metric);
        let values = self.series.iter().map(|series| {
            let members = series.members.iter().filter_map(|place| entries.get(*place));
            let values =
                members.filter_map(|entry| entry.value_at(table.time_ms(), self.query.rate));
            self.query.agg.join(values).and_then(six_digits)
        });
        (values.collect(), new)
    }

    fn find_members(&mut self, table: &Table, new: &mut Vec<NewSeries>) {
        for series in &mut self.series {
            series.members.clear();
        }
        for (place, entry) in table.entries(&self.query.metric).iter().enumerate() {
            if !self.query.wants(&entry.labels) {
                continue;
            }
            let labels = self.query.answer_labels(&entry.labels, &self.own_host);
            let index = match self.places.get(&labels) {
                Some(index) => *index,
                None if self.closed || self.series.len() == Self::MAX_SERIES => continue,
                None => {
                    let index = self.series.len();
                    self.places.insert(labels.clone(), index);
                    self.series.push(LiveSeries { labels: labels.clone(), members: Vec::new() });
                    new.push(NewSeries { index, labels });
                    index
                }
            };
            if let Some(series) = self.series.get_mut(index) {
                series.members.push(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::{Batch, Labels, METRIC_NAME, Sample};

    use super::*;
    use crate::latest::Latest;

    fn publish(latest: &Latest, time_ms: i64, values: &[(&str, &str, f64)]) {
        let sample = |(cpu, mode, value): &(&str, &str, f64)| Sample {
            labels: Labels::new([(METRIC_NAME, "m"), ("host", "h"), ("cpu", cpu), ("mode", mode)])
                .unwrap(),
            value: *value,
        };
        latest.publish(&Batch { time_ms, samples: values.iter().map(sample).collect() });
    }

    fn labels(mode: &str) -> AnswerLabels {
        [("mode".to_owned(), mode.to_owned())].into()
    }

    #[test]
    fn series_of_the_history_keep_their_place_and_new_ones_follow() {
        let latest = Latest::new();
        publish(&latest, 1000, &[("0", "user", 1.0), ("0", "idle", 5.0), ("1", "user", 2.0)]);
        let query = Query { by: Some(vec!["mode".into()]), ..Query::metric("m") };
        let mut subscription = Subscription::new(query, "h", [labels("idle")].into_iter());
        let (values, new) = subscription.tick(&latest.read());
        assert_eq!(values, [Some(5.0), Some(3.0)]);
        assert_eq!(new, [NewSeries { index: 1, labels: labels("user") }]);
        let (_, new) = subscription.tick(&latest.read());
        assert_eq!(new, []);
    }

    #[test]
    fn chosen_series_are_joined_by_no_other() {
        let latest = Latest::new();
        publish(&latest, 1000, &[("0", "user", 1.0), ("0", "idle", 5.0)]);
        let query = Query { by: Some(vec!["mode".into()]), ..Query::metric("m") };
        let chosen = Subscription::new(query, "h", [labels("idle")].into_iter());
        assert_eq!(chosen.closed(true).tick(&latest.read()), (vec![Some(5.0)], vec![]));
    }

    #[test]
    fn rates_are_joined_after_they_are_taken() {
        let latest = Latest::new();
        publish(&latest, 1000, &[("0", "user", 100.0), ("1", "user", 7.0)]);
        publish(&latest, 3000, &[("0", "user", 102.0), ("1", "user", 11.0)]);
        let query = Query { by: Some(vec![]), rate: true, ..Query::metric("m") };
        let mut subscription = Subscription::new(query, "h", std::iter::empty());
        assert_eq!(subscription.tick(&latest.read()).0, [Some(3.0)]);
    }

    #[test]
    fn vanished_series_has_no_value() {
        let latest = Latest::new();
        publish(&latest, 1000, &[("0", "user", 1.0), ("1", "user", 2.0)]);
        publish(&latest, 2000, &[("0", "user", 1.0), ("1", "user", 2.0)]);
        let mut subscription = Subscription::new(Query::metric("m"), "h", std::iter::empty());
        assert_eq!(subscription.tick(&latest.read()).0, [Some(1.0), Some(2.0)]);
        publish(&latest, 3000, &[("0", "user", 1.5)]);
        publish(&latest, 4000, &[("0", "user", 1.5)]);
        assert_eq!(subscription.tick(&latest.read()).0, [Some(1.5), None]);
    }
}
