//! Whether the provider of identities, where there is one, has keys for us.

use fathom_config::Config;

use super::Findings;
use crate::commands::service;

const ABOUT: &str = "auth.oidc";

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let remedy =
        "its users cannot get in; look at auth.oidc.issuer, auth.oidc.ca_file and the way there";
    match service::provider(config) {
        Ok(None) => {}
        Ok(Some(provider)) => match provider.renew() {
            Ok(()) => findings.ok(ABOUT, "the provider of identities has keys for us"),
            Err(why) => findings.wrong(ABOUT, why, remedy),
        },
        Err(failure) => findings.wrong(ABOUT, failure.why().unwrap_or_default(), remedy),
    }
}
