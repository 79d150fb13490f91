//! How we sign in at other servers, as it is configured. Secrets may stand in files, which are read
//! anew for every request: whoever changes tokens need not tell us.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use barograph_fetch::{Client, Credentials};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BasicAuth {
    username: Option<String>,
    username_file: Option<PathBuf>,
    password: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Authorization {
    r#type: Option<String>,
    credentials: Option<String>,
    credentials_file: Option<PathBuf>,
}

/// What one header is set to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HeaderValues {
    values: Vec<String>,
    secrets: Vec<String>,
    files: Vec<PathBuf>,
}

impl BasicAuth {
    pub(super) fn new(username: String, password: String) -> Self {
        Self { username: Some(username), password: Some(password), ..Self::default() }
    }
}

impl Authorization {
    pub(super) fn bearer(token: String) -> Self {
        Self { credentials: Some(token), ..Self::default() }
    }

    pub(super) fn of(token: Option<String>, token_file: Option<PathBuf>) -> Option<Self> {
        let given = token.is_some() || token_file.is_some();
        given.then_some(Self { r#type: None, credentials: token, credentials_file: token_file })
    }
}

/// A text that may be secret.
#[derive(Clone, PartialEq, Eq)]
enum Secret {
    Text(String),
    File { key: String, path: PathBuf },
}

impl fmt::Debug for Secret {
    /// Secrets stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("…"),
            Self::File { path, .. } => write!(f, "{}", path.display()),
        }
    }
}

impl Secret {
    fn new(key: &str, text: Option<String>, file: Option<PathBuf>) -> Result<Self, String> {
        match (text, file) {
            (Some(text), None) => Ok(Self::Text(text)),
            (None, Some(path)) => Ok(Self::File { key: format!("{key}_file"), path }),
            (None, None) => Err(format!("`{key}` or `{key}_file` is missing")),
            (Some(_), Some(_)) => Err(format!("`{key}` and `{key}_file` cannot both be given")),
        }
    }

    fn open(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File { key, path } => {
                read(path).map_err(|error| format!("`{key}`: {}: {error}", path.display()))
            }
        }
    }

    fn is_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

fn read(path: &Path) -> Result<String, String> {
    /// More than any token has, and less than harms.
    const MAX_BYTES: u64 = 64 * 1024;
    let mut text = String::new();
    let shown = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(shown)?.take(MAX_BYTES + 1);
    file.read_to_string(&mut text).map_err(shown)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("the file is larger than {MAX_BYTES} bytes"));
    }
    Ok(text.trim().to_owned())
}

