//! PromQL, as Prometheus 3 defines it for float samples, over anything that holds series.
//!
//! A [`Query`] is a text that was parsed; [`ast`] is its tree. An [`Engine`] evaluates it over a
//! [`SeriesSource`](barograph_model::SeriesSource), at one moment or over a range of steps, and
//! gives an [`Answer`]. Nothing here knows where samples come from or how answers travel.
//!
//! ```
//! use std::sync::Arc;
//!
//! use barograph_model::{Labels, SystemClock};
//! use barograph_promql::{Engine, MemorySource, Options, Query, Settings, Value};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut source = MemorySource::new();
//! for second in 0..=60 {
//!     source.push(&Labels::metric("jobs_total")?, second * 1000, second as f64 * 2.0);
//! }
//! let engine = Engine::new(Settings::default(), Arc::new(SystemClock::new()));
//! let query = Query::parse("rate(jobs_total[30s])")?;
//! let answer = engine.instant(&source, &query, 60_000, &Options::default())?;
//! let Value::Vector(found) = answer.value else { return Err("no vector".into()) };
//! assert!((found[0].value - 2.0).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```

mod aggregate;
mod answer;
pub mod ast;
mod chain;
mod change;
mod check;
mod dates;
pub mod duration;
mod engine;
mod error;
mod eval;
mod frame;
mod function;
mod grid;
mod histogram;
mod kahan;
mod keys;
mod lex;
mod matching;
mod memory;
pub mod notation;
mod notes;
mod number;
mod operator;
mod parse;
mod plan;
mod print;
mod quote;
mod reads;
mod settings;
mod shorthand;
mod watch;
mod window;

pub use answer::{Answer, Series, Stats, Value, VectorSample};
pub use duration::{format_duration, parse_duration};
pub use engine::Engine;
pub use error::EvalError;
pub use function::{FUNCTIONS, Signature, Variadic, function};
pub use memory::MemorySource;
pub use number::{plain_number, push_sample_value};
pub use parse::{
    MAX_DEPTH, MAX_QUERY_BYTES, ParseError, Query, parse_selector, parse_wide_selector,
};
pub use settings::{Options, Settings};
pub use shorthand::{NoShorthands, Shorthand, ShorthandError, Shorthands};
