//! What each service gets, and what its answers mean.

use serde_json::Value;

use super::receiver::{Act, Receiver, Request, answer, json};
use super::{channel, deliver, for_anna, hostile, resolved};
use barograph_notify::{Failure, Notification};

/// Delivers to a receiver; `{}` in the document is its address.
async fn sent(document: &str, it: &Notification, act: Act) -> (Request, Result<String, Failure>) {
    let receiver = Receiver::start(vec![act]).await;
    let outcome = deliver(&document.replace("{}", &receiver.url), it).await;
    (receiver.only(), outcome.map(|it| it.text))
}

fn ok() -> Act {
    json("200 OK", "{}")
}

#[tokio::test]
async fn a_webhook_is_signed_and_speaks_as_alertmanager() {
    let text =
        "{type: webhook, url: '{}/a?b=c', signing_secret: {secret: sign}, headers: {x-team: ops}}";
    let (request, outcome) = sent(text, &hostile(), ok()).await;
    outcome.unwrap();
    assert_eq!(request.line, "POST /a?b=c HTTP/1.1");
    assert_eq!(request.header("webhook-id"), Some("firing-7-1"));
    assert_eq!(request.header("webhook-timestamp"), Some("1764126720"));
    assert_eq!(request.header("x-team"), Some("ops"));
    let signature = request.header("webhook-signature").unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret-of-sign");
    let signed = format!("firing-7-1.1764126720.{}", request.body);
    let tag = {
        use base64::Engine as _;
        let text = signature.strip_prefix("v1,").unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    ring::hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
    let body = request.json();
    assert_eq!(body["version"], "4");
    assert_eq!(body["status"], "firing");
    assert_eq!(body["receiver"], "ops");
    assert_eq!(body["alerts"][0]["labels"]["alertname"], "DiskFull");
    assert_eq!(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
    assert_eq!(body["barograph"]["incident"], 7);
    let (request, _) = sent("{type: webhook, url: '{}'}", &resolved(), ok()).await;
    let body = request.json();
    assert_eq!(body["status"], "resolved");
    assert_eq!(body["groupKey"], "incident-7");
    assert_eq!(body["alerts"][0]["endsAt"], "2025-11-26T03:10:00.000Z");
}

#[tokio::test]
async fn slack_gets_blocks_in_which_nothing_is_markup() {
    let text = "{type: slack, url: '{}/services/T/B/X'}";
    let (request, outcome) =
        sent(text, &hostile(), answer("200 OK", "application/json", "ok")).await;
    assert_eq!(outcome.unwrap(), "ok");
    let body = request.json().to_string();
    assert!(!body.contains("<script>") && !body.contains("<http://evil"), "{body}");
    assert!(body.contains("&lt;http://evil|x&gt; &amp; `y`"), "{body}");
    assert!(!body.contains("javascript:"), "{body}");
    let page = answer("200 OK", "text/html", "<html>sign in</html>");
    let failure = sent(text, &hostile(), page).await.1.unwrap_err();
    assert!(!failure.permanent);
}

#[tokio::test]
async fn telegram_says_whether_and_when() {
    let text = "{type: telegram, server: '{}', token: {secret: bot}, chats: [-100123]}";
    let taken = json("200 OK", r#"{"ok":true,"result":{"message_id":42}}"#);
    let (request, outcome) = sent(text, &hostile(), taken.clone()).await;
    assert_eq!(outcome.unwrap(), "message 42");
    assert_eq!(request.line, "POST /botsecret-of-bot/sendMessage HTTP/1.1");
    let body = request.json();
    assert_eq!(body["chat_id"], "-100123");
    let message = body["text"].as_str().unwrap();
    assert!(message.encode_utf16().count() <= 4096);
    assert!(message.starts_with("<b>[FIRING critical] Disk &lt;b&gt;C:"), "{message}");
    assert_eq!(sent(text, &for_anna(hostile()), taken).await.0.json()["chat_id"], "4711");
    let busy = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":5}}"#;
    let failure = sent(text, &hostile(), json("429 Too Many Requests", busy)).await.1.unwrap_err();
    assert_eq!(failure.retry_after.unwrap().as_secs(), 5);
    for odd in ["{}", "<html>", "", r#"{"ok":"true"}"#, "[1]"] {
        let failure = sent(text, &hostile(), json("200 OK", odd)).await.1.unwrap_err();
        assert!(!failure.permanent, "{odd}");
    }
}

#[tokio::test]
async fn discord_calls_nobody() {
    let text = "{type: discord, url: '{}/api/webhooks/1/x'}";
    let (request, outcome) =
        sent(text, &hostile(), answer("204 No Content", "text/plain", "")).await;
    outcome.unwrap();
    let body = request.json();
    assert_eq!(body["allowed_mentions"]["parse"], Value::Array(vec![]));
    let embed = &body["embeds"][0];
    assert!(embed["title"].as_str().unwrap().chars().count() <= 256);
    let told = embed["description"].as_str().unwrap();
    assert!(told.chars().count() <= 4096);
    assert!(told.contains(r"\*\*bold\*\* \<http://evil\|x\>"), "{told}");
    let busy = json("429 Too Many Requests", r#"{"retry_after": 0.75}"#);
    let failure = sent(text, &hostile(), busy).await.1.unwrap_err();
    assert_eq!(failure.retry_after.unwrap().as_millis(), 750);
}

#[tokio::test]
async fn teams_gets_an_adaptive_card() {
    let text = "{type: teams, url: '{}/workflows/x'}";
    let (request, outcome) = sent(text, &hostile(), answer("202 Accepted", "text/plain", "")).await;
    outcome.unwrap();
    assert!(request.body.len() < 28_000);
    let body = request.json();
    let attachment = &body["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(attachment["content"]["type"], "AdaptiveCard");
    assert_eq!(attachment["content"]["actions"][0]["type"], "Action.OpenUrl");
}

#[tokio::test]
async fn pagerduty_hears_the_end_by_the_same_key() {
    let text = "{type: pagerduty, server: '{}', routing_key: {secret: pd}}";
    let taken = json("202 Accepted", r#"{"status":"success"}"#);
    let (request, outcome) = sent(text, &hostile(), taken.clone()).await;
    outcome.unwrap();
    assert_eq!(request.line, "POST /v2/enqueue HTTP/1.1");
    let (first, last) = (request.json(), sent(text, &resolved(), taken.clone()).await.0.json());
    assert_eq!(
        (&first["event_action"], &last["event_action"]),
        (&"trigger".into(), &"resolve".into())
    );
    assert_eq!(first["dedup_key"], last["dedup_key"]);
    assert_eq!(first["payload"]["severity"], "critical");
    let mut long = hostile();
    long.group = "x".repeat(300);
    let key = sent(text, &long, taken).await.0.json()["dedup_key"].to_string();
    assert!(key.len() < 255 && !key.contains("xx"), "{key}");
    let failure = sent(text, &hostile(), json("400 Bad Request", "{}")).await.1.unwrap_err();
    assert!(failure.permanent);
}

#[tokio::test]
async fn opsgenie_hears_the_end_by_the_same_alias() {
    let text = "{type: opsgenie, server: '{}', key: {secret: og}}";
    let mut firing = hostile();
    "a/b c".clone_into(&mut firing.group);
    let (request, _) = sent(text, &firing, json("202 Accepted", "{}")).await;
    assert_eq!(request.line, "POST /v2/alerts HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("GenieKey secret-of-og"));
    assert_eq!(request.json()["alias"], "a/b c");
    assert!(request.json()["message"].as_str().unwrap().chars().count() <= 130);
    let mut over = resolved();
    "a/b c".clone_into(&mut over.group);
    let (request, _) = sent(text, &over, json("202 Accepted", "{}")).await;
    assert_eq!(request.line, "POST /v2/alerts/a%2Fb%20c/close?identifierType=alias HTTP/1.1");
}

#[tokio::test]
async fn ntfy_and_gotify_get_priorities() {
    let text = "{type: ntfy, server: '{}', topic: ops, token: {secret: push}}";
    let (request, outcome) = sent(text, &hostile(), ok()).await;
    outcome.unwrap();
    let body = request.json();
    assert_eq!((&body["topic"], &body["priority"]), (&"ops".into(), &5.into()));
    assert_eq!(body["actions"][1]["label"], "Acknowledge");
    assert_eq!(sent(text, &for_anna(hostile()), ok()).await.0.json()["topic"], "anna-topic");
    let text = "{type: gotify, server: '{}/', token: {secret: g}}";
    let (request, _) = sent(text, &hostile(), ok()).await;
    assert_eq!(request.line, "POST /message HTTP/1.1");
    assert_eq!(request.header("x-gotify-key"), Some("secret-of-g"));
    assert_eq!(request.json()["priority"], 9);
}

#[tokio::test]
async fn twilio_sends_a_short_message_with_its_link() {
    let text = "{type: sms_twilio, server: '{}', account_sid: AC1, auth_token: {secret: t}, from: '+15550001', to: '+15550002', parts: 1}";
    let (request, outcome) = sent(text, &hostile(), json("201 Created", r#"{"sid":"SM1"}"#)).await;
    assert_eq!(outcome.unwrap(), "SM1");
    assert_eq!(request.line, "POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1");
    assert_eq!(request.header("authorization"), Some("Basic QUMxOnNlY3JldC1vZi10"));
    let form = request.form();
    assert_eq!(form[0], ("To".to_owned(), "+15550002".to_owned()));
    let body = &form[2].1;
    assert!(body.chars().count() <= 160, "{body}");
    assert!(body.starts_with("FIRING critical: Disk <b>C:"), "{body}");
    assert!(body.ends_with("...\nhttps://baro.example/ack/abc"), "{body}");
    let no = json("400 Bad Request", r#"{"code":21211,"message":"Invalid 'To'"}"#);
    assert!(sent(text, &hostile(), no).await.1.unwrap_err().permanent);
    assert!(
        !sent(text, &hostile(), answer("200 OK", "text/html", "<html>"))
            .await
            .1
            .unwrap_err()
            .permanent
    );
}

#[tokio::test]
async fn vonage_fails_with_status_200() {
    let text = "{type: sms_vonage, server: '{}', api_key: k, api_secret: {secret: v}, from: Baro, to: '+15550002'}";
    let taken = json("200 OK", r#"{"messages":[{"status":"0","message-id":"a1"}]}"#);
    let (request, outcome) = sent(text, &for_anna(hostile()), taken).await;
    assert_eq!(outcome.unwrap(), "a1");
    assert!(request.form().contains(&("to".to_owned(), "491701234567".to_owned())));
    for (answer, permanent) in [
        (r#"{"messages":[{"status":"4","error-text":"Bad Credentials"}]}"#, true),
        (r#"{"messages":[{"status":"1","error-text":"Throttled"}]}"#, false),
        (r#"{"messages":[{}]}"#, false),
        (r#"{"messages":[]}"#, false),
        ("<html>", false),
    ] {
        let failure = sent(text, &hostile(), json("200 OK", answer)).await.1.unwrap_err();
        assert_eq!(failure.permanent, permanent, "{answer}: {failure:?}");
    }
}

#[tokio::test]
async fn any_gateway_gets_the_fields_it_wants() {
    let text = "{type: sms_http, url: '{}/send?key=1', format: query, fields: {n: '{to}', t: 'B: {text}'}, to: '+15550002', success: QUEUED}";
    let (request, outcome) =
        sent(text, &hostile(), answer("200 OK", "text/plain", "QUEUED 7")).await;
    assert_eq!(outcome.unwrap(), "QUEUED 7");
    let start = "GET /send?key=1&n=%2B15550002&t=B%3A+FIRING+critical";
    assert!(request.line.starts_with(start), "{}", request.line);
    let failure =
        sent(text, &hostile(), answer("200 OK", "text/plain", "ERR 3")).await.1.unwrap_err();
    assert_eq!(failure.text, "the answer does not say `QUEUED`: ERR 3");
    let text =
        text.replace("query", "json").replace("success: QUEUED", "user: u, password: {secret: p}");
    let (request, _) = sent(&text, &hostile(), ok()).await;
    assert_eq!(request.json()["n"], "+15550002");
}

#[tokio::test]
async fn a_template_says_it_otherwise_and_its_values_stay_harmless() {
    let text = "
type: slack
url: '{}'
templates:
  title: '{{ .Severity }} on {{ .Host }}'
  text: '*{{ .Title }}* {{ range .Alerts }}{{ .Labels.drive }}{{ end }}'
";
    let (request, _) = sent(text, &hostile(), answer("200 OK", "text/plain", "ok")).await;
    let body = request.json();
    let blocks = &body["attachments"][0]["blocks"];
    assert_eq!(blocks[0]["text"]["text"], "critical on web-1\"; rm -rf / #");
    let expected = "*Disk &lt;b&gt;C:&lt;/b&gt;\r\nBcc: eve@example.org {{ .Secret }} @everyone* \
                    {{ .Labels }} &lt;script&gt;alert(1)&lt;/script&gt;";
    assert_eq!(blocks[1]["text"]["text"], expected);
    let text = "{type: webhook, url: '{}', templates: {body: '{\"a\": \"{{ .Title }}\"}'}}";
    let (request, _) = sent(text, &hostile(), ok()).await;
    assert_eq!(request.json()["a"], hostile().title);
}

#[test]
fn a_template_that_fails_is_told_and_nothing_is_lost() {
    let text = "
type: gotify
server: https://gotify.example
token: x
templates:
  text: '{{ if eq .Event \"FIRING\" }}{{ range .Alerts }}{{ .Line | nothing }}{{ end }}{{ end }}'
";
    let problems = barograph_notify::Channel::parse("ops", text).unwrap_err();
    assert!(problems[0].to_string().starts_with("line 6: `templates.text`: "), "{problems:?}");
    let text = text.replace("nothing", "humanize");
    let preview = channel(&text).preview(&hostile(), 0).unwrap();
    assert!(preview.contains("(the channel's template `text` failed: "), "{preview}");
    assert!(preview.contains("Severity: critical"), "{preview}");
}

#[test]
fn every_type_names_its_mistakes() {
    for kind in barograph_notify::Channel::types() {
        let text = format!("type: {kind}\nnonsense: 1\n");
        let problems = barograph_notify::Channel::parse("ops", &text).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let is_named = |it: &String| it.starts_with("line 2: `nonsense`: there is no such field");
        assert!(told.iter().any(is_named), "{kind}: {told:?}");
    }
    let problems = barograph_notify::Channel::parse("ops", "type: mail").unwrap_err();
    assert!(
        problems[0].to_string().starts_with("line 1: `type`: `mail` is none of alertmanager, ")
    );
    for text in ["", "- a", "type: [", "type: slack\nurl: \"a\\r\\nb\""] {
        assert!(barograph_notify::Channel::parse("ops", text).is_err(), "{text}");
    }
}
