//! A caller over HTTP/1.1 that keeps its connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

pub(crate) struct Caller {
    server: String,
    token: Option<String>,
    connection: Option<BufReader<TcpStream>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Caller {
    /// To HOST:PORT; `FATHOM_TOKEN` has the token, where one is asked for.
    pub(crate) fn new(server: &str) -> Self {
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { server, token: std::env::var("FATHOM_TOKEN").ok(), connection: None }
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask("GET", path, "")
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer> {
        let answer = self.try_ask(method, path, body);
        if answer.is_err() {
            self.connection = None;
        }
        answer
    }

    fn try_ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(&self.server).context("connecting")?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            self.connection = Some(BufReader::with_capacity(64 << 10, stream));
        }
        let Some(connection) = &mut self.connection else { bail!("there is no connection") };
        let token = self
            .token
            .as_ref()
            .map_or(String::new(), |it| format!("Authorization: Bearer {it}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{token}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.server,
            body.len()
        );
        connection.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status: u16 = status.with_context(|| format!("{line:?} is no answer"))?;
        let mut length = None;
        loop {
            line.clear();
            connection.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            }
        }
        let length = length.context("an answer of which the length is not said")?;
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        Ok(Answer { status, body })
    }
}
