//! What Barograph must remember besides samples: settings that people edit, what happened and who
//! did it, what is still to be sent, and who is in charge.
//!
//! - **Documents** have a kind, a name and a text; every change is kept, with its author.
//! - **Logs** are append-only; each entry vouches for all before it.
//! - **Entries** are small current values by key, without history.
//! - **Messages** wait until they are delivered; those of one lane keep their order.
//! - **Leases** say who is in charge, with an epoch that fences off whoever was before.
//!
//! All of it changes together: [`State::write`] is one transaction, on disk when it returns. What
//! a document or a message means is not known here. `docs/format/state.md` draws the tables.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use barograph_model::SystemClock;
//! use barograph_state::{Edit, Expected, State, StateError};
//!
//! let folder = tempfile::tempdir()?;
//! let state = State::open(folder.path(), Arc::new(SystemClock::new()))?;
//! let edit = Edit { author: "anna", note: "first rules", expected: Expected::Absent };
//! let version = state.write(|change| {
//!     change.append("audit", b"anna made the rules `disk`")?;
//!     change.put_document("rules", "disk", "groups: []", &edit)
//! })?;
//! assert_eq!(version, 1);
//! let disk = state.read(|view| view.document("rules", "disk"))?.ok_or("no rules")?;
//! assert_eq!(disk.text, "groups: []");
//! # Ok(())
//! # }
//! ```

mod database;
mod document;
mod entry;
mod error;
mod keys;
mod lease;
mod log;
mod message;
mod seal;
mod secret;
mod state;

pub use document::{Document, Edit, Expected, Revision};
pub use error::{OpenError, SecretError, StateError};
pub use lease::{Fence, Lease};
pub use log::{LogEntry, LogProblem};
pub use message::{Enqueued, Message, NewMessage, Outcome, Status};
pub use secret::Secret;
pub use state::{Change, Listing, State, View};
