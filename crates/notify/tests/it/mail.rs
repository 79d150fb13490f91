//! A real mail server: aiosmtpd, which asks for TLS and a password.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::{deliver, for_anna, hostile, resolved};

struct MailServer {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Python with aiosmtpd, where the tests' tools are installed.
fn python() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/bin/python");
    let named = std::env::var_os("BAROGRAPH_PYTHON").map(PathBuf::from);
    let is_windows = std::env::consts::OS == "windows";
    named.or(Some(here)).filter(|python| !is_windows && python.is_file())
}

#[expect(clippy::disallowed_methods, reason = "tests compare with other programs")]
fn start(mode: &str) -> Option<MailServer> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_server.py");
    let mut child = std::process::Command::new(python)
        .args([&script, &certificate, &key, Path::new(mode), folder.path()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let output = child.stdout.take().unwrap();
    std::io::BufReader::new(output).read_line(&mut line).unwrap();
    let port = line.trim().parse().unwrap();
    Some(MailServer { child, port, folder })
}

impl MailServer {
    fn channel(&self, more: &str) -> String {
        let (port, ca) = (self.port, self.folder.path().join("cert.pem"));
        format!(
            "{{type: email, server: localhost, port: {port}, from: 'Barograph <baro@example.org>', \
             tls: {{ca_file: '{}'}}, {more}}}",
            ca.display()
        )
    }

    fn letters(&self) -> Vec<String> {
        let mut letters = Vec::new();
        while let Ok(letter) =
            std::fs::read_to_string(self.folder.path().join(format!("{}.eml", letters.len() + 1)))
        {
            letters.push(letter);
        }
        letters
    }
}

const LOGIN: &str = "user: baro, password: {secret: mail}";

fn headers(letter: &str) -> Vec<&str> {
    letter.lines().take_while(|line| !line.trim().is_empty()).collect()
}

fn header<'a>(letter: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("{name}: ");
    headers(letter).into_iter().filter_map(|line| line.strip_prefix(&start)).collect()
}

#[tokio::test]
async fn a_letter_goes_by_starttls_and_by_tls_after_a_login() {
    for (mode, more) in
        [("starttls", LOGIN.to_owned()), ("tls", format!("encryption: tls, {LOGIN}"))]
    {
        let Some(server) = start(mode) else { return };
        let text = server.channel(&format!("{more}, to: ops@example.org"));
        let receipt = deliver(&text, &hostile()).await.unwrap();
        assert_eq!(receipt.text, "OK queued as 4711", "{mode}");
        let letter = server.letters().remove(0);
        assert_eq!(header(&letter, "X-Tls"), ["True"], "{mode}");
        assert_eq!(header(&letter, "X-Rcpt"), ["ops@example.org"]);
        assert_eq!(header(&letter, "Auto-Submitted"), ["auto-generated"]);
        assert_eq!(header(&letter, "Importance"), ["high"]);
        assert!(letter.contains("Content-Type: image/png"), "{letter}");
        assert!(letter.contains("Content-ID: <chart0>"), "{letter}");
        assert!(letter.contains("multipart/alternative") && letter.contains("multipart/related"));
        assert!(!letter.contains("<script>"), "{letter}");
    }
}

#[tokio::test]
async fn a_title_makes_no_header_and_no_receiver() {
    let Some(server) = start("starttls") else { return };
    let text = server.channel(&format!("{LOGIN}, to: ops@example.org"));
    deliver(&text, &hostile()).await.unwrap();
    let letter = server.letters().remove(0);
    assert_eq!(header(&letter, "Bcc"), Vec::<&str>::new(), "{letter}");
    assert!(
        header(&letter, "Subject")[0].starts_with("[FIRING critical] Disk <b>C:</b>"),
        "{letter}"
    );
    let mut eve = for_anna(hostile());
    eve.recipient.as_mut().unwrap().email = Some("a@example.org\r\nRCPT TO:<eve@b.c>".to_owned());
    let failure = deliver(&text, &eve).await.unwrap_err();
    assert!(failure.permanent && failure.text.ends_with("is no e-mail address"), "{failure:?}");
    assert_eq!(server.letters().len(), 1);
}

#[tokio::test]
async fn letters_of_one_incident_are_one_thread_and_keep_their_names() {
    let Some(server) = start("starttls") else { return };
    let text = server.channel(&format!("{LOGIN}, to: ops@example.org"));
    for it in [hostile(), hostile(), resolved(), for_anna(hostile())] {
        deliver(&text, &it).await.unwrap();
    }
    let letters = server.letters();
    let all = |name| letters.iter().map(|it| header(it, name).concat()).collect::<Vec<_>>();
    let (ids, threads, to) = (all("Message-ID"), all("References"), all("X-Rcpt"));
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    assert_ne!(ids[0], ids[3]);
    assert!(threads.iter().all(|it| *it == threads[0] && !it.is_empty()), "{threads:?}");
    assert_eq!(to[3], "anna@example.org");
}

