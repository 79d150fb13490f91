//! The command line: every command, flag and help text.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::asking::Asking;
use crate::commands::FormatName;
use crate::commands::alerts::AlertsCommand;
use crate::commands::apply::{ApplyArgs, DiffArgs, ExportArgs};
use crate::commands::backup::{BackupArgs, RestoreArgs};
use crate::commands::connections::ConnectionsArgs;
use crate::commands::documents::{DocumentsCommand, RollbackArgs};
use crate::commands::events::EventsArgs;
use crate::commands::forward::ForwardCommand;
use crate::commands::inventory::InventoryArgs;
use crate::commands::notify::NotifyCommand;
use crate::commands::processes::ProcessesArgs;
use crate::commands::query::QueryArgs;
use crate::commands::rules::RulesCommand;
use crate::commands::secret::SecretCommand;
use crate::commands::services::ServicesArgs;
use crate::commands::store::StoreCommand;

/// Performance monitor for Windows and Linux hosts.
///
/// `barograph serve` reads this machine every second, keeps the history and shows it in a browser.
#[derive(Debug, Parser)]
#[command(name = "barograph", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const COMPLETION_EXAMPLES: &str = "Examples:
  barograph completion bash > /etc/bash_completion.d/barograph
  barograph completion zsh > ~/.zfunc/_barograph";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 mistake in the command line or the \
    configuration, 3 data folder not usable, 4 address not usable.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect this machine, keep the history, serve the page.
    Serve(ServeArgs),
    /// Performance counters by their paths, such as '\Processor(_Total)\% Processor Time'.
    #[command(subcommand)]
    Counters(CountersCommand),
    /// What runs on this machine and what it uses, now or at a stored moment.
    Processes(ProcessesArgs),
    /// Ask a running server in PromQL, or by a counter path: a table, or a chart of a range.
    Query(QueryArgs),
    /// Incidents of a running server: what fires, who deals with it, who was told.
    #[command(subcommand)]
    Alerts(AlertsCommand),
    /// Check and test rule files.
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Bring documents (rules, channels, policies, …) from files into a running server.
    Apply(ApplyArgs),
    /// Show what an `apply` of these files would change.
    Diff(DiffArgs),
    /// Write the documents of a running server into files.
    Export(ExportArgs),
    /// Documents of a running server: which there are, their versions and differences.
    #[command(subcommand)]
    Documents(DocumentsCommand),
    /// Bring an older version of a document back.
    Rollback(RollbackArgs),
    /// Passwords and tokens that documents name.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Try channels by which people are told.
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Who exchanges how much over TCP, by process, address or connection; and who listens.
    Connections(ConnectionsArgs),
    /// Services of this machine: which run, which failed, which should run.
    Services(ServicesArgs),
    /// What this machine is made of: processors, memory, disks, drives, network adapters.
    Inventory(InventoryArgs),
    /// What happened on the host: processes that started or ended, and more.
    Events(EventsArgs),
    /// Sending samples on to other servers.
    #[command(subcommand)]
    Forward(ForwardCommand),
    /// What a running server costs and whether it does its job; exit code 1 if something is wrong.
    Doctor(DoctorArgs),
    /// Copy the data folder, also while a server works in it.
    Backup(BackupArgs),
    /// Bring a backup back into an empty or new data folder.
    Restore(RestoreArgs),
    /// The data folder itself, also while a server works in it: check it, write samples from it into
    /// files, and take them in.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Write counters and metrics into a file, row by row.
    Record(RecordArgs),
    /// Show this machine live on the terminal: processors, memory, disks, network, processes.
    Top(TopArgs),
    /// Read the configuration, report every mistake in it, and stop.
    CheckConfig(ConfigArgs),
    /// Print the completion script of a shell.
    #[command(after_help = COMPLETION_EXAMPLES)]
    Completion {
        /// Whose script.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file; without it barograph.toml in the current folder, if there is one.
    #[arg(long, value_name = "FILE", env = "BAROGRAPH_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Where to listen [default: 127.0.0.1:7575]; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", env = "BAROGRAPH_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where to keep the history [default: ./barograph-data].
    #[arg(long, value_name = "DIR", env = "BAROGRAPH_DATA")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CountersCommand {
    /// List the counters that Barograph knows and this system can serve.
    List(CountersListArgs),
    /// Read counters now, and again.
    Read(CountersReadArgs),
    /// Look for what keeps this machine from telling its counters; exit code 1 if it is grave.
    Doctor(CountersDoctorArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CountersDoctorArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag on the command line")]
pub(crate) struct CountersListArgs {
    /// Only counters whose path or explanation holds this text (case does not matter).
    pub(crate) search: Option<String>,
    /// Only counters of this object, such as Memory; '*' stands for any text.
    #[arg(long, value_name = "NAME")]
    pub(crate) object: Option<String>,
    /// Also the instances that there are now.
    #[arg(long)]
    pub(crate) instances: bool,
    /// Instead the counters that the system and its programs offer; with --object also what they
    /// are for. Only Windows has such.
    #[arg(long, conflicts_with = "all")]
    pub(crate) system: bool,
    /// Also the counters that this system cannot serve, and why.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const READ_EXAMPLES: &str = r"Examples:
  barograph counters read '\Processor(_Total)\% Processor Time' '\PhysicalDisk(*)\Disk Reads/sec'
  barograph counters read '\Memory\Available MBytes' --every 5s --count 12 --json";

#[derive(Debug, Args)]
#[command(after_help = READ_EXAMPLES)]
pub(crate) struct CountersReadArgs {
    /// Counter paths; '*' as an instance means all of them, found anew at each reading.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    /// Time between two readings, such as 1s, 500ms or 1m.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) every: Duration,
    /// How many readings to print; without it until Ctrl-C.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Print JSON, one object per reading and line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Time between two readings, such as 1s, 500ms or 5s.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) every: Duration,
    /// Show no colours; they say nothing that the text does not say.
    #[arg(long, env = "NO_COLOR", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) no_color: bool,
}

const RECORD_EXAMPLES: &str = r"Examples:
  barograph record '\Memory\Available MBytes' cpu_usage --for 5m -o readings.csv
  barograph record '\LogicalDisk(*)\% Free Space' --every 1m --format jsonl";

#[derive(Debug, Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub(crate) struct RecordArgs {
    /// Counter paths, such as '\Processor(*)\% User Time', and names of metrics, such as
    /// `cpu_usage`. Instances are those that there are at the start.
    #[arg(required = true, value_name = "PATH|METRIC")]
    pub(crate) what: Vec<String>,
    /// Time between two rows, such as 1s, 500ms or 1m.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) every: Duration,
    /// How long to record, such as 30s, 5m or 12h; without it until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = crate::config::parse_duration)]
    pub(crate) length: Option<Duration>,
    /// The file to write; without it standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How to write it.
    #[arg(long, value_enum, default_value = "pdh-csv")]
    pub(crate) format: FormatName,
    /// Write the file anew if it is there already.
    #[arg(long)]
    pub(crate) force: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = crate::config::parse_duration(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(86_400)).contains(&duration) {
        Ok(duration)
    } else {
        Err("allowed are 100ms up to 24h".into())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn intervals_are_bounded() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("1ms").unwrap_err().contains("100ms up to 24h"));
    }
}
