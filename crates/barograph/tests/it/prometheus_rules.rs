//! Which rules Prometheus' interface lists when some are asked for.

use std::fs;

use serde_json::{Value, json};

use crate::program::Server;

const FIRST: &str = "groups:
- name: hosts
  rules:
  - {alert: Down, expr: vector(1) > 0, labels: {severity: page, host: '{{ $value }}'}}
  - {record: 'hosts:up', expr: vector(1), labels: {severity: info}}
- name: disks
  rules:
  - {record: 'disks:full', expr: vector(0)}
";
const SECOND: &str = "groups:
- name: hosts
  rules:
  - {alert: Slow, expr: vector(1) > 2, labels: {severity: page}}
";

fn server(folder: &tempfile::TempDir) -> Server {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("a.yml"), FIRST).unwrap();
    fs::write(path("b.yml"), SECOND).unwrap();
    let files = format!("['{}', '{}']", path("a.yml"), path("b.yml"));
    let config = format!("[rules]\ndefaults = false\nfiles = {files}\n");
    fs::write(path("barograph.toml"), config).unwrap();
    Server::start(&folder.path().join("data"))
}

fn data(server: &Server, asked: &str) -> Value {
    server.json(&format!("/api/v1/rules?{}", asked.replace('"', "%22")))["data"].clone()
}

/// The names of groups and of their rules.
fn names(data: &Value) -> Vec<(String, Vec<String>)> {
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let groups = data["groups"].as_array().unwrap();
    let rules = |group: &Value| group["rules"].as_array().unwrap().iter().map(name).collect();
    groups.iter().map(|group| (name(group), rules(group))).collect()
}

#[test]
fn rules_are_chosen_by_kind_name_group_file_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    let file = folder.path().join("b.yml").to_str().unwrap().to_owned();
    let all = [("hosts", vec!["Down", "hosts:up"]), ("disks", vec!["disks:full"])];
    let second = ("hosts", vec!["Slow"]);
    for (asked, wanted) in [
        (String::new(), vec![all[0].clone(), all[1].clone(), second.clone()]),
        ("type=Alert".to_owned(), vec![("hosts", vec!["Down"]), second.clone()]),
        (
            "type=record".to_owned(),
            vec![("hosts", vec!["hosts:up"]), ("disks", vec!["disks:full"])],
        ),
        (
            "rule_name[]=Down&rule_name[]=disks:full".to_owned(),
            vec![("hosts", vec!["Down"]), ("disks", vec!["disks:full"])],
        ),
        ("rule_group[]=disks".to_owned(), vec![all[1].clone()]),
        (format!("file[]={file}"), vec![second.clone()]),
        ("match[]={severity=\"page\"}".to_owned(), vec![("hosts", vec!["Down"]), second.clone()]),
        (
            "match[]={severity=\"info\"}&match[]={severity=~\"p.*\",host!=\"\"}".to_owned(),
            vec![("hosts", vec!["Down", "hosts:up"])],
        ),
        ("rule_name[]=nothing".to_owned(), vec![]),
    ] {
        let wanted: Vec<(String, Vec<String>)> = wanted
            .into_iter()
            .map(|(group, rules)| {
                (group.to_owned(), rules.into_iter().map(str::to_owned).collect())
            })
            .collect();
        assert_eq!(names(&data(&server, &asked)), wanted, "{asked}");
    }
    let firing = server.wait_for("a firing alert", |server| {
        let groups = data(server, "rule_name[]=Down")["groups"].clone();
        let rule = groups[0]["rules"][0].clone();
        (rule["state"] == "firing").then_some(rule)
    });
    assert_eq!(firing["alerts"].as_array().unwrap().len(), 1, "{firing}");
    let rule = &data(&server, "rule_name[]=Down&exclude_alerts=true")["groups"][0]["rules"][0];
    assert_eq!((&rule["state"], &rule["alerts"]), (&json!("firing"), &json!([])));
}

#[test]
fn groups_come_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    let mut found = Vec::new();
    let mut token = String::new();
    for page in 0..3 {
        let next = if page == 0 { String::new() } else { format!("&group_next_token={token}") };
        let data = data(&server, &format!("group_limit=1{next}"));
        found.extend(names(&data).into_iter().map(|(group, rules)| (group, rules.len())));
        assert_eq!(data["groupNextToken"].is_string(), page < 2, "{data}");
        token = data["groupNextToken"].as_str().unwrap_or_default().to_owned();
    }
    let wanted = [("hosts", 2), ("disks", 1), ("hosts", 1)];
    assert_eq!(found, wanted.map(|(group, rules)| (group.to_owned(), rules)));
    // What is filtered out takes no place on a page.
    let data = data(&server, "group_limit=2&rule_group[]=hosts");
    assert_eq!((names(&data).len(), &data["groupNextToken"]), (2, &Value::Null));
}

#[test]
fn wrong_parameters_of_rules_are_refused_in_the_words_of_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder);
    for (asked, message) in [
        ("type=bad", r#"invalid parameter "type": not supported value "bad""#),
        ("match[]=foo(", r#"1:4: parse error: unexpected "(""#),
        ("match[]={}", "match[] must contain at least one non-empty matcher"),
        (
            "exclude_alerts=maybe",
            "invalid parameter \"exclude_alerts\": error converting exclude_alerts: \
             strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            "group_limit=0",
            r#"invalid parameter "group_limit": group_limit needs to be greater than 0"#,
        ),
        (
            "group_next_token=x",
            "invalid parameter \"group_next_token\": group_limit needs to be present in order to \
             paginate over the groups",
        ),
        (
            "group_limit=1&group_next_token=x",
            "invalid parameter \"group_next_token\": invalid group_next_token 'x'. were rule \
             groups changed?",
        ),
    ] {
        let answer = server.request(&format!("/api/v1/rules?{asked}"), "localhost");
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &body["error"]), (400, &json!(message)), "{asked}");
    }
}
