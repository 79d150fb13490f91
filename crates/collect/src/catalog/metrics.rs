//! Reading some metrics by name again and again, as they are stored.

use std::sync::Arc;

use barograph_model::{Clock, Desc, Pattern};

use super::find::{nearest_to, suggestion};
use super::snapshot::Reader;
use crate::{Roots, registry};

/// Some metrics of this machine.
#[derive(Debug)]
pub struct Metrics {
    reader: Reader,
    descs: Vec<&'static Desc>,
}

/// One series now.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricReading {
    pub desc: &'static Desc,
    /// Those of `desc.labels`, in that order; a series may lack the last ones.
    pub labels: Vec<String>,
    pub value: f64,
}

/// No metric has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no metric is called `{name}`{}", suggestion(nearest))]
pub struct UnknownMetric {
    name: String,
    nearest: Vec<String>,
}

impl Metrics {
    /// Finds the metrics; nothing is read before [`Metrics::sample`].
    ///
    /// # Errors
    /// The first name that no metric has, with the nearest ones.
    pub fn new(
        roots: &Roots,
        clock: Arc<dyn Clock>,
        names: &[String],
    ) -> Result<Self, UnknownMetric> {
        let known = registry::descs();
        let descs = names
            .iter()
            .map(|name| {
                known.iter().copied().find(|desc| desc.name == name).ok_or_else(|| UnknownMetric {
                    name: name.clone(),
                    nearest: nearest_to(&Pattern::new(name), known.iter().map(|desc| desc.name)),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { reader: Reader::new(roots, clock, &descs), descs })
    }

    /// Reads the machine: the series that there are now, metric by metric in their order. Those
    /// that are rates come with the second reading.
    pub fn sample(&mut self) -> Vec<MetricReading> {
        let now = self.reader.take();
        self.descs
            .iter()
            .flat_map(|desc| {
                now.of(desc).map(|taken| MetricReading {
                    desc,
                    labels: taken.values.iter().map(ToString::to_string).collect(),
                    value: taken.value,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use barograph_model::SystemClock;

    use super::*;

    fn metrics(name: &str) -> Result<Metrics, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Metrics::new(&Roots::default(), clock, &[name.to_owned()]).map_err(|e| e.to_string())
    }

    #[test]
    fn a_metric_is_read_by_its_name() {
        let readings = metrics("cpu_seconds_total").unwrap().sample();
        assert!(readings.iter().all(|reading| reading.desc.name == "cpu_seconds_total"));
        assert!(readings.iter().any(|reading| reading.labels[1] == "user" && reading.value > 0.0));
    }

    #[test]
    fn a_name_that_nothing_has_is_answered_with_the_nearest() {
        let error = metrics("cpu_usge").unwrap_err();
        assert!(
            error.starts_with("no metric is called `cpu_usge`; near to it: `cpu_usage`"),
            "{error}"
        );
    }
}
