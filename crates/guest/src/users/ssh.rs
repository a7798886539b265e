//! The keys that an account may log in with, as fingerprints.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use fathom_report::{Listing, Service, SshKey};
use sha2::{Digest as _, Sha256};

use super::options::{self, Quotes, Taken};
use super::strict;
pub(super) use super::strict::Owners;

use crate::files::{Files, Read};
use crate::lines::at_most;
use crate::security::sshd::{Login, Logins};
use crate::text::Records;

const HIDES: &str = "SSH keys";

/// Where sshd looks unless it is told otherwise.
const DEFAULT: [&str; 2] = [".ssh/authorized_keys", ".ssh/authorized_keys2"];

/// How long what is said of a list becomes.
const MAX_REASON: usize = 1000;

/// No file holds as many.
const MAX_KEYS: usize = 10_000;

/// Where the SSH server looks for the keys of accounts.
pub(super) struct Places<'a> {
    /// What its configuration says, or why that is not known.
    logins: Result<Logins, String>,
    owners: Owners<'a>,
    /// The moment that keys are judged by.
    now: SystemTime,
}

/// An account.
pub(super) struct Account<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    pub(super) home: &'a str,
    /// The names of its groups.
    pub(super) groups: &'a [&'a str],
}

impl<'a> Places<'a> {
    pub(super) fn of(
        files: &Files<'_>,
        services: &Listing<Service>,
        now: SystemTime,
        owners: Owners<'a>,
    ) -> Self {
        Self { logins: Logins::of(files, services), owners, now }
    }

    /// The keys of one account.
    pub(super) fn of_account(&self, files: &Files<'_>, account: &Account<'_>) -> Listing<SshKey> {
        let mut keys = Listing::complete(Vec::new(), Vec::new());
        let patterns = self.patterns(account, &mut keys);
        for pattern in patterns {
            let path = place(&pattern, account);
            match files.records(&path, HIDES) {
                Read::There(Records { text, damage }) => {
                    keys.evidence.push(path.as_str().into());
                    if let Some(why) = self.refused(files, &path, account, &mut keys) {
                        note(&mut keys, format!("{path}: sshd does not take its keys: {why}"));
                        continue;
                    }
                    self.lines(&text, &path, &mut keys);
                    damage.iter().for_each(|why| keys.hide(why.to_string()));
                }
                Read::Absent => {}
                Read::Unread(why) => keys.hide(why),
            }
        }
        keys
    }

    /// Why sshd does not believe the file, if it does not.
    fn refused(
        &self,
        files: &Files<'_>,
        path: &str,
        account: &Account<'_>,
        keys: &mut Listing<SshKey>,
    ) -> Option<String> {
        if self.logins.as_ref().is_ok_and(|logins| !logins.is_strict()) {
            return None;
        }
        match strict::refused(files, path, account, &self.owners) {
            Ok(why) => why,
            Err(why) => {
                keys.hide(format!("{path}: whether sshd takes its keys cannot be told: {why}"));
                None
            }
        }
    }

