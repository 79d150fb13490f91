//! What points mean in samples.

use std::collections::BTreeMap;

use barograph_model::{Labels, LabelsError, METRIC_NAME, STALE};

use super::exponential;
use super::message::{
    ExponentialPoint, HistogramPoint, KeyValue, Metric, NumberPoint, Points, Request,
    ResourceMetrics, SummaryPoint,
};
use super::names::{self, Shape};
use crate::metric_type::MetricType;

/// What takes in the samples of a request.
pub trait Sink {
    /// A sample. What is a `delta` is to be added to what came before of its series.
    fn sample(&mut self, labels: &Labels, time: Time, value: f64, delta: bool);

    /// A point that is left out, with the name of its metric.
    fn refuse(&mut self, metric: &str, error: PointError);

    /// What the sender says of a metric.
    fn metadata(&mut self, metric: &str, kind: MetricType, help: &str, unit: &str);
}

/// Milliseconds since 1970-01-01 UTC, or nothing where the sender does not know the time.
pub type Time = Option<i64>;

/// Why a point is left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    #[error(transparent)]
    Labels(#[from] LabelsError),
    #[error("it has {buckets} buckets for {bounds} bounds")]
    Buckets { buckets: usize, bounds: usize },
    #[error("its bounds do not ascend")]
    Bounds,
    #[error("its temporality is neither delta nor cumulative")]
    Temporality,
    #[error("exponential histograms are taken with cumulative temporality only")]
    ExponentialDelta,
    #[error("the offset {offset} of its buckets is out of range")]
    Offset { offset: i64 },
    #[error("its scale {scale} is not from -10 to 20")]
    Scale { scale: i64 },
    #[error("it has no points of a kind that is known")]
    Kind,
}

impl PointError {
    /// Whether the point is sound but of a kind that is not taken.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::ExponentialDelta | Self::Kind)
    }
}

const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;
const NANOS_PER_MS: u64 = 1_000_000;

/// Hands on all that a request says.
pub(super) fn request(request: &Request, promote: &[String], sink: &mut impl Sink) {
    for resource in &request.resource_metrics {
        resource_metrics(resource, promote, sink);
    }
}

fn resource_metrics(resource: &ResourceMetrics, promote: &[String], sink: &mut impl Sink) {
    let attributes = &resource.resource.attributes;
    let identity = identity(attributes);
    let promoted = labels_of(attributes.iter().filter(|pair| promote.contains(&pair.key)));
    let mut newest = None;
    for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
        let mut told = Told {
            sink: &mut *sink,
            identity: &identity,
            promoted: &promoted,
            newest: &mut newest,
        };
        told.metric(metric);
    }
    target_info(attributes, &identity, newest, sink);
}

/// `job` and `instance`, as far as the resource says them.
fn identity(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let find = |key: &str| {
        let found = attributes.iter().find(|pair| pair.key == key);
        found.map(|pair| pair.value.text()).filter(|text| !text.is_empty())
    };
    let job = match (find("service.namespace"), find("service.name")) {
        (Some(namespace), Some(name)) => Some(format!("{namespace}/{name}")),
        (None, name) => name,
        (Some(_), None) => None,
    };
    let instance = find("service.instance.id");
    let pairs = [("job", job), ("instance", instance)];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The other attributes of the resource as labels of one series, to be joined where wanted.
fn target_info(
    attributes: &[KeyValue],
    identity: &[(String, String)],
    newest: Time,
    sink: &mut impl Sink,
) {
    const IDENTIFYING: [&str; 3] = ["service.namespace", "service.name", "service.instance.id"];
    let rest = attributes.iter().filter(|pair| !IDENTIFYING.contains(&pair.key.as_str()));
    let mut labels = labels_of(rest);
    if labels.is_empty() || identity.is_empty() || newest.is_none() {
        return;
    }
    labels.extend(identity.iter().cloned());
    labels.insert(METRIC_NAME.to_owned(), "target_info".to_owned());
    match Labels::new(labels) {
        Ok(labels) => sink.sample(&labels, newest, 1.0, false),
        Err(error) => sink.refuse("target_info", error.into()),
    }
}

/// Attributes as labels; where two keys become one name, their values are joined.
fn labels_of<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> BTreeMap<String, String> {
    let mut sorted: Vec<&KeyValue> = attributes.collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for pair in sorted {
        let value = pair.value.text();
        if value.is_empty() {
            continue;
        }
        labels
            .entry(names::label_name(&pair.key))
            .and_modify(|all| {
                all.push(';');
                all.push_str(&value);
            })
            .or_insert(value);
    }
    labels
}

/// The metrics of one resource on their way to the sink.
struct Told<'a, S> {
    sink: &'a mut S,
    identity: &'a [(String, String)],
    /// Of the resource; a point's own attribute of the same name goes first.
    promoted: &'a BTreeMap<String, String>,
    newest: &'a mut Time,
}

