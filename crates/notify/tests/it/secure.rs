//! Receivers whose certificates are not what they should be.

use std::sync::Arc;

use barograph_notify::{Failure, Receipt};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{deliver, hostile};

/// A web server on this machine with a certificate of its own.
struct Secure {
    port: u16,
    folder: tempfile::TempDir,
}

impl Secure {
    async fn start(name: &str, last_year: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let made = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.pem()).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Whoever does not trust it hangs up.
                let Ok(mut socket) = acceptor.accept(socket).await else { continue };
                let mut bytes = vec![0; 64 * 1024];
                let read = socket.read(&mut bytes).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                let written = socket.write_all(answer).await;
                drop((read, written));
            }
        });
        Self { port, folder }
    }

    async fn deliver(&self, tls: &str) -> Result<Receipt, Failure> {
        let ca = self.folder.path().join("cert.pem");
        let tls = tls.replace("CA", &format!("ca_file: '{}'", ca.display()));
        let port = self.port;
        let document =
            format!("{{type: webhook, url: 'https://localhost:{port}/', tls: {{{tls}}}}}");
        deliver(&document, &hostile()).await
    }

    /// The failure, which another attempt may mend: somebody may renew the certificate meanwhile.
    async fn failure(&self, tls: &str) -> String {
        let failure = self.deliver(tls).await.unwrap_err();
        assert!(!failure.permanent && failure.untaken, "{failure:?}");
        let start = format!("no connection to localhost:{}: ", self.port);
        let reason = failure.text.strip_prefix(&start);
        reason.unwrap_or_else(|| panic!("{}", failure.text)).to_owned()
    }
}

#[tokio::test]
async fn a_certificate_that_is_trusted_will_do() {
    let good = Secure::start("localhost", 2100).await;
    assert_eq!(good.deliver("CA").await.unwrap().text, "ok");
    assert_eq!(good.deliver("insecure_skip_verify: true").await.unwrap().text, "ok");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_with_its_reason() {
    let unknown = Secure::start("localhost", 2100).await.failure("").await;
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let other = Secure::start("other.example", 2100).await.failure("CA").await;
    let says = |text: &str| other.contains(text);
    assert!(says("not valid for name") && says("localhost") && says("other.example"), "{other}");
    let old = Secure::start("localhost", 2020).await.failure("CA").await;
    assert!(old.contains("certificate expired") && old.contains("1577836800"), "{old}");
}
