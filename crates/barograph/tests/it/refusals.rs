//! What the program refuses: clearly, by an exit code of its own, with nothing damaged.

use std::fs;

use crate::program::{ON_WINDOWS, Server, run, text};

#[track_caller]
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let output = run(args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` not in: {said}");
    }
}

#[test]
fn second_server_on_the_same_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let path = data.to_str().unwrap();
    refused(&["serve", "--listen", "127.0.0.1:0", "--data", path], 3, &["in use", path]);
    server.wait_for_values();
}

#[test]
fn port_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let address = server.address.to_string();
    let other = folder.path().join("other");
    let args = ["serve", "--listen", &address, "--data", other.to_str().unwrap()];
    refused(&args, 4, &["cannot listen on", &address, "another program"]);
    assert!(!other.exists());
}

#[test]
fn address_that_others_can_reach() {
    refused(&["serve", "--listen", "0.0.0.0:7575"], 4, &["0.0.0.0:7575", "loopback", "TLS"]);
}

#[test]
fn folder_that_cannot_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let path = file.to_str().unwrap();
    refused(&["serve", "--listen", "127.0.0.1:0", "--data", path], 3, &["data folder", path]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a folder");
}

#[test]
fn every_mistake_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("barograph.toml");
    fs::write(&file, "listen = 'x'\ncolour = 'red'\n").unwrap();
    let path = file.to_str().unwrap();
    let words = ["2 mistakes", "line 1: `listen`", "line 2: `colour`"];
    refused(&["check-config", "--config", path], 2, &words);
    refused(&["serve", "--config", path], 2, &words);
    refused(&["check-config", "--config", "nowhere.toml"], 2, &["cannot read", "nowhere.toml"]);
}

#[test]
fn counter_of_another_system_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("barograph.toml");
    fs::write(&file, "[counters]\npaths = ['\\SQLServer:Locks(*)\\Lock Waits/sec']\n").unwrap();
    if ON_WINDOWS {
        return;
    }
    let words = ["line 2: `counters.paths`", r"\SQLServer:Locks(*)\Lock Waits/sec", "only Windows"];
    refused(&["check-config", "--config", file.to_str().unwrap()], 2, &words);
}

#[test]
fn unknown_flag_and_command() {
    refused(&["serve", "--lisen", "x"], 2, &["--listen"]);
    refused(&["sevre"], 2, &["serve"]);
}

#[test]
fn top_without_a_terminal() {
    refused(&["top"], 2, &["needs a terminal", "barograph record"]);
}
