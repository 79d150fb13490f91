//! `barograph apply`, `diff` and `export`: documents as files.

mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::asking::{Asking, Who};
use crate::client::{Client, ServerArgs};
use crate::commands::documents::{Listing, address, encoded};
use crate::output;

use files::FileDocument;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    files: Files,
    /// Also remove what is not in the files, of the kinds that are in them.
    #[arg(long)]
    prune: bool,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Why, for the history.
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Files {
    /// Files, and folders with all .yaml and .yml files in them. A document is a file KIND/NAME.yaml,
    /// or begins with the lines `kind:` and `name:`; `---` stands between several in one file.
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true, num_args = 1..)]
    paths: Vec<PathBuf>,
    /// The kind of files that do not say it, such as rules.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Only these kinds; without any all of them.
    #[arg(value_name = "KIND")]
    kinds: Vec<String>,
    /// The folder to write, one file KIND/NAME.yaml for each document; without it standard output.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    by: &'a str,
    note: &'a str,
    dry_run: bool,
    documents: Vec<Wanted<'a>>,
}

#[derive(Debug, Serialize)]
struct Wanted<'a> {
    kind: &'a str,
    name: &'a str,
    text: Option<&'a str>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Applied {
    documents: Vec<Outcome>,
    warnings: Vec<Problem>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Outcome {
    kind: String,
    name: String,
    action: String,
    version: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Problem {
    kind: String,
    name: String,
    line: Option<u64>,
    column: Option<u64>,
    place: String,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Checked {
    diff: String,
}

/// What would change in one document.
#[derive(Debug, Serialize)]
struct Difference {
    kind: String,
    name: String,
    diff: String,
}

pub(crate) fn run(args: &ApplyArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let documents = files::read(&args.files.paths, args.files.kind.as_deref())?;
    let gone = if args.prune { surplus(&client, &documents)? } else { Vec::new() };
    let wanted =
        documents.iter().map(|it| Wanted { kind: &it.kind, name: &it.name, text: Some(&it.text) });
    let removed = gone.iter().map(|(kind, name)| Wanted { kind, name, text: None });
    let body = Body {
        by: &args.who.by,
        note: &args.message,
        dry_run: args.dry_run,
        documents: wanted.chain(removed).collect(),
    };
    let applied: Applied = client.post("/api/documents", &body)?;
    if args.asking.json {
        return output::pretty_json(&applied);
    }
    output::line(&report(&applied, args.dry_run))
}

fn report(applied: &Applied, is_trial: bool) -> String {
    let mut lines = Vec::new();
    for Problem { kind, name, line, column, place, message } in &applied.warnings {
        let at = match (line, column) {
            (Some(line), Some(column)) => format!(":{line}:{column}"),
            _ => String::new(),
        };
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        lines.push(output::plain(&format!("warning: {kind}/{name}{at}: {place}{message}")));
    }
    for it in applied.documents.iter().filter(|it| it.action != "unchanged") {
        let Outcome { kind, name, action, version } = it;
        lines.push(output::plain(&format!("{action} {kind}/{name}, version {version}")));
    }
    let count = |action: &str| applied.documents.iter().filter(|it| it.action == action).count();
    let counts: Vec<String> = ["created", "changed", "unchanged", "removed"]
        .into_iter()
        .map(|action| format!("{} {action}", count(action)))
        .collect();
    let trial = if is_trial { " (nothing was written)" } else { "" };
    lines.push(format!("{}{trial}", counts.join(", ")));
    lines.join("\n")
}

/// What the server has of the given kinds and the files do not.
fn surplus(client: &Client, documents: &[FileDocument]) -> anyhow::Result<Vec<(String, String)>> {
    let kinds: BTreeSet<&str> = documents.iter().map(|it| it.kind.as_str()).collect();
    let named: BTreeSet<(&str, &str)> =
        documents.iter().map(|it| (it.kind.as_str(), it.name.as_str())).collect();
    let mut gone = Vec::new();
    for kind in kinds {
        let there: Listing = client.get(&format!("/api/documents/{}", encoded(kind)))?;
        let surplus = there.documents.into_iter().map(|it| (it.kind, it.name));
        gone.extend(surplus.filter(|(kind, name)| !named.contains(&(kind, name))));
    }
    Ok(gone)
}

/// What an `apply` of the same files would change.
pub(crate) fn diff(args: &DiffArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let mut differences = Vec::new();
    for document in files::read(&args.files.paths, args.files.kind.as_deref())? {
        let FileDocument { kind, name, text } = document;
        let path = format!("{}/check", address(&kind, &name));
        let Checked { diff } = client.send_text("POST", &path, &text)?;
        if !diff.is_empty() {
            differences.push(Difference { kind, name, diff });
        }
    }
    if args.asking.json {
        return output::pretty_json(&differences);
    }
    for Difference { kind, name, diff } in &differences {
        output::line(&output::plain(&format!("{kind}/{name}")))?;
        output::line(diff.trim_end())?;
    }
    Ok(())
}

pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let all: Listing = client.get("/api/documents")?;
    for kind in &args.kinds {
        if !all.kinds.iter().any(|it| it.kind == *kind) {
            let known: Vec<&str> = all.kinds.iter().map(|it| it.kind.as_str()).collect();
            let message = format!("no kind is called `{kind}`; there are {}", known.join(", "));
            return Err(crate::failure::Failure::Input(message).into());
        }
    }
    let wanted = |kind: &String| args.kinds.is_empty() || args.kinds.contains(kind);
    let mut count = 0;
    for it in all.documents.into_iter().filter(|it| wanted(&it.kind)) {
        let found: Exported = client.get(&address(&it.kind, &it.name))?;
        count += 1;
        let Some(folder) = &args.output else {
            output::line(files::with_head(&it.kind, &it.name, &found.text).trim_end())?;
            continue;
        };
        let folder = folder.join(&it.kind);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let path = folder.join(files::file_name(&it.name));
        fs::write(&path, &found.text)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    match &args.output {
        Some(folder) => output::line(&format!("{count} documents in {}", folder.display())),
        None if count == 0 => output::note("no documents"),
        None => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
struct Exported {
    text: String,
}
