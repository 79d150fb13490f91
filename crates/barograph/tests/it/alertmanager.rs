//! The interface of Alertmanager, version 2, as Grafana's data source uses it: the fields that the
//! description of that interface demands, the switches, and the status codes.

use barograph_model::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::program::Server;
use crate::receiver::Receiver;
use crate::site::{ONE, Site};

/// Whether there is what clients expect, and of its kind.
#[track_caller]
fn check(found: &Value, expected: &Value) {
    let fits = |found: &Value, kind: &Value| match kind.as_str() {
        Some("time") => found.as_str().is_some_and(|it| it.parse::<jiff::Timestamp>().is_ok()),
        Some("text") => found.is_string(),
        Some("texts") => found.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
        Some("map") => found.as_object().is_some_and(|all| all.values().all(Value::is_string)),
        _ => found == kind,
    };
    for (name, kind) in expected.as_object().unwrap() {
        assert!(fits(&found[name], kind), "`{name}` is no {kind} in {found}");
    }
}

fn count(server: &Server, path: &str) -> usize {
    server.json(path).as_array().unwrap().len()
}

#[test]
fn answers_have_the_fields_that_clients_need() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    site.put("policies", "night", "steps: [{notify: [channel:hook]}]");
    let server = site.start();
    receiver.wait_for("the first notification", |it| it.event() == "firing");

    let status = server.json("/api/v2/status");
    check(&status, &json!({"uptime": "time"}));
    check(&status["cluster"], &json!({"status": "disabled", "peers": "texts"}));
    check(&status["config"], &json!({"original": "text"}));
    let names = ["version", "revision", "branch", "buildUser", "buildDate", "goVersion"];
    for name in names {
        check(&status["versionInfo"], &json!({ (name): "text" }));
    }

    let alert = json!({
        "labels": "map", "annotations": "map", "fingerprint": "text", "generatorURL": "text",
        "startsAt": "time", "endsAt": "time", "updatedAt": "time",
    });
    let alerts = server.json("/api/v2/alerts");
    check(&alerts[0], &alert);
    assert!(alerts[0]["generatorURL"].as_str().unwrap().starts_with("http://"), "{alerts}");
    assert_eq!(alerts[0]["receivers"], json!([{"name": "default"}]));
    let arrays = json!({"silencedBy": "texts", "inhibitedBy": "texts", "mutedBy": "texts"});
    check(&alerts[0]["status"], &arrays);
    assert_eq!(alerts[0]["status"]["state"], "active");
    let groups = server.json("/api/v2/alerts/groups");
    check(&groups[0], &json!({"labels": "map"}));
    check(&groups[0]["receiver"], &json!({"name": "default"}));
    check(&groups[0]["alerts"][0], &alert);
    assert_eq!(server.json("/api/v2/receivers"), json!([{"name": "default"}, {"name": "night"}]));
}

#[test]
fn switches_and_filters_choose_alerts_and_mistakes_are_texts() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let server = site.start();
    receiver.wait_for("the first notification", |it| it.event() == "firing");
    let count = |question: &str| {
        let alerts = count(&server, &format!("/api/v2/alerts{question}"));
        let groups = server.json(&format!("/api/v2/alerts/groups{question}"));
        assert_eq!(groups.as_array().unwrap().len(), alerts, "{question}");
        alerts
    };
    assert_eq!(count("?active=true&silenced=true&inhibited=true&unprocessed=true"), 1);
    assert_eq!(count("?silenced=false&inhibited=false&unprocessed=false&muted=false"), 1);
    assert_eq!(count("?active=false"), 0);
    assert_eq!(count("?filter=alertname%3D%22Hot%22&filter=site%3D~%22h.*%22"), 1);
    assert_eq!(count("?filter=alertname%3D%22Hot%22&filter=site!%3D%22here%22"), 0);
    assert_eq!([count("?receiver=def.*"), count("?receiver=night")], [1, 0]);
    for wrong in ["active=maybe", "filter=%7B", "receiver=("] {
        let answer = server.request(&format!("/api/v2/alerts?{wrong}"), "localhost");
        let text: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(answer.status == 400 && text.is_string(), "{wrong}: {}", answer.body);
    }
}

#[test]
fn silences_are_made_changed_found_and_ended() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let server = site.start();
    receiver.wait_for("the first notification", |it| it.event() == "firing");
    let now_ms = SystemClock::new().now_ms();
    let after = |hours: i64| {
        jiff::Timestamp::from_millisecond(now_ms + hours * 3_600_000).unwrap().to_string()
    };
    let matcher = json!({"name": "alertname", "value": "Hot", "isRegex": false});
    let wish = json!({
        "matchers": [matcher], "startsAt": after(0), "endsAt": after(1),
        "createdBy": "anna", "comment": "planned",
    });
    let post = |wish: &Value| {
        let headers = [("Content-Type", "application/json")];
        server.post("/api/v2/silences", &headers, wish.to_string().as_bytes())
    };
    let made = post(&wish);
    assert_eq!(made.status, 200, "{}", made.body);
    let id = serde_json::from_str::<Value>(&made.body).unwrap()["silenceID"].clone();
    let id = id.as_str().unwrap();

    let found = server.json(&format!("/api/v2/silence/{id}"));
    let times = json!({"startsAt": "time", "endsAt": "time", "updatedAt": "time"});
    check(&found, &times);
    check(&found, &json!({"id": id, "createdBy": "anna", "comment": "planned"}));
    assert_eq!(found["status"], json!({"state": "active"}));
    let shown = json!({"name": "alertname", "value": "Hot", "isRegex": false, "isEqual": true});
    assert_eq!(found["matchers"], json!([shown]));
    server.wait_for("the silence to hide it", |server| {
        let hidden = server.json("/api/v2/alerts?active=false");
        (hidden[0]["status"]["silencedBy"] == json!([id])).then_some(())
    });
    assert_eq!(server.json("/api/v2/alerts?active=false")[0]["status"]["state"], "suppressed");
    assert_eq!(count(&server, "/api/v2/alerts?silenced=false"), 0);
    let silences = |question: &str| count(&server, &format!("/api/v2/silences?{question}"));
    assert_eq!([silences("creator=anna"), silences("creator=ben")], [1, 0]);
    assert_eq!(silences("filter=alertname%3D%22Hot%22"), 1);

    let mut longer = wish.clone();
    longer["id"] = json!(id);
    longer["endsAt"] = json!(after(2));
    assert_eq!(post(&longer).status, 200);
    longer["id"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(post(&longer).status, 404);
    for (field, wrong) in [("matchers", json!([])), ("endsAt", json!("soon"))] {
        let mut bad = wish.clone();
        bad[field] = wrong;
        assert_eq!(post(&bad).status, 400, "{field}");
    }
    let address = format!("/api/v2/silence/{id}");
    let delete = || server.send("DELETE", &address, &[], b"");
    assert_eq!((delete().status, delete().status), (200, 500));
    assert_eq!(server.json(&address)["status"]["state"], "expired");
    assert_eq!(server.request("/api/v2/silence/none", "localhost").status, 404);
}
