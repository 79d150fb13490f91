//! Formats that metrics come in and go out by, and what they mean in samples. Nothing here opens a
//! socket or a file: bytes in, samples or an error out, and the other way round.

pub mod influx;
mod metric_type;
pub mod nagios;
pub mod otlp;
mod pdh_csv;
mod protobuf;
pub mod push;
pub mod relabel;
pub mod remote_read;
pub mod remote_write;
pub mod snappy;
pub mod statsd;
pub mod text;
pub mod tsdb;

pub use metric_type::MetricType;
pub use pdh_csv::{PdhError, PdhLog, PdhRow};
pub use protobuf::Malformed;
