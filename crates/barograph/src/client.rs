//! Asks a running server, for commands that show what it knows.

use std::time::Duration;

use clap::Args;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Which server to ask.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Address of a running `barograph serve`; `http://` can be left out.
    #[arg(
        long,
        visible_alias = "url",
        value_name = "URL",
        env = "BAROGRAPH_SERVER",
        default_value = "http://127.0.0.1:7575"
    )]
    pub(crate) server: String,
}

/// A server's interfaces.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
}

/// What a refusal holds; `docs/api/http.md` describes it.
#[derive(Debug, Deserialize)]
struct Refusal {
    error: RefusalBody,
}

#[derive(Debug, Deserialize)]
struct RefusalBody {
    message: String,
    #[serde(default)]
    suggestions: Vec<String>,
}

impl Client {
    const PATIENCE: Duration = Duration::from_secs(30);
    const MAX_ANSWER_BYTES: u64 = 256 * 1024 * 1024;

    /// # Errors
    /// An address that is not one of plain HTTP.
    pub(crate) fn new(args: &ServerArgs) -> anyhow::Result<Self> {
        Self::patient(args, Self::PATIENCE)
    }

    /// For answers that may take as long as this.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn patient(args: &ServerArgs, patience: Duration) -> anyhow::Result<Self> {
        let base = base(&args.server)?;
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(patience))
            // A server ends a connection between two requests when it likes, and who sends the next
            // one at that moment is told that nobody is there.
            .max_idle_connections(0)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        Ok(Self { agent, base })
    }

    /// The answer at a path with its parameters, such as `/api/host`.
    ///
    /// # Errors
    /// No server there, a refusal (with its message), or an answer in another form.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.taken(path, self.agent.get(format!("{}{path}", self.base)).call())
    }

    /// The answer to a body that is posted as JSON.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body)?;
        let request = self.agent.post(format!("{}{path}", self.base));
        self.taken(path, request.header("Content-Type", "application/json").send(&body))
    }

    /// The answer to a text that is sent by any method.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn send_text<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        text: &str,
    ) -> anyhow::Result<T> {
        let address = format!("{}{path}", self.base);
        let asked = match method {
            "DELETE" => self.agent.delete(address).call(),
            "PUT" => self.agent.put(address).content_type("text/plain").send(text),
            _ => self.agent.post(address).content_type("text/plain").send(text),
        };
        self.taken(path, asked)
    }

    fn taken<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> anyhow::Result<T> {
        let mut answer = asked.map_err(|error| self.unreachable(error))?;
        let ok = answer.status().is_success();
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(Self::MAX_ANSWER_BYTES).read_to_vec()?;
        if ok {
            return serde_json::from_slice(&body).map_err(|error| {
                anyhow::Error::new(error)
                    .context(format!("the server's answer at {path} is in another form"))
            });
        }
        let Ok(Refusal { error }) = serde_json::from_slice(&body) else {
            anyhow::bail!("the server answered {path} with {status}");
        };
        let near = match error.suggestions.as_slice() {
            [] => String::new(),
            names => format!("; near to it: {}", names.join(", ")),
        };
        Err(Failure::Input(format!("{}{near}", error.message)).into())
    }

    /// The body of the answer to a posted form, whether it is a refusal or not.
    ///
    /// # Errors
    /// No server there.
    pub(crate) fn ask(&self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<Vec<u8>> {
        let asked = self.agent.post(format!("{}{path}", self.base)).send_form(form.iter().copied());
        let mut answer = asked.map_err(|error| self.unreachable(error))?;
        Ok(answer.body_mut().with_config().limit(Self::MAX_ANSWER_BYTES).read_to_vec()?)
    }

    fn unreachable(&self, error: ureq::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!(
            "cannot ask the server at {} (is `barograph serve` running? choose another by --server)",
            self.base
        ))
    }
}

/// The address in full, without the last slash.
fn base(server: &str) -> Result<String, Failure> {
    let host = if server.contains("://") { server.strip_prefix("http://") } else { Some(server) };
    let host = host.map(|host| host.trim_end_matches('/'));
    let host = host.filter(|host| !host.is_empty() && !host.starts_with('/')).ok_or_else(|| {
        let message =
            format!("`{server}` is not a server's address, such as http://127.0.0.1:7575");
        Failure::Input(message)
    })?;
    Ok(format!("http://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_no_http_before_it() {
        for server in ["127.0.0.1:7575", "http://127.0.0.1:7575", "http://127.0.0.1:7575/"] {
            assert_eq!(base(server).unwrap(), "http://127.0.0.1:7575");
        }
        assert_eq!(base("monitor").unwrap(), "http://monitor");
        for server in ["https://monitor", "", "/", "http://", "ftp://x"] {
            let error = base(server).unwrap_err().to_string();
            assert!(error.contains("is not a server's address"), "{server}: {error}");
        }
    }
}
