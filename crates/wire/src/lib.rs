//! Formats that metrics come in and go out by, and what they mean in samples. Nothing here opens a
//! socket or a file: bytes in, samples or an error out, and the other way round. Every decoder is
//! bounded, and none of them panics.
//!
//! | format | module |
//! |---|---|
//! | Prometheus' text format, OpenMetrics | [`text`] |
//! | Prometheus' remote write and remote read | [`remote_write`], [`remote_read`], [`snappy`] |
//! | Prometheus' blocks on disk | [`tsdb`] |
//! | relabelling of what was scraped | [`relabel`] |
//! | OpenTelemetry's metrics | [`otlp`] |
//! | InfluxDB's line protocol, JSON lines | [`influx`], [`push`] |
//! | StatsD and DogStatsD | [`statsd`] |
//! | what Nagios' plugins print | [`nagios`] |
//! | logs of typeperf and Performance Monitor | [`PdhLog`] |
//!
//! Times are milliseconds since 1970 UTC.

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
