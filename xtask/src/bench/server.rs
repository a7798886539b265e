//! A small HTTP server of one file, with ranges, keep-alive and a delay before every answer.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;

/// A server on the loopback interface. It ends with the process.
pub(super) struct Server {
    port: u16,
    requests: Arc<AtomicU64>,
}

impl Server {
    /// Serves `file`, every answer delayed.
    pub(super) fn start(file: &Path, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let file = Arc::new(File::open(file)?);
        let requests = Arc::new(AtomicU64::new(0));
        let counter = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(std::result::Result::ok) {
                let (file, counter) = (file.clone(), counter.clone());
                std::thread::spawn(move || {
                    let _ = serve(&stream, &file, delay, &counter);
                });
            }
        });
        Ok(Self { port, requests })
    }

    /// Where the file is.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/disk.qcow2", self.port)
    }

    /// How many requests have been answered.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

fn serve(stream: &TcpStream, file: &File, delay: Duration, requests: &AtomicU64) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream).lines();
    let length = file.metadata()?.len();
    loop {
        let mut range = None;
        loop {
            let Some(line) = lines.next() else { return Ok(()) };
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(asked) = line.strip_prefix("range: bytes=") {
                let (start, end) = asked.split_once('-').unwrap_or(("0", ""));
                range = Some((
                    start.parse::<u64>().unwrap_or(0),
                    end.parse::<u64>().unwrap_or(length - 1).min(length - 1),
                ));
            }
        }
        requests.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(delay);
        let (status, start, end) = match range {
            Some((start, end)) => ("206 Partial Content", start, end),
            None => ("200 OK", 0, length - 1),
        };
        let mut body = vec![0; (end + 1 - start) as usize];
        file.read_exact_at(&mut body, start)?;
        let mut answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{end}/{length}\r\n\
             Accept-Ranges: bytes\r\nETag: \"bench\"\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.append(&mut body);
        let mut stream = stream;
        stream.write_all(&answer)?;
    }
}
