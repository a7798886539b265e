//! Lists of algorithms: what a release offers, and what a change of it comes to.

use crate::security::glob::matches;

/// What is offered by a release, and all that it can.
pub(super) struct Offer {
    /// The names that it offers unless something is set.
    pub(super) default: &'static [&'static str],
    /// All that may be named.
    pub(super) all: &'static [&'static str],
}

/// The list that comes of what is set: by itself, or with `+`, `-` or `^` as a change of the default.
/// Nothing if the default would have to be known and is not.
pub(super) fn assemble(set: &str, offer: Option<&Offer>) -> Option<String> {
    let names = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
    let default = || {
        offer.map(|offer| offer.default.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    let list = match set.chars().next() {
        Some('+') => [default()?, names(&set[1..])].concat(),
        Some('^') => [names(&set[1..]), default()?].concat(),
        Some('-') => {
            let taken = names(&set[1..]);
            let mut left = default()?;
            left.retain(|name| !taken.iter().any(|pattern| matches(pattern, name)));
            return Some(left.join(","));
        }
        _ => names(set),
    };
    let mut result: Vec<String> = Vec::new();
    for pattern in list {
        let met: Vec<String> = match offer {
            Some(offer) => {
                let met = offer.all.iter().filter(|name| matches(&pattern, name));
                met.map(|name| (*name).to_owned()).collect()
            }
            // What a wildcard comes to depends on what the release can.
            None if pattern.contains(['*', '?']) => return None,
            None => vec![pattern],
        };
        for name in met {
            if !result.contains(&name) {
                result.push(name);
            }
        }
    }
    Some(result.join(","))
}

/// What Debian's release 9.2 offers for the keyword. The lists of other releases were not compared, and
/// distributors change them, so they are not told.
pub(super) fn offer(keyword: &str) -> Option<&'static Offer> {
    Some(match keyword {
        "ciphers" => &CIPHERS,
        "macs" => &MACS,
        "kexalgorithms" => &KEX,
        "hostkeyalgorithms" | "hostbasedacceptedalgorithms" | "pubkeyacceptedalgorithms" => &KEYS,
        "casignaturealgorithms" => &SIGNATURES,
        _ => return None,
    })
}

static CIPHERS: Offer = Offer {
    default: &[
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
    ],
    all: &[
        "3des-cbc",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ],
};

static MACS: Offer = Offer {
    default: &[
        "umac-64-etm@openssh.com",
        "umac-128-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha1-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-128@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
    ],
    all: &[
        "hmac-sha1",
        "hmac-sha1-96",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-md5",
        "hmac-md5-96",
        "umac-64@openssh.com",
        "umac-128@openssh.com",
        "hmac-sha1-etm@openssh.com",
        "hmac-sha1-96-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-md5-etm@openssh.com",
        "hmac-md5-96-etm@openssh.com",
        "umac-64-etm@openssh.com",
        "umac-128-etm@openssh.com",
    ],
};

static KEX: Offer = Offer {
    default: &[
        "sntrup761x25519-sha512",
        "sntrup761x25519-sha512@openssh.com",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ],
    all: &[
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group-exchange-sha256",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "sntrup761x25519-sha512",
        "sntrup761x25519-sha512@openssh.com",
    ],
};

static KEYS: Offer = Offer {
    default: &[
        "ssh-ed25519-cert-v01@openssh.com",
        "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "sk-ssh-ed25519-cert-v01@openssh.com",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "rsa-sha2-512-cert-v01@openssh.com",
        "rsa-sha2-256-cert-v01@openssh.com",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ],
    all: &[
        "ssh-ed25519",
        "ssh-ed25519-cert-v01@openssh.com",
        "sk-ssh-ed25519@openssh.com",
        "sk-ssh-ed25519-cert-v01@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp384-cert-v01@openssh.com",
        "ecdsa-sha2-nistp521",
        "ecdsa-sha2-nistp521-cert-v01@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-dss",
        "ssh-dss-cert-v01@openssh.com",
        "ssh-rsa",
        "ssh-rsa-cert-v01@openssh.com",
        "rsa-sha2-256",
        "rsa-sha2-256-cert-v01@openssh.com",
        "rsa-sha2-512",
        "rsa-sha2-512-cert-v01@openssh.com",
    ],
};

static SIGNATURES: Offer = Offer {
    default: &[
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ],
    all: &[
        "ssh-ed25519",
        "sk-ssh-ed25519@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-dss",
        "ssh-rsa",
        "rsa-sha2-256",
        "rsa-sha2-512",
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_applied_to_the_default() {
        let offer = Offer { default: &["b", "c1"], all: &["a", "b", "c1", "c2"] };
        for (set, expected) in [
            ("a,b", "a,b"),
            ("+a", "b,c1,a"),
            ("+b", "b,c1"),
            ("^c*", "c1,c2,b"),
            ("-c*", "b"),
            ("c*", "c1,c2"),
        ] {
            assert_eq!(assemble(set, Some(&offer)).as_deref(), Some(expected), "{set}");
        }
        assert_eq!(assemble("x,y", None).as_deref(), Some("x,y"));
        assert_eq!(assemble("-x", None), None);
        assert_eq!(assemble("x*", None), None);
    }
}
