//! What channels send, judged by libraries and schemas of others.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use barograph_model::{Clock, SystemClock};
use barograph_notify::{Notification, Notifier};
use barograph_testkit::python;
use serde_json::json;

use super::limits::huge;
use super::receiver::{Act, Receiver, Request, json as says};
use super::{channel, hostile, loopback, resolved, secret};

/// The one that Standard Webhooks gives as an example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn ok() -> Act {
    says("200 OK", "{\"ok\": true}")
}

/// What is sent for it, by the clock of this moment.
async fn sent(document: &str, it: &Notification) -> Request {
    let receiver = Receiver::start(vec![ok()]).await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let notifier = Notifier::new(loopback(), Arc::new(secret), clock);
    let document = document.replace("{}", &receiver.url);
    notifier.deliver(&channel(&document), it).await.unwrap();
    receiver.only()
}

/// What the judge objects to; nothing where there is none.
fn judged(arguments: &[&str], request: &Request) -> Result<(), String> {
    let Some(mut python) = python() else { return Ok(()) };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/judge.py");
    python.arg(script).args(arguments);
    python.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let message = json!({ "headers": headers, "body": request.body }).to_string();
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn all() -> [Notification; 3] {
    [hostile(), resolved(), huge()]
}

#[tokio::test]
async fn signatures_are_those_of_standard_webhooks() {
    let document = format!("{{type: webhook, url: '{{}}', signing_secret: {SECRET}}}");
    for it in all() {
        let request = sent(&document, &it).await;
        assert_eq!(judged(&["webhook", SECRET], &request), Ok(()));
    }
    if python().is_some() {
        let mut forged = sent(&document, &hostile()).await;
        forged.body.push(' ');
        let objection = judged(&["webhook", SECRET], &forged).unwrap_err();
        assert!(objection.contains("No matching signature found"), "{objection}");
    }
}

#[tokio::test]
async fn cards_of_teams_keep_to_their_schema() {
    for it in all() {
        let request = sent("{type: teams, url: '{}'}", &it).await;
        assert_eq!(judged(&["teams"], &request), Ok(()));
    }
    if python().is_some() {
        let mut odd = sent("{type: teams, url: '{}'}", &hostile()).await;
        odd.body = odd.body.replace("Action.OpenUrl", "Action.Open");
        assert!(judged(&["teams"], &odd).unwrap_err().contains("Action.Open"));
    }
}

#[tokio::test]
async fn blocks_of_slack_keep_to_their_limits() {
    for it in all() {
        let request = sent("{type: slack, url: '{}'}", &it).await;
        assert_eq!(judged(&["slack"], &request), Ok(()));
    }
    if python().is_some() {
        let mut long = sent("{type: slack, url: '{}'}", &hostile()).await;
        let title = long.json()["text"].as_str().unwrap().to_owned();
        let title = title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let written = serde_json::to_string(&title).unwrap();
        let longer = serde_json::to_string(&title.repeat(9)).unwrap();
        long.body = long.body.replace(&written, &longer);
        let objection = judged(&["slack"], &long).unwrap_err();
        assert!(objection.contains("cannot exceed 150 characters"), "{objection}");
    }
}
