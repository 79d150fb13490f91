//! The commands, one file each.

pub(crate) mod alerts;
pub(crate) mod apply;
pub(crate) mod backup;
mod completion;
pub(crate) mod connections;
mod counters;
mod doctor;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod forward;
pub(crate) mod inventory;
pub(crate) mod notify;
pub(crate) mod processes;
pub(crate) mod query;
mod record;
pub(crate) mod rules;
pub(crate) mod secret;
mod serve;
pub(crate) mod services;
mod stop_signal;
pub(crate) mod store;
mod top;

pub(crate) use self::record::FormatName;
use crate::cli::{Cli, Command, CountersCommand};
use crate::config::Config;
use crate::output;

pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Counters(CountersCommand::List(args)) => counters::list(&args),
        Command::Counters(CountersCommand::Read(args)) => counters::read(&args),
        Command::Counters(CountersCommand::Doctor(args)) => counters::doctor(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Diff(args) => apply::diff(&args),
        Command::Documents(command) => documents::run(&command),
        Command::Export(args) => apply::export(&args),
        Command::Rollback(args) => documents::roll_back(&args),
        Command::Secret(command) => secret::run(&command),
        Command::Connections(args) => connections::run(&args),
        Command::Backup(args) => backup::run_backup(&args),
        Command::Restore(args) => backup::run_restore(&args),
        Command::Store(command) => store::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Events(args) => events::run(&args),
        Command::Forward(command) => forward::run(&command),
        Command::Inventory(args) => inventory::run(&args),
        Command::Notify(command) => notify::run(&command),
        Command::Processes(args) => processes::run(&args),
        Command::Query(args) => query::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Alerts(command) => alerts::run(&command),
        Command::Rules(command) => rules::run(&command),
        Command::Services(args) => services::run(&args),
        Command::Top(args) => top::run(&args),
        Command::CheckConfig(args) => {
            let (_, file) = Config::load(args.config.as_deref())?;
            output::line(&match file {
                Some(file) => format!("{} has no mistakes", file.display()),
                None => "there is no configuration file; the defaults are used".to_owned(),
            })
        }
        Command::Completion { shell } => completion::run(shell),
    }
}
