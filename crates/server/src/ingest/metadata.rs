//! What senders say about their metrics: kind, help and unit.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use barograph_wire::MetricType;
use tracing_mutex::stdsync::{RwLock, RwLockReadGuard};

/// What is known of one metric of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricInfo {
    pub kind: MetricType,
    pub help: String,
    pub unit: String,
}

/// Metrics by name, as their senders last described them; in memory only, since senders repeat
/// what they say.
#[derive(Debug, Default)]
pub struct MetricInfos {
    by_name: RwLock<BTreeMap<String, MetricInfo>>,
}

impl MetricInfos {
    /// More metrics than a large fleet of exporters has; later ones stay undescribed.
    const MAX: usize = 50_000;
    /// Longer texts are cut.
    const MAX_TEXT_BYTES: usize = 1024;

    /// Takes down what a sender says of a metric.
    pub fn describe(&self, name: &str, kind: MetricType, help: &str, unit: &str) {
        if name.is_empty() || name.len() > barograph_model::Labels::MAX_NAME_BYTES {
            return;
        }
        let (help, unit) = (cut(help), cut(unit));
        let same =
            |known: &MetricInfo| known.kind == kind && known.help == help && known.unit == unit;
        if self.read().get(name).is_some_and(same) {
            return;
        }
        let mut infos = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if infos.len() < Self::MAX || infos.contains_key(name) {
            let info = MetricInfo { kind, help: help.to_owned(), unit: unit.to_owned() };
            infos.insert(name.to_owned(), info);
        }
    }

    pub fn get(&self, name: &str) -> Option<MetricInfo> {
        self.read().get(name).cloned()
    }

    /// All of them, in order of their names.
    pub fn all(&self) -> BTreeMap<String, MetricInfo> {
        self.read().clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, MetricInfo>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=MetricInfos::MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_description_stays_and_long_ones_are_cut() {
        let infos = MetricInfos::default();
        infos.describe("a_total", MetricType::Counter, "How often.", "");
        infos.describe("a_total", MetricType::Counter, &"é".repeat(1000), "seconds");
        let info = infos.get("a_total").unwrap();
        assert_eq!((info.help.len(), info.unit.as_str()), (1024, "seconds"));
        infos.describe("", MetricType::Gauge, "", "");
        assert_eq!(infos.all().len(), 1);
    }
}
