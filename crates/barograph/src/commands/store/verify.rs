//! `barograph store verify`: is everything on disk what was written?

use barograph_store::{Checked, verify};
use clap::Args;
use serde::Serialize;

use crate::data_folder::DataArgs;
use crate::failure::Failure;
use crate::output;
use crate::progress::ProgressLine;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    sound: bool,
    files: Vec<File>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    bytes: u64,
    /// Samples or records.
    sound_entries: u64,
    problems: Vec<String>,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<()> {
    let data = args.data.existing()?;
    let mut line = ProgressLine::new("checking");
    let mut files = Vec::new();
    let mut act = |checked: Checked, total: usize| {
        let path = checked.path.display().to_string();
        line.show(files.len() as u64 + 1, total as u64, || path.clone());
        let Checked { bytes, sound, problems, .. } = checked;
        files.push(File { path, bytes, sound_entries: sound, problems });
    };
    let verified = verify(&data, &mut act);
    line.end();
    verified.map_err(|error| Failure::DataFolder(error.into()))?;
    let damaged = files.iter().filter(|file| !file.problems.is_empty()).count();
    let report = Report { sound: damaged == 0, files };
    if args.json {
        output::pretty_json(&report)?;
    } else {
        output::line(&for_people(&report))?;
    }
    match damaged {
        0 => Ok(()),
        1 => anyhow::bail!("1 file is damaged"),
        count => anyhow::bail!("{count} files are damaged"),
    }
}

fn for_people(report: &Report) -> String {
    let mut lines = Vec::new();
    for file in &report.files {
        for problem in &file.problems {
            lines.push(output::plain(&format!("{}: {problem}", file.path)));
        }
    }
    let entries: u64 = report.files.iter().map(|file| file.sound_entries).sum();
    let total: u64 = report.files.iter().map(|file| file.bytes).sum();
    let state = if report.sound { "all sound" } else { "the rest is sound" };
    lines.push(format!(
        "{} files, {}: {entries} samples and records read, {state}",
        report.files.len(),
        output::size(total)
    ));
    lines.join("\n")
}
