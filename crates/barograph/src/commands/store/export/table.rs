//! The samples as a table: when, which metric, each label in a column of its own, the value.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use barograph_model::{Labels, METRIC_NAME, Matcher, is_stale};
use barograph_store::{Limits, Piece, Warning};

use super::Wanted;
use crate::commands::stop_signal::StopSignal;

/// More labels make no table.
const MAX_LABELS: usize = 1000;

/// The labels that have columns, in order of their names.
#[derive(Debug)]
pub(super) struct LabelColumns {
    pub(super) labels: Vec<String>,
    /// A label called as another column is gets another name.
    pub(super) titles: Vec<String>,
}

impl LabelColumns {
    /// Of all series that are wanted.
    pub(super) fn of(wanted: &mut Wanted<'_>) -> anyhow::Result<Self> {
        let mut names = BTreeSet::new();
        for labels in wanted.series()? {
            let others = labels.iter().map(|(name, _)| name).filter(|name| *name != METRIC_NAME);
            names.extend(others.map(str::to_owned));
        }
        anyhow::ensure!(
            names.len() <= MAX_LABELS,
            "{} labels make too many columns, at most {MAX_LABELS} are allowed; narrow it by --match",
            names.len()
        );
        let labels: Vec<String> = names.into_iter().collect();
        let taken = ["timestamp", "metric", "value"];
        let title = |name: &String| match name.as_str() {
            name if taken.contains(&name) => format!("label_{name}"),
            name => name.to_owned(),
        };
        Ok(Self { titles: labels.iter().map(title).collect(), labels })
    }
}

impl Wanted<'_> {
    fn limits() -> Limits<'static> {
        Limits { max_series: usize::MAX, max_samples: usize::MAX, cancel: None }
    }

    /// The series, in order.
    pub(super) fn series(&mut self) -> anyhow::Result<Vec<Labels>> {
        let mut found = BTreeSet::new();
        let mut warnings = Vec::new();
        for matchers in &self.selectors {
            let answer = self.view.series_list(matchers, self.range_ms, &Self::limits())?;
            warnings.extend(answer.warnings);
            found.extend(answer.data);
        }
        self.take_warnings(&warnings);
        Ok(found.into_iter().collect())
    }

    fn take_warnings(&mut self, warnings: &[Warning]) {
        for warning in warnings {
            if warning.is_of_expiry() {
                self.expired.insert(warning.partition.clone());
            } else {
                self.warnings.push(warning.to_string());
            }
        }
    }

    /// Hands on samples day by day, for as long as `act` goes on. Stale markers are left out: they
    /// are no values.
    pub(super) fn each(
        &mut self,
        act: &mut dyn FnMut(Piece<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let selectors = std::mem::take(&mut self.selectors);
        for (number, matchers) in selectors.iter().enumerate() {
            let mut failed = Ok(());
            let mut hand_on = |piece: Piece<'_>| {
                let means = |set: &Vec<Matcher>| set.iter().all(|one| one.matches(piece.labels));
                // What an earlier selector means is written already.
                if selectors[..number].iter().any(means) {
                    return ControlFlow::Continue(());
                }
                if self.stop.as_ref().is_some_and(StopSignal::is_given) {
                    failed = Err(anyhow::anyhow!("it was told to stop, so nothing was written"));
                    return ControlFlow::Break(());
                }
                let samples = self.samples;
                self.line.count(|| format!("{samples} samples"));
                failed = without_stale(piece, act);
                self.samples += piece.times.len() as u64;
                if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let limits = Self::limits();
            let answer = self.view.select_each(matchers, self.range_ms, &limits, &mut hand_on)?;
            self.take_warnings(&answer.warnings);
            failed?;
        }
        self.selectors = selectors;
        Ok(())
    }
}

fn without_stale(
    piece: Piece<'_>,
    act: &mut dyn FnMut(Piece<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if !piece.values.iter().any(|value| is_stale(*value)) {
        return act(piece);
    }
    let kept = piece.times.iter().zip(piece.values).filter(|(_, value)| !is_stale(**value));
    let (times, values): (Vec<i64>, Vec<f64>) = kept.map(|(time, value)| (*time, *value)).unzip();
    if times.is_empty() { Ok(()) } else { act(Piece { times: &times, values: &values, ..piece }) }
}
