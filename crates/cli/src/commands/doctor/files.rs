//! Whether the files that are named can be read, and keys by nobody else.

use std::fs::File;
use std::path::Path;

use fathom_config::{Config, others_can_read};

use super::Findings;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let (server, client) = (&config.server.tls, &config.transport.config.tls);
    for (about, file, secret) in [
        ("server.tls.certificate", &server.certificate, false),
        ("server.tls.key", &server.key, true),
        ("transport.config.tls.ca_file", &client.ca_file, false),
        ("transport.config.tls.certificate", &client.certificate, false),
        ("transport.config.tls.key", &client.key, true),
        ("auth.oidc.ca_file", &config.auth.oidc.ca_file, false),
    ] {
        if let Some(file) = file {
            look(about, file, secret, findings);
        }
    }
}

fn look(about: &str, file: &Path, secret: bool, findings: &mut Findings) {
    let shown = file.display();
    let opened = File::open(file).and_then(|file| file.metadata());
    match opened {
        Err(error) => {
            let remedy = "put it there, and let the user that fathom runs as read it";
            return findings.wrong(about, format!("{shown} cannot be read: {error}"), remedy);
        }
        Ok(metadata) if !metadata.is_file() => {
            return findings.wrong(about, format!("{shown} is no file"), "name another file");
        }
        Ok(_) => {}
    }
    match others_can_read(file).filter(|_| secret) {
        Some(mode) => {
            let what = format!("everybody on this host can read {shown} (mode {mode:04o})");
            findings.warning(about, what, format!("chmod o= {shown}"));
        }
        None => findings.ok(about, shown.to_string()),
    }
}
