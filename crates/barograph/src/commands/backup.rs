//! `barograph backup` and `barograph restore`: the data folder, copied and brought back.

use std::path::{Path, PathBuf};

use barograph_model::{Clock as _, SystemClock};
use barograph_store::{BackupError, Progress, Replace, backup, restore};
use clap::Args;
use serde::Serialize;

use crate::data_folder::DataArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::ProgressLine;

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The backup's folder: a new or empty one, or an earlier backup, of which only what changed
    /// since is copied.
    #[arg(value_name = "DIR")]
    target: PathBuf,
    /// Also where the earlier backup is one of another data folder, which is lost.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    data: DataArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup's folder.
    #[arg(value_name = "DIR")]
    source: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct BackedUp<'a> {
    data: &'a Path,
    backup: &'a Path,
    files: u64,
    bytes: u64,
    copied_files: u64,
    copied_bytes: u64,
    removed_files: u64,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
struct Restored<'a> {
    data: &'a Path,
    backup: &'a Path,
    files: u64,
    bytes: u64,
    backup_time_ms: i64,
    backup_timestamp: String,
}

pub(crate) fn run_backup(args: &BackupArgs) -> anyhow::Result<()> {
    let data = args.data.existing()?;
    let mut line = ProgressLine::new("copying");
    let now_ms = SystemClock::new().now_ms();
    let replace = if args.force { Replace::Any } else { Replace::Same };
    let show = &mut |progress| show(&mut line, progress);
    let made = backup(&data, &args.target, replace, now_ms, show);
    line.end();
    let made = made.map_err(|error| failure(error, &data))?;
    if args.json {
        return output::pretty_json(&BackedUp {
            data: &data,
            backup: &args.target,
            files: made.files,
            bytes: made.bytes,
            copied_files: made.copied_files,
            copied_bytes: made.copied_bytes,
            removed_files: made.removed_files,
            notes: &made.notes,
        });
    }
    for note in &made.notes {
        output::note(&format!("note: {}", output::plain(note)))?;
    }
    output::line(&format!(
        "{} is a backup of {}: {} files, {}; {} of them copied now, {}",
        args.target.display(),
        data.display(),
        made.files,
        output::size(made.bytes),
        made.copied_files,
        output::size(made.copied_bytes)
    ))
}

pub(crate) fn run_restore(args: &RestoreArgs) -> anyhow::Result<()> {
    let data = args.data.own()?;
    let mut line = ProgressLine::new("bringing back");
    let restored = restore(&args.source, &data, &mut |progress| show(&mut line, progress));
    line.end();
    let restored = restored.map_err(|error| failure(error, &data))?;
    let made = output::timestamp(restored.time_ms);
    if args.json {
        return output::pretty_json(&Restored {
            data: &data,
            backup: &args.source,
            files: restored.files,
            bytes: restored.bytes,
            backup_time_ms: restored.time_ms,
            backup_timestamp: made,
        });
    }
    output::line(&format!(
        "{} holds the backup made at {made}: {} files, {}, each with the checksum it had",
        data.display(),
        restored.files,
        output::size(restored.bytes)
    ))
}

fn show(line: &mut ProgressLine, Progress { done, total }: Progress) {
    line.show(done, total, || format!("{} of {}", output::size(done), output::size(total)));
}

fn failure(error: BackupError, data: &Path) -> anyhow::Error {
    match error {
        BackupError::NoStore { .. } | BackupError::Store(_) => {
            Failure::DataFolder(error.into()).into()
        }
        BackupError::OtherFolder { .. } => {
            Failure::Input(format!("{error}; --force replaces it")).into()
        }
        BackupError::NotEmpty { ref dir } | BackupError::OtherRestore { ref dir }
            if dir == data =>
        {
            Failure::DataFolder(error.into()).into()
        }
        BackupError::Inside { .. } | BackupError::NotOurs { .. } | BackupError::NoBackup { .. } => {
            Failure::Input(error.to_string()).into()
        }
        error => error.into(),
    }
}
