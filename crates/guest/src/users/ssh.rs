//! The keys that an account may log in with, as fingerprints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use fathom_report::{Listing, SshKey};
use sha2::{Digest as _, Sha256};

use crate::files::{Files, Read};
use crate::security::sshd::{Login, Logins};
use crate::text::Records;

const HIDES: &str = "SSH keys";

/// Where sshd looks unless it is told otherwise.
const DEFAULT: [&str; 2] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/// No file holds as many.
const MAX_KEYS: usize = 10_000;

/// Where the SSH server looks for the keys of accounts.
pub(super) struct Places {
    /// What its configuration says, or why that is not known.
    logins: Result<Logins, String>,
}

/// An account.
pub(super) struct Account<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    pub(super) home: &'a str,
    /// The names of its groups.
    pub(super) groups: &'a [&'a str],
}

impl Places {
    pub(super) fn of(files: &Files<'_>) -> Self {
        Self { logins: Logins::of(files) }
    }

    /// The keys of one account.
    pub(super) fn of_account(&self, files: &Files<'_>, account: &Account<'_>) -> Listing<SshKey> {
        let mut keys = Listing::complete(Vec::new(), Vec::new());
        let patterns = self.patterns(account, &mut keys);
        // Accounts of the system share directories in which nobody lives.
        let is_homeless = matches!(account.home, "" | "/nonexistent" | "/dev/null");
        for pattern in patterns {
            let is_at_home = pattern.contains("%h") || !pattern.starts_with(['/', '%']);
            if is_at_home && is_homeless {
                continue;
            }
            let path = place(&pattern, account);
            match files.records(&path, HIDES) {
                Read::There(Records { text, damage }) => {
                    let found = text.lines().take(MAX_KEYS).filter_map(|line| key(line, &path));
                    keys.items.extend(found);
                    keys.evidence.push(path.into());
                    damage.iter().for_each(|why| keys.hide(why.to_string()));
                }
                Read::Absent => {}
                Read::Unread(why) => keys.hide(why),
            }
        }
        keys
    }

    /// Where the keys of the account lie. What else gives it keys leaves the list partial.
    fn patterns(&self, account: &Account<'_>, keys: &mut Listing<SshKey>) -> Vec<String> {
        let logins = match &self.logins {
            Ok(logins) => logins,
            Err(why) => {
                keys.hide(why.clone());
                return DEFAULT.map(str::to_owned).to_vec();
            }
        };
        let login = Login { name: account.name, groups: account.groups };
        for (keyword, what) in [
            ("authorizedkeyscommand", "the program of AuthorizedKeysCommand gives keys too"),
            ("trustedusercakeys", "certificates of TrustedUserCAKeys are taken too"),
        ] {
            let holds = logins.value(keyword, &login);
            let mut values = holds.value.into_iter().chain(holds.perhaps);
            if let Some(value) = values.find(|value| !value.eq_ignore_ascii_case("none")) {
                keys.hide(format!("{what}: {value}"));
            }
        }
        let holds = logins.value("authorizedkeysfile", &login);
        if !holds.perhaps.is_empty() {
            let others = holds.perhaps.join(" or ");
            keys.hide(format!("where a login comes from decides if keys are in {others}"));
        }
        match holds.value {
            Some(words) => {
                words.split_whitespace().filter(|it| *it != "none").map(str::to_owned).collect()
            }
            None => DEFAULT.map(str::to_owned).to_vec(),
        }
    }
}

/// The path that the pattern means for the account.
fn place(pattern: &str, account: &Account<'_>) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('%') {
        path.push_str(before);
        let mut letters = behind.chars();
        match letters.next() {
            Some('h') => path.push_str(account.home),
            Some('u') => path.push_str(account.name),
            Some('U') => path.push_str(account.id),
            Some('%') => path.push('%'),
            Some(other) => path.extend(['%', other]),
            None => path.push('%'),
        }
        rest = letters.as_str();
    }
    path.push_str(rest);
    match path.starts_with('/') {
        true => path,
        false => format!("{}/{path}", account.home.trim_end_matches('/')),
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
        bits: rsa_bits(&blob),
        fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))),
        comment: (!comment.is_empty()).then(|| comment.join(" ")),
        evidence: path.into(),
    })
}

/// How many bits the modulus of a key of RSA has: behind the name of the kind and the exponent, each led
/// by its length.
fn rsa_bits(blob: &[u8]) -> Option<u32> {
    fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
    }
    let (kind, rest) = part(blob)?;
    let (_, rest) = part(rest)?;
    let (modulus, _) = part(rest)?;
    if kind != b"ssh-rsa" {
        return None;
    }
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    let bytes = u32::try_from(modulus.len() - zeros).ok()?;
    Some(bytes.checked_mul(8)? - first.leading_zeros())
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
    fn conditions_say_where_keys_of_an_account_lie() {
        const KEY: &[u8] =
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBIjhX5bJ1gHlpaPVqAB8o9vPaJmNkrcAF1TkaDhRUK\n";
        let keys = |config: &str, name: &str| {
            let tree = crate::memory::tree(&[
                ("/etc/ssh/sshd_config", config.as_bytes()),
                ("/etc/ssh/rk", KEY),
                ("/root/.ssh/authorized_keys", KEY),
                ("/home/bob/.ssh/authorized_keys", KEY),
            ]);
            let files = Files::new(&tree);
            let home = if name == "root" { "/root" } else { "/home/bob" };
            let account = Account { name, id: "0", home, groups: &[] };
            let listing = Places::of(&files).of_account(&files, &account);
            let places = listing.items.into_iter().map(|key| key.evidence.0).collect::<Vec<_>>();
            (places.join(" "), listing.coverage)
        };
        use fathom_report::Coverage::{Complete, Partial};
        let of_root = "Match User root\nAuthorizedKeysFile /etc/ssh/rk\n";
        let of_others = "Match User *,!root\nAuthorizedKeysFile none\n";
        for (config, name, expected, coverage) in [
            (of_root, "root", "/etc/ssh/rk", Complete),
            (of_root, "bob", "/home/bob/.ssh/authorized_keys", Complete),
            (of_others, "root", "/root/.ssh/authorized_keys", Complete),
            (of_others, "bob", "", Complete),
            ("AuthorizedKeysCommand /bin/x", "bob", "/home/bob/.ssh/authorized_keys", Partial),
            ("TrustedUserCAKeys /etc/ca", "bob", "/home/bob/.ssh/authorized_keys", Partial),
            ("AuthorizedKeysCommand none", "bob", "/home/bob/.ssh/authorized_keys", Complete),
            (
                "Match Host x\nAuthorizedKeysFile y",
                "bob",
                "/home/bob/.ssh/authorized_keys",
                Partial,
            ),
        ] {
            assert_eq!(keys(config, name), (expected.to_owned(), coverage), "{config} {name}");
        }
    }

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