impl<S: Sink> Told<'_, S> {
    fn metric(&mut self, metric: &Metric) {
        let Metric { gauge, sum, histogram, exponential_histogram, summary, .. } = metric;
        if let Some(points) = gauge {
            let name = self.describe(metric, Shape::Gauge, MetricType::Gauge);
            self.numbers(&name, points, false);
        } else if let Some(points) = sum {
            let (shape, kind) = if points.is_monotonic {
                (Shape::Counter, MetricType::Counter)
            } else {
                (Shape::Other, MetricType::Gauge)
            };
            let name = self.describe(metric, shape, kind);
            match points.aggregation_temporality {
                DELTA => self.numbers(&name, points, true),
                CUMULATIVE => self.numbers(&name, points, false),
                _ => self.refuse(&name, points, &PointError::Temporality),
            }
        } else if let Some(points) = histogram {
            let name = self.describe(metric, Shape::Other, MetricType::Histogram);
            let delta = points.aggregation_temporality == DELTA;
            for point in &points.data_points {
                let told = self.histogram(&name, point, delta);
                self.count(&name, told);
            }
        } else if let Some(points) = exponential_histogram {
            let name = self.describe(metric, Shape::Other, MetricType::Histogram);
            if points.aggregation_temporality == DELTA {
                return self.refuse(&name, points, &PointError::ExponentialDelta);
            }
            for point in &points.data_points {
                let told = self.exponential(&name, point);
                self.count(&name, told);
            }
        } else if let Some(points) = summary {
            let name = self.describe(metric, Shape::Other, MetricType::Summary);
            for point in &points.data_points {
                let told = self.summary(&name, point);
                self.count(&name, told);
            }
        } else {
            self.sink.refuse(&metric.name, PointError::Kind);
        }
    }

    fn describe(&mut self, metric: &Metric, shape: Shape, kind: MetricType) -> String {
        let name = names::metric_name(&metric.name, &metric.unit, shape);
        self.sink.metadata(&name, kind, &metric.description, &metric.unit);
        name
    }

    fn refuse<P>(&mut self, name: &str, points: &Points<P>, error: &PointError) {
        for _ in &points.data_points {
            self.sink.refuse(name, error.clone());
        }
    }

    fn count(&mut self, name: &str, told: Result<(), PointError>) {
        if let Err(error) = told {
            self.sink.refuse(name, error);
        }
    }

    fn numbers(&mut self, name: &str, points: &Points<NumberPoint>, delta: bool) {
        for point in &points.data_points {
            let value = point.as_double.or_else(|| point.as_int.map(|number| number as f64));
            let series = Series { name, attributes: &point.attributes, flags: point.flags };
            let told = self.tell(&series, point.time_unix_nano, |out| {
                out("", None, value.unwrap_or(0.0), delta);
            });
            self.count(name, told);
        }
    }

    fn histogram(
        &mut self,
        name: &str,
        point: &HistogramPoint,
        delta: bool,
    ) -> Result<(), PointError> {
        let (counts, bounds) = (&point.bucket_counts, &point.explicit_bounds);
        if !counts.is_empty() && counts.len() != bounds.len() + 1 {
            return Err(PointError::Buckets { buckets: counts.len(), bounds: bounds.len() });
        }
        if !bounds.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(PointError::Bounds);
        }
        let series = Series { name, attributes: &point.attributes, flags: point.flags };
        self.tell(&series, point.time_unix_nano, |out| {
            let mut below = 0_u64;
            for (bound, count) in bounds.iter().zip(counts) {
                below = below.saturating_add(*count);
                out("_bucket", Some(("le", number_text(*bound))), below as f64, delta);
            }
            let count = point.count as f64;
            out("_bucket", Some(("le", "+Inf".to_owned())), count, delta);
            out("_count", None, count, delta);
            if let Some(sum) = point.sum {
                out("_sum", None, sum, delta);
            }
        })
    }

    fn exponential(&mut self, name: &str, point: &ExponentialPoint) -> Result<(), PointError> {
        let buckets = exponential::classic(point)?;
        let series = Series { name, attributes: &point.attributes, flags: point.flags };
        self.tell(&series, point.time_unix_nano, |out| {
            for (bound, count) in buckets {
                out("_bucket", Some(("le", number_text(bound))), count as f64, false);
            }
            let count = point.count as f64;
            out("_bucket", Some(("le", "+Inf".to_owned())), count, false);
            out("_count", None, count, false);
            if let Some(sum) = point.sum {
                out("_sum", None, sum, false);
            }
        })
    }

    fn summary(&mut self, name: &str, point: &SummaryPoint) -> Result<(), PointError> {
        let series = Series { name, attributes: &point.attributes, flags: point.flags };
        self.tell(&series, point.time_unix_nano, |out| {
            for one in &point.quantile_values {
                let quantile = number_text(one.quantile.unwrap_or(0.0));
                out("", Some(("quantile", quantile)), one.value.unwrap_or(0.0), false);
            }
            out("_count", None, point.count as f64, false);
            out("_sum", None, point.sum.unwrap_or(0.0), false);
        })
    }

    /// Hands on the samples of one point. `parts` gets a function that takes the suffix of the
    /// name, a label more, the value, and whether it is a delta.
    fn tell(
        &mut self,
        series: &Series<'_>,
        time_unix_nano: u64,
        parts: impl FnOnce(&mut dyn FnMut(&str, Option<(&str, String)>, f64, bool)),
    ) -> Result<(), PointError> {
        const NO_RECORDED_VALUE: u32 = 1;
        let time_ms = i64::try_from(time_unix_nano / NANOS_PER_MS).ok();
        let time = time_ms.filter(|time_ms| *time_ms > 0);
        *self.newest = (*self.newest).max(time);
        let mut labels = labels_of(series.attributes.iter());
        for (name, value) in self.promoted {
            labels.entry(name.clone()).or_insert_with(|| value.clone());
        }
        labels.extend(self.identity.iter().cloned());
        let mut error = None;
        let sink = &mut *self.sink;
        let mut out = |suffix: &str, label: Option<(&str, String)>, value: f64, delta: bool| {
            labels.insert(METRIC_NAME.to_owned(), format!("{}{suffix}", series.name));
            let added = label.as_ref().map(|(name, _)| (*name).to_owned());
            labels.extend(label.map(|(name, value)| (name.to_owned(), value)));
            let made = Labels::new(&labels);
            if let Some(name) = added {
                labels.remove(&name);
            }
            match made {
                Ok(labels) if series.flags & NO_RECORDED_VALUE == 1 => {
                    sink.sample(&labels, time, STALE, false);
                }
                Ok(labels) => sink.sample(&labels, time, value, delta),
                Err(problem) => error = Some(problem),
            }
        };
        parts(&mut out);
        error.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// What the samples of a point have in common.
struct Series<'a> {
    name: &'a str,
    attributes: &'a [KeyValue],
    flags: u32,
}

/// A number as Prometheus writes it in a label.
fn number_text(number: f64) -> String {
    if number == f64::INFINITY { "+Inf".to_owned() } else { number.to_string() }
}
