//! Channels, as `barograph notify` and alerts use them, against receivers that are really there.

use std::fs;
use std::net::SocketAddr;
use std::process::Output;

use serde_json::Value;

use crate::program::{ON_WINDOWS, Server, free_port, run, text};
use crate::receiver::Receiver;
use crate::site::{ONE, Site};

pub(crate) fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn notify(server: SocketAddr, args: &[&str]) -> (Option<i32>, String) {
    let server = format!("http://{server}");
    told(&run(&[&["notify"], args, &["--server", &server]].concat()))
}

pub(crate) const QUIET: &str = "groups: []\n";

#[test]
fn a_test_says_what_became_of_it() {
    let receiver = Receiver::good();
    let site = Site::new(QUIET, &receiver);
    let closed = free_port();
    site.put("channels", "closed", &format!("type: webhook\nurl: http://127.0.0.1:{closed}/\n"));
    site.put("channels", "inside", "type: webhook\nurl: http://169.254.169.254/latest/\n");
    let server = site.start();
    assert_eq!(notify(server.address, &["test", "hook"]), (Some(0), "delivered\n".to_owned()));
    let told = receiver.wait_for("the test", |it| it.event() == "test");
    assert!(told.told()["title"].as_str().unwrap().contains("nearly full"), "{told:?}");
    let (code, said) = notify(server.address, &["test", "closed"]);
    assert_eq!(code, Some(1));
    assert!(
        said.starts_with("barograph: not delivered: ") && said.contains("try again)"),
        "{said}"
    );
    let (code, said) = notify(server.address, &["test", "inside"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("169.254.169.254") && said.contains("internal_networks"), "{said}");
    assert!(said.contains("(trying again would not help)"), "{said}");
    let (code, said) = notify(server.address, &["test", "gone"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("`gone`"), "{said}");
    let away = format!("127.0.0.1:{closed}").parse().unwrap();
    let (code, said) = notify(away, &["test", "hook"]);
    assert!(code != Some(0) && said.contains("barograph serve"), "{said}");
    let (code, said) = notify(server.address, &["preview", "hook"]);
    assert_eq!(code, Some(0));
    // An address may hold a key, so a preview does not show it.
    let (starts, port) = (said.starts_with("POST https://secret.invalid/"), receiver.port);
    assert!(starts && !said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert_eq!(receiver.received().len(), 1, "a preview sends nothing");
}

#[test]
fn a_channel_in_a_file_needs_no_server() {
    let receiver = Receiver::good();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ops.yaml");
    let path = file.to_str().unwrap();
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    fs::write(&file, format!("type: webhook\nurl: {url}\ntoken: {{secret: hook}}\n")).unwrap();
    let (code, said) = told(&run(&["notify", "test", path]));
    assert_eq!(code, Some(1));
    assert!(said.contains("hook") && said.contains("BAROGRAPH_SECRETS"), "{said}");
    let (code, said) = told(&run(&["notify", "preview", path]));
    assert!(code == Some(0) && said.starts_with("POST "), "{said}");
    fs::write(folder.path().join("hook"), "swordfish\n").unwrap();
    let mut command = crate::program::barograph();
    command.args(["notify", "test", path]).env("BAROGRAPH_SECRETS", folder.path());
    assert_eq!(told(&command.output().unwrap()), (Some(0), "delivered\n".to_owned()));
    assert_eq!(receiver.received().len(), 1);
    fs::write(&file, "type: webhook\nurk: x\n").unwrap();
    let (code, said) = told(&run(&["notify", "test", path]));
    assert_eq!(code, Some(2));
    let (first, second) = (format!("{path}: line 1: `url`"), format!("{path}: line 2: `urk`"));
    assert!(said.contains(&first) && said.contains(&second), "{said}");
}

#[test]
fn a_command_is_run_by_its_name_and_bounded() {
    if ON_WINDOWS {
        return;
    }
    let receiver = Receiver::good();
    let site = Site::new(QUIET, &receiver);
    let out = site.folder.path().join("out");
    let out = out.display();
    site.configure(&format!(
        "[notify.commands]\npage = ['/bin/sh', '-c', 'cat > {out}; echo \"$1 $BAROGRAPH_EVENT\"', \
         'sh', '--now']\nslow = ['/bin/sleep', '600']\nflood = ['/bin/sh', '-c', \
         'head -c 3000000 /dev/zero | tr \"\\0\" x']\nfails = ['/bin/sh', '-c', 'echo why >&2; exit 3']\n"
    ));
    for name in ["page", "slow", "flood", "fails", "other"] {
        let text = format!("type: command\ncommand: {name}\ntimeout: 2s\n");
        site.put("channels", name, &text);
    }
    let server = site.start();
    let test = |name: &str| notify(server.address, &["test", name]);
    assert_eq!(test("page"), (Some(0), "delivered: --now test\n".to_owned()));
    let given: Value =
        serde_json::from_str(&fs::read_to_string(site.folder.path().join("out")).unwrap()).unwrap();
    assert_eq!(given["event"], "test");
    let (code, said) = test("slow");
    assert!(code == Some(1) && said.contains("no answer within 2 s"), "{said}");
    let (code, said) = test("flood");
    assert!(code == Some(0) && said.len() < 1000, "{} bytes", said.len());
    let (code, said) = test("fails");
    assert!(code == Some(1) && said.contains("exit status: 3: why"), "{said}");
    let (code, said) = test("other");
    assert!(code == Some(1) && said.contains("allows no command `other`"), "{said}");
}

/// Takes one request and answers that it was taken.
fn take_one(listener: &std::net::TcpListener) -> String {
    use std::io::{Read as _, Write as _};
    let mut socket = listener.accept().unwrap().0;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..n]);
        let request = text(&bytes);
        let is_whole = request.split_once("\n\n").is_some_and(|(_, body)| body.contains("zdone=1"));
        if n == 0 || is_whole {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
            socket.write_all(answer).unwrap();
            return request;
        }
    }
}

