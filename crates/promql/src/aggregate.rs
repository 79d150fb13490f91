//! Aggregations: many series to one for each group, or the ones of each group that stand out.

mod rank;
mod sums;
mod xxh64;

use barograph_model::Labels;

pub(crate) use rank::{count_values, limit, limit_ratio, quantiles, ratio_in_range, top};
pub(crate) use sums::Totals;

use crate::EvalError;
use crate::frame::make_labels;
use crate::keys::{By, Groups};
use crate::plan::Grouping;

impl Grouping {
    pub(crate) fn by(&self) -> By<'_> {
        By { named: !self.without, names: &self.labels }
    }
}

/// Which series belongs to which group.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// The group of each series.
    pub group_of: Vec<usize>,
    pub labels: Vec<Labels>,
}

impl Members {
    pub(crate) fn new<'l>(
        grouping: &Grouping,
        series: impl Iterator<Item = &'l Labels>,
    ) -> Result<Self, EvalError> {
        let by = grouping.by();
        let mut members = Self::default();
        if by.named && by.names.is_empty() {
            members.group_of = series.map(|_| 0).collect();
            members.labels = vec![make_labels::<&str, &str>([])?];
            return Ok(members);
        }
        let mut groups = Groups::new(by);
        for labels in series {
            let number = groups.number(labels);
            if number == members.labels.len() {
                members.labels.push(by.labels(labels)?);
            }
            members.group_of.push(number);
        }
        Ok(members)
    }
}
