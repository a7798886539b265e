//! Passwords, and what is kept of them: argon2id, by which each guess costs memory and time.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

/// The fewest characters of a password.
const FEWEST: usize = 12;
/// The most bytes: a longer one is no password, and would be work for nothing.
pub(crate) const MOST: usize = 1024;

/// What is kept of a password. Why it is none, where it is not.
pub fn hash_password(password: &str) -> Result<String, String> {
    if password.chars().count() < FEWEST {
        return Err(format!("a password has at least {FEWEST} characters"));
    }
    if password.len() > MOST {
        return Err(format!("a password has at most {MOST} bytes"));
    }
    if password.chars().any(char::is_control) {
        return Err("a password has no control characters".to_owned());
    }
    hash(password)
}

fn hash(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &rand::random::<[u8; 16]>())
        .map(|hash| hash.to_string())
        .map_err(|error| format!("the password cannot be hashed: {error}"))
}

/// Whether `password` is the one of which `kept` was kept. Where nobody is there whose it could be it
/// takes as long, and is not.
pub(crate) fn matches(kept: Option<&str>, password: &str) -> bool {
    /// That of a password that nobody knows.
    static NOBODY: LazyLock<String> =
        LazyLock::new(|| hash(&format!("{:x}", rand::random::<u128>())).unwrap_or_default());
    let against = kept.unwrap_or(&NOBODY);
    let matches = Argon2::default().verify_password(password.as_bytes(), against).is_ok();
    matches && kept.is_some()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{hash_password, matches};

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let kept = hash_password("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(kept, hash_password("correct horse battery").unwrap());
        assert!(matches(Some(&kept), "correct horse battery"));
        for wrong in ["", "correct horse batterY", "correct horse battery ", &kept] {
            assert!(!matches(Some(&kept), wrong), "{wrong}");
        }
        for broken in ["", "x", "$argon2id$", "correct horse battery"] {
            assert!(!matches(Some(broken), "correct horse battery"), "{broken}");
        }
        for bad in ["short", "elevenchars", &"x".repeat(1025), "twelve chars\n"] {
            assert!(hash_password(bad).is_err(), "{bad}");
        }
        assert!(hash_password("zwölf Zeiche").is_ok());
    }

    #[test]
    fn nobody_takes_as_long_as_somebody() {
        let kept = hash_password("correct horse battery").unwrap();
        // The first time it makes what it compares with.
        matches(None, "x");
        let of = |kept: Option<&str>| {
            let time = || {
                let began = Instant::now();
                assert!(!matches(kept, "something else"));
                began.elapsed()
            };
            (0..10).map(|_| time()).min().unwrap_or(Duration::ZERO)
        };
        let (somebody, nobody) = (of(Some(&kept)), of(None));
        let alike = nobody > somebody / 3 && somebody > nobody / 3;
        assert!(alike, "{somebody:?} {nobody:?}");
    }
}
