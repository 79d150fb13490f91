//! Barograph's HTTP side: the interfaces, the live stream and the page, over the store and the
//! collectors that the program hands in. It decides nothing about what is collected or kept.

mod app;
mod exposition;
mod feed;
mod history;
mod http;
mod latest;
mod point;
mod query;
mod serve;
mod timestamp;

pub use app::{App, Limits, RunnerView};
pub use feed::{Feed, FeedStatus};
pub use latest::Latest;
pub use serve::serve;
