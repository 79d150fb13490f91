//! The program `barograph`: reads the command line, wires the parts together, sets the exit code.

mod asking;
mod cli;
mod client;
mod commands;
mod config;
mod csv;
mod data_folder;
mod failure;
mod moment;
mod output;
mod progress;
mod service;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}
