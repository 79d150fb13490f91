//! Alerts on their whole way: from rules in a running server to a receiver and back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use barograph_state::Status;
use serde_json::Value;

use crate::program::{ON_WINDOWS, Server, peer_program, run, text};
use crate::receiver::{Received, Receiver};
use crate::site::{ONE, Site};

/// Rules that fire for two seconds of every `every`, each at another time.
fn blinking(count: usize, every: u32) -> String {
    let rules = (0..count).map(|i| {
        format!(
            "  - {{alert: A{i}, expr: 'floor(vector(time() + {i})) % {every} < 2', \
             labels: {{host: h, severity: warning}}}}\n"
        )
    });
    format!("groups:\n- name: g\n  interval: 1s\n  rules:\n{}", rules.collect::<String>())
}

/// The same rules, but none fires any more.
fn dark(count: usize) -> String {
    let rules = (0..count).map(|i| {
        format!(
            "  - {{alert: A{i}, expr: 'vector(0) > 1', labels: {{host: h, severity: warning}}}}\n"
        )
    });
    format!("groups:\n- name: g\n  interval: 1s\n  rules:\n{}", rules.collect::<String>())
}

/// Numbers that look random and are the same each time.
fn random(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Kills a server at any moment while alerts come and go, and a receiver fails in every way.
/// `BAROGRAPH_KILLS` says how often.
#[test]
fn no_kill_loses_a_notification_or_turns_two_around() {
    const RULES: usize = 5;
    let receiver = Receiver::moody();
    let site = Site::new(&blinking(RULES, 5), &receiver);
    let (incidents, kills) = kill_again_and_again(&site, RULES);
    check(&site, &receiver.received(), &incidents, kills);
}

/// Until all has ended and all was told: the incidents that came of it, and how often it was killed.
fn kill_again_and_again(site: &Site, rules: usize) -> (Value, usize) {
    let kills = std::env::var("BAROGRAPH_KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(8);
    let mut seed = 0x0BA2_06A9_u64;
    for _ in 0..kills {
        let server = site.start();
        std::thread::sleep(Duration::from_millis(random(&mut seed) % 2000));
        server.kill();
    }
    site.write_rules(&dark(rules));
    let server = site.start();
    server.wait_for("everything to be told", |server| {
        let open = server.json("/api/incidents?open=true");
        let waiting = server.json("/api/notifications?status=waiting");
        let is_quiet = open["incidents"].as_array()?.is_empty();
        (is_quiet && waiting["waiting"].as_u64() == Some(0)).then_some(())
    });
    let incidents = server.json("/api/incidents");
    server.kill();
    (incidents, kills)
}

/// The same when a channel may say so little that it tells several things together.
#[test]
fn what_was_told_together_comes_again_together_and_by_the_same_key() {
    const RULES: usize = 5;
    let receiver = Receiver::moody();
    let site = Site::new(&blinking(RULES, 5), &receiver);
    let port = receiver.port;
    let channel =
        format!("type: webhook\nurl: http://127.0.0.1:{port}/\nlimits: {{messages: 1, per: 1s}}\n");
    site.put("channels", "hook", &channel);
    let (_, kills) = kill_again_and_again(&site, RULES);
    let received = receiver.received();
    let mut by_key: BTreeMap<&str, &Received> = BTreeMap::new();
    for it in &received {
        let first = by_key.entry(&it.id).or_insert(it);
        let briefly = |it: &Received| (it.told()["incident"].clone(), it.told()["told"].clone());
        assert_eq!(briefly(first), briefly(it), "{}", it.id);
    }
    let tellings = |it: &&Received| it.told()["told"].as_array().map_or(1, |all| all.len().max(1));
    let told: usize = by_key.values().map(tellings).sum();
    let state = site.state();
    let delivered = state.read(|view| view.messages(Status::Delivered, 1_000_000)).unwrap().items;
    // Each was told, and by one key only.
    assert_eq!(told, delivered.len());
    assert!(by_key.keys().any(|id| id.starts_with("digest-")), "nothing was told together");
    say(kills, delivered.len(), received.len() - by_key.len());
}

#[expect(clippy::print_stderr, reason = "who runs the tests is told")]
fn say(kills: usize, notifications: usize, duplicates: usize) {
    eprintln!("{kills} kills: {notifications} notifications, {duplicates} came twice");
}

fn check(site: &Site, received: &[Received], incidents: &Value, kills: usize) {
    let state = site.state();
    let listing = |status| state.read(|view| view.messages(status, 1_000_000)).unwrap().items;
    assert!(listing(Status::Waiting).is_empty() && listing(Status::Dead).is_empty());
    let mut messages = listing(Status::Delivered);
    messages.sort_by_key(|it| it.seq);
    assert!(!messages.is_empty(), "nothing fired");
    let mut first_seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, it) in received.iter().enumerate() {
        first_seen.entry(&it.id).or_insert(place);
    }
    // Nothing is lost, and nothing came that was not decided on.
    let decided: BTreeSet<&str> = messages.iter().map(|it| it.id.as_str()).collect();
    let seen: BTreeSet<&str> = first_seen.keys().copied().collect();
    assert_eq!(decided, seen);
    // Each lane kept its order.
    let mut lanes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for message in &messages {
        lanes.entry(&message.lane).or_default().push(first_seen[message.id.as_str()]);
    }
    for (lane, places) in &lanes {
        assert!(places.is_sorted(), "{lane}: {places:?}");
    }
    // What has the same key is the same.
    for it in received {
        let first = &received[first_seen[it.id.as_str()]];
        assert_eq!(
            (first.event(), &first.told()["incident"]),
            (it.event(), &it.told()["incident"])
        );
    }
    // What incidents say was told is what was sent, and the last word is that it is over.
    for incident in incidents["incidents"].as_array().unwrap() {
        let number = &incident["number"];
        let of_this = |it: &&Received| it.told()["incident"] == *number;
        let ids: BTreeSet<&str> =
            received.iter().filter(of_this).map(|it| it.id.as_str()).collect();
        let resolved = ids.iter().filter(|it| it.contains("/resolved/")).count();
        let timeline = incident["timeline"].as_array().unwrap();
        let count = |kind: &str| timeline.iter().filter(|it| it["what"]["kind"] == kind).count();
        if timeline.len() < 500 {
            assert_eq!((count("told"), count("resolved")), (ids.len() - resolved, resolved));
        }
        let lane: Vec<&Received> = received.iter().filter(of_this).collect();
        assert_eq!(lane.last().unwrap().event(), "resolved", "{number}");
    }
    say(kills, messages.len(), received.len() - messages.len());
}

#[test]
fn a_notification_brings_its_evidence_and_a_link_that_acknowledges_once() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let server = site.start();
    let first = receiver.wait_for("the first notification", |it| it.event() == "firing");
    let told = first.told();
    assert!(told["title"].as_str().unwrap().contains("% of memory on"), "{told}");
    assert_eq!(told["alerts"][0]["threshold"], 0.0);
    assert_eq!(told["alerts"][0]["runbook"], "https://example.org/hot");
    let chart = &told["evidence"]["charts"][0];
    assert_eq!(chart["threshold"], 0.0, "{told}");
    assert!(told["evidence"]["processes"].is_array());

    let link = told["links"]["acknowledge"].as_str().unwrap();
    let path = link.strip_prefix(&format!("http://{}", server.address)).unwrap();
    let page = server.request(path, "localhost");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Acknowledge as hook"), "{}", page.body);
    let open = || server.json("/api/incidents/1")["acknowledged"].clone();
    assert!(open().is_null(), "looking at the page does nothing");
    let done = server.post(path, &[], b"minutes=30&note=on+it+%3Cb%3E");
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!((&open()["by"], &open()["note"]), (&"hook".into(), &"on it <b>".into()));
    assert_eq!(server.post(path, &[], b"").status, 410);
    assert_eq!(server.request(path, "localhost").status, 410);
    assert_eq!(server.request("/acknowledge/abc.def", "localhost").status, 404);
    let told = receiver.wait_for("the acknowledgement", |it| it.event() == "acknowledged");
    assert_eq!(told.told()["act"]["by"], "hook");

    let evidence = server.json("/api/incidents/1/evidence");
    assert!(evidence["charts"][0]["points"].is_array());
    let metrics = server.get("/metrics");
    assert!(metrics.contains("barograph_notifications_total{channel=\"hook\"} "), "{metrics}");
}

