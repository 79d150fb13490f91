//! `barograph alerts`: incidents of a running server, and what people do about them.

mod show;

use std::time::Duration;

use barograph_alerts::matchers::Matchers;
use barograph_alerts::mute::Silence;
use barograph_model::{Clock as _, SystemClock};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::asking::{Asking, Who};
use crate::client::Client;
use crate::failure::Failure;
use crate::output;

use show::Incident;

const SILENCE_EXAMPLES: &str = r#"Examples:
  barograph alerts silence alertname=DiskFull --for 4h -m "new disk" --until-recovery
  barograph alerts silence 'host=~"web-.*"' --for 30m -m deployment --dry-run"#;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List incidents, the newest first.
    List(ListArgs),
    /// Show an incident with its alerts and everything that happened.
    Show(ShowArgs),
    /// Say that you deal with an incident: nobody else is told until it gets worse.
    Ack(AckArgs),
    /// Take an acknowledgement back: it escalates anew.
    Unack(ActArgs),
    /// Write a comment into an incident.
    Comment(CommentArgs),
    /// Say that an incident is over.
    Resolve(ActArgs),
    /// Say that an incident that somebody resolved is not over: what fires still is told anew.
    Reopen(ActArgs),
    /// Tell nobody of some alerts for a while.
    #[command(after_help = SILENCE_EXAMPLES)]
    Silence(SilenceArgs),
    /// List what is to be done about alerts by itself, and what became of it.
    Remedies(RemediesArgs),
    /// Ask for an action without an alert, where the file of actions allows it (`by_hand`).
    #[command(after_help = ASK_EXAMPLE)]
    Ask(AskArgs),
    /// Say that an attempt to mend an alert is to be made.
    Approve(DecideArgs),
    /// Say that an attempt to mend an alert is not to be made.
    Refuse(DecideArgs),
    /// List what was told to people, and what could not be.
    Notifications(NotificationsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Also those that are over.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The incident's number.
    id: u64,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    /// The incident's number.
    id: u64,
    /// How long you deal with it, such as 30m or 2h; without it until the incident ends.
    #[arg(long = "for", value_name = "DURATION", value_parser = crate::config::parse_duration)]
    length: Option<Duration>,
    /// What you are doing about it.
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct ActArgs {
    /// The incident's number.
    id: u64,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct CommentArgs {
    /// The incident's number.
    id: u64,
    /// What you want to say.
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceArgs {
    /// Conditions that all must hold, such as alertname=DiskFull or host=~"web-.*".
    #[arg(required = true, value_name = "MATCHER")]
    matchers: Vec<String>,
    /// How long, such as 30m, 2h or 7d.
    #[arg(long = "for", value_name = "DURATION", value_parser = crate::config::parse_duration)]
    length: Duration,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    /// End it as soon as nothing that it hides fires any more.
    #[arg(long)]
    until_recovery: bool,
    /// Only show what it would hide now.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct NotificationsArgs {
    /// Only those that were given up.
    #[arg(long, conflicts_with = "waiting")]
    dead: bool,
    /// Only those that wait.
    #[arg(long)]
    waiting: bool,
    /// Try this one, which was given up, once more.
    #[arg(long, value_name = "ID", conflicts_with_all = ["dead", "waiting"])]
    retry: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct RemediesArgs {
    #[command(flatten)]
    asking: Asking,
}

const ASK_EXAMPLE: &str = "Example: barograph alerts ask restart-web --service nginx -m 'it hangs'";

#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The action, as `barograph alerts remedies` names it.
    action: String,
    /// The service that it is about.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Why.
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// The attempt, as `barograph alerts remedies` names it.
    id: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Debug, Deserialize)]
struct Incidents {
    incidents: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct Act<'a> {
    by: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_seconds: Option<u64>,
}

pub(crate) fn run(command: &AlertsCommand) -> anyhow::Result<()> {
    match command {
        AlertsCommand::List(args) => list(args),
        AlertsCommand::Show(args) => show(args),
        AlertsCommand::Ack(args) => {
            let for_seconds = args.length.map(|it| it.as_secs());
            if for_seconds == Some(0) {
                return Err(Failure::Input("--for must be at least 1s".to_owned()).into());
            }
            let act = Act { by: &args.who.by, text: &args.message, for_seconds };
            perform(args.id, "acknowledge", &act, &args.asking, "acknowledged")
        }
        AlertsCommand::Unack(args) => {
            let act = Act { by: &args.who.by, text: "", for_seconds: None };
            perform(args.id, "unacknowledge", &act, &args.asking, "escalates again")
        }
        AlertsCommand::Comment(args) => {
            let act = Act { by: &args.who.by, text: &args.message, for_seconds: None };
            perform(args.id, "comment", &act, &args.asking, "has the comment")
        }
        AlertsCommand::Resolve(args) => {
            let act = Act { by: &args.who.by, text: "", for_seconds: None };
            perform(args.id, "resolve", &act, &args.asking, "is over")
        }
        AlertsCommand::Reopen(args) => {
            let act = Act { by: &args.who.by, text: "", for_seconds: None };
            perform(args.id, "reopen", &act, &args.asking, "is open again")
        }
        AlertsCommand::Silence(args) => silence(args),
        AlertsCommand::Remedies(args) => remedies(args),
        AlertsCommand::Ask(args) => ask(args),
        AlertsCommand::Approve(args) => decide(args, "approve"),
        AlertsCommand::Refuse(args) => decide(args, "refuse"),
        AlertsCommand::Notifications(args) => notifications(args),
    }
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let path = if args.all { "/api/incidents" } else { "/api/incidents?open=true" };
    let found: Incidents = client.get(path)?;
    if args.asking.json {
        return output::pretty_json(&json!(found.incidents));
    }
    let incidents: Vec<Incident> =
        found.incidents.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
    if incidents.is_empty() {
        return output::line("No incidents.");
    }
    output::line(&show::table(&incidents))
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let found: Value = client.get(&format!("/api/incidents/{}", args.id))?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    let incident: Incident = serde_json::from_value(found)?;
    output::line(&show::story(&incident))
}

fn perform(id: u64, what: &str, act: &Act<'_>, asking: &Asking, done: &str) -> anyhow::Result<()> {
    let client = Client::new(&asking.server)?;
    let after: Value = client.post(&format!("/api/incidents/{id}/{what}"), act)?;
    if asking.json {
        return output::pretty_json(&after);
    }
    output::line(&format!("Incident {id} {done}."))
}

fn silence(args: &SilenceArgs) -> anyhow::Result<()> {
    let matchers = Matchers::parse(&args.matchers).map_err(|it| Failure::Input(it.to_string()))?;
    let now_ms = SystemClock::new().now_ms();
    let length_ms = i64::try_from(args.length.as_millis()).unwrap_or(i64::MAX);
    let silence = Silence {
        matchers,
        from_ms: now_ms,
        to_ms: now_ms.saturating_add(length_ms),
        owner: args.who.by.clone(),
        reason: args.message.clone(),
        ends_on_recovery: args.until_recovery,
    };
    // JSON is YAML, too.
    let text = serde_json::to_string_pretty(&silence)?;
    let name = format!("{}-{now_ms}", args.who.by);
    let client = Client::new(&args.asking.server)?;
    if args.dry_run {
        let found: Preview =
            client.send_text("POST", "/api/documents/silences/new/preview", &text)?;
        return preview(&found, args.asking.json);
    }
    let document = json!({ "kind": "silences", "name": name, "text": text, "version": 0 });
    let body = json!({ "by": args.who.by, "note": args.message, "documents": [document] });
    let made: Value = client.post("/api/documents", &body)?;
    if args.asking.json {
        return output::pretty_json(&made);
    }
    let until = output::timestamp(silence.to_ms);
    output::line(&format!("Silence {} holds until {until}.", output::plain(&name)))
}

#[derive(Debug, Deserialize, Serialize)]
struct Preview {
    alerts: Vec<Value>,
    of: u64,
}

fn preview(found: &Preview, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return output::pretty_json(found);
    }
    for alert in &found.alerts {
        let labels = alert.get("labels").cloned().unwrap_or_default();
        let labels: barograph_alerts::machine::Texts = serde_json::from_value(labels)?;
        output::line(&output::plain(&barograph_alerts::incident::shown(&labels)))?;
    }
    output::line(&format!("It would hide {} of {} alerts.", found.alerts.len(), found.of))
}

fn remedies(args: &RemediesArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    let found: Value = client.get("/api/remediations")?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    output::line(&show::remedies(&serde_json::from_value(found)?))
}

fn ask(args: &AskArgs) -> anyhow::Result<()> {
    let labels = args.service.as_ref().map(|name| json!({ "service": name }));
    let labels = labels.unwrap_or_else(|| json!({}));
    let body =
        json!({ "action": args.action, "by": args.who.by, "why": args.message, "labels": labels });
    tell_attempt("ask", &body, &args.asking)
}

fn decide(args: &DecideArgs, what: &str) -> anyhow::Result<()> {
    tell_attempt(what, &json!({ "id": args.id, "by": args.who.by }), &args.asking)
}

fn tell_attempt(what: &str, body: &Value, asking: &Asking) -> anyhow::Result<()> {
    let client = Client::new(&asking.server)?;
    let after: Value = client.post(&format!("/api/remediations/{what}"), body)?;
    if asking.json {
        return output::pretty_json(&after);
    }
    let state = after.get("state").and_then(Value::as_str).unwrap_or_default();
    let order = after.get("order").and_then(Value::as_str).unwrap_or_default();
    output::line(&output::plain(&format!("{state}: {order}")))
}

fn notifications(args: &NotificationsArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.asking.server)?;
    if let Some(id) = &args.retry {
        let answer: Value = client.post("/api/notifications/retry", &json!({ "id": id }))?;
        let revived = answer.get("revived").and_then(Value::as_bool).unwrap_or_default();
        if !revived {
            let message = format!("no notification `{id}` was given up");
            return Err(Failure::Input(message).into());
        }
        return output::line(&format!("{id} is tried again."));
    }
    let path = match (args.dead, args.waiting) {
        (true, _) => "/api/notifications?status=dead",
        (_, true) => "/api/notifications?status=waiting",
        _ => "/api/notifications",
    };
    let found: Value = client.get(path)?;
    if args.asking.json {
        return output::pretty_json(&found);
    }
    output::line(&show::notifications(&serde_json::from_value(found)?))
}
