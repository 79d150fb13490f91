//! `barograph documents` and `rollback`: what a server keeps, and how it came about.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asking::{Asking, Who};
use crate::client::Client;
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum DocumentsCommand {
    /// List documents.
    List(ListArgs),
    /// Print a document as its author wrote it.
    Show(ShowArgs),
    /// List the versions of a document, the newest first.
    History(NamedArgs),
    /// Show what changed between two versions of a document.
    Diff(VersionsArgs),
    /// Remove a document; its versions stay.
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this kind.
    kind: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    document: Named,
    /// An older version.
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct NamedArgs {
    #[command(flatten)]
    document: Named,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct VersionsArgs {
    #[command(flatten)]
    document: Named,
    /// The older version; without it the one before.
    #[arg(long, value_name = "N")]
    from: Option<u64>,
    /// The newer version; without it the newest.
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    document: Named,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    document: Named,
    /// The version to go back to.
    version: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
struct Named {
    /// Its kind, such as rules.
    kind: String,
    /// Its name among those of its kind.
    name: String,
}

/// The documents of a server, without their texts.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Listing {
    pub(crate) kinds: Vec<KindRow>,
    pub(crate) documents: Vec<Row>,
    damaged: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KindRow {
    pub(crate) kind: String,
    what: String,
    documents: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) name: String,
    version: u64,
    author: String,
    changed_ms: i64,
}

#[derive(Debug, Deserialize, Serialize)]
struct History {
    versions: Vec<Version>,
    damaged: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Version {
    #[serde(rename = "version")]
    number: u64,
    author: String,
    note: String,
    changed_ms: i64,
    removed: bool,
    bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Shown {
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Changed {
    action: String,
    version: u64,
}

/// Where a document is answered.
pub(crate) fn address(kind: &str, name: &str) -> String {
    format!("/api/documents/{}/{}", encoded(kind), encoded(name))
}

/// A text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    out
}

pub(crate) fn run(command: &DocumentsCommand) -> anyhow::Result<()> {
    match command {
        DocumentsCommand::List(args) => list(args),
        DocumentsCommand::Show(args) => show(args),
        DocumentsCommand::History(args) => history(args),
        DocumentsCommand::Diff(args) => diff(args),
        DocumentsCommand::Remove(args) => {
            let path = format!("{}?by={}", args.document.address(), encoded(&args.who.by));
            changed("DELETE", &path, &args.asking)
        }
    }
}

pub(crate) fn roll_back(args: &RollbackArgs) -> anyhow::Result<()> {
    let RollbackArgs { document, version, who, asking } = args;
    let (path, by) = (document.address(), encoded(&who.by));
    changed("POST", &format!("{path}/rollback?to={version}&by={by}"), asking)
}

fn changed(method: &str, path: &str, asking: &Asking) -> anyhow::Result<()> {
    let client = Client::new(&asking.server)?;
    let answer: Value = client.send_text(method, path, "")?;
    if asking.json {
        return output::pretty_json(&answer);
    }
    let Changed { action, version } = serde_json::from_value(answer)?;
    output::line(&format!("{action}, version {version}"))
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let path = match &args.kind {
        Some(kind) => format!("/api/documents/{}", encoded(kind)),
        None => "/api/documents".to_owned(),
    };
    let found: Listing = client.get(&path)?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    let mut rows = vec![["KIND", "NAME", "VERSION", "BY", "CHANGED"].map(str::to_owned).to_vec()];
    rows.extend(found.documents.into_iter().map(|it| {
        let changed = output::timestamp(it.changed_ms);
        let cells = [it.kind, it.name, it.version.to_string(), it.author, changed];
        cells.map(|cell| output::plain(&cell)).to_vec()
    }));
    let is_empty = rows.len() == 1;
    output::line(&if is_empty { "No documents.".to_owned() } else { output::table(&rows) })?;
    found.damaged.iter().try_for_each(|it| output::note(&format!("damaged: {it}")))
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let version = args.version.map_or_else(String::new, |it| format!("?version={it}"));
    let found: Value = client.get(&format!("{}{version}", args.document.address()))?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    let Shown { text } = serde_json::from_value(found)?;
    output::line(text.as_deref().unwrap_or("# removed").trim_end())
}

fn history(args: &NamedArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let found: History = client.get(&format!("{}/history", args.document.address()))?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    let head = ["VERSION", "BY", "CHANGED", "BYTES", "NOTE"].map(str::to_owned).to_vec();
    let rows = found.versions.into_iter().map(|it| {
        let bytes = if it.removed { "removed".to_owned() } else { it.bytes.to_string() };
        let changed = output::timestamp(it.changed_ms);
        let cells = [it.number.to_string(), it.author, changed, bytes, it.note];
        cells.map(|cell| output::plain(&cell)).to_vec()
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    output::line(&output::table(&rows))
}

fn diff(args: &VersionsArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let given = [("from", args.from), ("to", args.to)];
    let given = given.into_iter().filter_map(|(name, it)| Some(format!("{name}={}", it?)));
    let parameters: Vec<String> = given.collect();
    let path = format!("{}/diff?{}", args.document.address(), parameters.join("&"));
    let found: Value = client.get(&path)?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    output::line(found.get("diff").and_then(Value::as_str).unwrap_or_default().trim_end())
}

impl Named {
    fn address(&self) -> String {
        address(&self.kind, &self.name)
    }
}
