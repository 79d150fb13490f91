//! Which data folder a command works on.

use std::path::PathBuf;

use clap::Args;

use crate::cli::ConfigArgs;
use crate::config::Config;
use crate::failure::Failure;
use crate::service;

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data folder [default: that of the configuration].
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

    /// For commands that write into it as the server does.
    ///
    /// # Errors
    /// The server could not use what this process makes there; or as [`DataArgs::folder`].
    pub(crate) fn own(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder()?;
        let Some(owner) = service::foreign_owner(&folder) else { return Ok(folder) };
        let shown = folder.display();
        let foreign = anyhow::anyhow!(
            "{shown} belongs to user {owner}, who could not use what root writes into it; run this \
             as that user, such as by `sudo -u '#{owner}' barograph …`"
        );
        Err(Failure::DataFolder(foreign).into())
    }

    /// For commands that make none.
    ///
    /// # Errors
    /// There is no such folder; or as [`DataArgs::folder`].
    pub(crate) fn existing(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder()?;
        if folder.exists() {
            return Ok(folder);
        }
        let shown = folder.display();
        let missing = anyhow::anyhow!("there is no folder {shown}; name another by --data");
        Err(Failure::DataFolder(missing).into())
    }
}
