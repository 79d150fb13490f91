//! A server with rules and channels of its own, and what leads to its receivers.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use barograph_model::SystemClock;
use barograph_state::{Edit, Expected, State};
use tempfile::TempDir;

use crate::program::Server;
use crate::receiver::Receiver;
use crate::service::restrict;

/// A folder with a configuration, rules, and a channel that leads to a receiver.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
}

impl Site {
    pub(crate) fn new(rules: &str, receiver: &Receiver) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let site = Self { folder };
        site.configure("");
        site.write_rules(rules);
        let port = receiver.port;
        site.put("channels", "hook", &format!("type: webhook\nurl: http://127.0.0.1:{port}/\n"));
        site
    }

    /// Adds to the configuration, whose last section is that of notifications.
    pub(crate) fn configure(&self, more: &str) {
        let config = "[rules]\ndefaults = false\nfiles = ['rules.yml']\n\
                      [notify]\ninternal_networks = ['127.0.0.0/8']\n";
        let path = self.folder.path().join("barograph.toml");
        fs::write(path, format!("{config}{more}")).unwrap();
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn write_rules(&self, rules: &str) {
        fs::write(self.folder.path().join("rules.yml"), rules).unwrap();
    }

    /// The list of what may be done, as only its owner can write it.
    pub(crate) fn write_actions(&self, actions: &str) {
        let path = self.folder.path().join("actions.yml");
        fs::write(&path, actions).unwrap();
        restrict(&path);
    }

    pub(crate) fn state(&self) -> State {
        fs::create_dir_all(self.data()).unwrap();
        State::open(&self.data().join("state"), Arc::new(SystemClock::new())).unwrap()
    }

    /// While no server runs.
    pub(crate) fn put(&self, kind: &str, name: &str, text: &str) {
        let edit = Edit { author: "test", note: "", expected: Expected::Any };
        self.state().write(|change| change.put_document(kind, name, text, &edit)).unwrap();
    }

    pub(crate) fn start(&self) -> Server {
        Server::start(&self.data())
    }
}

/// A rule that fires at once and goes on.
pub(crate) const ONE: &str = "groups:\n- name: g\n  interval: 1s\n  rules:\n  - {alert: Hot, metric: \
    memory_percent, greater_than: 0, labels: {site: here}, severity: warning, annotations: \
    {summary: '{{ $value }}% of memory on {{ $labels.host }}'}, runbook: 'https://example.org/hot'}\n";
