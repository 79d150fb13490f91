//! Tells people: turns a [`Notification`] into what a [`Channel`] understands, and delivers it.
//!
//! A channel is described by a YAML document. [`Channel::parse`] reads it, and
//! [`Notifier::deliver`] sends by it, once. Whether something is told, to whom and how often it is
//! tried again is decided elsewhere.
//!
//! ```
//! let channel = barograph_notify::Channel::parse("ops", "
//! type: slack
//! url: {secret: slack-ops}
//! ");
//! assert_eq!(channel.map(|it| it.kind()), Ok("slack"));
//!
//! let problems = barograph_notify::Channel::parse("ops", "type: slack\nurk: x").unwrap_err();
//! let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
//! assert_eq!(problems, [
//!     "line 1: `url`: is missing",
//!     "line 2: `urk`: there is no such field, did you mean `url`?",
//! ]);
//! ```

mod carry;
mod channel;
mod chart;
mod escape;
mod failure;
mod limit;
mod notification;
mod notifier;
mod reader;
mod sample;
mod secret;
mod templates;
mod text;

pub use barograph_fetch::{Network, NetworkError};
pub use barograph_template::escape_html;
pub use carry::own_log::{LogLine, SystemLog};
pub use channel::Channel;
pub use failure::{Failure, Receipt};
pub use limit::{Limiter, Limits, Plan, Waiting};
pub use notification::{
    Act, Alert, Brief, Chart, Event, Evidence, HostEvent, Links, Notification, Process, Recipient,
    Severity,
};
pub use notifier::{Machine, Notifier, Setup};
pub use reader::Problem;
pub use secret::FindSecret;
