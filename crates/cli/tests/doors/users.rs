//! `fathom user`, and logging in with what it made.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::site::{Site, beside, token};

const PASSWORD: &str = "correct horse battery";

fn user(folder: &Path, arguments: &[&str], input: &str) -> Output {
    beside(folder, &[&["user"], arguments].concat(), input)
}

fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why), "{said}");
}

fn login(site: &Site, name: &str, password: &str) -> (u16, Value) {
    let body = json!({ "name": name, "password": password });
    site.ask("POST", "/api/v1/login", None, Some(&body))
}

#[test]
fn users_are_made_listed_changed_and_forgotten() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let create = ["create", "ann", "--role", "operator", "--namespace", "north"];
    refused(&user(folder, &create, ""), 2, "no password on standard input");
    refused(&user(folder, &create, "short\n"), 2, "at least 12 characters");
    refused(&user(folder, &create, "two lines\nof a password\n"), 2, "control characters");
    refused(&user(folder, &["create", "a b", "--role", "viewer"], PASSWORD), 2, "no blanks");
    assert!(!done(&user(folder, &["list"], "")).contains("ann"));
    done(&user(folder, &create, &format!("{PASSWORD}\n")));
    refused(&user(folder, &create, PASSWORD), 2, "is there already");
    let list = done(&user(folder, &["list"], ""));
    assert!(list.contains("operator  north             never       enabled   ann"), "{list}");
    for verb in ["passwd", "disable", "enable", "delete"] {
        refused(&user(folder, &[verb, "bob"], PASSWORD), 3, "none of that name");
    }

    // With a user the service is not open any more.
    let site = Site::new(folder, &[]);
    assert_eq!(site.ask("GET", "/api/v1/jobs", None, None).0, 401);
    let enter = |password: &str| {
        let (status, session) = login(&site, "ann", password);
        assert_eq!(status, 200, "{session}");
        session["token"].as_str().unwrap().to_owned()
    };
    let first = enter(PASSWORD);
    assert_eq!(site.get("/api/v1/jobs", &first).0, 200);
    let new = "another password";
    done(&user(folder, &["passwd", "ann"], new));
    assert_eq!(site.get("/api/v1/jobs", &first).0, 401);
    assert_eq!(login(&site, "ann", PASSWORD).0, 401);
    let second = enter(new);
    done(&user(folder, &["disable", "ann"], ""));
    assert_eq!(site.get("/api/v1/jobs", &second).0, 401);
    assert_eq!(login(&site, "ann", new).0, 401);
    assert!(done(&user(folder, &["list"], "")).contains("disabled  ann"));
    done(&user(folder, &["enable", "ann"], ""));
    assert_eq!(site.get("/api/v1/jobs", &second).0, 401, "what was ended stays so");
    let third = enter(new);
    done(&user(folder, &["delete", "ann"], ""));
    assert_eq!(site.get("/api/v1/jobs", &third).0, 401);

    let admin = token(folder, "admin");
    let (_, audit) = site.get("/api/v1/audit?limit=100", &admin);
    let told: Vec<String> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let deed = &entry["deed"];
            format!("{} {}", deed["action"].as_str().unwrap(), deed["outcome"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            "createUser allowed",
            "login allowed",
            "changePassword allowed",
            "login denied",
            "login allowed",
            "disableUser allowed",
            "login denied",
            "enableUser allowed",
            "login allowed",
            "deleteUser allowed",
            "createToken allowed",
        ]
    );
    for secret in [PASSWORD, new, &first] {
        assert!(!audit.to_string().contains(secret));
        assert!(!site.said().contains(secret));
    }
    // Nor are they in what is kept.
    for entry in std::fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for secret in [PASSWORD, new, &first] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}
