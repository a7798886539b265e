//! Files of web servers that are read from their beginning to their end.
//!
//! Other than images these are asked for by servers of all kinds: one that knows no ranges sends the
//! whole, and what was there already is passed over. What comes is never more than whoever asks has
//! said.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::Response;

use super::HttpOptions;
use super::agent::Agents;
use super::answer::{ContentRange, text};
use super::client::{Again, Client, Failure};
use crate::error::{Error, Result};
use crate::meter::Meter;

/// Web servers, by connections that are kept between requests.
pub struct Web {
    pub(super) agents: Arc<Agents>,
    meter: Arc<Meter>,
}

/// What is made of a piece.
type Each<'e> = dyn FnMut(&[u8]) -> io::Result<()> + 'e;

impl Web {
    /// Servers that are asked in this way.
    pub fn new(options: &HttpOptions) -> Self {
        Self { agents: Arc::new(Agents::new(options.clone())), meter: Arc::default() }
    }

    pub(super) fn client(&self, url: &str) -> Result<Client> {
        Client::new(url, self.agents.clone(), self.meter.clone())
    }

    /// All of the document at `url`, which has at most so many bytes. It is there `within` that time,
    /// however often it is tried, or not at all.
    pub fn document(&self, url: &str, most: u64, within: Duration) -> Result<Vec<u8>> {
        let client = self.client(url)?;
        let ends = Instant::now() + within;
        let late = || {
            let why = format!("it is not there within {} seconds", within.as_secs());
            Failure::from(client.misbehaves(&why))
        };
        let mut bytes = Vec::new();
        client.patiently(|| {
            bytes.clear();
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(late());
            }
            let headers = [("Accept-Encoding", "identity".to_owned())];
            let response = client.follow(&headers, Some(left))?;
            let length = match response.status().as_u16() {
                200 => length(&response),
                status => return Err(client.refusal(status, response.headers())),
            };
            let too_long = |length| client.misbehaves(&beyond(length, most)).into();
            if let Some(length) = length.filter(|length| *length > most) {
                return Err(too_long(length));
            }
            let (_, outcome) = client.pour(response, &mut |piece| {
                bytes.extend_from_slice(piece);
                match bytes.len() as u64 {
                    came if came > most => Err(too_long(came)),
                    _ if Instant::now() >= ends => Err(late()),
                    _ => Ok(()),
                }
            });
            outcome?;
            whole(&client, bytes.len() as u64, length.unwrap_or(0))
        })?;
        Ok(bytes)
    }

    /// Shows what is missing of the file at `url`: the bytes of this range, which ends where the file
    /// does.
    pub fn rest(&self, url: &str, missing: Range<u64>, each: &mut Each<'_>) -> Result<()> {
        let client = self.client(url)?;
        let mut at = missing.start;
        if missing.is_empty() {
            return Ok(());
        }
        client.patiently(|| {
            let headers =
                [("Range", format!("bytes={at}-")), ("Accept-Encoding", "identity".to_owned())];
            let response = client.follow(&headers, None)?;
            let mut skip = begins(&client, &response, at, missing.end)?;
            let (came, outcome) = client.pour(response, &mut |piece| {
                let passed = skip.min(piece.len() as u64);
                skip -= passed;
                let (_, piece) = piece.split_at(passed as usize);
                let next = at.saturating_add(piece.len() as u64);
                if next > missing.end {
                    return Err(client.misbehaves(&beyond(next, missing.end)).into());
                }
                each(piece).map_err(|error| Error::io("what is fetched", error))?;
                at = next;
                Ok(())
            });
            let came = came > 0;
            outcome
                .and_then(|()| whole(&client, at, missing.end))
                .map_err(|it| Failure { came, ..it })
        })
    }
}

/// How many bytes of the answer lie before the one at `at`, of a file that has so many.
fn begins(
    client: &Client,
    response: &Response<Body>,
    at: u64,
    length: u64,
) -> std::result::Result<u64, Failure> {
    let headers = response.headers();
    let (begins, total) = match response.status().as_u16() {
        206 => {
            let said = text(headers, "content-range").unwrap_or_default();
            let range = ContentRange::parse(said).filter(|it| it.start == at);
            let range = range.ok_or_else(|| {
                client.misbehaves(&format!(
                    "bytes from {at} on were asked for, and it sends {said:?}"
                ))
            })?;
            (0, range.total)
        }
        // It knows no ranges, and sends all of it.
        200 => (at, self::length(response)),
        // Where nothing is left, what is there is too long already.
        416 => (0, Some(0)),
        status => return Err(client.refusal(status, headers)),
    };
    match total {
        Some(total) if total != length => {
            let why = format!("the file has {total} bytes, where {length} are expected");
            Err(client.misbehaves(&why).into())
        }
        _ => Ok(begins),
    }
}

fn length(response: &Response<Body>) -> Option<u64> {
    text(response.headers(), "content-length").and_then(|it| it.parse().ok())
}

/// Why something too long is not taken.
pub(super) fn beyond(length: u64, most: u64) -> String {
    format!("it sends {length} bytes or more, where at most {most} are taken")
}

/// Whether all has come; it may come when it is asked for again, otherwise.
fn whole(client: &Client, came: u64, length: u64) -> std::result::Result<(), Failure> {
    if came >= length {
        return Ok(());
    }
    let error = client.misbehaves(&format!("the connection ended after {came} of {length} bytes"));
    Err(Failure { error, again: Again::Later, came: true })
}
