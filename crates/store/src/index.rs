//! The series of one partition, and which of them a question means.

use std::collections::HashMap;

use barograph_model::{Labels, METRIC_NAME, MatchOp, Matcher};

type Postings = HashMap<Box<str>, Vec<u32>>;

/// Labels by local id, and local ids by label.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// `None` where the stored labels are damaged: the id is taken, the series is lost.
    labels: Vec<Option<Labels>>,
    /// For each label name and value the series that have it, ascending.
    postings: HashMap<Box<str>, Postings>,
}

impl Index {
    pub(crate) fn push(&mut self, labels: Labels) {
        let id = self.len();
        for (name, value) in labels.iter() {
            if !self.postings.contains_key(name) {
                self.postings.insert(name.into(), Postings::new());
            }
            let Some(values) = self.postings.get_mut(name) else { continue };
            match values.get_mut(value) {
                Some(ids) => ids.push(id),
                None => drop(values.insert(value.into(), vec![id])),
            }
        }
        self.labels.push(Some(labels));
    }

    /// Takes ids up to `len` for series that are known to have been there.
    pub(crate) fn pad(&mut self, len: u32) -> u32 {
        let lost = len.saturating_sub(self.len());
        self.labels.resize(self.labels.len().max(len as usize), None);
        lost
    }

    #[expect(clippy::cast_possible_truncation, reason = "series are limited to u32 by Meta")]
    pub(crate) fn len(&self) -> u32 {
        self.labels.len() as u32
    }

    pub(crate) fn labels(&self, id: u32) -> Option<&Labels> {
        self.labels.get(id as usize)?.as_ref()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Labels)> {
        (0..).zip(&self.labels).filter_map(|(id, labels)| Some((id, labels.as_ref()?)))
    }

    /// The series that all matchers want, in ascending order.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let mut chosen: Option<Vec<u32>> = None;
        let mut filters = Vec::new();
        for matcher in matchers {
            // What also wants absent labels cannot be answered by lists of present ones.
            if matcher.matches_value("") {
                filters.push(matcher);
                continue;
            }
            let ids = self.with_value(matcher);
            chosen = Some(match chosen {
                None => ids,
                Some(chosen) => intersect(&chosen, &ids),
            });
        }
        let mut chosen = chosen.unwrap_or_else(|| self.iter().map(|(id, _)| id).collect());
        for matcher in filters {
            let unwanted = self.unwanted(matcher);
            chosen.retain(|id| unwanted.binary_search(id).is_err());
        }
        chosen
    }

    /// The series whose label has a value that the matcher wants.
    fn with_value(&self, matcher: &Matcher) -> Vec<u32> {
        let Some(values) = self.postings.get(matcher.label()) else { return Vec::new() };
        if matcher.op() == MatchOp::Equal {
            return values.get(matcher.value()).cloned().unwrap_or_default();
        }
        Self::collect(values, |value| matcher.matches_value(value))
    }

    /// The series whose label has a value that the matcher does not want.
    fn unwanted(&self, matcher: &Matcher) -> Vec<u32> {
        let Some(values) = self.postings.get(matcher.label()) else { return Vec::new() };
        Self::collect(values, |value| !matcher.matches_value(value))
    }

    fn collect(values: &Postings, wanted: impl Fn(&str) -> bool) -> Vec<u32> {
        let lists = values.iter().filter(|(value, _)| wanted(value)).map(|(_, ids)| ids);
        let mut ids: Vec<u32> = lists.flatten().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Metric names with the number of their series.
    pub(crate) fn metric_names(&self) -> impl Iterator<Item = (&str, &[u32])> {
        let names = self.postings.get(METRIC_NAME);
        names.into_iter().flatten().map(|(name, ids)| (&**name, &ids[..]))
    }

    pub(crate) fn label_values(&self, label: &str) -> impl Iterator<Item = &str> {
        self.postings.get(label).into_iter().flatten().map(|(value, _)| &**value)
    }
}

fn intersect(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let mut rest = long;
    let mut both = Vec::with_capacity(short.len());
    for id in short {
        rest = &rest[rest.partition_point(|other| other < id)..];
        if rest.first() == Some(id) {
            both.push(*id);
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> impl Strategy<Value = Labels> {
        prop::collection::btree_map("[ab]|__name__", "[xyz]{1,2}", 0..4)
            .prop_map(|set| Labels::new(set).unwrap())
    }

    fn matcher() -> impl Strategy<Value = Matcher> {
        let op = prop::sample::select(vec![
            MatchOp::Equal,
            MatchOp::NotEqual,
            MatchOp::Regex,
            MatchOp::NotRegex,
        ]);
        let value = prop::sample::select(vec!["", "x", "y.*", ".+", "x|z", ".*", "[xy]?"]);
        ("[abc]|__name__", op, value).prop_map(|(l, op, v)| Matcher::new(l, op, v).unwrap())
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_matching_each_series(
            series in prop::collection::vec(labels(), 0..40),
            matchers in prop::collection::vec(matcher(), 0..4),
        ) {
            let mut index = Index::default();
            for labels in &series {
                index.push(labels.clone());
            }
            let expected: Vec<u32> = (0..index.len())
                .filter(|id| matchers.iter().all(|m| m.matches(index.labels(*id).unwrap())))
                .collect();
            prop_assert_eq!(index.select(&matchers), expected);
        }
    }
}
