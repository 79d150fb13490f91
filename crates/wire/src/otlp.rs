//! OpenTelemetry's metrics, version 1: protobuf and JSON in, samples of Prometheus out.
//!
//! The messages are those of
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto>,
//! and what they mean in Prometheus' words is
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>.

mod answer;
mod exponential;
mod json;
mod message;
mod names;
mod proto;
mod translate;

use crate::protobuf::Malformed;

pub use answer::{failure_proto, partial_success_json, partial_success_proto, retry_proto};
pub use translate::{PointError, Sink, Time};

/// Messages and values in one request; each takes some hundred bytes of memory.
const MAX_NODES: usize = 1_000_000;

/// Why a request cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("the protobuf message is malformed: {0}")]
    Malformed(#[from] Malformed),
    #[error("a text in the protobuf message is not UTF-8")]
    NotUtf8,
    #[error("the JSON cannot be read")]
    Json(#[source] serde_json::Error),
    #[error("more than {MAX_NODES} messages and values in one request; send smaller ones")]
    TooLarge,
}

/// Reads a request in protobuf and hands on what it means. Attributes of resources that `promote`
/// names become labels of each series.
///
/// # Errors
/// The request cannot be read; nothing was handed on.
pub fn read_proto(
    bytes: &[u8],
    promote: &[String],
    sink: &mut impl Sink,
) -> Result<(), RequestError> {
    translate::request(&proto::request(bytes)?, promote, sink);
    Ok(())
}

/// The same for a request in JSON.
///
/// # Errors
/// The request cannot be read; nothing was handed on.
pub fn read_json(
    bytes: &[u8],
    promote: &[String],
    sink: &mut impl Sink,
) -> Result<(), RequestError> {
    translate::request(&json::request(bytes)?, promote, sink);
    Ok(())
}

#[cfg(test)]
mod tests;
