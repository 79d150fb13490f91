//! `info`: adds the labels of info metrics, such as `target_info`, to series of the same target.

use std::collections::{BTreeMap, HashMap};

use barograph_model::{METRIC_NAME, MatchOp, Matcher};

use super::Eval;
use crate::EvalError;
use crate::chain::{Chain, Read};
use crate::frame::{Frame, Line, absent_column, make_labels};
use crate::grid::{Grid, is_absent};
use crate::plan::{Kind, Node, Shift};
use crate::window::Span;

/// The labels that say which target a series is of.
const TARGET: [&str; 2] = ["instance", "job"];
/// The info metric when none is named.
const DEFAULT: &str = "target_info";
/// What info metrics are called, where a selector says only which ones are not meant.
const USUAL: &str = ".+_info";

/// The info series of each target, by metric.
type Found<'f> = HashMap<Vec<&'f str>, BTreeMap<&'f str, Vec<usize>>>;

impl Eval<'_> {
    pub(super) fn info(
        &self,
        of: &Node,
        labels: Option<&Node>,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        let wanted: &[Matcher] = match labels.map(|node| &node.kind) {
            None => &[],
            Some(Kind::Select(selector)) => &selector.matchers,
            Some(_) => {
                return Err(EvalError::Execution("expected label selectors only".to_owned()));
            }
        };
        let is_name = |matcher: &&Matcher| matcher.label() == METRIC_NAME;
        let matchers = with_names(wanted)?;
        let base = self.vector(of, grid)?;
        let (values, times) =
            (self.infos(&matchers, of, grid)?, self.info_times(&matchers, of, grid)?);
        let names: Vec<&Matcher> = matchers.iter().filter(is_name).collect();
        let data: Vec<&Matcher> = wanted.iter().filter(|matcher| !is_name(matcher)).collect();
        let newest = Newest { times: &times, points: grid.points };
        let found = by_target(&values);
        let mut lines = Vec::new();
        for line in base.lines {
            let name = line.labels.name();
            if names.iter().all(|matcher| matcher.matches_value(name)) {
                lines.push(line);
                continue;
            }
            let nothing = BTreeMap::new();
            let infos = found.get(&target(&line)).unwrap_or(&nothing);
            for (chosen, column) in newest.split(&line, infos)? {
                let labels = with_infos(&line, &chosen, &values, &data)?;
                if let Some(labels) = labels {
                    let drop_name = line.drop_name;
                    lines.push(Line { labels, drop_name, values: column });
                }
            }
        }
        Frame::new(lines).merge_same()
    }

    fn infos(&self, matchers: &[Matcher], node: &Node, grid: &Grid) -> Result<Frame, EvalError> {
        self.info_series(matchers, Read::Newest, node, grid)
    }

    fn info_times(
        &self,
        matchers: &[Matcher],
        node: &Node,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        self.info_series(matchers, Read::TimeOfNewest, node, grid)
    }

    fn info_series(
        &self,
        matchers: &[Matcher],
        read: Read,
        node: &Node,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        let shift = Shift { at_ms: None, offset_ms: 0 };
        let span = Span { grid: *grid, range_ms: self.lookback_ms, shift };
        let (changes, note) = (Vec::new(), None);
        self.collect(&Chain { matchers, span, read, changes, part: node.start, note }, false)
    }
}

/// The matchers, with one that says which metrics are info metrics where none does.
fn with_names(wanted: &[Matcher]) -> Result<Vec<Matcher>, EvalError> {
    let mut matchers = wanted.to_vec();
    let of_names = || wanted.iter().filter(|matcher| matcher.label() == METRIC_NAME);
    if of_names().next().is_none() {
        matchers.push(Matcher::equal(METRIC_NAME, DEFAULT));
    } else if !of_names().any(|matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex)) {
        let usual = Matcher::new(METRIC_NAME, MatchOp::Regex, USUAL)
            .map_err(|error| EvalError::Execution(error.to_string()))?;
        matchers.push(usual);
    }
    Ok(matchers)
}

fn target(line: &Line) -> Vec<&str> {
    TARGET.iter().map(|name| line.labels.get(name).unwrap_or_default()).collect()
}

fn by_target(infos: &Frame) -> Found<'_> {
    let mut found = Found::new();
    for (index, line) in infos.lines.iter().enumerate() {
        if TARGET.iter().all(|name| line.labels.get(name).is_none()) {
            continue;
        }
        let metrics = found.entry(target(line)).or_default();
        metrics.entry(line.labels.name()).or_default().push(index);
    }
    found
}

/// Chooses the info series that hold at each point.
struct Newest<'f> {
    times: &'f Frame,
    points: usize,
}

impl Newest<'_> {
    /// The line's values, split by the info series that hold where they are.
    fn split(
        &self,
        line: &Line,
        infos: &BTreeMap<&str, Vec<usize>>,
    ) -> Result<BTreeMap<Vec<usize>, Vec<f64>>, EvalError> {
        let mut columns: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
        for (point, value) in line.values.iter().enumerate() {
            if is_absent(*value) {
                continue;
            }
            let mut chosen = Vec::new();
            for (name, series) in infos {
                chosen.extend(self.newest(point, name, series)?);
            }
            let column = columns.entry(chosen).or_insert_with(|| absent_column(self.points));
            if let Some(slot) = column.get_mut(point) {
                *slot = *value;
            }
        }
        Ok(columns)
    }

    fn newest(
        &self,
        point: usize,
        name: &str,
        series: &[usize],
    ) -> Result<Option<usize>, EvalError> {
        let mut best: Option<(f64, usize)> = None;
        for index in series {
            let time = self.times.lines.get(*index).and_then(|line| line.values.get(point));
            let Some(time) = time.copied().filter(|time| !is_absent(*time)) else { continue };
            match best {
                Some((known, _)) if known > time => {}
                Some((known, _)) if known >= time => {
                    return Err(EvalError::Execution(format!(
                        "found duplicate series for info metric {name}"
                    )));
                }
                _ => best = Some((time, *index)),
            }
        }
        Ok(best.map(|(_, index)| index))
    }
}

/// The line's labels with those of its info series; nothing when a wanted label is missing.
fn with_infos(
    line: &Line,
    chosen: &[usize],
    infos: &Frame,
    data: &[&Matcher],
) -> Result<Option<barograph_model::Labels>, EvalError> {
    let mut added: BTreeMap<&str, &str> = BTreeMap::new();
    for info in chosen.iter().filter_map(|index| infos.lines.get(*index)) {
        for (name, value) in info.labels.iter().filter(|(name, _)| *name != METRIC_NAME) {
            let wanted = data.is_empty() || data.iter().any(|matcher| matcher.label() == name);
            if !wanted {
                continue;
            }
            if added.get(name).is_some_and(|known| *known != value) {
                return Err(EvalError::Execution(format!("conflicting label: {name}")));
            }
            if line.labels.get(name).is_none() {
                added.insert(name, value);
            }
        }
    }
    if chosen.is_empty() && !data.iter().all(|matcher| matcher.matches_value("")) {
        return Ok(None);
    }
    make_labels(line.labels.iter().chain(added)).map(Some)
}