#[test]
fn incidents_are_dealt_with_on_the_command_line() {
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let server = site.start();
    receiver.wait_for("the first notification", |it| it.event() == "firing");
    let address = format!("http://{}", server.address);
    let alerts = |args: &[&str]| {
        let all = [&["alerts"], args, &["--server", &address]].concat();
        let output = run(&all);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(alerts(&["list"]).contains("firing"));
    alerts(&["ack", "1", "--for", "2h", "-m", "on it", "--by", "anna"]);
    alerts(&["comment", "1", "-m", "changed the disk", "--by", "anna"]);
    let story = alerts(&["show", "1"]);
    for part in ["acknowledged, warning", "by anna", "changed the disk", "told: channel:hook"] {
        assert!(story.contains(part), "{part} in {story}");
    }
    let json: Value = serde_json::from_str(&alerts(&["show", "1", "--json"])).unwrap();
    assert_eq!(json["acknowledged"]["by"], "anna");
    alerts(&["unack", "1", "--by", "ben"]);
    receiver.wait_for("the escalation anew", |it| it.id.starts_with("1/1/1/"));
    assert!(alerts(&["notifications"]).contains("delivered"));
    alerts(&["silence", "alertname=Hot", "--for", "2h", "-m", "planned", "--by", "ben"]);
    server
        .wait_for("the silence to hide it", |_| alerts(&["list"]).contains("muted").then_some(()));
    alerts(&["resolve", "1", "--by", "ben"]);
    receiver.wait_for("the end", |it| it.event() == "resolved");
    alerts(&["reopen", "1", "--by", "anna"]);
    let again: Value = serde_json::from_str(&alerts(&["show", "1", "--json"])).unwrap();
    assert!(again["resolved_ms"].is_null(), "its alert fires still: {again}");
    let twice = run(&["alerts", "reopen", "1", "--server", &address]);
    assert!(text(&twice.stderr).contains("it is open"), "{}", text(&twice.stderr));
    let unknown = run(&["alerts", "show", "99", "--server", &address]);
    assert_eq!(unknown.status.code(), Some(2));
}

/// Alertmanager's own tool.
#[test]
fn amtool_lists_alerts_and_makes_and_ends_silences() {
    let Some(_) = peer_program("amtool") else { return };
    let receiver = Receiver::good();
    let site = Site::new(ONE, &receiver);
    let server = site.start();
    receiver.wait_for("the first notification", |it| it.event() == "firing");
    let url = format!("--alertmanager.url=http://{}", server.address);
    let amtool = |args: &[&str]| {
        let mut command = peer_program("amtool").unwrap();
        let output = command.args(args).arg(&url).env("HOME", site.folder.path()).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{args:?}: {told}");
        text(&output.stdout).trim().to_owned()
    };
    let alerts: Value = serde_json::from_str(&amtool(&["alert", "query", "-o", "json"])).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "Hot");
    assert_eq!(alerts[0]["status"]["state"], "active");
    assert_eq!(amtool(&["alert", "query", "-o", "json", "alertname=Other"]), "[]");
    let id =
        amtool(&["silence", "add", "-a", "anna", "-c", "planned", "-d", "1h", "alertname=~H.*"]);
    assert!(amtool(&["silence", "query"]).contains(&id));
    assert!(amtool(&["silence", "query", "-o", "json", "alertname=~H.*"]).contains(&id));
    server.wait_for("the silence to hide it", |_| {
        let silenced = amtool(&["alert", "query", "-s", "-o", "json"]);
        let silenced: Value = serde_json::from_str(&silenced).ok()?;
        (silenced[0]["status"]["silencedBy"][0] == id.as_str()).then_some(())
    });
    let longer = amtool(&["silence", "update", "-d", "3h", &id]);
    assert!(longer.contains(&id), "{longer}");
    amtool(&["silence", "expire", &id]);
    assert!(!amtool(&["silence", "query"]).contains(&id));
    assert!(amtool(&["silence", "query", "--expired"]).contains(&id));
    assert!(amtool(&["config", "show"]).contains("documents"));
    amtool(&["cluster", "show"]);
    let document: Value = server.json(&format!("/api/documents/silences/{id}"));
    assert_eq!(document["author"], "anna");
}