    /// Adds the keys that the text holds and that sshd takes.
    fn lines(&self, text: &str, path: &str, keys: &mut Listing<SshKey>) {
        let found = (1_usize..).zip(text.lines());
        let found = found.filter_map(|(number, line)| Some((number, key(line, path)?)));
        let found = at_most(found, MAX_KEYS, |why| keys.hide(format!("{path}: {why}")));
        for (number, (options, key)) in found {
            match options::judge(options, self.now) {
                Taken::Yes => keys.items.push(key),
                Taken::No(why) => {
                    note(
                        keys,
                        format!("{path}: sshd does not take the key of line {number}: {why}"),
                    );
                }
                Taken::Signer => {
                    let signs = format!("certificates that {} signs are taken", key.fingerprint);
                    keys.hide(format!("{path}: line {number}: {signs}"));
                }
                Taken::Unsure(why) => {
                    keys.hide(format!("{path}: line {number}: {why}"));
                    keys.items.push(key);
                }
            }
        }
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
        let holds = logins.value("pubkeyauthentication", &login);
        match holds.perhaps.iter().find(|value| **value != "no") {
            _ if holds.is_cut || holds.value != Some("no") => {}
            Some(_) => keys.hide("where a login comes from decides if sshd takes keys at all"),
            None => {
                note(keys, "sshd takes no keys: PubkeyAuthentication is no".to_owned());
                return Vec::new();
            }
        }
        for (keyword, what) in [
            ("authorizedkeyscommand", "the program of AuthorizedKeysCommand gives keys too"),
            ("trustedusercakeys", "certificates of TrustedUserCAKeys are taken too"),
        ] {
            let holds = logins.value(keyword, &login);
            if holds.is_cut {
                keys.hide(
                    "there are too many conditions in sshd's files to tell what holds for it",
                );
                return DEFAULT.map(str::to_owned).to_vec();
            }
            let mut values = holds.value.into_iter().chain(holds.perhaps);
            if let Some(value) = values.find(|value| !value.eq_ignore_ascii_case("none")) {
                keys.hide(format!("{what}: {value}"));
            }
        }
        let holds = logins.value("authorizedkeysfile", &login);
        if holds.is_cut {
            keys.hide("there are too many conditions in sshd's files to tell what holds for it");
        }
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

/// Adds to what is said of a list of which nothing is missing.
fn note(keys: &mut Listing<SshKey>, what: String) {
    keys.reason = Some(match keys.reason.take() {
        Some(reason) if reason.len() < MAX_REASON => format!("{reason}; {what}"),
        Some(reason) => reason,
        None => what,
    });
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
fn key<'a>(line: &'a str, path: &str) -> Option<(&'a str, SshKey)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut rest = line;
    let mut options = "";
    // Options come before the kind and may hold blanks between quotes.
    if !is_kind(first_word(rest)) {
        rest = after_options(rest)?;
        options = line.strip_suffix(rest)?.trim_end();
    }
    let mut words = rest.split_whitespace();
    let kind = words.next().filter(|word| is_kind(word))?;
    let blob = STANDARD_NO_PAD.decode(words.next()?.trim_end_matches('=')).ok()?;
    // What says of itself that it is of another kind is no key.
    part(&blob).filter(|(named, _)| *named == kind.as_bytes())?;
    let comment: Vec<_> = words.collect();
    let key = SshKey {
        kind: kind.to_owned(),
        bits: rsa_bits(&blob),
        fingerprint: format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))),
        comment: (!comment.is_empty()).then(|| comment.join(" ")),
        evidence: path.into(),
    };
    Some((options, key))
}

/// How many bits the modulus of a key of RSA has: behind the name of the kind and the exponent, each led
/// by its length.
fn rsa_bits(blob: &[u8]) -> Option<u32> {
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

/// What a length leads, and the rest.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
}

