//! Users, who log in with a password and out again.

use std::time::{Duration, Instant};

use fathom_server::{Role, Rules, hash_password};
use fathom_store::{Time, User, UserChange};
use serde_json::{Value, json};

use crate::site::{Answer, Site};

const PASSWORD: &str = "correct horse battery";

fn add(site: &Site, name: &str, role: Role, namespaces: Option<&[&str]>) {
    let user = User {
        name: name.to_owned(),
        password: hash_password(PASSWORD).unwrap(),
        role: role.as_str().to_owned(),
        namespaces: namespaces.map(|all| all.iter().map(|name| (*name).to_owned()).collect()),
        created_by: "test".to_owned(),
        created_at: Time(0),
        changed_at: Time(0),
        login_at: None,
        disabled_at: None,
    };
    assert!(site.wait(site.store.add_user(&user)).unwrap());
}

fn login(site: &Site, name: &str, password: &str) -> Answer {
    site.post("/api/v1/login", None, &json!({ "name": name, "password": password }))
}

fn enter(site: &Site, name: &str) -> String {
    let answer = login(site, name, PASSWORD);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["token"].as_str().unwrap().to_owned()
}

fn deeds(site: &Site) -> Vec<(String, String, String, String)> {
    let entries = site.wait(site.store.audit(0, 1000)).unwrap();
    let of = |document: &str| -> Value { serde_json::from_str(document).unwrap() };
    entries
        .iter()
        .map(|entry| {
            let deed = of(&entry.document);
            let field = |name: &str| deed[name].as_str().unwrap().to_owned();
            (field("actor"), field("action"), field("target"), field("outcome"))
        })
        .collect()
}

#[test]
fn a_login_gives_what_the_user_may_do_until_it_ends() {
    let site = Site::new(Rules::default());
    add(&site, "ann", Role::Operator, Some(&["north"]));
    let answer = login(&site, "ann", PASSWORD);
    let session = answer.json();
    assert_eq!((answer.status, &session["role"]), (200, &json!("operator")), "{answer:?}");
    assert_eq!(session["namespaces"], json!(["north"]));
    assert!(session["expires_at"].as_str().unwrap().ends_with('Z'));
    let token = session["token"].as_str().unwrap();
    assert_eq!(site.get("/api/v1/jobs", Some(token)).status, 200);
    assert_eq!(site.get("/api/v1/audit", Some(token)).status, 403);
    let job = |namespace: &str| json!({ "operation": "fathom.echo", "metadata": { "namespace": namespace } });
    assert_eq!(site.post("/api/v1/jobs", Some(token), &job("north")).status, 202);
    assert_eq!(site.post("/api/v1/jobs", Some(token), &job("south")).status, 403);
    // Out again: this one ends, and the others of the same user go on.
    let other = enter(&site, "ann");
    let out = site.ask("POST", "/api/v1/logout", Some(token), &[], None);
    assert_eq!(out.status, 204, "{out:?}");
    assert_eq!(site.get("/api/v1/jobs", Some(token)).status, 401);
    assert_eq!(site.get("/api/v1/jobs", Some(&other)).status, 200);
    let out = site.ask("POST", "/api/v1/logout", Some(&site.token(Role::Admin, None)), &[], None);
    assert_eq!((out.status, out.code().as_str()), (409, "WRONG_STATE"));
    // A token of a login is listed as one, and can be revoked.
    let admin = site.token(Role::Admin, None);
    let tokens = site.get("/api/v1/tokens", Some(&admin)).json();
    let all = tokens["tokens"].as_array().unwrap();
    let open = all.iter().find(|it| it["owner"] == "ann" && it["revoked_at"].is_null()).unwrap();
    let path = format!("/api/v1/tokens/{}", open["id"].as_str().unwrap());
    assert_eq!(site.ask("DELETE", &path, Some(&admin), &[], None).status, 204);
    assert_eq!(site.get("/api/v1/jobs", Some(&other)).status, 401);
}

#[test]
fn a_login_is_over_after_its_time() {
    let rules = Rules { session_lifetime: Duration::from_secs(3), ..Rules::default() };
    let site = Site::new(rules);
    add(&site, "ann", Role::Viewer, None);
    let token = enter(&site, "ann");
    assert_eq!(site.get("/api/v1/jobs", Some(&token)).status, 200);
    std::thread::sleep(Duration::from_millis(4500));
    assert_eq!(site.get("/api/v1/jobs", Some(&token)).status, 401);
}

#[test]
fn whatever_changes_a_user_puts_them_out() {
    let site = Site::new(Rules::default());
    let other = hash_password("another password").unwrap();
    for (number, change) in [UserChange::Password(&other), UserChange::Disable, UserChange::Delete]
        .into_iter()
        .enumerate()
    {
        let name = format!("user{number}");
        add(&site, &name, Role::Viewer, None);
        let token = enter(&site, &name);
        assert!(site.wait(site.store.change_user(&name, change)).unwrap());
        assert_eq!(site.get("/api/v1/jobs", Some(&token)).status, 401, "{change:?}");
        let again = login(&site, &name, PASSWORD);
        assert_eq!((again.status, again.code().as_str()), (401, "UNAUTHENTICATED"), "{change:?}");
    }
    assert_eq!(login(&site, "user0", "another password").status, 200);
}

