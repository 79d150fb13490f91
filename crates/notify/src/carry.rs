//! How parcels are sent: one file for each sort of transport.

pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod mail;
pub(crate) mod own_log;
pub(crate) mod process;

use barograph_fetch::ReachError;
use barograph_model::chain;

use crate::failure::Failure;

/// Something to be sent to one receiver.
#[derive(Debug)]
pub(crate) enum Parcel {
    Http(http::Call),
    Mail(Box<mail::Letter>),
    Run(process::Run),
    Log(log::Entry),
    OwnLog(own_log::Own),
}

impl Parcel {
    /// Who gets it, the same for the same receiver: what was delivered is known by it.
    pub(crate) fn receiver(&self) -> &str {
        match self {
            Self::Http(call) => &call.receiver,
            Self::Mail(letter) => &letter.to,
            Self::Run(run) => &run.name,
            Self::Log(_) | Self::OwnLog(_) => "log",
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Http(call) => call.shown(),
            Self::Mail(letter) => letter.shown(),
            Self::Run(run) => run.shown(),
            Self::Log(entry) => entry.shown(),
            Self::OwnLog(own) => own.shown(),
        }
    }
}

/// An address that may not be reached stays one until somebody changes the settings.
pub(crate) fn unreached(error: &ReachError) -> Failure {
    let text = chain(error);
    match error {
        ReachError::Refused { .. } => {
            let hint = "the machine's owner can allow it by `internal_networks` in [notify]";
            Failure::permanent(format!("{text}; {hint}"))
        }
        ReachError::Connect { .. } => Failure::unreached(text),
    }
}
