//! The keys that an account may log in with, as fingerprints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use fathom_report::{Listing, SshKey};
use sha2::{Digest as _, Sha256};

use crate::files::{Files, Read};

const HIDES: &str = "SSH keys";
const SSHD: &str = "/etc/ssh/sshd_config";

/// Where sshd looks unless it is told otherwise.
const DEFAULT: [&str; 2] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/// No file holds as many.
const MAX_KEYS: usize = 10_000;

/// Where the SSH server looks for the keys of accounts.
pub(super) struct Places {
    patterns: Vec<String>,
}

impl Places {
    /// As the server's configuration says it outside of its `Match` blocks.
    pub(super) fn of(files: &Files<'_>) -> Self {
        let text = files.text(SSHD, HIDES).there().unwrap_or_default();
        let words = |line: &str| {
            line.split(|c: char| c.is_whitespace() || c == '=')
                .filter(|word| !word.is_empty())
                .map(|word| word.trim_matches('"').to_owned())
                .collect::<Vec<_>>()
        };
        let set = text
            .lines()
            .map(words)
            .take_while(|words| !words.first().is_some_and(|it| it.eq_ignore_ascii_case("match")))
            .find(|words| {
                words.first().is_some_and(|it| it.eq_ignore_ascii_case("authorizedkeysfile"))
            });
        let patterns = match set {
            Some(words) => words.into_iter().skip(1).filter(|word| word != "none").collect(),
            None => DEFAULT.map(str::to_owned).to_vec(),
        };
        Self { patterns }
    }

    /// The keys of one account.
    pub(super) fn of_account(
        &self,
        files: &Files<'_>,
        name: &str,
        id: &str,
        home: &str,
    ) -> Listing<SshKey> {
        let mut keys = Listing::complete(Vec::new(), Vec::new());
        // Accounts of the system share directories in which nobody lives.
        if home.is_empty() || home == "/nonexistent" || home == "/dev/null" {
            return keys;
        }
        for pattern in &self.patterns {
            let path = pattern
                .replace("%%", "\u{0}")
                .replace("%h", home)
                .replace("%u", name)
                .replace("%U", id)
                .replace('\u{0}', "%");
            let path = match path.starts_with('/') {
                true => path,
                false => format!("{}/{path}", home.trim_end_matches('/')),
            };
            match files.text(&path, HIDES) {
                Read::There(text) => {
                    let found = text.lines().take(MAX_KEYS).filter_map(|line| key(line, &path));
                    keys.items.extend(found);
                    keys.evidence.push(path.into());
                }
                Read::Absent => {}
                Read::Unread(why) => keys.hide(why),
            }
        }
        keys
    }
}

/// A line of `authorized_keys`: options, the kind, the key, a comment.
fn key(line: &str, path: &str) -> Option<SshKey> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    // Options come before the kind and may hold blanks between quotes.
    if !is_kind(first_word(rest)) {
        rest = after_options(rest)?;
    }
    let mut words = rest.split_whitespace();
    let kind = words.next().filter(|word| is_kind(word))?;
    let blob = STANDARD_NO_PAD.decode(words.next()?.trim_end_matches('=')).ok()?;
    let comment: Vec<_> = words.collect();
    Some(SshKey {
        kind: kind.to_owned(),
        fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))),
        comment: (!comment.is_empty()).then(|| comment.join(" ")),
        evidence: path.into(),
    })
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
}

fn after_options(line: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in line.char_indices() {
        match character {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return Some(line[at..].trim_start()),
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_options() {
        // Made by ssh-keygen, which also says the fingerprint.
        let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIBBIjhX5bJ1gHlpaPVqAB8o9vPaJmNkrcAF1TkaDhRUK";
        let plain = key(&format!("ssh-ed25519 {blob} me@here"), "/k").unwrap();
        assert_eq!(plain.comment.as_deref(), Some("me@here"));
        assert!(plain.fingerprint.starts_with("SHA256:") && plain.fingerprint.len() == 50);
        let with = key(&format!("command=\"a \\\" b\",no-pty ssh-ed25519 {blob}"), "/k").unwrap();
        assert_eq!((with.fingerprint, with.comment), (plain.fingerprint, None));
        for line in ["", "# no", "ssh-rsa", "ssh-rsa ????", "word word", "command=\"open ssh-rsa A"]
        {
            assert!(key(line, "/k").is_none(), "{line}");
        }
    }
}
