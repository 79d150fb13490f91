//! `barograph forward`: sending samples on, as a running server does it.

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, ServerArgs};
use crate::commands::documents::encoded;
use crate::moment::moment;
use crate::output;
use crate::progress::ProgressLine;

#[derive(Debug, Subcommand)]
pub(crate) enum ForwardCommand {
    /// Send a receiver once more what it has taken, for instance after it lost its newest data; and
    /// wait until that is done.
    Resend(ResendArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ResendArgs {
    /// The name of the receiver in `[[remote_write]]`.
    name: String,
    /// What was sent from then on: a time with its zone, such as 2026-11-22T03:12:00Z, milliseconds
    /// since 1970, or how long ago, such as 10m; at most `resend_window` ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: i64,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Deserialize)]
struct Answer {
    receivers: Vec<Receiver>,
}

#[derive(Debug, Deserialize)]
struct Receiver {
    name: String,
    failure: Option<String>,
    resending: bool,
    resend_bytes: u64,
}

pub(crate) fn run(command: &ForwardCommand) -> anyhow::Result<()> {
    let ForwardCommand::Resend(args) = command;
    resend(args)
}

fn resend(args: &ResendArgs) -> anyhow::Result<()> {
    const EVERY: Duration = Duration::from_millis(200);
    let client = Client::new(&args.server)?;
    let path = format!("/api/forward/{}/resend?from={}", encoded(&args.name), args.from);
    let _: Value = client.post(&path, &json!({}))?;
    let mut progress = ProgressLine::new("sending again");
    let (mut most, mut told) = (0, None);
    loop {
        let Answer { receivers } = client.get("/api/forward")?;
        let receiver = receivers.into_iter().find(|one| one.name == args.name);
        let receiver = receiver.context("the receiver is gone")?;
        most = most.max(receiver.resend_bytes);
        let left = || format!("{} left", output::size(receiver.resend_bytes));
        progress.show(most - receiver.resend_bytes, most.max(1), left);
        if !receiver.resending {
            return output::line(&format!("`{}` was sent it again", output::plain(&args.name)));
        }
        if receiver.failure != told {
            if let Some(failure) = &receiver.failure {
                output::note(&format!("waiting: {failure}"))?;
            }
            told = receiver.failure;
        }
        std::thread::sleep(EVERY);
    }
}
