//! `barograph secret`: passwords and tokens that documents name. They go in and never come out.

use std::io::Read as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asking::{Asking, Who};
use crate::client::{Client, ServerArgs};
use crate::commands::documents::encoded;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Store a secret, read from standard input; one line end at its end does not count.
    Set(SecretArgs),
    /// List the names of secrets.
    List(Asking),
    /// Remove a secret.
    Remove(SecretArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    /// The name by which documents mean it, such as `slack-ops`.
    name: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Deserialize, Serialize)]
struct Names {
    secrets: Vec<String>,
}

pub(crate) fn run(command: &SecretCommand) -> anyhow::Result<()> {
    match command {
        SecretCommand::Set(args) => {
            let secret = read()?;
            let _: Value = args.client()?.send_text("PUT", &args.path(), &secret)?;
            output::line(&format!("`{}` is stored", output::plain(&args.name)))
        }
        SecretCommand::List(Asking { json, server }) => {
            let names: Names = Client::new(server)?.get("/api/secrets")?;
            match &*names.secrets {
                _ if *json => output::pretty_json(&names),
                [] => output::line("No secrets."),
                secrets => secrets.iter().try_for_each(|it| output::line(&output::plain(it))),
            }
        }
        SecretCommand::Remove(args) => {
            let _: Value = args.client()?.send_text("DELETE", &args.path(), "")?;
            output::line(&format!("`{}` is removed", output::plain(&args.name)))
        }
    }
}

impl SecretArgs {
    fn path(&self) -> String {
        format!("/api/secrets/{}?by={}", encoded(&self.name), encoded(&self.who.by))
    }

    fn client(&self) -> anyhow::Result<Client> {
        Client::new(&self.server)
    }
}

fn read() -> anyhow::Result<String> {
    /// More than any secret may have, so that the server says what is wrong.
    const MAX_BYTES: u64 = 64 * 1024;
    let mut text = String::new();
    let input = std::io::stdin().lock();
    input.take(MAX_BYTES).read_to_string(&mut text).context("cannot read standard input")?;
    let text = text.strip_suffix('\n').map_or(&*text, |it| it.strip_suffix('\r').unwrap_or(it));
    if text.is_empty() {
        return Err(Failure::Input("standard input holds no secret".to_owned()).into());
    }
    Ok(text.to_owned())
}
