//! `barograph store`: what is done to the data folder itself.

mod export;
mod import;
mod verify;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Check every checksum in the data folder; exit code 1 if something is damaged.
    Verify(verify::VerifyArgs),
    /// Write stored samples into a file: Parquet, CSV or OpenMetrics.
    Export(export::ExportArgs),
    /// Take in samples from files, all of them or none.
    Import(import::ImportArgs),
}

pub(crate) fn run(command: &StoreCommand) -> anyhow::Result<()> {
    match command {
        StoreCommand::Verify(args) => verify::run(args),
        StoreCommand::Export(args) => export::run(args),
        StoreCommand::Import(args) => import::run(args),
    }
}
