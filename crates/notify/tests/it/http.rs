//! Receivers over HTTP that misbehave.

use std::time::Duration;

use super::receiver::{Act, Receiver, answer, json};
use super::{deliver, hostile, loopback, notifier, notifier_with};
use barograph_notify::{Failure, Setup};

fn webhook(url: &str) -> String {
    format!("{{type: webhook, url: '{url}/hook/abcdefgh', timeout: 1s}}")
}

async fn told(act: Act) -> Result<String, Failure> {
    let receiver = Receiver::start(vec![act]).await;
    deliver(&webhook(&receiver.url), &hostile()).await.map(|it| it.text)
}

#[tokio::test]
async fn what_is_taken_is_done() {
    assert_eq!(told(answer("204 No Content", "text/plain", "")).await.unwrap(), "");
    assert_eq!(
        told(answer("200 OK", "text/plain", "thank\r\nyou\u{7}")).await.unwrap(),
        "thank you"
    );
}

#[tokio::test]
async fn refusals_stay_and_faults_pass() {
    for (status, permanent) in [
        ("400 Bad Request", true),
        ("401 Unauthorized", true),
        ("404 Not Found", true),
        ("408 Request Timeout", false),
        ("425 Too Early", false),
        ("429 Too Many Requests", false),
        ("500 Internal Server Error", false),
        ("503 Service Unavailable", false),
    ] {
        let failure = told(answer(status, "text/html", "<html>no</html>")).await.unwrap_err();
        assert_eq!(failure.permanent, permanent, "{failure:?}");
        assert!(failure.text.starts_with(status), "{failure:?}");
        assert!(failure.text.ends_with("<html>no</html>"), "{failure:?}");
    }
}

#[tokio::test]
async fn how_long_to_wait_is_heard() {
    let wait = |header: &str| {
        told(Act::Say(format!("HTTP/1.1 429 Too Many\r\n{header}\r\ncontent-length: 0\r\n\r\n")))
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(wait("retry-after: 7").await.unwrap_err().retry_after, seconds(7));
    assert_eq!(wait("retry-after: 99999999999").await.unwrap_err().retry_after, seconds(3600));
    assert_eq!(wait("retry-after: soon").await.unwrap_err().retry_after, None);
    assert_eq!(wait("retry-after: -1").await.unwrap_err().retry_after, seconds(0));
    let dates = "date: Wed, 26 Nov 2025 03:12:00 GMT\r\nretry-after: Wed, 26 Nov 2025 03:13:30 GMT";
    assert_eq!(wait(dates).await.unwrap_err().retry_after, seconds(90));
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let inner = Receiver::start(vec![answer("200 OK", "text/plain", "secrets")]).await;
    let to = |url: &str| {
        Act::Say(format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"))
    };
    let failure = told(to(&inner.url)).await.unwrap_err();
    assert!(failure.permanent, "{failure:?}");
    assert_eq!(inner.requests().len(), 0);
    let failure = told(to("http://169.254.169.254/latest/meta-data")).await.unwrap_err();
    let expected =
        "302 Found: the redirection to 169.254.169.254 is not followed; correct the address";
    assert_eq!(failure.text, expected);
}

#[tokio::test]
async fn silence_and_broken_connections_pass() {
    for act in [Act::Sleep, Act::HangUp, Act::Say("SSH-2.0-OpenSSH\r\n".to_owned())] {
        let failure = told(act.clone()).await.unwrap_err();
        assert!(!failure.permanent, "{act:?}: {failure:?}");
        assert!(!failure.text.contains("abcdefgh"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_counts_by_its_status_however_long_it_is() {
    for declared in [true, false] {
        let flood = Act::Flood { declared, bytes: 10 * 1024 * 1024 };
        let text = told(flood).await.unwrap();
        assert!(text.chars().count() <= 200, "{}", text.len());
    }
    assert_eq!(told(Act::BreakOff).await.unwrap(), "ok");
}

#[tokio::test]
async fn internal_addresses_are_refused_unless_allowed() {
    let receiver = Receiver::start(vec![json("200 OK", "{}")]).await;
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    let strict = notifier_with(Setup::default());
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433"] {
        let channel = super::channel(&webhook(&format!("http://{host}:{port}")));
        let failure = strict.deliver(&channel, &hostile()).await.unwrap_err();
        if host.starts_with(['1', '[', 'l']) {
            assert!(failure.permanent, "{host}: {failure:?}");
            assert!(failure.text.contains("internal_networks"), "{failure:?}");
        }
    }
    let channel = super::channel("{type: webhook, url: 'http://169.254.169.254/latest'}");
    let failure = notifier_with(loopback()).deliver(&channel, &hostile()).await.unwrap_err();
    let expected = "169.254.169.254 is 169.254.169.254, a link-local address, which is not allowed";
    assert!(failure.text.starts_with(expected), "{failure:?}");
    assert_eq!(receiver.requests().len(), 0);
}

#[tokio::test]
async fn secrets_are_in_no_failure_and_in_no_debug_text() {
    let repeats = "you sent /hook/abcdefgh with Bearer secret-of-token";
    let receiver = Receiver::start(vec![answer("403 Forbidden", "text/plain", repeats)]).await;
    let url = format!("{}/hook/abcdefgh", receiver.url);
    let text = format!("{{type: webhook, url: '{url}', token: {{secret: token}}}}");
    let channel = super::channel(&text);
    let failure = notifier().deliver(&channel, &hostile()).await.unwrap_err();
    assert_eq!(receiver.only().header("authorization"), Some("Bearer secret-of-token"));
    let preview = channel.preview(&hostile(), 0).unwrap();
    for shown in [format!("{failure:?}"), format!("{channel:?}"), preview] {
        assert!(!shown.contains("abcdefgh"), "{shown}");
        assert!(!shown.contains("secret-of-token"), "{shown}");
    }
    let missing = "{type: webhook, url: 'http://127.0.0.1:1/', token: {secret: missing}}";
    let failure = deliver(missing, &hostile()).await.unwrap_err();
    assert_eq!(failure.text, "no secret `missing`: it was removed");
    assert!(!failure.permanent);
}

#[tokio::test]
async fn receivers_that_have_it_do_not_get_it_again() {
    let taken = json("200 OK", r#"{"ok":true,"result":{"message_id":1}}"#);
    let failed = json("500 Internal Server Error", r#"{"ok":false}"#);
    let receiver = Receiver::start(vec![taken.clone(), failed, taken]).await;
    let text = format!(
        "{{type: telegram, server: '{}', token: {{secret: bot}}, chats: ['1', '2', '3']}}",
        receiver.url
    );
    let (channel, notifier) = (super::channel(&text), notifier());
    let failure = notifier.deliver(&channel, &hostile()).await.unwrap_err();
    assert!(!failure.permanent);
    notifier.deliver(&channel, &hostile()).await.unwrap();
    let chats: Vec<String> =
        receiver.requests().iter().map(|it| it.json()["chat_id"].to_string()).collect();
    assert_eq!(chats, ["\"1\"", "\"2\"", "\"3\"", "\"2\""]);
}
