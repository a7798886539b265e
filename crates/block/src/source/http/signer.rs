//! Requests by which a server knows who asks.

use std::fmt;
use std::sync::Arc;

use fathom_secret::Secret;

type Sign = dyn Fn(&str, &[(&str, String)]) -> Result<Vec<(String, Secret)>, String> + Send + Sync;

/// Makes the headers that a request needs besides its own, anew for each: signatures hold for a while,
/// and for one request.
#[derive(Clone)]
pub struct Signer(Arc<Sign>);

impl Signer {
    /// Asks `sign` with the address and the headers of each request; what it says is wrong ends it.
    pub fn new(
        sign: impl Fn(&str, &[(&str, String)]) -> Result<Vec<(String, Secret)>, String>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Arc::new(sign))
    }

    pub(super) fn sign(
        &self,
        url: &str,
        headers: &[(&str, String)],
    ) -> Result<Vec<(String, Secret)>, String> {
        (self.0)(url, headers)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}
