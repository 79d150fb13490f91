//! Metrics of your own program, without any dependency.
//!
//! A [`Registry`] makes counters, gauges and histograms, each a cheap handle to clone and to share
//! between threads. [`Registry::serve`] offers them to whoever scrapes (Barograph, Prometheus);
//! [`Registry::push`] sends them to Barograph's `/api/v1/push`.
//!
//! ```
//! use std::time::Duration;
//! use barograph_client::Registry;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::new();
//! let waiting = registry.gauge("queue_length", "Jobs that wait.", &[("queue", "mail")])?;
//! let took = registry.histogram("job_seconds", "How long a job took.", &[], &[0.1, 1.0, 10.0])?;
//! let page = registry.serve("127.0.0.1:0")?;
//!
//! waiting.set(17.0);
//! took.observe_duration(Duration::from_millis(250));
//! println!("http://{}/metrics", page.address());
//! # assert!(registry.text().contains("queue_length{queue=\"mail\"} 17"));
//! # Ok(())
//! # }
//! ```
//!
//! A registry is bounded: past its limit new series are refused, and the refusals are on the page
//! as `client_refused_series_total`.

#![expect(clippy::disallowed_types, reason = "no dependency, not even in debug builds")]

mod error;
mod metric;
mod push;
mod registry;
mod serve;
mod text;

pub use error::MetricError;
pub use metric::{Counter, Gauge, Histogram};
pub use push::{PushError, PushSettings, Pushed, Pusher};
pub use registry::Registry;
pub use serve::Listener;
