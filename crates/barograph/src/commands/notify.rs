//! `barograph notify`: tries channels, from their files, without a server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use barograph_model::{Clock, SystemClock};
use barograph_notify::{Channel, Notification, Notifier, Recipient, Setup};
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test by a channel, and say what became of it.
    Test(ChannelArgs),
    /// Print what a channel would send, without its secrets.
    Preview(ChannelArgs),
    /// List the types of channels.
    Types,
}

#[derive(Debug, Args)]
pub(crate) struct ChannelArgs {
    /// The channel's document.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Tell this person instead of the channel's own receivers: an e-mail address, a telephone
    /// number, or what the channel's service calls them.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

pub(crate) fn run(command: &NotifyCommand) -> anyhow::Result<()> {
    match command {
        NotifyCommand::Test(args) => test(args),
        NotifyCommand::Preview(args) => preview(args),
        NotifyCommand::Types => Channel::types().try_for_each(output::line),
    }
}

fn read(args: &ChannelArgs) -> anyhow::Result<Channel> {
    let shown = args.file.display();
    let text = fs::read_to_string(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let name = args.file.file_stem().unwrap_or_default().to_string_lossy();
    Channel::parse(&name, &text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|it| format!("{shown}: {it}")).collect();
        Failure::Input(lines.join("\n")).into()
    })
}

fn test(args: &ChannelArgs) -> anyhow::Result<()> {
    let channel = read(args)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let notification = notification(args, &channel, clock.now_ms());
    let notifier = Notifier::new(everywhere()?, Arc::new(secret), clock);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    match runtime.block_on(notifier.deliver(&channel, &notification)) {
        Ok(receipt) if receipt.text.is_empty() => output::line("delivered"),
        Ok(receipt) => output::line(&format!("delivered: {}", receipt.text)),
        Err(failure) => {
            let hint = if failure.permanent {
                "trying again would not help"
            } else {
                "a server would try again"
            };
            anyhow::bail!("not delivered: {} ({hint})", failure.text)
        }
    }
}

fn preview(args: &ChannelArgs) -> anyhow::Result<()> {
    let channel = read(args)?;
    let now_ms = SystemClock::new().now_ms();
    let shown = channel.preview(&notification(args, &channel, now_ms), now_ms);
    output::line(&shown.map_err(|failure| Failure::Input(failure.text))?)
}

fn notification(args: &ChannelArgs, channel: &Channel, now_ms: i64) -> Notification {
    let mut it = Notification::test(now_ms, None);
    it.recipient = args.to.clone().map(|to| Recipient {
        name: to.clone(),
        email: Some(to.clone()),
        phone: Some(to.clone()),
        chats: [(channel.kind().to_owned(), to)].into(),
    });
    it
}

/// Whoever can start programs here can reach its network anyway.
fn everywhere() -> anyhow::Result<Setup> {
    let internal_networks = ["0.0.0.0/0", "::/0"].map(str::parse);
    Ok(Setup { internal_networks: internal_networks.into_iter().collect::<Result<_, _>>()? })
}

/// A secret `slack-ops` is read from the file that `BAROGRAPH_SECRETS` names the folder of.
fn secret(name: &str) -> Result<String, String> {
    let Some(folder) = std::env::var_os("BAROGRAPH_SECRETS") else {
        return Err("set BAROGRAPH_SECRETS to a folder with a file of this name".to_owned());
    };
    let is_plain = name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if !is_plain || name.starts_with('.') {
        return Err("it is no name of a file".to_owned());
    }
    let path = Path::new(&folder).join(name);
    let text = fs::read_to_string(&path);
    let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
