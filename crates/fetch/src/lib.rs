//! Asks other servers over HTTP/1.1, plain or by TLS: for scraping, for sending on, for telling.
//!
//! A [`Client`] speaks to one server and keeps its connection until files with certificates or keys
//! are changed. It follows no redirects, unpacks nothing, and reads no more of an answer than its
//! caller allows. Waiting is bounded by the caller, too: drop the future and the connection is gone.

mod reach;
mod tls;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;

pub use reach::{Network, NetworkError, Reach, ReachError};
pub use tls::{Connector, TlsError, TlsSettings, TlsVersion};

/// How a client proves who it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    #[default]
    None,
    Basic {
        user: String,
        password: String,
    },
    /// The value of `Authorization`, such as `Bearer …`.
    Header(String),
}

impl fmt::Debug for Credentials {
    /// Secrets stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::Header(_) => "Header(…)",
        })
    }
}

/// Speaks to one server.
#[derive(Debug)]
pub struct Client {
    address: Address,
    reach: Reach,
    tls: Option<tls::Connector>,
    headers: HeaderMap,
    kept: Mutex<Option<SendRequest<Full<Bytes>>>>,
    connections: AtomicU64,
}

#[derive(Debug)]
struct Address {
    host: String,
    port: u16,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What happens with more bytes of an answer than somebody wants.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Refuse(usize),
    Cut(usize),
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`{url}` is no address of the form `http://host:port/path` or `https://…`")]
    Url { url: String },
    #[error("`{url}` holds a user name; give it as a setting of its own")]
    UserInUrl { url: String },
    #[error("the credentials hold characters that no header may have")]
    Credentials,
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Connect(#[from] ReachError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    #[error("the answer is larger than {most} bytes")]
    TooLarge { most: usize },
}

impl Client {
    /// A head of an answer that is larger is no answer.
    const MAX_HEAD_BYTES: usize = 64 * 1024;

    /// # Errors
    /// A URL, credentials or certificates that cannot be used.
    pub fn new(
        url: &Uri,
        credentials: &Credentials,
        tls: &TlsSettings,
    ) -> Result<Self, ClientError> {
        let bad_url = || ClientError::Url { url: url.to_string() };
        let secure = match url.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad_url()),
        };
        let authority = url.authority().ok_or_else(bad_url)?;
        if authority.as_str().contains('@') {
            return Err(ClientError::UserInUrl { url: url.to_string() });
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(bad_url());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(authority.as_str()).map_err(|_| bad_url())?);
        let agent = concat!("Barograph/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if let Some(header) = Self::authorization(credentials)? {
            headers.insert(AUTHORIZATION, header);
        }
        let tls = if secure { Some(tls::Connector::new(tls, &host)?) } else { None };
        Ok(Self {
            address: Address { host, port },
            reach: Reach::Anywhere,
            tls,
            headers,
            kept: Mutex::default(),
            connections: AtomicU64::new(0),
        })
    }

    /// The value of `Authorization` for those who send it by themselves.
    ///
    /// # Errors
    /// Characters that no header may have.
    pub fn authorization(credentials: &Credentials) -> Result<Option<HeaderValue>, ClientError> {
        use base64::Engine as _;
        let text = match credentials {
            Credentials::None => return Ok(None),
            Credentials::Basic { user, password } => {
                let pair = format!("{user}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
            Credentials::Header(text) => text.clone(),
        };
        let mut header = HeaderValue::from_str(&text).map_err(|_| ClientError::Credentials)?;
        header.set_sensitive(true);
        Ok(Some(header))
    }

    /// Connects only where it may.
    #[must_use]
    pub fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// Sends a request and reads at most `limit` bytes of the answer. A request over a connection
    /// that was kept, but that the server has closed, is sent once more over a new one.
    ///
    /// # Errors
    /// No connection, a broken one, or an answer that is too large.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Answer, SendError> {
        self.ask(request, Limit::Refuse(limit)).await
    }

    /// As [`Client::send`], but an answer that is too large or that breaks off is cut: its status
    /// says enough.
    ///
    /// # Errors
    /// No connection, or one that broke before an answer began.
    pub async fn send_and_cut(
        &self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Answer, SendError> {
        self.ask(request, Limit::Cut(limit)).await
    }

    async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        limit: Limit,
    ) -> Result<Answer, SendError> {
        request.headers_mut().extend(self.headers.clone());
        // Taken before the files are looked at: who gives up meanwhile must not leave a connection
        // behind that was made with others than are known then.
        let kept = self.kept.lock().await.take();
        let is_renewed = match &self.tls {
            Some(tls) => tls.refresh().await?,
            None => false,
        };
        let kept = kept.filter(|_| !is_renewed);
        if let Some(mut connection) = kept
            && connection.ready().await.is_ok()
        {
            match self.exchange(connection, request.clone(), limit).await {
                Err(SendError::Broken(error))
                    if error.is_canceled()
                        || error.is_incomplete_message()
                        || error.is_closed() => {}
                outcome => return outcome,
            }
        }
        let connection = self.connect().await?;
        self.exchange(connection, request, limit).await
    }

    /// How often it has connected.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, SendError> {
        let Address { host, port } = &self.address;
        let socket = self.reach.connect(host, *port).await?;
        self.connections.fetch_add(1, Ordering::Relaxed);
        match &self.tls {
            None => Self::handshake(TokioIo::new(socket)).await,
            Some(tls) => {
                let failed =
                    |source| ReachError::Connect { host: host.clone(), port: *port, source };
                let socket = tls.connect(socket).await.map_err(failed)?;
                Self::handshake(TokioIo::new(socket)).await
            }
        }
    }

    async fn handshake<S>(socket: S) -> Result<SendRequest<Full<Bytes>>, SendError>
    where
        S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(Self::MAX_HEAD_BYTES);
        let (sender, connection) = builder.handshake(socket).await.map_err(SendError::Broken)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = barograph_model::chain(&error), "connection ended");
            }
        });
        Ok(sender)
    }

    async fn exchange(
        &self,
        mut connection: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        limit: Limit,
    ) -> Result<Answer, SendError> {
        let answer = connection.send_request(request).await.map_err(SendError::Broken)?;
        let (head, mut body) = answer.into_parts();
        let (Limit::Refuse(most) | Limit::Cut(most)) = limit;
        let declared = head.headers.get(CONTENT_LENGTH).and_then(|text| text.to_str().ok());
        let declared: Option<u64> = declared.and_then(|text| text.parse().ok());
        if matches!(limit, Limit::Refuse(_)) && declared.is_some_and(|it| it > most as u64) {
            return Err(SendError::TooLarge { most });
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let room = most - bytes.len();
            match (frame, limit) {
                (Ok(frame), _) if frame.data_ref().is_none_or(|it| it.len() <= room) => {
                    bytes.extend(frame.data_ref().into_iter().flatten());
                }
                (Ok(_), Limit::Refuse(most)) => return Err(SendError::TooLarge { most }),
                (Err(error), Limit::Refuse(_)) => return Err(SendError::Broken(error)),
                (frame, Limit::Cut(_)) => {
                    // The connection is of no use any more, and is not kept.
                    let rest = frame.ok().and_then(|it| it.into_data().ok());
                    bytes.extend(rest.into_iter().flatten().take(room));
                    return Ok(Answer::of(head, bytes));
                }
            }
        }
        *self.kept.lock().await = Some(connection);
        Ok(Answer::of(head, bytes))
    }
}

impl Answer {
    fn of(head: hyper::http::response::Parts, body: Vec<u8>) -> Self {
        Self { status: head.status, headers: head.headers, body: body.into() }
    }
}
