//! What is too long for a service is cut before it is sent, whatever it is.

use serde_json::Value;

use super::receiver::{Act, Receiver, json};
use super::{deliver, hostile};
use barograph_notify::{Alert, Notification};

/// Longer in everything than any service takes, of characters that grow when they are escaped.
pub(crate) fn huge() -> Notification {
    let mut it = hostile();
    let long = |count: usize| "<&\"🔥_*]ä{{ x }}".repeat(count);
    it.title = long(400);
    it.host = Some(long(100));
    it.group = long(100);
    let alert = it.alerts.remove(0);
    it.alerts = (0..200)
        .map(|i| {
            let mut alert = Alert { name: long(50), ..alert.clone() };
            alert.labels.insert(format!("label{i}"), long(100));
            alert.annotations.insert("summary".to_owned(), long(300));
            alert
        })
        .collect();
    it.links.runbook = Some(format!("https://wiki.example/{}", "x".repeat(1500)));
    it
}

/// What a service gets of it.
async fn sent(document: &str, answer: Act) -> (String, Value) {
    let receiver = Receiver::start(vec![answer]).await;
    deliver(&document.replace("{}", &receiver.url), &huge()).await.unwrap();
    let request = receiver.only();
    let value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
    (request.body, value)
}

fn ok() -> Act {
    json("200 OK", "{\"ok\": true}")
}

#[track_caller]
fn fits(value: &Value, max: usize) {
    let text = value.as_str().unwrap();
    assert!(!text.is_empty() && text.chars().count() <= max, "{} > {max}", text.chars().count());
}

#[tokio::test]
async fn chats_get_no_more_than_they_take() {
    let (body, slack) = sent("{type: slack, url: '{}'}", ok()).await;
    let blocks = slack["attachments"][0]["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50 && body.len() < 40_000, "{} bytes", body.len());
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => fits(&block["text"]["text"], 150),
            "section" => {
                let fields = block["fields"].as_array();
                assert!(fields.is_none_or(|it| it.len() <= 10));
                fields.into_iter().flatten().for_each(|it| fits(&it["text"], 2000));
                if block.get("text").is_some() {
                    fits(&block["text"]["text"], 3000);
                }
            }
            "actions" => {
                let buttons = block["elements"].as_array().unwrap();
                assert!(buttons.len() <= 25);
                for button in buttons {
                    fits(&button["url"], 3000);
                }
            }
            other => panic!("{other}"),
        }
    }

    let (_, discord) = sent("{type: discord, url: '{}'}", ok()).await;
    let embeds = discord["embeds"].as_array().unwrap();
    assert!(embeds.len() <= 10);
    for embed in embeds {
        fits(&embed["title"], 256);
        fits(&embed["description"], 4096);
    }

    let telegram = "{type: telegram, server: '{}', token: {secret: bot}, chats: ['1']}";
    let (_, telegram) = sent(telegram, ok()).await;
    // Telegram counts as JavaScript does.
    let text = telegram["text"].as_str().unwrap();
    assert!(text.encode_utf16().count() <= 4096, "{}", text.encode_utf16().count());
    for rest in text.split('&').skip(1) {
        let is_whole = ["amp;", "lt;", "gt;", "quot;"].iter().any(|it| rest.starts_with(it));
        assert!(is_whole, "an escape is cut: &{rest}");
    }
    assert_eq!(text.matches("<b>").count(), text.matches("</b>").count());

    let (body, _) = sent("{type: teams, url: '{}'}", ok()).await;
    assert!(body.len() <= 28 * 1024, "{} bytes", body.len());
}

#[tokio::test]
async fn pagers_get_no_more_than_they_take() {
    let pagerduty = "{type: pagerduty, server: '{}', routing_key: {secret: pd}}";
    let (body, pagerduty) = sent(pagerduty, json("202 Accepted", "{}")).await;
    fits(&pagerduty["payload"]["summary"], 1024);
    fits(&pagerduty["dedup_key"], 255);
    assert!(body.len() < 512_000, "{} bytes", body.len());

    let (_, opsgenie) = sent("{type: opsgenie, server: '{}', key: {secret: og}}", ok()).await;
    fits(&opsgenie["message"], 130);
    fits(&opsgenie["description"], 15_000);
    fits(&opsgenie["alias"], 512);
    fits(&opsgenie["entity"], 512);
    assert!(opsgenie["tags"].as_array().unwrap().len() <= 20);

    let (_, ntfy) = sent("{type: ntfy, server: '{}', topic: ops}", ok()).await;
    let message = ntfy["message"].as_str().unwrap();
    assert!(!message.is_empty() && message.len() <= 4096, "{} bytes", message.len());
    assert!(ntfy["actions"].as_array().unwrap().len() <= 3);
}

#[tokio::test]
async fn a_short_message_is_short() {
    let twilio = "{type: sms_twilio, server: '{}', account_sid: AC0123456789abcdef0123456789abcdef, \
                  auth_token: {secret: tw}, from: '+15550100', to: ['+491701234567'], parts: 6}";
    let receiver = Receiver::start(vec![json("201 Created", "{\"sid\": \"SM1\"}")]).await;
    deliver(&twilio.replace("{}", &receiver.url), &huge()).await.unwrap();
    let pairs = receiver.only().form();
    let text = &pairs.iter().find(|(name, _)| name == "Body").unwrap().1;
    assert!(text.chars().count() <= 1600, "{}", text.chars().count());
    assert!(text.contains("https://baro.example/ack/abc"), "{text}");
}