#[tokio::test]
async fn what_is_put_off_is_tried_again_and_what_is_refused_is_not() {
    let Some(server) = start("starttls") else { return };
    let to = |who: &str| server.channel(&format!("{LOGIN}, to: {who}@example.org"));
    let failure = deliver(&to("later"), &hostile()).await.unwrap_err();
    assert!(!failure.permanent && failure.text.contains("greylisted"), "{failure:?}");
    let failure = deliver(&to("never"), &hostile()).await.unwrap_err();
    assert!(failure.permanent && failure.text.contains("no such user"), "{failure:?}");
    let wrong = server.channel("user: baro, password: wrong, to: ops@example.org");
    let failure = deliver(&wrong, &hostile()).await.unwrap_err();
    assert!(failure.permanent, "{failure:?}");
    // One of two fails: the other is not told twice.
    let both = server.channel(&format!("{LOGIN}, to: [later@example.org, ops@example.org]"));
    let (notifier, channel) = (super::notifier(), super::channel(&both));
    for _ in 0..2 {
        let failure = notifier.deliver(&channel, &hostile()).await.unwrap_err();
        assert!(!failure.permanent);
    }
    assert_eq!(server.letters().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_another_or_hides_nothing_gets_nothing() {
    let Some(server) = start("starttls") else { return };
    let stranger = server.channel(&format!("{LOGIN}, to: ops@example.org"));
    // By a name that its certificate does not hold, and by the authorities of the system.
    let by_system = format!("{stranger}\n").replace("ca_file: ", "server_name: localhost #");
    let by_system = by_system.lines().next().map(|line| {
        let (start, _) = line.split_once('#').unwrap();
        format!("{start}}}, {LOGIN}, to: ops@example.org}}")
    });
    for text in [stranger.replace("server: localhost", "server: 127.0.0.1"), by_system.unwrap()] {
        let failure = deliver(&text, &hostile()).await.unwrap_err();
        assert!(!failure.permanent, "{failure:?}");
        assert!(failure.text.contains("certificate"), "{failure:?}");
    }
    assert_eq!(server.letters().len(), 0);
    let Some(plain) = start("plain") else { return };
    let text = plain.channel("to: ops@example.org");
    let failure = deliver(&text, &hostile()).await.unwrap_err();
    let expected = "localhost offers no STARTTLS; nothing is sent without encryption";
    assert_eq!(failure.text, expected);
    let text = plain.channel("encryption: none, to: ops@example.org");
    deliver(&text, &hostile()).await.unwrap();
    assert_eq!(header(&plain.letters()[0], "X-Tls"), ["False"]);
    let text = plain.channel(&format!("encryption: none, {LOGIN}, to: ops@example.org"));
    assert!(barograph_notify::Channel::parse("ops", &text).is_err());
}

/// Opens a letter as a program for mail does, and says what is in it.
const OPEN: &str = r#"
import email, email.policy, json, sys
raw = open(sys.argv[1], "rb").read()
assert max(map(len, raw.split(b"\r\n"))) <= 998
it = email.message_from_bytes(raw, policy=email.policy.default)
parts = list(it.walk())
text, html = it.get_body(("plain",)), it.get_body(("html",))
images = [p for p in parts if p.get_content_maintype() == "image"]
print(json.dumps({
    "defects": [str(d) for p in parts for d in p.defects],
    "subject": it["subject"], "to": [a.addr_spec for a in it["to"].addresses],
    "from": it["from"].addresses[0].display_name,
    "text": text.get_content(), "html": html.get_content(),
    "images": [[p["content-id"], p.get_content_type(), p.get_content()[:8].hex(), p["content-disposition"].content_disposition] for p in images],
}))
"#;

#[expect(clippy::disallowed_methods, reason = "tests compare with other programs")]
#[tokio::test]
async fn a_letter_is_opened_by_another_program() {
    let Some(server) = start("starttls") else { return };
    let mut it = hostile();
    it.title = ".Größe 🔥 of <b>C:</b> is at 93 %".to_owned();
    // A line that begins with a dot would end the letter.
    it.alerts[0]
        .annotations
        .insert("summary".to_owned(), ".\r\n.\r\nBcc: eve@example.org".to_owned());
    deliver(&server.channel(&format!("{LOGIN}, to: ops@example.org")), &it).await.unwrap();
    let letter = server.folder.path().join("1.eml");
    let output = std::process::Command::new(python().unwrap())
        .args(["-c", OPEN])
        .arg(&letter)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["defects"], serde_json::json!([]), "{seen}");
    assert_eq!(seen["subject"], "[FIRING critical] .Größe 🔥 of <b>C:</b> is at 93 %");
    assert_eq!(
        (&seen["to"], &seen["from"]),
        (&serde_json::json!(["ops@example.org"]), &"Barograph".into())
    );
    let (text, html) = (seen["text"].as_str().unwrap(), seen["html"].as_str().unwrap());
    assert!(text.contains("https://baro.example/ack/abc"), "{text}");
    assert!(
        html.contains("Größe 🔥 of &lt;b&gt;C:&lt;/b&gt;") && !html.contains("<script>"),
        "{html}"
    );
    // The picture that the page shows is the one that came along.
    let image = &seen["images"][0];
    let id = image[0].as_str().unwrap().trim_matches(['<', '>']);
    assert!(html.contains(&format!("src=\"cid:{id}\"")), "{html}");
    assert_eq!((&image[1], &image[2]), (&"image/png".into(), &"89504e470d0a1a0a".into()));
    assert_eq!(image[3], "inline");
}
