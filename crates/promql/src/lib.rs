//! PromQL, as Prometheus 3 defines it for float samples, over anything that holds series.
//!
//! A [`Query`] is a text that was parsed. An [`Engine`] evaluates it over a
//! [`SeriesSource`](barograph_model::SeriesSource), at one moment or over a range of steps, and
//! gives an [`Answer`]. Nothing here knows where samples come from or how answers travel.

mod answer;
mod engine;
mod error;
mod memory;
mod query;
mod settings;

pub use answer::{Answer, Series, Stats, Value, VectorSample};
pub use engine::Engine;
pub use error::EvalError;
pub use memory::MemorySource;
pub use query::Query;
pub use settings::{Options, Settings};
