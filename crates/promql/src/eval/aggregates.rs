//! Aggregations over series as they are read, or over a vector that is there already.

use super::{Eval, drops_name, label_name, labels_of};
use crate::EvalError;
use crate::aggregate::{
    Members, Totals, count_values, limit, limit_ratio, quantiles, ratio_in_range, top,
};
use crate::ast::AggregateOp;
use crate::chain::{Chain, Sink};
use crate::frame::Frame;
use crate::grid::Grid;
use crate::notes::Note;
use crate::plan::{Aggregate, Node};

impl Eval<'_> {
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        node: &Node,
        grid: &Grid,
    ) -> Result<Frame, EvalError> {
        match aggregate.op {
            AggregateOp::TopK
            | AggregateOp::BottomK
            | AggregateOp::LimitK
            | AggregateOp::LimitRatio
            | AggregateOp::Quantile
            | AggregateOp::CountValues => self.ranked(aggregate, node, grid),
            _ => self.totals(aggregate, grid),
        }
    }

    fn totals(&self, aggregate: &Aggregate, grid: &Grid) -> Result<Frame, EvalError> {
        let peeled = self.peel(&aggregate.expr, grid)?;
        if let Some(chain) = self.chain(peeled.base, grid)? {
            let drop_name = peeled.drops_name || drops_name(peeled.base);
            return self.streamed(aggregate, &chain.and(peeled.changes), drop_name);
        }
        let frame = self.vector(&aggregate.expr, grid)?;
        let members =
            Members::new(&aggregate.grouping, frame.lines.iter().map(|line| &line.labels))?;
        self.watch.hold(members.labels.len(), grid.points)?;
        let mut totals = Totals::new(aggregate.op, members.labels.len(), grid.points);
        for (line, group) in frame.lines.iter().zip(&members.group_of) {
            totals.add(*group, line.drop_name, &line.values);
        }
        Ok(totals.frame(members.labels))
    }

    /// Each series goes into its group and is forgotten.
    fn streamed(
        &self,
        aggregate: &Aggregate,
        chain: &Chain<'_>,
        drop_name: bool,
    ) -> Result<Frame, EvalError> {
        let selected = chain.select(self)?;
        let members = Members::new(&aggregate.grouping, labels_of(&*selected))?;
        let (groups, points) = (members.labels.len(), chain.span.grid.points);
        self.watch.hold(groups.saturating_mul(self.threads), points)?;
        let make = || Into {
            group_of: &members.group_of,
            drop_name,
            totals: Totals::new(aggregate.op, groups, points),
        };
        let mut sinks = chain.stream(self, &*selected, make)?.into_iter();
        let mut totals = sinks.next().map_or_else(|| make().totals, |sink| sink.totals);
        sinks.for_each(|sink| totals.merge(sink.totals));
        Ok(totals.frame(members.labels))
    }

    fn ranked(&self, aggregate: &Aggregate, node: &Node, grid: &Grid) -> Result<Frame, EvalError> {
        let Some(param) = &aggregate.param else {
            return Err(EvalError::Execution("the aggregation needs a parameter".to_owned()));
        };
        if aggregate.op == AggregateOp::CountValues {
            let label = label_name(param, "invalid label name")?;
            let (frame, members) = self.grouped(aggregate, grid)?;
            let max = self.watch.max_samples;
            let grouping = &aggregate.grouping;
            return count_values(label, grouping, &frame, &members, grid.points, max);
        }
        let values = self.scalar(param, grid)?;
        check_parameter(aggregate.op, &values)?;
        let (frame, members) = self.grouped(aggregate, grid)?;
        let _ = node;
        Ok(match aggregate.op {
            AggregateOp::TopK => top(&values, frame, &members, true),
            AggregateOp::BottomK => top(&values, frame, &members, false),
            AggregateOp::LimitK => limit(&values, frame, &members),
            AggregateOp::LimitRatio => {
                self.note_ratio(param.start, &values);
                limit_ratio(&values, frame)
            }
            _ => {
                if let Some(note) = super::ranges::bad_quantile(&values) {
                    self.notes.add(param.start, note);
                }
                quantiles(&values, &frame, members)
            }
        })
    }

    fn grouped(&self, aggregate: &Aggregate, grid: &Grid) -> Result<(Frame, Members), EvalError> {
        let frame = self.vector(&aggregate.expr, grid)?;
        let members =
            Members::new(&aggregate.grouping, frame.lines.iter().map(|line| &line.labels))?;
        Ok((frame, members))
    }

    fn note_ratio(&self, part: usize, ratios: &[f64]) {
        for ratio in ratios.iter().filter(|ratio| ratio.abs() > 1.0) {
            let text = format!(
                "ratio value should be between -1 and 1, got {}, capping to {}",
                crate::notes::go_g(*ratio),
                ratio_in_range(*ratio)
            );
            self.notes.add(part, Note::Warning(text));
        }
    }
}

fn check_parameter(op: AggregateOp, values: &[f64]) -> Result<(), EvalError> {
    const MAX: f64 = 9_223_372_036_854_774_784.0;
    let problem = match op {
        AggregateOp::Quantile => return Ok(()),
        _ if values.iter().any(|value| value.is_nan()) => match op {
            AggregateOp::LimitRatio => "Ratio value is NaN".to_owned(),
            _ => "Parameter value is NaN".to_owned(),
        },
        AggregateOp::LimitRatio => return Ok(()),
        _ => match values.iter().find(|value| value.abs() > MAX) {
            Some(value) if *value > 0.0 => {
                format!("Scalar value {} overflows int64", crate::notes::go_g(*value))
            }
            Some(value) => format!("Scalar value {} underflows int64", crate::notes::go_g(*value)),
            None => return Ok(()),
        },
    };
    Err(EvalError::Execution(problem))
}

/// Puts each series into its group.
struct Into<'a> {
    group_of: &'a [usize],
    drop_name: bool,
    totals: Totals,
}

impl Sink for Into<'_> {
    fn take(&mut self, series: usize, column: &mut Vec<f64>) {
        if let Some(group) = self.group_of.get(series) {
            self.totals.add(*group, self.drop_name, column);
        }
    }
}
