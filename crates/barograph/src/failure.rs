//! How the program ends when it cannot do what it was asked.

use std::io::Write;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::output::is_closed_pipe;

/// The command line or the configuration is wrong (clap's own code, too).
const BAD_INPUT: u8 = 2;
const BAD_DATA_FOLDER: u8 = 3;
const BAD_ADDRESS: u8 = 4;

/// Failures that scripts tell apart by the exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Input(String),
    #[error("the data folder cannot be used")]
    DataFolder(#[source] anyhow::Error),
    #[error("cannot listen on {address}")]
    Address { address: String, source: anyhow::Error },
}

/// Says what went wrong and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let text = barograph_model::chain(error.as_ref());
    // Nobody is left to tell when standard error is gone too.
    writeln!(std::io::stderr(), "barograph: {text}").unwrap_or_default();
    ExitCode::from(code(error))
}

fn code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Failure>() {
        Some(Failure::Input(_)) => BAD_INPUT,
        Some(Failure::DataFolder(_)) => BAD_DATA_FOLDER,
        Some(Failure::Address { .. }) => BAD_ADDRESS,
        None if error.is::<ConfigError>() => BAD_INPUT,
        None => 1,
    }
}
