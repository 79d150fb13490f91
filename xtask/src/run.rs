//! `cargo xtask run`: from the sources to a running server.

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::tools::{self, C_COMPILER};
use crate::{node, process, rust, web};

/// Builds all and becomes `barograph serve ARGUMENTS`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    node::check()?;
    tools::require(&[&C_COMPILER])?;
    web::build()?;
    let binary = rust::release_binary()?;
    let mut server = process::command(binary);
    // Relative paths among the arguments count from where the user is.
    server.current_dir(env::current_dir().context("cannot tell the current folder")?);
    server.arg("serve").args(arguments);
    become_program(server)
}

/// Signals reach the server and its exit code reaches the shell: it takes this process over.
#[cfg(unix)]
pub(crate) fn become_program(mut command: std::process::Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    let program = command.get_program().to_string_lossy().into_owned();
    Err(anyhow::Error::new(error).context(format!("cannot start {program}")))
}

/// A console's Ctrl-C reaches the server by itself; its exit code is handed on.
#[cfg(not(unix))]
pub(crate) fn become_program(mut command: std::process::Command) -> Result<ExitCode> {
    let status = command.status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
