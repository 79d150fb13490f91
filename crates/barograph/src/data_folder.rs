//! Which data folder a command works on.

use std::path::PathBuf;

use clap::Args;

use crate::cli::ConfigArgs;
use crate::config::Config;

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data folder; a server may be working in it [default: that of the configuration].
    #[arg(long, value_name = "DIR", env = "BAROGRAPH_DATA")]
    data: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl DataArgs {
    /// # Errors
    /// The configuration has mistakes.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(Config::load(self.config.config.as_deref())?.0.data),
        }
    }
}