/// The newest attempts as `STATE ORDER`.
fn attempts(server: &Server) -> Vec<(String, String)> {
    let all = server.json("/api/remediations");
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let attempts = all["attempts"].as_array().unwrap().iter();
    attempts.map(|it| (text(&it["state"]), text(&it["id"]))).collect()
}

#[test]
fn a_process_that_is_watched_is_ended_when_two_people_want_it() {
    if ON_WINDOWS {
        return;
    }
    let receiver = Receiver::good();
    let rules = "groups:\n- name: g\n  interval: 1s\n  rules:\n  - {alert: Victim, metric: \
        'process_group_count{name=\"bgvictim\"}', greater_than: 0, severity: warning, \
        remediation: end}\n";
    let site = Site::new(rules, &receiver);
    let program = site.folder.path().join("bgvictim");
    fs::copy("/bin/sleep", &program).unwrap();
    let actions = "actions:\n  end:\n    end_process: '{name}'\n    parameters: {name: \
        {matches: bgvictim}}\n";
    site.write_actions(actions);
    site.configure("[actions]\nfile = 'actions.yml'\n[watch]\nprocesses = ['bgvictim']\n");
    #[expect(clippy::disallowed_methods, reason = "tests start programs")]
    let mut victim = std::process::Command::new(&program).arg("600").spawn().unwrap();
    let server = site.start();
    let id = server.wait_for("the proposal", |server| {
        let (state, id) = attempts(server).into_iter().next()?;
        (state == "proposed").then_some(id)
    });
    let address = format!("http://{}", server.address);
    let approve = |by: &str| run(&["alerts", "approve", &id, "--by", by, "--server", &address]);
    assert!(text(&approve("anna").stdout).contains("proposed: end the processes called bgvictim"));
    assert!(!approve("anna").status.success(), "the same person does not count twice");
    assert!(victim.try_wait().unwrap().is_none());
    assert!(approve("ben").status.success());
    victim.wait().unwrap();
    server.wait_for("the alert to end", |server| (attempts(server)[0].0 == "helped").then_some(()));
    let story = text(&run(&["alerts", "show", "1", "--server", &address]).stdout);
    for part in ["remedy: end, proposed", "remedy: end, started", "remedy: end, helped"] {
        assert!(story.contains(part), "{part} in {story}");
    }
}

