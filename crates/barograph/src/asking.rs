//! Arguments of the commands that ask a running server.

use clap::Args;

use crate::client::ServerArgs;

/// How the answer is shown, and whose it is.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Who is behind a change.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who you are.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "local")]
    pub(crate) by: String,
}