fn after_options(line: &str) -> Option<&str> {
    let mut quotes = Quotes::default();
    let mut letters = line.char_indices();
    let end = letters
        .find(|(_, letter)| quotes.are_closed_behind(*letter) && matches!(letter, ' ' | '\t'));
    end.map(|(at, _)| line[at..].trim_start())
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
            let services = Listing::complete(Vec::new(), Vec::new());
            let places = Places::of(&files, &services, SystemTime::now(), Owners::default());
            let listing = places.of_account(&files, &account);
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
            ("PubkeyAuthentication no", "bob", "", Complete),
            (
                "PubkeyAuthentication no\nMatch Host x\nPubkeyAuthentication yes",
                "bob",
                "/home/bob/.ssh/authorized_keys",
                Partial,
            ),
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
        let plain = key(&format!("ssh-ed25519 {blob} me@here"), "/k").unwrap().1;
        assert_eq!(plain.comment.as_deref(), Some("me@here"));
        assert!(plain.fingerprint.starts_with("SHA256:") && plain.fingerprint.len() == 50);
        let with = key(&format!("command=\"a \\\" b\",no-pty ssh-ed25519 {blob}"), "/k").unwrap().1;
        assert_eq!((with.fingerprint, with.comment), (plain.fingerprint, None));
        let another = format!("ssh-rsa {blob}");
        for line in [
            "",
            "# no",
            "ssh-rsa",
            "ssh-rsa ????",
            "ssh-rsa AAAA",
            &another,
            "word word",
            "command=\"open ssh-rsa A",
        ] {
            assert!(key(line, "/k").is_none(), "{line}");
        }
    }

    #[test]
    fn keys_that_sshd_refuses_are_not_listed() {
        use fathom_report::Coverage::{Complete, Partial};
        let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIBBIjhX5bJ1gHlpaPVqAB8o9vPaJmNkrcAF1TkaDhRUK";
        let plain = format!("ssh-ed25519 {blob}\n");
        let past = format!("expiry-time=\"20200101\" {plain}");
        let strange = format!("no-such-option {plain}restrict,command=\"a b\" {plain}");
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        let signer = format!("cert-authority {plain}{plain}");
        let around = format!("expiry-time=\"20231115\" {plain}");
        for (config, path, text, count, coverage) in [
            ("", "/home/bob/.ssh/authorized_keys", &plain, 1, Complete),
            ("", "/home/bob/.ssh/authorized_keys*w", &plain, 0, Complete),
            ("StrictModes no\n", "/home/bob/.ssh/authorized_keys*w", &plain, 1, Complete),
            ("", "/home/bob/.ssh*w/authorized_keys", &plain, 0, Complete),
            ("", "/home/bob/.ssh/authorized_keys*o", &plain, 0, Complete),
            ("", "/home/bob/.ssh/authorized_keys", &past, 0, Complete),
            ("", "/home/bob/.ssh/authorized_keys", &strange, 1, Complete),
            ("", "/home/bob/.ssh/authorized_keys", &around, 1, Partial),
            ("", "/home/bob/.ssh/authorized_keys", &signer, 1, Partial),
        ] {
            let tree = crate::memory::tree(&[
                ("/etc/ssh/sshd_config", config.as_bytes()),
                (path, text.as_bytes()),
            ]);
            let files = Files::new(&tree);
            let services = Listing::complete(Vec::new(), Vec::new());
            let account = Account { name: "bob", id: "1001", home: "/home/bob", groups: &[] };
            let places = Places::of(&files, &services, now, Owners::default());
            let keys = places.of_account(&files, &account);
            assert_eq!((keys.items.len(), keys.coverage), (count, coverage), "{path} {text}");
            let is_plain = count == 1 && coverage == Complete && *text != strange;
            assert_eq!(keys.reason.is_none(), is_plain, "{path} {text} {:?}", keys.reason);
        }
    }

    /// Who sets up a way in may use an account in whose home nobody looks.
    #[test]
    fn homes_that_are_none_are_looked_at_all_the_same() {
        const KEY: &[u8] =
            b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBIjhX5bJ1gHlpaPVqAB8o9vPaJmNkrcAF1TkaDhRUK\n";
        for (home, path) in [
            ("/nonexistent", "/nonexistent/.ssh/authorized_keys"),
            ("", "/.ssh/authorized_keys"),
            ("/dev/null", ""),
        ] {
            let tree = crate::memory::tree(&[(path, KEY), ("/dev/null", b"")]);
            let files = Files::new(&tree);
            let services = Listing::complete(Vec::new(), Vec::new());
            let account = Account { name: "nobody", id: "65534", home, groups: &[] };
            let places = Places::of(&files, &services, SystemTime::now(), Owners::default());
            let keys = places.of_account(&files, &account);
            let found = keys.items.iter().map(|key| key.evidence.0.as_str()).collect::<String>();
            assert_eq!((&*found, keys.coverage), (path, fathom_report::Coverage::Complete));
        }
    }
}
