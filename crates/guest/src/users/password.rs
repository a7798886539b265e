//! What a field of a password says without the password.

use fathom_report::PasswordState;

/// Whether there is one, and how it is hashed.
pub(super) struct Password {
    pub(super) state: PasswordState,
    pub(super) algorithm: Option<String>,
}

/// How hashes begin, as crypt(5) lists them.
const ALGORITHMS: [(&str, &str); 13] = [
    ("$y$", "yescrypt"),
    ("$gy$", "gost-yescrypt"),
    ("$7$", "scrypt"),
    ("$2a$", "bcrypt"),
    ("$2b$", "bcrypt"),
    ("$2x$", "bcrypt"),
    ("$2y$", "bcrypt"),
    ("$6$", "sha512crypt"),
    ("$5$", "sha256crypt"),
    ("$sha1", "sha1crypt"),
    ("$md5", "sunmd5"),
    ("$1$", "md5crypt"),
    ("$3$", "nthash"),
];

/// Reads the field of `/etc/shadow`.
pub(super) fn read(field: &str) -> Password {
    let hash = field.trim_start_matches('!');
    let locked = hash.len() != field.len();
    let algorithm = algorithm(hash);
    let state = match (field, locked, algorithm) {
        ("", ..) => PasswordState::Empty,
        (_, false, Some(_)) => PasswordState::Set,
        // An asterisk and the like is the hash of no password.
        _ => PasswordState::Locked,
    };
    Password { state, algorithm: algorithm.map(str::to_owned) }
}

fn algorithm(hash: &str) -> Option<&'static str> {
    let known = ALGORITHMS.iter().find(|(start, _)| hash.starts_with(start));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    match known {
        Some((_, name)) => Some(name),
        None if hash.len() == 13 && hash.bytes().all(plain) => Some("descrypt"),
        None if hash.len() == 20 && hash.starts_with('_') => Some("bsdicrypt"),
        None if hash.starts_with('$') => Some("unknown"),
        None => None,
    }
}
