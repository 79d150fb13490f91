//! Barograph's HTTP side: the interfaces, the live stream and the page, over the store and the
//! collectors that the program hands in. It decides nothing about what is collected or kept.
//!
//! - [`App`] is what every request can reach; [`serve()`] accepts connections and ends them well.
//! - [`Feed`] takes what this machine tells, [`Ingest`] what others send (by [`Scraper`],
//!   [`Statsd`], [`Textfiles`], [`Checks`] and the addresses that senders know); [`Latest`] keeps
//!   the newest values, [`Forward`] sends all of it on.
//! - [`Queries`] answers PromQL and counter paths.
//! - [`Alerting`] evaluates rules and keeps incidents, [`Dispatch`] delivers what they cause,
//!   [`Remedy`] does what was approved.
//! - [`Documents`] keeps what people decide about all this.
//!
//! Times are milliseconds since 1970 UTC. `docs/api/http.md` describes the interfaces.

mod alerting;
mod answers;
mod app;
mod baseline;
mod check;
mod dashboard;
mod dispatch;
mod documents;
mod doors;
mod events;
mod evidence;
mod exposition;
mod feed;
mod files;
mod following;
mod forward;
mod history;
mod host_page;
mod http;
mod ingest;
mod latest;
mod link;
mod on_demand;
mod page;
mod parts;
mod point;
mod process_record;
mod processes;
mod queries;
mod query;
mod readings;
mod remedy;
mod scrape;
mod serve;
mod statsd;
mod textfile;
mod thrift;
mod timestamp;
mod top;

pub use barograph_notify::{Machine, Network, NetworkError, Setup as NotifySetup};

pub use alerting::{
    ActError, AlertReport, Alerting, AlertingError, AlertingSettings, AlertingStatus, GroupReport,
    Health, RuleReport, Tested, TestedFiring,
};
pub use answers::{
    ConnectionsAnswer, EventSourceAnswer, InventoryAnswer, ProcessAnswer, ProcessesAnswer,
    ServiceFilter, ServicesAnswer, TalkerAnswer, TalkersAnswer, TalkersBy,
};
pub use app::{App, Limits, RunnerView};
pub use check::{Check, CheckAnswer, CheckConfig, Checks, Ended, Program, RunProgram};
pub use dispatch::{ChannelCounts, Dispatch, DispatchParts, DispatchStatus};
pub use documents::{
    Action, Applied, Author, Book, Configured, Difference, DocumentError, DocumentProblem,
    Documents, KINDS, Kind, Outcome, ProblemSeverity, Wanted,
};
pub use doors::Doors;
pub use events::{EVENTS_LOST, EventAnswer, EventLog};
pub use evidence::Gatherer;
pub use feed::{Feed, FeedStatus};
pub use following::{Followers, Following};
pub use forward::{Destination, Forward, ForwardAnswer, ForwardError, RemoteWriteConfig};
pub use ingest::{
    Door, Ingest, IngestAnswer, IngestSettings, Intake, MetricInfo, MetricInfos, NoRoom, Place,
    Reason, Report, Room, Source, SourceAnswer, TooManySamples, WriteError,
};
pub use latest::Latest;
pub use link::LinkError;
pub use processes::{ProcessSettings, Processes, ProcessesError, RecordProblem};
pub use queries::{CounterPaths, Queries};
pub use readings::Readings;
pub use remedy::{Hands, Remedy, RestartService};
pub use scrape::{Job, ScrapeConfig, ScrapeStats, Scraper, TargetsAnswer, prometheus_jobs};
pub use serve::serve;
pub use statsd::{DATAGRAM_PATIENCE, Datagrams, Statsd, StatsdSettings};
pub use textfile::{TextfileSettings, Textfiles};
pub use thrift::{Measure, OwnLimits, Thrift, ThriftStatus};
