//! A web server that serves a folder over TLS, and a proxy before it.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The name that the server's certificate is of; the proxy alone knows where it is.
pub(crate) const NAME: &str = "mirror.test";

/// A server, and the proxy that leads to it.
pub(crate) struct Web {
    folder: PathBuf,
    /// Where the server itself listens.
    #[allow(dead_code, reason = "not every test goes past the proxy")]
    pub(crate) address: SocketAddr,
    /// Where the proxy listens.
    pub(crate) proxy: String,
    /// The file of the authority that signed the server's certificate.
    pub(crate) authority: PathBuf,
    /// What was asked for, a line each: the method and path, the range, and the answer's status.
    requests: Arc<Mutex<Vec<String>>>,
    /// After how many bytes of its body the next long answer is cut; 0 for not at all.
    cut: Arc<AtomicUsize>,
}

impl Web {
    /// Serves the folder `files` of this one.
    pub(crate) fn of(folder: &Path) -> Self {
        let files = folder.join("files");
        std::fs::create_dir_all(&files).unwrap();
        let certified = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        let authority = folder.join("authority.pem");
        std::fs::write(&authority, certified.cert.pem()).unwrap();
        let key = certified.signing_key.serialize_der();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certified.cert.der().clone()],
                rustls::pki_types::PrivateKeyDer::try_from(key).unwrap(),
            )
            .unwrap();
        let tls = Arc::new(tls);
        let (requests, cut) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        let shared = (files.clone(), Arc::clone(&requests), Arc::clone(&cut));
        thread::spawn(move || {
            for stream in server.incoming() {
                let ((files, requests, cut), tls) = (shared.clone(), Arc::clone(&tls));
                thread::spawn(move || {
                    let connection = rustls::ServerConnection::new(tls).unwrap();
                    let stream = rustls::StreamOwned::new(connection, stream.unwrap());
                    // A client that goes away is no failure of the server.
                    drop(serve(stream, &files, &requests, &cut));
                });
            }
        });
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        thread::spawn(move || {
            for stream in proxy.incoming() {
                thread::spawn(move || drop(tunnel(stream.unwrap(), to)));
            }
        });
        Self { folder: files, address: to, proxy: address, authority, requests, cut }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{NAME}/{path}")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Cuts the next answer that is longer behind so many bytes.
    pub(crate) fn cut(&self, bytes: usize) {
        self.cut.store(bytes, Ordering::SeqCst);
    }

    /// What was asked for since this was asked last.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn serve(
    stream: impl Read + Write,
    folder: &Path,
    requests: &Mutex<Vec<String>>,
    cut: &AtomicUsize,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
        let header = |name: &str| {
            head.iter().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let range = header("range");
        let mut say = |status: &str, headers: &str, body: &[u8]| -> io::Result<bool> {
            let line = format!("{path} {} {}", range.as_deref().unwrap_or("-"), &status[..3]);
            requests.lock().unwrap().push(line);
            let length = body.len();
            let out = stream.get_mut();
            write!(out, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n")?;
            let end = cut.load(Ordering::SeqCst);
            let is_cut = end > 0 && body.len() > end;
            if is_cut {
                cut.store(0, Ordering::SeqCst);
            }
            out.write_all(if is_cut { &body[..end] } else { body })?;
            out.flush()?;
            Ok(is_cut)
        };
        let Ok(bytes) = std::fs::read(folder.join(path.trim_start_matches('/'))) else {
            say("404 Not Found", "", b"")?;
            continue;
        };
        // What a file holds is its version.
        let sum =
            bytes.iter().fold(7_u64, |sum, it| sum.wrapping_mul(31).wrapping_add((*it).into()));
        let tag = format!("\"{}-{sum:x}\"", bytes.len());
        let headers = format!("ETag: {tag}\r\nAccept-Ranges: bytes\r\n");
        if header("if-none-match") == Some(tag.clone()) {
            say("304 Not Modified", &headers, b"")?;
            continue;
        }
        let wanted = range.as_deref().filter(|_| header("if-range").is_none_or(|it| it == tag));
        let wanted = wanted.and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            let last = last.parse().unwrap_or(usize::MAX).min(bytes.len().saturating_sub(1));
            Some((first.parse::<usize>().ok()?, last))
        });
        let is_cut = match wanted {
            Some((first, last)) if first <= last && first < bytes.len() => {
                let said = format!("Content-Range: bytes {first}-{last}/{}\r\n", bytes.len());
                say("206 Partial", &format!("{headers}{said}"), &bytes[first..=last])?
            }
            Some(_) => {
                let said = format!("Content-Range: bytes */{}\r\n", bytes.len());
                say("416 No", &said, b"")?
            }
            None => say("200 OK", &headers, &bytes)?,
        };
        if is_cut {
            return Ok(());
        }
    }
}

/// Leads one connection to the server, whatever name is asked for, as long as it is its own.
fn tunnel(client: TcpStream, to: std::net::SocketAddr) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    let mut client = client;
    if !first.starts_with(&format!("CONNECT {NAME}:443 ")) {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let server = TcpStream::connect(to)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        drop(io::copy(&mut from_server, &mut to_client));
        to_client.shutdown(std::net::Shutdown::Both)
    });
    let mut to_server = server;
    drop(io::copy(&mut reader, &mut to_server));
    drop(to_server.shutdown(std::net::Shutdown::Both));
    drop(back.join());
    Ok(())
}
