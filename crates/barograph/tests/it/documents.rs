//! Documents, as a running server keeps them.

use serde_json::{Value, json};

use crate::program::{Answer, Server};

const MAIL: &[u8] = b"contacts: [{channel: mail}]\n";

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

#[test]
fn documents_are_written_compared_and_brought_back_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    for name in ["mail", "sms"] {
        let channel = b"type: webhook\nurl: https://example.org/\n";
        let made = server.send("PUT", &format!("/api/documents/channels/{name}"), &[], channel);
        assert_eq!(made.status, 200, "{}", made.body);
    }
    let anna = "/api/documents/people/anna%20b";
    let made = server.send("PUT", &format!("{anna}?by=ben&note=new"), &[], MAIL);
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(body(&made)["action"], "created");
    let seen = server.request(anna, "localhost");
    assert!(seen.head.contains("etag: \"1\""), "{}", seen.head);
    assert_eq!((&body(&seen)["author"], &body(&seen)["name"]), (&json!("ben"), &json!("anna b")));

    let other = b"contacts: [{channel: sms}]\n";
    let newer = server.send("PUT", anna, &[("If-Match", "\"1\"")], other);
    assert_eq!((newer.status, &body(&newer)["version"]), (200, &json!(2)));
    let late = server.send("PUT", anna, &[("If-Match", "\"1\"")], MAIL);
    assert_eq!((late.status, late.error_code().as_str()), (412, "changed_meanwhile"));
    assert_eq!(body(&late)["error"]["version"], 2);
    let again = server.send("PUT", anna, &[("If-None-Match", "*")], MAIL);
    assert_eq!(again.status, 412);

    let diff = server.json(&format!("{anna}/diff"));
    let shown = diff["diff"].as_str().unwrap();
    assert!(shown.contains("-contacts: [{channel: mail}]\n+contacts: [{channel: sms}]"), "{shown}");
    let back = server.post(&format!("{anna}/rollback?to=1&by=ben"), &[], b"");
    assert_eq!((back.status, &body(&back)["version"]), (200, &json!(3)));
    let history = server.json(&format!("{anna}/history"));
    let notes: Vec<&Value> =
        history["versions"].as_array().unwrap().iter().map(|it| &it["note"]).collect();
    assert_eq!(notes, ["back to version 1", "", "new"]);

    server.kill();
    let server = Server::start(&data);
    assert_eq!(server.json("/api/documents/people")["documents"][0]["version"], 3);
    let gone = server.send("DELETE", anna, &[], b"");
    assert_eq!(body(&gone)["action"], "removed");
    let missing = server.request(anna, "localhost");
    assert_eq!((missing.status, missing.error_code().as_str()), (404, "no_such_document"));
}

#[test]
fn mistakes_are_told_with_their_places_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let policy = b"steps:\n- notify: [person:anna]\n- after: 5m\n  notify: []\n";
    let checked = server.post("/api/documents/policies/day/check", &[], policy);
    let checked = body(&checked);
    assert_eq!(checked["ok"], false);
    let problem = &checked["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["place"], &problem["severity"]),
        (&json!(4), &json!("steps[2].notify"), &json!("error"))
    );
    let refused =
        server.send("PUT", "/api/documents/policies/day", &[], b"steps: [{notify: [person:anna]}]");
    assert_eq!((refused.status, refused.error_code().as_str()), (422, "invalid_document"));
    let told = body(&refused)["error"]["problems"][0]["message"].clone();
    assert_eq!(told, "there is no `anna` among people");
    let set = json!({"by": "ben", "documents": [
        {"kind": "policies", "name": "day", "text": "steps: [{notify: [person:anna]}]", "version": 0},
        {"kind": "people", "name": "anna", "text": String::from_utf8_lossy(MAIL)},
        {"kind": "channels", "name": "mail", "text": "type: webhook\nurl: https://example.org/"},
    ]});
    let applied = server.post("/api/documents", &[], set.to_string().as_bytes());
    assert_eq!(applied.status, 200, "{}", applied.body);
    let in_use = server.send("DELETE", "/api/documents/people/anna", &[], b"");
    assert_eq!((in_use.status, in_use.error_code().as_str()), (409, "in_use"));
    for (path, code) in [
        ("/api/documents/peple", "no_such_kind"),
        ("/api/documents/people/ben", "no_such_document"),
        ("/api/documents/people/anna?version=7", "no_such_version"),
        ("/api/documents/people/anna?verson=7", "bad_parameter"),
    ] {
        assert_eq!(server.request(path, "localhost").error_code(), code, "{path}");
    }
    let foreign =
        server.send("PUT", "/api/documents/people/x", &[("Origin", "http://evil.example")], MAIL);
    assert_eq!(foreign.error_code(), "foreign_origin");
}