#[test]
fn a_person_gets_a_short_message_at_their_own_number() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let gateway = format!(
        "type: sms_http\nurl: http://127.0.0.1:{port}/send\nformat: form\nfields: {{to: '{{to}}', \
         message: '{{text}}', zdone: '1'}}\nto: ['+15550100']\n"
    );
    site.put("channels", "sms", &gateway);
    site.put("people", "anna", "contacts: [{channel: sms, to: '+491701234567'}]\n");
    site.put("policies", "ops", "steps: [{notify: [person:anna]}]\n");
    site.put("routes", "default", "policy: ops\n");
    let _server = site.start();
    let request = take_one(&listener);
    assert!(request.contains("to=%2B491701234567"), "{request}");
}

fn pager(server: &Server) -> Value {
    server.json("/api/pager_tests")["people"][0].clone()
}

#[test]
fn a_pager_is_tested_and_answered_by_its_link() {
    let receiver = Receiver::good();
    let site = Site::new(QUIET, &receiver);
    let anna = "name: Anna Example\ncontacts: [{channel: hook}]\npager_test: {time_zone: \
                Europe/Berlin, weekdays: [monday], at: '10:00'}\n";
    site.put("people", "anna", anna);
    let server = site.start();
    let before = pager(&server);
    assert!(before["next_ms"].is_number() && before["tests"] == serde_json::json!([]), "{before}");
    let (code, said) = notify(server.address, &["pagers", "--now", "anna"]);
    assert!(code == Some(0) && said.contains("sent"), "{said}");
    let test = receiver.wait_for("the test", |it| it.event() == "test");
    assert_eq!(test.told()["title"], "Pager test for Anna Example: please acknowledge");
    let link = test.told()["links"]["acknowledge"].as_str().unwrap();
    let path = link.strip_prefix(&format!("http://{}", server.address)).unwrap();
    let page = server.request(path, "localhost");
    assert!(page.status == 200 && page.body.contains("Acknowledge the test"), "{}", page.body);
    assert_eq!(pager(&server)["tests"][0]["state"], "sent", "looking at the page is no answer");
    server.wait_for("the delivery to be noted", |server| {
        (pager(server)["tests"][0]["ways"]["hook"]["state"] == "delivered").then_some(())
    });
    let done = server.post(path, &[], b"");
    assert!(done.status == 200 && done.body.contains("is answered"), "{}", done.body);
    assert_eq!(server.post(path, &[], b"").status, 410, "once");
    assert_eq!(pager(&server)["tests"][0]["state"], "answered");
    let (_, said) = notify(server.address, &["pagers"]);
    assert!(said.contains("answered") && said.contains("1 of 1"), "{said}");
    let (_, said) = notify(server.address, &["pagers", "--json"]);
    let json: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["people"][0]["person"], "anna");
    let (code, said) = notify(server.address, &["pagers", "--now", "nobody"]);
    assert!(code == Some(2) && said.contains("`nobody`"), "{said}");

    let another = server.send("PUT", "/api/documents/people/aaron", &[], anna.as_bytes());
    assert_eq!(another.status, 200, "{}", another.body);
    let listed = pager(&server);
    assert!(listed["person"] == "aaron" && listed["next_ms"].is_number(), "at once: {listed}");
}

#[test]
fn a_channel_that_was_written_a_moment_ago_is_tested_at_once() {
    let receiver = Receiver::good();
    let site = Site::new(QUIET, &receiver);
    let server = site.start();
    for n in 0..5 {
        let text = format!("type: webhook\nurl: http://127.0.0.1:{}/{n}\n", receiver.port);
        let path = format!("/api/documents/channels/new-{n}");
        assert_eq!(server.send("PUT", &path, &[], text.as_bytes()).status, 200);
        let tested = server.post(&format!("/api/channels/new-{n}/test"), &[], b"{}");
        assert!(tested.body.contains("\"delivered\":true"), "{}", tested.body);
    }
}
