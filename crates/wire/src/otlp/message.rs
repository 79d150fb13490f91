//! What a request says, whichever way it was written.

use serde::Deserialize;

use super::json::{double, doubles, integer, integers, signed, signed_option};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ResourceMetrics {
    pub(super) resource: Resource,
    pub(super) scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ScopeMetrics {
    pub(super) metrics: Vec<Metric>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) unit: String,
    pub(super) gauge: Option<Points<NumberPoint>>,
    pub(super) sum: Option<Points<NumberPoint>>,
    pub(super) histogram: Option<Points<HistogramPoint>>,
    pub(super) exponential_histogram: Option<Points<ExponentialPoint>>,
    pub(super) summary: Option<Points<SummaryPoint>>,
}

/// Points with what is said of all of them, where that is said.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", bound = "P: Deserialize<'de>")]
#[expect(clippy::struct_field_names, reason = "the protocol's names")]
pub(super) struct Points<P> {
    pub(super) data_points: Vec<P>,
    pub(super) aggregation_temporality: u64,
    pub(super) is_monotonic: bool,
}

impl<P> Default for Points<P> {
    fn default() -> Self {
        Self { data_points: Vec::new(), aggregation_temporality: 0, is_monotonic: false }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct NumberPoint {
    pub(super) attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "integer")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "double")]
    pub(super) as_double: Option<f64>,
    #[serde(deserialize_with = "signed_option")]
    pub(super) as_int: Option<i64>,
    pub(super) flags: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct HistogramPoint {
    pub(super) attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "integer")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "integer")]
    pub(super) count: u64,
    #[serde(deserialize_with = "double")]
    pub(super) sum: Option<f64>,
    #[serde(deserialize_with = "integers")]
    pub(super) bucket_counts: Vec<u64>,
    #[serde(deserialize_with = "doubles")]
    pub(super) explicit_bounds: Vec<f64>,
    pub(super) flags: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ExponentialPoint {
    pub(super) attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "integer")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "integer")]
    pub(super) count: u64,
    #[serde(deserialize_with = "double")]
    pub(super) sum: Option<f64>,
    #[serde(deserialize_with = "signed")]
    pub(super) scale: i64,
    #[serde(deserialize_with = "integer")]
    pub(super) zero_count: u64,
    pub(super) positive: Buckets,
    pub(super) negative: Buckets,
    pub(super) flags: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Buckets {
    #[serde(deserialize_with = "signed")]
    pub(super) offset: i64,
    #[serde(deserialize_with = "integers")]
    pub(super) bucket_counts: Vec<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SummaryPoint {
    pub(super) attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "integer")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "integer")]
    pub(super) count: u64,
    #[serde(deserialize_with = "double")]
    pub(super) sum: Option<f64>,
    pub(super) quantile_values: Vec<QuantileValue>,
    pub(super) flags: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QuantileValue {
    #[serde(deserialize_with = "double")]
    pub(super) quantile: Option<f64>,
    #[serde(deserialize_with = "double")]
    pub(super) value: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyValue {
    pub(super) key: String,
    pub(super) value: AnyValue,
}

/// A value of an attribute. Lists and maps become the JSON that stands for them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AnyValue {
    pub(super) string_value: Option<String>,
    pub(super) bool_value: Option<bool>,
    #[serde(deserialize_with = "signed_option")]
    pub(super) int_value: Option<i64>,
    #[serde(deserialize_with = "double")]
    pub(super) double_value: Option<f64>,
    /// A list, a map or bytes, which are no label's value; only that there is one is known.
    #[serde(rename = "arrayValue", deserialize_with = "super::json::is_there")]
    pub(super) is_list: bool,
}

impl AnyValue {
    /// As a label's value; empty for what has none.
    pub(super) fn text(&self) -> String {
        if let Some(text) = &self.string_value {
            text.clone()
        } else if let Some(value) = self.bool_value {
            value.to_string()
        } else if let Some(value) = self.int_value {
            value.to_string()
        } else if let Some(value) = self.double_value {
            value.to_string()
        } else if self.is_list {
            "(list)".to_owned()
        } else {
            String::new()
        }
    }
}