/// What is sent with every request: who we are, and what else is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SignIn {
    who: Who,
    headers: Vec<(HeaderName, Vec<Secret>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Who {
    #[default]
    Nobody,
    Basic {
        user: Secret,
        password: Secret,
    },
    Header {
        kind: String,
        secret: Secret,
    },
}

impl SignIn {
    /// From settings as Prometheus has them. Files must be there already now.
    pub(crate) fn new(
        basic: Option<BasicAuth>,
        authorization: Option<Authorization>,
    ) -> Result<Self, String> {
        let who = match (basic, authorization) {
            (None, None) => Who::Nobody,
            (Some(_), Some(_)) => {
                return Err("`basic_auth` and `authorization` cannot both be given".to_owned());
            }
            (Some(BasicAuth { username, username_file, password, password_file }), None) => {
                let user = match (&username, &username_file) {
                    (None, None) => Some(String::new()),
                    _ => username,
                };
                Who::Basic {
                    user: Secret::new("username", user, username_file)?,
                    password: Secret::new("password", password, password_file)?,
                }
            }
            (None, Some(one)) => Who::Header {
                kind: one.r#type.unwrap_or_else(|| "Bearer".to_owned()),
                secret: Secret::new("credentials", one.credentials, one.credentials_file)?,
            },
        };
        let sign_in = Self { who, headers: Vec::new() };
        sign_in.headers().map(|_| sign_in)
    }

    /// Headers more, as Prometheus' `http_headers` names them.
    pub(super) fn with_headers(
        mut self,
        headers: BTreeMap<String, HeaderValues>,
    ) -> Result<Self, String> {
        for (name, HeaderValues { values, secrets, files }) in headers {
            let about = |what: &str| format!("`http_headers`: `{name}` {what}");
            let header = HeaderName::try_from(&name).map_err(|_| about("is no header"))?;
            if is_ours(&header) {
                return Err(about("cannot be set by hand"));
            }
            let file = |path| Secret::File { key: format!("http_headers.{name}.files"), path };
            let texts = values.into_iter().chain(secrets).map(Secret::Text);
            self.headers.push((header, texts.chain(files.into_iter().map(file)).collect()));
        }
        self.headers().map(|_| self)
    }

    /// Whether making headers reads files.
    pub(super) fn has_files(&self) -> bool {
        let of_who = match &self.who {
            Who::Nobody => false,
            Who::Basic { user, password } => user.is_file() || password.is_file(),
            Who::Header { secret, .. } => secret.is_file(),
        };
        of_who || self.headers.iter().flat_map(|(_, values)| values).any(Secret::is_file)
    }

    /// The headers of one request, with the secrets as they are now.
    pub(crate) fn headers(&self) -> Result<HeaderMap, String> {
        let credentials = match &self.who {
            Who::Nobody => Credentials::None,
            Who::Basic { user, password } => {
                Credentials::Basic { user: user.open()?, password: password.open()? }
            }
            Who::Header { kind, secret } => {
                Credentials::Header(format!("{kind} {}", secret.open()?))
            }
        };
        let header = Client::authorization(&credentials).map_err(|error| error.to_string())?;
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|value| (AUTHORIZATION, value)));
        for (name, values) in &self.headers {
            for value in values {
                let mut value = HeaderValue::from_str(&value.open()?)
                    .map_err(|_| format!("`http_headers`: `{name}` cannot hold such a text"))?;
                value.set_sensitive(true);
                headers.append(name, value);
            }
        }
        Ok(headers)
    }
}

/// Headers that the connection or the form of the answer hangs on, or that have settings of their
/// own. Prometheus refuses them, too.
fn is_ours(name: &HeaderName) -> bool {
    const OURS: [&str; 15] = [
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-prometheus-scrape-timeout-seconds",
    ];
    OURS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(settings: serde_json::Value) -> Result<SignIn, String> {
        SignIn::default().with_headers(serde_json::from_value(settings).unwrap())
    }

    #[test]
    fn files_are_read_anew_and_told_of_when_they_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let sign_in = SignIn::new(None, Authorization::of(None, Some(path.clone()))).unwrap();
        assert_eq!(sign_in.headers().unwrap()[AUTHORIZATION], "Bearer first");
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(sign_in.headers().unwrap()[AUTHORIZATION], "Bearer second");
        std::fs::remove_file(&path).unwrap();
        let error = sign_in.headers().unwrap_err();
        assert!(error.starts_with(&format!("`credentials_file`: {}: ", path.display())), "{error}");
        let again = SignIn::new(None, Authorization::of(None, Some(path)));
        assert_eq!(again, Err(error));
    }

    #[test]
    fn headers_of_three_kinds_are_sent_and_ours_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "from file\n").unwrap();
        let sign_in = headers(serde_json::json!({
            "X-Scope-OrgID": {"values": ["a", "b"]},
            "X-Key": {"secrets": ["s"], "files": [path]},
        }))
        .unwrap();
        assert!(sign_in.has_files() && !format!("{sign_in:?}").contains("\"s\""));
        let sent = sign_in.headers().unwrap();
        let values = |name: &str| -> Vec<_> {
            sent.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
        };
        assert_eq!(values("x-scope-orgid"), ["a", "b"]);
        assert_eq!(values("x-key"), ["s", "from file"]);
        for (name, error) in [
            ("Host", "`http_headers`: `Host` cannot be set by hand"),
            ("a b", "`http_headers`: `a b` is no header"),
        ] {
            assert_eq!(headers(serde_json::json!({name: {"values": ["x"]}})).unwrap_err(), error);
        }
    }
}
