//! `barograph notify`: tries channels: those of a running server, or from their files.

mod pagers;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use barograph_model::{Clock, SystemClock};
use barograph_notify::{Channel, Machine, Notification, Notifier, Recipient, Setup};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use crate::client::{Client, ServerArgs};
use crate::commands::documents::encoded;
use crate::failure::Failure;
use crate::{output, service};

use pagers::PagersArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a test by a channel, and say what became of it.
    Test(ChannelArgs),
    /// Print what a channel would send, without its secrets.
    Preview(ChannelArgs),
    /// List the types of channels.
    Types {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show whether people answered the tests of their pagers, or test one now.
    Pagers(PagersArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ChannelArgs {
    /// The name of a channel of a running server, or a file with a channel's document, which needs
    /// no server.
    #[arg(value_name = "CHANNEL")]
    channel: String,
    /// With a file: tell this person instead of the channel's own receivers: an e-mail address, a
    /// telephone number, or what the channel's service calls them.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) fn run(command: &NotifyCommand) -> anyhow::Result<()> {
    match command {
        NotifyCommand::Test(args) => test(args),
        NotifyCommand::Preview(args) => preview(args),
        NotifyCommand::Pagers(args) => pagers::run(args),
        NotifyCommand::Types { json: true } => {
            output::pretty_json(&Channel::types().collect::<Vec<_>>())
        }
        NotifyCommand::Types { json: false } => Channel::types().try_for_each(output::line),
    }
}

impl ChannelArgs {
    /// The file, if it is one: it is there, or looks like one.
    fn file(&self) -> Option<&Path> {
        let path = Path::new(&self.channel);
        let kind = path.extension().and_then(|it| it.to_str());
        (path.is_file() || matches!(kind, Some("yaml" | "yml"))).then_some(path)
    }

    /// Where the server has the channel.
    fn address(&self, what: &str) -> anyhow::Result<String> {
        if self.to.is_some() {
            let message = "`--to` is for channels in files; a server tells people by its routes";
            return Err(Failure::Input(message.to_owned()).into());
        }
        Ok(format!("/api/channels/{}/{what}", encoded(&self.channel)))
    }
}

fn read(file: &Path) -> anyhow::Result<Channel> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Channel::parse(&name, &text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|it| format!("{shown}: {it}")).collect();
        Failure::Input(lines.join("\n")).into()
    })
}

/// Longer than a channel may take for its receiver.
const PATIENCE: Duration = Duration::from_secs(150);

fn test(args: &ChannelArgs) -> anyhow::Result<()> {
    let Tested { delivered, text, permanent } = match args.file() {
        Some(file) => test_file(args, file)?,
        None => {
            Client::patient(&args.server, PATIENCE)?.post(&args.address("test")?, &json!({}))?
        }
    };
    match (delivered, permanent) {
        (true, _) if text.is_empty() => output::line("delivered"),
        (true, _) => output::line(&format!("delivered: {text}")),
        (false, true) => anyhow::bail!("not delivered: {text} (trying again would not help)"),
        (false, false) => anyhow::bail!("not delivered: {text} (a server would try again)"),
    }
}

/// What became of a test.
#[derive(Debug, Deserialize)]
struct Tested {
    delivered: bool,
    text: String,
    permanent: bool,
}

fn test_file(args: &ChannelArgs, file: &Path) -> anyhow::Result<Tested> {
    let channel = read(file)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let notification = notification(args, &channel, clock.now_ms());
    let machine = Machine {
        system_log: service::system_log(Path::new(service::SYSLOG_SOCKET)),
        ..Machine::default()
    };
    let notifier = Notifier::new(everywhere()?, Arc::new(secret), clock).on(machine);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    Ok(match runtime.block_on(notifier.deliver(&channel, &notification)) {
        Ok(receipt) => Tested { delivered: true, text: receipt.text, permanent: false },
        Err(failure) => {
            Tested { delivered: false, text: failure.text, permanent: failure.permanent }
        }
    })
}

#[derive(Debug, Deserialize)]
struct Previewed {
    text: String,
}

fn preview(args: &ChannelArgs) -> anyhow::Result<()> {
    let Some(file) = args.file() else {
        let shown: Previewed = Client::new(&args.server)?.get(&args.address("preview")?)?;
        return output::line(&shown.text);
    };
    let channel = read(file)?;
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
