//! The series of one partition, and which of them a question means.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use barograph_model::{Labels, METRIC_NAME, MatchOp, Matcher};
use foldhash::quality::RandomState;

/// In order, since people are shown the values so.
type Postings = BTreeMap<Box<str>, Vec<u32>>;

/// Labels by local id, and local ids by label.
#[derive(Debug)]
pub(crate) struct Index {
    /// `None` where the stored labels are damaged: the id is taken, the series is lost.
    labels: Vec<Option<Labels>>,
    /// For each label name and value the series that have it, ascending.
    postings: HashMap<Box<str>, Postings, RandomState>,
    /// Labels ascend with their ids, as in a final form.
    is_sorted: bool,
    /// Otherwise for each id its place in the order of labels, once somebody needs it.
    places: OnceLock<Box<[u32]>>,
    /// Series that answers had to put in order since there were new ones.
    sorted: AtomicUsize,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            postings: HashMap::default(),
            is_sorted: true,
            places: OnceLock::new(),
            sorted: AtomicUsize::new(0),
        }
    }
}

/// Once answers had to put this part of all series in order, it is worth while to do it for all at
/// once: not before, since each new series undoes it.
const WORTH: usize = 4;

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
        self.is_sorted &= self.labels.last().is_none_or(|last| last.as_ref() < Some(&labels));
        self.forget_order();
        self.labels.push(Some(labels));
    }

    /// Takes ids up to `len` for series that are known to have been there.
    pub(crate) fn pad(&mut self, len: u32) -> u32 {
        let lost = len.saturating_sub(self.len());
        if lost > 0 {
            self.labels.resize(len as usize, None);
            self.is_sorted = false;
            self.forget_order();
        }
        lost
    }

    fn forget_order(&mut self) {
        self.places = OnceLock::new();
        *self.sorted.get_mut() = 0;
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

    /// Puts series in order of their labels.
    pub(crate) fn in_order(&self, mut ids: Vec<u32>) -> Vec<u32> {
        if self.is_sorted {
            return ids;
        }
        let sorted = self.sorted.fetch_add(ids.len(), Ordering::Relaxed) + ids.len();
        if self.places.get().is_none() && sorted < self.labels.len() / WORTH {
            ids.sort_by(|a, b| self.labels(*a).cmp(&self.labels(*b)));
        } else {
            let places = self.places.get_or_init(|| self.put_in_order());
            ids.sort_unstable_by_key(|id| places[*id as usize]);
        }
        ids
    }

    fn put_in_order(&self) -> Box<[u32]> {
        let mut ids: Vec<u32> = (0..self.len()).collect();
        ids.sort_by(|a, b| self.labels(*a).cmp(&self.labels(*b)));
        let mut places = vec![0; ids.len()].into_boxed_slice();
        for (place, id) in (0..).zip(ids) {
            places[id as usize] = place;
        }
        places
    }

    /// The series that all matchers want, in ascending order of their ids.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let (mut lists, mut others) = (Vec::new(), Vec::new());
        for matcher in matchers {
            if matcher.op() == MatchOp::Equal && !matcher.value().is_empty() {
                let values = self.postings.get(matcher.label());
                let Some(ids) = values.and_then(|values| values.get(matcher.value())) else {
                    return Vec::new();
                };
                lists.push(&ids[..]);
            } else {
                others.push(matcher);
            }
        }
        lists.sort_by_key(|ids| ids.len());
        let mut chosen = lists.split_first().map(|(first, rest)| {
            rest.iter().fold(first.to_vec(), |chosen, ids| intersect(&chosen, ids))
        });
        // What also wants absent labels cannot be answered by lists of present ones, so it is
        // better asked of few.
        others.sort_by_key(|matcher| matcher.matches_value(""));
        for matcher in others {
            chosen = Some(self.narrow(chosen, matcher));
        }
        chosen.unwrap_or_else(|| self.iter().map(|(id, _)| id).collect())
    }

    /// Of the chosen series (of all, if none were chosen yet) those that a matcher wants.
    fn narrow(&self, chosen: Option<Vec<u32>>, matcher: &Matcher) -> Vec<u32> {
        let no_values = Postings::new();
        let values = self.postings.get(matcher.label()).unwrap_or(&no_values);
        let chosen = match chosen {
            Some(mut few) if few.len() <= values.len() => {
                few.retain(|id| self.labels(*id).is_some_and(|labels| matcher.matches(labels)));
                return few;
            }
            chosen => chosen,
        };
        if !matcher.matches_value("") {
            let wanted = Self::collect(values, |value| matcher.matches_value(value));
            return match chosen {
                Some(chosen) => intersect(&chosen, &wanted),
                None => wanted,
            };
        }
        let unwanted = Self::collect(values, |value| !matcher.matches_value(value));
        let mut kept = chosen.unwrap_or_else(|| self.iter().map(|(id, _)| id).collect());
        let mut rest = &unwanted[..];
        kept.retain(|id| {
            rest = &rest[rest.partition_point(|other| other < id)..];
            rest.first() != Some(id)
        });
        kept
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

    /// In order.
    pub(crate) fn label_values(&self, label: &str) -> impl Iterator<Item = &str> {
        self.postings.get(label).into_iter().flatten().map(|(value, _)| &**value)
    }

    pub(crate) fn label_names(&self) -> impl Iterator<Item = &str> {
        self.postings.keys().map(|name| &**name)
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
            prop_assert_eq!(index.select(&matchers), &expected[..]);
            let mut in_order = expected;
            in_order.sort_by_key(|id| index.labels(*id).unwrap().clone());
            prop_assert_eq!(index.in_order(index.select(&matchers)), in_order);
        }
    }
}
