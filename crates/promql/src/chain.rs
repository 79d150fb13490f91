//! Series read one by one, each brought over the grid and changed in place, without ever holding
//! all samples: what most of a question's time goes into.

use std::ops::Range;

use barograph_model::{
    Buckets, Labels, Matcher, Samples, SelectedSeries, Selection, SeriesReader, Windows,
};

use crate::EvalError;
use crate::change::Change;
use crate::eval::Eval;
use crate::grid::is_absent;
use crate::notes::Note;
use crate::plan::RangeFn;
use crate::window::{self, Bounds, Kernel, Reach, Span, cost};

/// Nanoseconds of work left that are worth a second thread. One takes some fifty microseconds to
/// begin, and on a machine that has other work it waits for its turn before the answer is whole.
const WORTH_A_THREAD: usize = 1_000_000;

/// What becomes of each series of a selector.
pub(crate) struct Chain<'n> {
    pub matchers: &'n [Matcher],
    pub span: Span,
    pub read: Read,
    pub changes: Vec<Change>,
    /// The part that names the series, for what is said about them.
    pub part: usize,
    /// Said when there is any value.
    pub note: Option<(usize, Note)>,
}

/// How samples become a column.
pub(crate) enum Read {
    Newest,
    TimeOfNewest,
    Range(Kernel),
    /// Interpolated between the samples around.
    Smoothed(Reach),
    /// A range that looks beyond its ends.
    Extended(RangeFn, Reach),
}

impl Read {
    /// Nanoseconds that bringing so many samples over the grid takes, about.
    fn work(&self, samples: usize, span: &Span) -> usize {
        match self {
            Self::Newest | Self::TimeOfNewest => cost::of_newest(samples, span.grid.points),
            Self::Range(kernel) => cost::of_function(kernel.func, samples, span),
            // Every sample is a candidate for an edge.
            Self::Smoothed(_) | Self::Extended(..) => {
                cost::of_newest(samples.saturating_mul(8), span.grid.points)
            }
        }
    }

    fn reach(&self) -> Option<Reach> {
        match self {
            Self::Smoothed(reach) | Self::Extended(_, reach) => Some(*reach),
            Self::Newest | Self::TimeOfNewest | Self::Range(_) => None,
        }
    }
}

/// Takes the column of each series that has values.
pub(crate) trait Sink: Send {
    fn take(&mut self, series: usize, column: &mut Vec<f64>);
}

impl Chain<'_> {
    fn windows(&self) -> Option<Windows> {
        let Read::Range(kernel) = &self.read else { return None };
        if !window::has_buckets(kernel.func) {
            return None;
        }
        let Span { grid, range_ms, shift } = self.span;
        let fixed = grid.points == 1 || shift.at_ms.is_some();
        let (first_ms, last_ms) = (self.span.end(0), self.span.end(grid.points - 1));
        let step_ms = if fixed { 0 } else { grid.step_ms };
        Some(Windows { first_ms, last_ms, step_ms, range_ms })
    }

    /// Finds the series.
    pub(crate) fn select<'s>(
        &'s self,
        eval: &'s Eval<'_>,
    ) -> Result<Box<dyn SelectedSeries + 's>, EvalError> {
        let watch = eval.watch();
        watch.check()?;
        let last = self.span.grid.points - 1;
        let reach = self.read.reach();
        let before_ms = reach.map_or(0, |reach| reach.before_ms());
        let after_ms = reach.map_or(0, |reach| reach.after_ms());
        let from_ms = self.span.end(0).saturating_sub(self.span.range_ms + before_ms);
        let selected = eval.source().select(&Selection {
            matchers: self.matchers,
            from_ms: from_ms.saturating_add(1),
            to_ms: self.span.end(last).saturating_add(after_ms),
            windows: self.windows(),
            max_series: watch.max_series,
            max_samples: watch.max_samples,
            cancel: watch.cancel,
        })?;
        watch.found(selected.labels().len());
        Ok(selected)
    }

    /// Sends each series through the chain, on several threads when that is worth it. The sinks
    /// come in the order of their series.
    pub(crate) fn stream<S: Sink>(
        &self,
        eval: &Eval<'_>,
        selected: &dyn SelectedSeries,
        make: impl Fn() -> S + Sync,
    ) -> Result<Vec<S>, EvalError> {
        let series = selected.labels().len();
        let mut worker = Worker::new(self, eval, selected);
        let mut first = make();
        let mut work = 0;
        let mut next = 0;
        let mut threads = 1;
        while next < series && threads == 1 {
            work += worker.one(next, &mut first)?;
            next += 1;
            // The rest is taken to be like what was read so far.
            let left = (work / next).saturating_mul(series - next);
            threads = eval.threads().min(1 + left / WORTH_A_THREAD).min((series - next).max(1));
        }
        let mut sinks = vec![first];
        if threads > 1 {
            sinks.extend(self.side_by_side(eval, selected, next..series, threads, &make)?);
        }
        for warning in selected.warnings() {
            eval.notes().add(self.part, Note::Plain(warning));
        }
        Ok(sinks)
    }

    fn side_by_side<S: Sink>(
        &self,
        eval: &Eval<'_>,
        selected: &dyn SelectedSeries,
        series: Range<usize>,
        threads: usize,
        make: &(impl Fn() -> S + Sync),
    ) -> Result<Vec<S>, EvalError> {
        let share = series.len().div_ceil(threads);
        let run = |range: Range<usize>| -> Result<S, EvalError> {
            let mut worker = Worker::new(self, eval, selected);
            let mut sink = make();
            for index in range {
                worker.one(index, &mut sink)?;
            }
            Ok(sink)
        };
        std::thread::scope(|scope| {
            let run = &run;
            let mut ranges =
                series.clone().step_by(share).map(|from| from..(from + share).min(series.end));
            let own = ranges.next().unwrap_or(0..0);
            let others: Vec<_> = ranges.map(|range| scope.spawn(move || run(range))).collect();
            let mut sinks = vec![run(own)?];
            for other in others {
                sinks.push(other.join().map_err(|_| panicked())??);
            }
            Ok(sinks)
        })
    }
}

