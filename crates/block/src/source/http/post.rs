//! Messages that are sent to web servers.

use std::io::Read as _;
use std::time::Duration;

use fathom_secret::Secret;

use super::Web;
use super::address::Origin;
use crate::error::{Error, Result};

/// How much of an answer is read.
const ANSWER: u64 = 64 << 10;

impl Web {
    /// Sends a message once, and says with which status it was answered and how the answer begins. No
    /// redirect is followed: that is a status too.
    pub fn post(
        &self,
        url: &str,
        headers: &[(&str, Secret)],
        body: &[u8],
        within: Duration,
    ) -> Result<(u16, Vec<u8>)> {
        let client = self.client(url)?;
        let Some(origin) = Origin::of(url) else {
            return Err(Error::invalid(client.name(), "that is no address of a web server"));
        };
        let agent = self.agents.agent(origin.is_secure())?;
        let config = agent.post(url).config().timeout_global(Some(within));
        let config = if origin.is_loopback() { config.proxy(None) } else { config };
        let mut request = config.build();
        for (name, value) in headers {
            request = request.header(*name, value.expose());
        }
        let failed = |error| client.failed(error).error;
        let response = request.send(body).map_err(failed)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        // What was taken was taken, whatever comes of its answer.
        let _ = response.into_body().into_reader().take(ANSWER).read_to_end(&mut answer);
        Ok((status, answer))
    }
}
