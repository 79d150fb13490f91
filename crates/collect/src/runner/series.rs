//! From what a collector says to samples of labelled series, without making the labels anew.

use barograph_model::{Desc, Labels, METRIC_NAME, Sample};

use crate::{Error, Sink};

/// The series of one collector. It guesses that they come in the same order as in the run before,
/// which is all but always so: then a sample costs a comparison and counts a reference.
#[derive(Debug)]
pub(super) struct Series {
    host: String,
    descs: &'static [&'static Desc],
    entries: Vec<Entry>,
    cursor: usize,
    refused: usize,
    why: Option<String>,
}

#[derive(Debug)]
struct Entry {
    desc: &'static Desc,
    values: Box<[Box<str>]>,
    labels: Labels,
}

impl Entry {
    fn is(&self, desc: &'static Desc, values: &[&str]) -> bool {
        std::ptr::eq(self.desc, desc)
            && self.values.len() == values.len()
            && self.values.iter().zip(values).all(|(a, b)| **a == **b)
    }
}

impl Series {
    /// A collector that says more is taken for broken: one machine has some thousands of series.
    const MAX_COUNT: usize = 20_000;

    pub(super) fn new(host: String, descs: &'static [&'static Desc]) -> Self {
        Self { host, descs, entries: Vec::new(), cursor: 0, refused: 0, why: None }
    }

    /// Starts a run that adds its samples to `samples`.
    pub(super) fn sink<'a>(&'a mut self, samples: &'a mut Vec<Sample>) -> RunSink<'a> {
        self.cursor = 0;
        self.refused = 0;
        self.why = None;
        RunSink { series: self, samples }
    }

    /// Ends a run: series that did not come are forgotten.
    ///
    /// # Errors
    /// [`Error::Samples`] if some samples could not be taken.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        self.entries.truncate(self.cursor);
        match self.why.take() {
            Some(why) => Err(Error::Samples { dropped: self.refused, why }),
            None => Ok(()),
        }
    }

    fn labels(&mut self, desc: &'static Desc, values: &[&str]) -> Result<Labels, String> {
        let ahead = &self.entries[self.cursor..];
        match ahead.iter().position(|entry| entry.is(desc, values)) {
            Some(0) => {}
            // Those passed over have gone, or come later and are then made anew.
            Some(distance) => {
                self.entries.drain(self.cursor..self.cursor + distance);
            }
            None => {
                let entry = self.entry(desc, values)?;
                self.entries.insert(self.cursor, entry);
            }
        }
        let labels = self.entries[self.cursor].labels.clone();
        self.cursor += 1;
        Ok(labels)
    }

    fn entry(&self, desc: &'static Desc, values: &[&str]) -> Result<Entry, String> {
        debug_assert!(
            self.descs.iter().any(|declared| std::ptr::eq(*declared, desc)),
            "{} is not among the metrics that its collector declares",
            desc.name
        );
        if self.cursor >= Self::MAX_COUNT {
            return Err(format!("more than {} series from one collector", Self::MAX_COUNT));
        }
        if values.len() > desc.labels.len() {
            return Err(format!("more label values than `{}` has labels", desc.name));
        }
        if self.entries[..self.cursor].iter().any(|entry| entry.is(desc, values)) {
            return Err(format!("`{}` came twice for {values:?}", desc.name));
        }
        let own = desc.labels.iter().copied().zip(values.iter().copied());
        let labels =
            Labels::new([(METRIC_NAME, desc.name), ("host", &self.host)].into_iter().chain(own))
                .map_err(|error| error.to_string())?;
        Ok(Entry { desc, values: values.iter().map(|value| (*value).into()).collect(), labels })
    }
}

/// Takes the samples of one run.
#[derive(Debug)]
pub(super) struct RunSink<'a> {
    series: &'a mut Series,
    samples: &'a mut Vec<Sample>,
}

impl Sink for RunSink<'_> {
    fn push(&mut self, desc: &'static Desc, values: &[&str], value: f64) {
        let labels = if value.is_finite() {
            self.series.labels(desc, values)
        } else {
            Err(format!("`{}` has the value {value}", desc.name))
        };
        match labels {
            Ok(labels) => self.samples.push(Sample { labels, value }),
            Err(why) => {
                self.series.refused += 1;
                self.series.why.get_or_insert(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::Unit;

    use super::*;
    use crate::desc::gauge;

    static A: Desc = gauge("a", Unit::Count, &["x", "y"], "A.");
    static B: Desc = gauge("b", Unit::Count, &[], "B.");
    static DESCS: [&Desc; 2] = [&A, &B];

    type Pushed<'a> = (&'static Desc, &'a [&'a str], f64);

    #[track_caller]
    fn run(series: &mut Series, pushed: &[Pushed<'_>]) -> (Vec<String>, Result<(), String>) {
        let mut samples = Vec::new();
        let mut sink = series.sink(&mut samples);
        for (desc, values, value) in pushed {
            sink.push(desc, values, *value);
        }
        let names = samples.iter().map(|sample| sample.labels.to_string()).collect();
        (names, series.finish().map_err(|error| error.to_string()))
    }

    fn series() -> Series {
        Series::new("h".into(), &DESCS)
    }

    #[test]
    fn series_that_come_and_go_keep_their_labels_apart() {
        let mut series = series();
        let all: [Pushed<'_>; 4] =
            [(&A, &["1", "2"], 0.0), (&A, &["1"], 0.0), (&A, &["2"], 0.0), (&B, &[], 0.0)];
        let names = [
            r#"a{host="h",x="1",y="2"}"#,
            r#"a{host="h",x="1"}"#,
            r#"a{host="h",x="2"}"#,
            r#"b{host="h"}"#,
        ];
        for chosen in [0b1111, 0b1010, 0b1111, 0b0101, 0b1000, 0b0111, 0b1111_u32] {
            let wanted = |i: &usize| chosen & (1 << i) != 0;
            let pushed: Vec<_> = (0..4).filter(wanted).map(|i| all[i]).collect();
            let expect: Vec<_> = (0..4).filter(wanted).map(|i| names[i].to_owned()).collect();
            assert_eq!(run(&mut series, &pushed), (expect, Ok(())));
            assert_eq!(series.entries.len(), pushed.len());
        }
    }

    #[test]
    fn a_steady_run_reuses_the_labels() {
        let mut series = series();
        let mut first = Vec::new();
        series.sink(&mut first).push(&A, &["1"], 1.0);
        series.finish().unwrap();
        let mut second = Vec::new();
        series.sink(&mut second).push(&A, &["1"], 2.0);
        let address = |samples: &[Sample]| samples[0].labels.encoded().as_ptr();
        assert_eq!(address(&first), address(&second));
    }

    #[test]
    fn what_cannot_be_stored_is_refused_and_the_rest_kept() {
        let long = "x".repeat(5000);
        let (names, result) = run(
            &mut series(),
            &[(&A, &["1"], f64::NAN), (&A, &[&long], 1.0), (&B, &[], 1.0), (&B, &[], 2.0)],
        );
        assert_eq!(names, [r#"b{host="h"}"#]);
        assert_eq!(result.unwrap_err(), "3 samples were dropped: `a` has the value NaN");
    }
}
