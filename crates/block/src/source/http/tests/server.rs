//! A small web server that honours ranges, or does not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first byte asked for, and the one behind the last.
    pub(super) fn range(&self, total: usize) -> (usize, usize) {
        let range = self.header("range").unwrap().strip_prefix("bytes=").unwrap();
        let (first, last) = range.split_once('-').unwrap();
        (first.parse().unwrap(), (last.parse::<usize>().unwrap() + 1).min(total))
    }
}

/// An answer: a status line with headers, and a body that may be cut or slow.
pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// Closes the connection afterwards.
    pub(super) close: bool,
    /// A pause before each of this many bytes.
    pub(super) drip: Option<(Duration, usize)>,
}

impl Answer {
    pub(super) fn new(head: &str, body: &[u8]) -> Self {
        Self { head: head.to_owned(), body: body.to_vec(), close: false, drip: None }
    }

    /// The range that was asked for, with these headers besides.
    pub(super) fn range(request: &Request, image: &[u8], headers: &str) -> Self {
        let (start, end) = request.range(image.len());
        if start >= end {
            let head =
                format!("416 No\r\nContent-Range: bytes */{}\r\nContent-Length: 0", image.len());
            return Self::new(&head, b"");
        }
        let head = format!(
            "206 Part\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}{headers}",
            end - 1,
            image.len(),
            end - start
        );
        Self::new(&head, &image[start..end])
    }
}

type Handler = dyn Fn(&Request, usize) -> Answer + Send + Sync;

/// A server that runs until the test ends.
pub(super) struct Server {
    pub(super) port: u16,
    scheme: &'static str,
    pub(super) requests: Arc<Mutex<Vec<Request>>>,
    pub(super) connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each request by `handler`, which is also told how many came before.
    pub(super) fn new(handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(None, handler)
    }

    pub(super) fn secure(
        tls: Arc<rustls::ServerConfig>,
        handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(tls), handler)
    }

    fn start(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (requests, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::default());
        let server = Self {
            port,
            scheme,
            requests: Arc::clone(&requests),
            connections: Arc::clone(&connections),
        };
        let handler: Arc<Handler> = Arc::new(handler);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                connections.fetch_add(1, Ordering::Relaxed);
                let (handler, requests, tls) = (handler.clone(), requests.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &*handler, &requests),
                    Some(tls) => {
                        let connection = rustls::ServerConnection::new(tls).unwrap();
                        serve(rustls::StreamOwned::new(connection, stream), &*handler, &requests);
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.port)
    }

    pub(super) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// What both kinds of connection are.
pub(super) trait Connection: Read + Write {}
impl Connection for TcpStream {}
impl Connection for rustls::StreamOwned<rustls::ServerConnection, TcpStream> {}

fn serve(stream: impl Connection, handler: &Handler, requests: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream) {
        let before = {
            let mut requests = requests.lock().unwrap();
            requests.push(request.clone());
            requests.len() - 1
        };
        let answer = handler(&request, before);
        let out = stream.get_mut();
        let head = format!("HTTP/1.1 {}\r\n\r\n", answer.head);
        if out.write_all(head.as_bytes()).is_err() {
            return;
        }
        let sent = match answer.drip {
            None => out.write_all(&answer.body),
            Some((pause, bytes)) => answer.body.chunks(bytes).try_for_each(|chunk| {
                std::thread::sleep(pause);
                out.write_all(chunk).and_then(|()| out.flush())
            }),
        };
        if sent.and_then(|()| out.flush()).is_err() || answer.close {
            return;
        }
    }
}

fn read_request(stream: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((key, value)) => {
                headers.push((key.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => return Some(Request { path, headers }),
        }
    }
}
