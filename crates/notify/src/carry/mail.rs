//! Letters, by SMTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use barograph_fetch::{Connector, Network, Reach, TlsSettings};
use barograph_model::chain;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, Identity, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Message, transport::smtp};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::failure::{Failure, Receipt, said};

/// Servers that take mail listen here.
const MAIL_PORTS: [u16; 4] = [25, 465, 587, 2525];
/// Where the mail server of an organisation usually is.
const USUAL: [&str; 7] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
];

/// A letter to one receiver, and who takes it.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) server: Server,
    pub(crate) login: Option<Login>,
    pub(crate) from: Mailbox,
    pub(crate) to: String,
    /// The letter's own, the same when it is sent again.
    pub(crate) id: String,
    pub(crate) thread: String,
    pub(crate) at_ms: i64,
    pub(crate) is_urgent: bool,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) pictures: Vec<Picture>,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) tls: TlsSettings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    StartTls,
    Tls,
    None,
}

#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) title: String,
    pub(crate) png: Vec<u8>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A mail server stands in one's own network more often than not, so it may; other ports than
/// those of mail may not, for something else can be behind them.
pub(crate) fn reach(allowed: &[Network], port: u16) -> Reach {
    let usual = USUAL.iter().filter(|_| MAIL_PORTS.contains(&port));
    let usual = usual.filter_map(|text| text.parse().ok());
    Reach::Public { and: allowed.iter().copied().chain(usual).collect() }
}

impl Letter {
    pub(crate) async fn send(&self, allowed: &[Network]) -> Result<Receipt, Failure> {
        let message = self.message()?;
        let Server { host, port, encryption, tls } = &self.server;
        let socket =
            reach(allowed, *port).connect(host, *port).await.map_err(|it| super::unreached(&it))?;
        let hello = ClientId::default();
        let unusable = |error: &dyn std::error::Error| Failure::permanent(chain(error));
        let mut connection = if *encryption == Encryption::Tls {
            let connector = Connector::new(tls, host).map_err(|error| unusable(&error))?;
            let secure = connector.connect(socket).await.map_err(|error| {
                Failure::unreached(format!("{host}:{port}: no secure connection: {error}"))
            })?;
            AsyncSmtpConnection::connect_with_transport(Box::new(Secure(secure)), &hello).await
        } else {
            AsyncSmtpConnection::connect_with_transport(Box::new(socket), &hello).await
        }
        .map_err(|error| not_begun(&error))?;
        if *encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                let text = format!("{host} offers no STARTTLS; nothing is sent without encryption");
                return Err(Failure::permanent(text));
            }
            let parameters = parameters(tls, host).map_err(Failure::permanent)?;
            connection.starttls(parameters, &hello).await.map_err(|error| not_begun(&error))?;
        }
        if let Some(Login { user, password }) = &self.login {
            let credentials = Credentials::new(user.clone(), password.clone());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection.auth(&mechanisms, &credentials).await.map_err(|error| not_begun(&error))?;
        }
        let taken = connection.send(message.envelope(), &message.formatted()).await;
        let taken = taken.map_err(|error| failed(&error))?;
        let text = said(taken.message().collect::<Vec<_>>().join(" ").as_str());
        // The letter is the server's already.
        let ended = connection.quit().await;
        drop(ended);
        Ok(Receipt { text })
    }

    fn message(&self) -> Result<Message, Failure> {
        let bad = |error: &dyn std::error::Error| {
            Failure::permanent(format!("the letter cannot be written: {}", chain(error)))
        };
        let to: Mailbox = self.to.parse().map_err(|_| {
            let to = crate::text::cut(&crate::text::line(&self.to), 100);
            Failure::permanent(format!("`{to}` is no e-mail address"))
        })?;
        let date = UNIX_EPOCH + Duration::from_millis(self.at_ms.max(0).unsigned_abs());
        let root = self.message_id(&self.thread);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(self.subject.clone())
            .date(date)
            .message_id(Some(self.message_id(&format!("{}\n{}", self.id, self.to))))
            .references(root.clone())
            .in_reply_to(root)
            .header(AutoSubmitted("auto-generated".to_owned()));
        if self.is_urgent {
            builder = builder.header(Importance("high".to_owned()));
        }
        let html = SinglePart::html(self.html.clone());
        let mut related = MultiPart::related().singlepart(html);
        let png = ContentType::parse("image/png").map_err(|error| bad(&error))?;
        for (i, picture) in self.pictures.iter().enumerate() {
            let inline = Attachment::new_inline(format!("chart{i}"));
            related = related.singlepart(inline.body(Body::new(picture.png.clone()), png.clone()));
        }
        let text = SinglePart::plain(self.text.clone());
        let whole = MultiPart::alternative().singlepart(text).multipart(related);
        builder.multipart(whole).map_err(|error| bad(&error))
    }

    fn message_id(&self, of: &str) -> String {
        let hash = ring::digest::digest(&ring::digest::SHA256, of.as_bytes());
        let domain = self.from.email.domain();
        format!("<{}@{domain}>", URL_SAFE_NO_PAD.encode(hash.as_ref()))
    }

    pub(crate) fn shown(&self) -> String {
        let Self { from, to, subject, text, pictures, .. } = self;
        let titles = pictures.iter().map(|it| format!("\n[chart] {}", it.title));
        let titles: String = titles.collect();
        format!("From: {from}\nTo: {to}\nSubject: {subject}\n\n{text}\n{titles}")
    }
}

/// What the server said, or why it could not be asked.
fn failed(error: &smtp::Error) -> Failure {
    let text = said(&chain(error));
    match () {
        () if error.is_permanent() => Failure::permanent(text),
        // The server said so itself.
        () if error.is_transient() => Failure::unreached(text),
        () => Failure::passing(text),
    }
}

/// The same before anything of the letter was sent.
fn not_begun(error: &smtp::Error) -> Failure {
    Failure { untaken: true, ..failed(error) }
}

fn parameters(settings: &TlsSettings, host: &str) -> Result<TlsParameters, String> {
    let name = settings.server_name.clone().unwrap_or_else(|| host.to_owned());
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    let unusable = |error: smtp::Error| chain(&error);
    let mut builder = TlsParameters::builder(name)
        .dangerous_accept_invalid_certs(settings.insecure_skip_verify)
        .dangerous_accept_invalid_hostnames(settings.insecure_skip_verify);
    if let Some(path) = &settings.ca_file {
        let certificate = Certificate::from_pem(&read(path)?).map_err(unusable)?;
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    if let (Some(certificate), Some(key)) = (&settings.cert_file, &settings.key_file) {
        let identity = Identity::from_pem(&read(certificate)?, &read(key)?).map_err(unusable)?;
        builder = builder.identify_with(identity);
    }
    builder.build_rustls().map_err(unusable)
}

/// That nobody answers it automatically.
#[derive(Debug, Clone)]
struct AutoSubmitted(String);

#[derive(Debug, Clone)]
struct Importance(String);

macro_rules! header {
    ($type:ident, $name:literal) => {
        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

header!(AutoSubmitted, "Auto-Submitted");
header!(Importance, "Importance");

/// A connection that is secret from its beginning.
#[derive(Debug)]
struct Secure(TlsStream<TcpStream>);

impl AsyncTokioStream for Secure {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Secure {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Secure {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
