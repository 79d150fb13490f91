//! The form that readings have on the wire, which the command line prints as JSON, too.

mod connections;
mod inventory;
mod processes;
mod services;
mod talkers;

pub use connections::ConnectionsAnswer;
pub use inventory::InventoryAnswer;
pub use processes::{EventSourceAnswer, ProcessAnswer, ProcessesAnswer};
pub use services::{ServiceFilter, ServicesAnswer};
pub use talkers::{TalkerAnswer, TalkersAnswer, TalkersBy};
