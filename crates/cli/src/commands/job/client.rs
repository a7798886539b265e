//! Asks a service over HTTP.

use std::io::{BufRead, BufReader, Read as _};
use std::time::Duration;

use fathom_block::Error;
use fathom_block::source::{HttpOptions, Secret};
use fathom_config::others_can_read;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::Request;
use ureq::{Agent, Body};

use crate::args::Remote;
use crate::exit::{Failure, say};

/// The environment variable with the token.
const TOKEN: &str = "FATHOM_TOKEN";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the service may be silent: longer than it takes to say that it is still there.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest answer.
const LONGEST: u64 = 512 << 20;
/// The longest problem.
const LONGEST_PROBLEM: u64 = 1 << 20;

/// A service.
pub(super) struct Client {
    agent: Agent,
    base: String,
    token: Option<Secret>,
}

impl Client {
    /// The service that was named.
    pub(super) fn of(remote: &Remote) -> Result<Self, Failure> {
        let base = remote.server.trim_end_matches('/').to_owned();
        let wrong = |why: &str| Err(Failure::Usage(format!("--server {base}: {why}")));
        let Some((scheme, rest)) = base.split_once("://") else {
            return wrong("it is no address such as http://127.0.0.1:8080");
        };
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return wrong("an address of a service begins with http:// or https://"),
        };
        if rest.contains('@') {
            return Err(Failure::Usage(format!(
                "--server: an address has no secrets in it; the token goes into {TOKEN}, or into a file"
            )));
        }
        if rest.contains(['?', '#']) || rest.is_empty() {
            return wrong("it is no address of a service, such as http://127.0.0.1:8080");
        }
        let token = token(remote)?;
        if token.is_some() && !secure && !is_local(rest) {
            say("warning: the token is sent over http://: whoever is on the way can read it");
        }
        let options = HttpOptions::new().ca_file(remote.ca_file.clone()).timeouts(CONNECT, SILENCE);
        let agent = fathom_block::source::agent(&options, secure)?;
        Ok(Self { agent, base, token })
    }

    /// What the service answers, as it is written.
    pub(super) fn text(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<String, Failure> {
        let mut answer = self.ask(method, path, &[], body)?;
        answer.with_config().limit(LONGEST).read_to_string().map_err(|error| self.away(&error))
    }

    /// What the service answers.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<T, Failure> {
        let text = self.text(method, path, body)?;
        serde_json::from_str(&text)
            .map_err(|error| self.unreachable(&format!("it answers what fathom does not: {error}")))
    }

    /// What the service tells as it comes, after the event of this number.
    pub(super) fn stream(&self, path: &str, after: u64) -> Result<impl BufRead + use<>, Failure> {
        let after = after.to_string();
        let answer = self.ask("GET", path, &[("last-event-id", &after)], None)?;
        Ok(BufReader::new(answer.into_reader()))
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Result<Body, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.expose()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let invalid = |_| Failure::Usage(format!("--server {}: it is no address", self.base));
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body).map_err(invalid)?)
            }
            None => self.agent.run(request.body(()).map_err(invalid)?),
        };
        let answer = answer.map_err(|error| self.away(&error))?;
        match answer.status().as_u16() {
            200..300 => Ok(answer.into_body()),
            status => Err(self.refused(status, answer.into_body())),
        }
    }

    /// Why the service does not do it.
    fn refused(&self, status: u16, body: Body) -> Failure {
        let mut text = String::new();
        // A problem that cannot be read is none.
        let _ = body.into_reader().take(LONGEST_PROBLEM).read_to_string(&mut text);
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let (Some(code), Some(detail)) = (problem["code"].as_str(), problem["detail"].as_str())
        else {
            return self.unreachable(&format!("it answers {status}, and not as fathom does"));
        };
        let why = format!("{detail} ({code})");
        match status {
            401 if self.token.is_none() => {
                let what = format!("{why}; the token goes into {TOKEN}, or into --token-file");
                Error::refused(self.base.as_str(), what).into()
            }
            401 | 403 => Error::refused(self.base.as_str(), why).into(),
            404 => Error::not_found(self.base.as_str(), why).into(),
            409 if code == "NOT_FINISHED" => {
                say(&why);
                Failure::Said(super::NOT_ENDED)
            }
            429 | 500.. => self.unreachable(&why),
            _ => Failure::Usage(why),
        }
    }

    fn away(&self, error: &ureq::Error) -> Failure {
        self.unreachable(&match error {
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                "nobody answers there; is `fathom serve` running? --server or FATHOM_SERVER says where"
                    .to_owned()
            }
            ureq::Error::HostNotFound => "there is no such host".to_owned(),
            ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
            error => error.to_string(),
        })
    }

    fn unreachable(&self, why: &str) -> Failure {
        Error::unreachable(self.base.as_str(), why).into()
    }
}

/// The token of the environment, or of the file that was named.
fn token(remote: &Remote) -> Result<Option<Secret>, Failure> {
    let text = match (&remote.token_file, std::env::var(TOKEN)) {
        (Some(path), _) => {
            let shown = path.display().to_string();
            if others_can_read(path).is_some() {
                say(&format!("warning: {shown}: others can read the token; chmod 600 mends that"));
            }
            std::fs::read_to_string(path).map_err(Failure::reading(shown))?
        }
        (None, Ok(text)) => text,
        (None, Err(_)) => return Ok(None),
    };
    let text = text.trim();
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Failure::Usage("the token has spaces or control characters in it".to_owned()));
    }
    Ok((!text.is_empty()).then(|| Secret::new(text.to_owned())))
}

fn is_local(rest: &str) -> bool {
    let host = rest.split('/').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