fn panicked() -> EvalError {
    EvalError::Execution("a thread of the evaluation ended unexpectedly".to_owned())
}

/// One thread's room.
struct Worker<'a> {
    chain: &'a Chain<'a>,
    eval: &'a Eval<'a>,
    labels: &'a [Labels],
    reader: Box<dyn SeriesReader + 'a>,
    /// For those of a series that ended.
    samples: Samples,
    buckets: Buckets,
    column: Vec<f64>,
    bounds: Bounds,
    summed: bool,
    /// The last metric that was found to be no counter.
    no_counter: String,
    noted: bool,
}

impl<'a> Worker<'a> {
    fn new(chain: &'a Chain<'a>, eval: &'a Eval<'a>, selected: &'a dyn SelectedSeries) -> Self {
        Self {
            chain,
            eval,
            labels: selected.labels(),
            reader: selected.reader(),
            samples: Samples::default(),
            buckets: Buckets::default(),
            column: Vec::new(),
            bounds: Bounds::new(chain.span),
            summed: chain.windows().is_some(),
            no_counter: String::new(),
            noted: chain.note.is_none(),
        }
    }

    /// Brings one series to the sink and says how much work that was.
    fn one(&mut self, series: usize, sink: &mut impl Sink) -> Result<usize, EvalError> {
        let read = self.read(series)?;
        self.eval.watch().read(read)?;
        self.eval.watch().check()?;
        let work = self.chain.read.work(read, &self.chain.span);
        if read == 0 {
            return Ok(work);
        }
        self.say(series);
        for change in &self.chain.changes {
            change(&mut self.column);
        }
        sink.take(series, &mut self.column);
        Ok(work)
    }

    /// Fills the column, from buckets where the source has some.
    fn read(&mut self, series: usize) -> Result<usize, EvalError> {
        let Chain { span, read, .. } = self.chain;
        if self.summed
            && let Read::Range(kernel) = read
        {
            if self.reader.buckets(series, &mut self.buckets)? {
                window::over_buckets(kernel.func, &self.buckets, span, &mut self.column);
                return Ok(self.buckets.count.len());
            }
            self.summed = false;
        }
        let samples = self.reader.columns(series)?;
        let read = samples.times.len();
        let (room, bounds, column) = (&mut self.samples, &mut self.bounds, &mut self.column);
        match self.chain.read {
            Read::Newest => window::newest(samples, bounds, false, column),
            Read::TimeOfNewest => window::newest(samples, bounds, true, column),
            Read::Range(ref kernel) => {
                let samples = window::without_stale(samples, room);
                window::over_samples(kernel, samples, bounds, column);
            }
            Read::Smoothed(reach) => window::smoothed(reach, samples, span, column),
            Read::Extended(func, reach) => {
                let samples = window::without_stale(samples, room);
                window::over_extended(func, reach, samples, span, column);
            }
        }
        Ok(read)
    }

    /// What is to be said about a series with values.
    fn say(&mut self, series: usize) {
        let counts = matches!(
            &self.chain.read,
            Read::Range(Kernel { func: RangeFn::Rate | RangeFn::Increase, .. })
                | Read::Extended(RangeFn::Rate | RangeFn::Increase, _)
        );
        if !counts && self.noted || self.column.iter().all(|value| is_absent(*value)) {
            return;
        }
        if let Some((part, note)) = &self.chain.note
            && !self.noted
        {
            self.noted = true;
            self.eval.notes().add(*part, note.clone());
        }
        if counts && let Some(labels) = self.labels.get(series) {
            let name = labels.name();
            if name != self.no_counter && is_no_counter(name) {
                name.clone_into(&mut self.no_counter);
                self.eval.notes().no_counter(self.chain.part, name);
            }
        }
    }
}

/// Whether a name that is there is not one that counters have.
pub(crate) fn is_no_counter(name: &str) -> bool {
    let endings = ["_total", "_sum", "_count", "_bucket"];
    !name.is_empty() && !endings.iter().any(|ending| name.ends_with(ending))
}