#[test]
fn what_was_begun_when_the_server_was_killed_is_not_begun_again() {
    if ON_WINDOWS {
        return;
    }
    let receiver = Receiver::good();
    let site = Site::new(
        &ONE.replace("severity: warning", "severity: warning, remediation: slow"),
        &receiver,
    );
    let log = site.folder.path().join("log");
    let script = site.folder.path().join("slow");
    let log = log.display();
    fs::write(&script, format!("#!/bin/sh\necho begun >> {log}\nsleep 30\n")).unwrap();
    let shown = script.display();
    let actions = format!(
        "actions:\n  slow: {{run: [/bin/sh, '{shown}'], approvals: 1, timeout: 1h, cool_down: 0s}}\n"
    );
    site.write_actions(&actions);
    site.configure("[actions]\nfile = 'actions.yml'\n");
    let server = site.start();
    let id = server.wait_for("the proposal", |server| Some(attempts(server).first()?.1.clone()));
    let body = format!("{{\"id\": {id:?}, \"by\": \"anna\"}}");
    assert_eq!(server.post("/api/remediations/approve", &[], body.as_bytes()).status, 200);
    let begun = || fs::read_to_string(site.folder.path().join("log")).unwrap_or_default();
    server.wait_for("the beginning", |_| (!begun().is_empty()).then_some(()));
    server.kill();
    let server = site.start();
    assert_eq!(attempts(&server)[0].0, "unknown");
    receiver.wait_for("another round", |it| it.id.starts_with("1/"));
    assert_eq!(begun(), "begun\n");
}

#[test]
fn an_action_is_asked_for_without_an_alert_where_the_file_lets_people() {
    if ON_WINDOWS {
        return;
    }
    let receiver = Receiver::good();
    let site = Site::new("groups: []", &receiver);
    let actions = "actions:\n  say:\n    run: [/bin/echo, 'seen to {name}']\n    parameters: {name: \
        {label: service, matches: 'web-[a-z]+'}}\n    approvals: 1\n    by_hand: true\n  other: {run: \
        [/bin/true]}\n";
    site.write_actions(actions);
    site.configure("[actions]\nfile = 'actions.yml'\n");
    let server = site.start();
    let address = format!("http://{}", server.address);
    let ask = |action: &str, service: &str| {
        let by = ["--service", service, "-m", "it hangs", "--by", "anna", "--server", &address];
        run(&[&["alerts", "ask", action][..], &by[..]].concat())
    };
    for (action, service, told) in [
        ("other", "web-a", "no action `other` with `by_hand: true`"),
        ("say", "sshd", "the label `service` is \"sshd\", which is not allowed"),
    ] {
        let refused = ask(action, service);
        assert!(!refused.status.success() && text(&refused.stderr).contains(told), "{refused:?}");
    }
    let offers = server.json("/api/remediations/offers?service=web-a");
    assert_eq!(offers["offers"][0]["order"], r#"run ["/bin/echo", "seen to web-a"]"#);
    let done = ask("say", "web-a");
    assert!(text(&done.stdout).starts_with("approved: run"), "{done:?}");
    server.wait_for("the end", |server| (attempts(server)[0].0 == "finished").then_some(()));
    let listed = text(&run(&["alerts", "remedies", "--server", &address]).stdout);
    assert!(listed.contains("seen to web-a") && listed.contains("anna"), "{listed}");
}
