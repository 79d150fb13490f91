//! Tests of rules: the same verdict as Prometheus' own program has, case by case.

use std::fs;
use std::process::Stdio;

use crate::program::{peer_program, run, text};

/// Each begins with what comes of it and its name; the rest is a file of tests.
const CASES: &str = include_str!("rule_tests/cases.txt");

#[test]
fn verdicts_are_those_of_promtool() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), include_str!("rule_tests/rules.yml")).unwrap();
    let path = folder.path().join("tests.yml");
    let mut wrong = Vec::new();
    for case in CASES.split("\n\n") {
        let (head, body) = case.split_once('\n').unwrap();
        let (verdict, name) = head.split_once(": ").unwrap();
        fs::write(&path, format!("rule_files: [rules.yml]\n{body}\n")).unwrap();
        let own = run(&["rules", "test", path.to_str().unwrap()]);
        if own.status.success() != (verdict == "pass") {
            wrong.push(format!("{name}: {}", text(&own.stdout)));
        }
        let Some(mut promtool) = peer_program("promtool") else { continue };
        let peer =
            promtool.args(["test", "rules"]).arg(&path).stdin(Stdio::null()).output().unwrap();
        if peer.status.success() != own.status.success() {
            let said = [text(&peer.stdout), text(&peer.stderr)].concat();
            wrong.push(format!("{name}: promtool says\n{said}\nand we\n{}", text(&own.stdout)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
