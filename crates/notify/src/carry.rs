//! How parcels are sent: one file for each sort of transport.

pub(crate) mod http;

use crate::carry::http::Call;

/// Something to be sent to one receiver.
#[derive(Debug)]
pub(crate) enum Parcel {
    Http(Call),
}

impl Parcel {
    /// Who gets it, the same for the same receiver: what was delivered is known by it.
    pub(crate) fn receiver(&self) -> &str {
        match self {
            Self::Http(call) => &call.receiver,
        }
    }

    /// As people read it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Http(call) => call.shown(),
        }
    }
}