#[test]
fn who_guesses_waits_and_whoever_is_right_meanwhile_waits_too() {
    let site = Site::new(Rules::default());
    add(&site, "ann", Role::Viewer, None);
    add(&site, "bob", Role::Viewer, None);
    for name in ["ann", "nobody"] {
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(login(&site, name, "a wild guess").status);
        }
        assert_eq!(statuses[..5], [401; 5], "{name}");
        assert!(statuses.contains(&429), "{name}: {statuses:?}");
    }
    let closed = login(&site, "ann", PASSWORD);
    if closed.status != 200 {
        assert_eq!((closed.status, closed.code().as_str()), (429, "RATE_LIMITED"), "{closed:?}");
        assert!(closed.headers["retry-after"].parse::<u32>().unwrap() >= 1);
    }
    assert_eq!(login(&site, "bob", PASSWORD).status, 200, "others are not concerned");
    // It is a wait and no wall.
    let began = Instant::now();
    loop {
        let answer = login(&site, "ann", PASSWORD);
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 429, "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(60));
        let wait = answer.headers["retry-after"].parse().unwrap();
        std::thread::sleep(Duration::from_secs(wait));
    }
}

#[test]
fn guesses_at_many_names_from_one_address_end() {
    let site = Site::new(Rules::default());
    let statuses: Vec<_> = (0..40)
        .map(|number| login(&site, &format!("name{number}"), "a wild guess").status)
        .collect();
    assert_eq!(statuses[..19], [401; 19]);
    assert!(statuses.contains(&429), "{statuses:?}");
}

#[test]
fn logins_are_recorded_and_what_is_mistyped_is_not() {
    let site = Site::new(Rules::default());
    add(&site, "ann", Role::Viewer, None);
    login(&site, "ann", "a wild guess");
    login(&site, "my password, by mistake", "ann");
    let token = enter(&site, "ann");
    site.ask("POST", "/api/v1/logout", Some(&token), &[], None);
    let all = deeds(&site);
    let all: Vec<_> = all
        .iter()
        .map(|(actor, action, target, outcome)| {
            (
                actor.as_str(),
                action.as_str(),
                target.len() == 12 || target.as_str() == "ann",
                outcome.as_str(),
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("anonymous", "login", true, "denied"),
            ("anonymous", "login", false, "denied"),
            ("anonymous", "login", true, "allowed"),
            ("ann (user)", "logout", true, "allowed"),
        ]
    );
    let kept = format!("{:?}", deeds(&site));
    for secret in ["a wild guess", "by mistake", PASSWORD, token.as_str()] {
        assert!(!kept.contains(secret), "{kept}");
    }
}

#[test]
fn what_is_no_login_is_refused() {
    let site = Site::new(Rules::default());
    add(&site, "ann", Role::Viewer, None);
    for body in [
        json!({}),
        json!({ "name": "ann" }),
        json!({ "name": "", "password": "x" }),
        json!({ "name": "ann", "password": "" }),
        json!({ "name": "ann\0", "password": "x" }),
        json!({ "name": "ann", "password": "x".repeat(2000) }),
        json!({ "name": "x".repeat(101), "password": "x" }),
        json!({ "name": ["ann"], "password": PASSWORD }),
        json!({ "name": "ann", "password": PASSWORD, "role": "admin" }),
    ] {
        assert_eq!(site.post("/api/v1/login", None, &body).status, 400, "{body}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = site.ask("POST", "/api/v1/login", None, &form, Some(b"name=ann&password=x"));
    assert_eq!(answer.status, 415);
    // Odd names are those of nobody.
    for name in ["ANN", " ann", "ann'--", "\u{202e}ann"] {
        assert_eq!(login(&site, name, PASSWORD).status, 401, "{name:?}");
    }
}

#[test]
fn tokens_may_be_turned_off_and_one_may_stand_in_the_settings() {
    let bootstrap = fathom_secret::Secret::new("sixteen letters and more");
    let rules = Rules { tokens: false, bootstrap: Some(bootstrap), ..Rules::default() };
    let site = Site::new(rules);
    add(&site, "ann", Role::Admin, None);
    let token = site.token(Role::Admin, None);
    assert_eq!(site.get("/api/v1/jobs", Some(&token)).status, 401);
    assert_eq!(site.get("/api/v1/audit", Some(&enter(&site, "ann"))).status, 200);
    assert_eq!(site.get("/api/v1/audit", Some("sixteen letters and more")).status, 200);
    assert_eq!(site.get("/api/v1/audit", Some("sixteen letters and mor")).status, 401);
}
