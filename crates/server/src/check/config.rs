//! A check as it is configured: `[[check]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph_model::{Labels, METRIC_NAME};
use serde::Deserialize;

use super::Program;
use crate::scrape::duration;

/// One check.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckConfig {
    name: String,
    command: Vec<String>,
    interval: Option<String>,
    timeout: Option<String>,
    user: Option<String>,
    labels: BTreeMap<String, String>,
}

/// A check whose settings are sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) interval: Duration,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Check {
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl CheckConfig {
    /// # Errors
    /// The first key that cannot be, with what is allowed.
    pub fn into_check(self) -> Result<Check, String> {
        if self.name.is_empty() {
            return Err("a check needs a name: `name = \"…\"`".to_owned());
        }
        let name = self.name.clone();
        self.checked().map_err(|error| format!("check `{name}`: {error}"))
    }

    fn checked(self) -> Result<Check, String> {
        /// The text of a check is for people; performance data has a bound of its own.
        const MAX_OUTPUT_BYTES: usize = 64 * 1024;
        if self.command.first().is_none_or(String::is_empty) {
            return Err(
                "`command` must be a list: the program, then each argument; no shell reads it"
                    .to_owned(),
            );
        }
        let interval = duration("interval", self.interval.as_deref(), Duration::from_secs(60))?;
        let default_timeout = Duration::from_secs(10).min(interval);
        let timeout = duration("timeout", self.timeout.as_deref(), default_timeout)?;
        if interval < Duration::from_secs(1) {
            return Err("`interval` must be a second or more".to_owned());
        }
        if timeout > interval {
            return Err("`timeout` must not be longer than `interval`".to_owned());
        }
        let own = [METRIC_NAME, "check", "host", "perf", "unit"];
        if let Some(taken) = own.iter().find(|name| self.labels.contains_key(**name)) {
            return Err(format!("`labels` may not hold `{taken}`, which Barograph sets"));
        }
        Labels::new(&self.labels).map_err(|error| format!("`labels`: {error}"))?;
        let program = Program {
            argv: self.command,
            user: self.user,
            timeout,
            max_output_bytes: MAX_OUTPUT_BYTES,
            with_stderr: false,
        };
        Ok(Check { name: self.name, program, interval, labels: self.labels })
    }
}
