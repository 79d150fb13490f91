//! TLS towards other servers: rustls with ring.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tracing_mutex::stdsync::{Mutex, MutexGuard};

/// Whom to trust, and who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Certificates of authorities, PEM; without it those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, PEM.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// The name that the server's certificate must hold, if it is not the address.
    pub server_name: Option<String>,
    /// Trusts anybody.
    pub insecure_skip_verify: bool,
    /// Older versions than 1.2 are never spoken.
    pub min_version: Option<TlsVersion>,
    pub max_version: Option<TlsVersion>,
}

/// A version of the protocol, as Prometheus calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "TLS10")]
    V1_0,
    #[serde(rename = "TLS11")]
    V1_1,
    #[serde(rename = "TLS12")]
    V1_2,
    #[serde(rename = "TLS13")]
    V1_3,
}

impl TlsSettings {
    /// Whether the versions go together; files are not read.
    ///
    /// # Errors
    /// They do not.
    pub fn check(&self) -> Result<(), TlsError> {
        self.versions().map(drop)
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.ca_file, &self.cert_file, &self.key_file].into_iter().flatten().map(PathBuf::as_path)
    }

    fn stamps(&self) -> Vec<Option<Stamp>> {
        let stamp = |path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        self.files().map(stamp).collect()
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
        let from = self.min_version.unwrap_or(TlsVersion::V1_2);
        let to = self.max_version.unwrap_or(TlsVersion::V1_3);
        if to < TlsVersion::V1_2 {
            return Err(TlsError::OldVersion);
        }
        match (from, to) {
            (from, to) if from > to => Err(TlsError::Versions),
            (TlsVersion::V1_3, _) => Ok(vec![&TLS13]),
            (_, TlsVersion::V1_3) => Ok(vec![&TLS13, &TLS12]),
            _ => Ok(vec![&TLS12]),
        }
    }
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("`{name}` is no name that a certificate can hold")]
    Name { name: String },
    #[error("{} holds no usable {what}", path.display())]
    File { path: PathBuf, what: &'static str, source: rustls::pki_types::pem::Error },
    #[error("`cert_file` and `key_file` are given together or not at all")]
    HalfAPair,
    #[error("the system has no certificates of authorities; name some by `ca_file`")]
    NoRoots,
    #[error("`min_version` is newer than `max_version`")]
    Versions,
    #[error("`max_version` is older than TLS 1.2, which is not spoken")]
    OldVersion,
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// When a file was changed last, and its size in bytes.
type Stamp = (SystemTime, u64);

/// Makes connections secret.
#[derive(Debug)]
pub struct Connector(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: TlsSettings,
    name: ServerName<'static>,
    made: Mutex<Made>,
}

/// What was made of the files.
struct Made {
    /// What they were like before they were read.
    stamps: Vec<Option<Stamp>>,
    connector: TlsConnector,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("stamps", &self.stamps).finish_non_exhaustive()
    }
}

impl Connector {
    /// # Errors
    /// A name that no certificate holds, or certificates that cannot be used.
    pub fn new(settings: &TlsSettings, host: &str) -> Result<Self, TlsError> {
        let name = settings.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| TlsError::Name { name: name.to_owned() })?;
        let made = Mutex::new(Made::of(settings)?);
        Ok(Self(Arc::new(Inner { settings: settings.clone(), name, made })))
    }

    /// Reads the files again if they were changed: certificates are renewed without anybody
    /// telling us. Whether they were.
    ///
    /// # Errors
    /// They cannot be used now; the next call reads them again.
    pub async fn refresh(&self) -> Result<bool, TlsError> {
        if self.0.settings.files().next().is_none() {
            return Ok(false);
        }
        let inner = Arc::clone(&self.0);
        let refreshed = tokio::task::spawn_blocking(move || inner.refresh()).await;
        refreshed.unwrap_or(Ok(false))
    }

    /// # Errors
    /// The other side is not whom it should be, or hangs up.
    pub async fn connect(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = self.0.made().connector.clone();
        connector.connect(self.0.name.clone(), socket).await
    }
}

impl Inner {
    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh(&self) -> Result<bool, TlsError> {
        if self.made().stamps == self.settings.stamps() {
            return Ok(false);
        }
        let made = Made::of(&self.settings)?;
        *self.made() = made;
        Ok(true)
    }
}

impl Made {
    fn of(settings: &TlsSettings) -> Result<Self, TlsError> {
        // Taken before the files are read, so that what changes meanwhile is seen the next time.
        let stamps = settings.stamps();
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&settings.versions()?)
            .map_err(TlsError::Unusable)?;
        let builder = if settings.insecure_skip_verify {
            let anybody = Arc::new(Anybody { provider });
            builder.dangerous().with_custom_certificate_verifier(anybody)
        } else {
            builder.with_root_certificates(roots(settings.ca_file.as_deref())?)
        };
        let config = match (&settings.cert_file, &settings.key_file) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let key_der = PrivateKeyDer::from_pem_file(key)
                    .map_err(|source| file(key, "private key", source))?;
                builder
                    .with_client_auth_cert(certificates(cert)?, key_der)
                    .map_err(TlsError::Unusable)?
            }
            _ => return Err(TlsError::HalfAPair),
        };
        Ok(Self { stamps, connector: TlsConnector::from(Arc::new(config)) })
    }
}

fn file(path: &Path, what: &'static str, source: rustls::pki_types::pem::Error) -> TlsError {
    TlsError::File { path: path.to_owned(), what, source }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| file(path, "certificate", source);
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(failed)?.collect();
    let found = found.map_err(failed)?;
    if found.is_empty() {
        return Err(failed(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(TlsError::Unusable)?;
        }
        return Ok(roots);
    }
    // Systems hold old certificates that rustls cannot read; the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(roots) }
}

/// Takes any certificate, as long as its owner signs the handshake.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl Anybody {
    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, self.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}
