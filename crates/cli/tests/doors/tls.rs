//! TLS: certificates that are made here, exchanged while the service runs, and whoever speaks
//! something else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::site::{PATIENCE, Site};

/// A certificate and its key, in files.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { certificate: folder.join("server.crt"), key: folder.join("server.key") }
    }

    /// Makes new ones.
    pub(crate) fn make(&self) -> CertificateDer<'static> {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.certificate, certified.cert.pem()).unwrap();
        std::fs::write(&self.key, certified.signing_key.serialize_pem()).unwrap();
        certified.cert.der().clone()
    }

    pub(crate) fn settings(&self) -> Vec<String> {
        vec![
            format!("server.tls.certificate={}", self.certificate.display()),
            format!("server.tls.key={}", self.key.display()),
        ]
    }
}

fn socket(site: &Site) -> TcpStream {
    let socket = TcpStream::connect(site.address.strip_prefix("https://").unwrap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Asks whether the service lives, trusting this certificate alone; the version that was agreed on and
/// what was answered.
pub(crate) fn ask(
    site: &Site,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<(u16, String), String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, socket(site));
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    let version = stream.conn.protocol_version().map_or(0, u16::from);
    Ok((version, answer))
}

/// The first message of a client that knows versions up to this one.
fn hello(version: u8) -> Vec<u8> {
    let with_length = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length, bytes].concat()
    };
    // ECDHE_ECDSA_AES128_GCM_SHA256, and an older one; no session, no compression.
    let suites = with_length(&[0xc0, 0x2b, 0xc0, 0x09]);
    let mut body = [&[3, version][..], &[7; 32], &[0], &suites, &[1, 0]].concat();
    // Groups: P-256; signatures: ECDSA and RSA with SHA-256; uncompressed points; extended master secret.
    let mut extensions = vec![0, 10, 0, 4, 0, 2, 0, 0x17];
    extensions.extend([0, 13, 0, 6, 0, 4, 4, 3, 4, 1]);
    extensions.extend([0, 11, 0, 2, 1, 0]);
    extensions.extend([0, 23, 0, 0]);
    body.extend(with_length(&extensions));
    let message = [&[1, 0][..], &with_length(&body)].concat();
    [&[22, 3, 1][..], &with_length(&message)].concat()
}

#[test]
fn it_speaks_tls_as_of_1_2_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let certificate = files.make();
    let site = Site::new(folder.path(), &files.settings());
    for (version, number) in [(&rustls::version::TLS12, 0x0303), (&rustls::version::TLS13, 0x0304)]
    {
        let (agreed, answer) = ask(&site, &certificate, &[version]).unwrap();
        assert_eq!(agreed, number);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let lower = answer.to_ascii_lowercase();
        assert!(lower.contains("strict-transport-security: max-age="), "{answer}");
    }
    let stranger = Files::new(folder.path());
    let (was, key) = (std::fs::read(&stranger.certificate), std::fs::read(&stranger.key));
    let other = stranger.make();
    std::fs::write(&stranger.certificate, was.unwrap()).unwrap();
    std::fs::write(&stranger.key, key.unwrap()).unwrap();
    assert!(ask(&site, &other, rustls::ALL_VERSIONS).unwrap_err().contains("certificate"));

    // What is said to 1.2 is a hello (22, 2), and to 1.0 and 1.1 that the version is wrong (21; 2, 70).
    for (version, expected) in [(3, [22, 2]), (2, [21, 70]), (1, [21, 70])] {
        let mut socket = socket(&site);
        socket.write_all(&hello(version)).unwrap();
        let mut answer = [0; 7];
        socket.read_exact(&mut answer).unwrap();
        let kind = if answer[0] == 22 { answer[5] } else { answer[6] };
        assert_eq!([answer[0], kind], expected, "3.{version}: {answer:?}");
    }

    // Whoever speaks HTTP gets no answer of HTTP, and does not wait for it.
    for plain in ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\n", "\0\0\0\0\0\0"] {
        let mut socket = socket(&site);
        socket.write_all(plain.as_bytes()).unwrap();
        let began = Instant::now();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        assert!(began.elapsed() < Duration::from_secs(20), "{plain:?}: {:?}", began.elapsed());
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    }
    // Nor does whoever says nothing at all.
    let mut socket = socket(&site);
    let began = Instant::now();
    let _ = socket.read_to_end(&mut Vec::new());
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
}

#[test]
fn a_certificate_is_exchanged_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path());
    let first = files.make();
    let site = Site::new(folder.path(), &files.settings());
    ask(&site, &first, rustls::ALL_VERSIONS).unwrap();
    // A key that is none does no harm: what was there goes on, and it is said.
    std::fs::write(&files.key, "no key").unwrap();
    let began = Instant::now();
    while !site.said().contains("the certificate cannot be read again") {
        assert!(began.elapsed() < PATIENCE, "{}", site.said());
        std::thread::sleep(Duration::from_millis(200));
    }
    ask(&site, &first, rustls::ALL_VERSIONS).unwrap();
    let second = files.make();
    let began = Instant::now();
    while ask(&site, &second, rustls::ALL_VERSIONS).is_err() {
        assert!(began.elapsed() < PATIENCE, "{}", site.said());
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(ask(&site, &first, rustls::ALL_VERSIONS).is_err());
}
