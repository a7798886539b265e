//! Tokens of a provider of identities: those that count, those that do not, and a provider that is
//! away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fathom_server::{Role, Rules};
use ring::hmac;
use serde_json::{Value, json};

use crate::realm::{Key, Mood, Realm, now, unsigned};
use crate::site::{Answer, Site};

fn site(realm: &Realm) -> Site {
    Site::new(Rules { identities: Some(realm.identities()), ..Rules::default() })
}

/// What comes back where a token is longer than clients send.
fn raw(site: &Site, token: &str) -> String {
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The service may have had enough before all of it is there.
    let _ = write!(
        socket,
        "GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn jobs(site: &Site, token: &str) -> Answer {
    site.get("/api/v1/jobs", Some(token))
}

#[test]
fn the_claims_say_who_may_do_what() {
    let key = Key::new("one");
    let realm = Realm::new(&key);
    let site = site(&realm);
    let with = |roles: Value, places: Value| {
        realm.token(&key, &json!({ "realm": { "roles": roles }, "places": places }))
    };
    let job = json!({ "operation": "fathom.echo", "metadata": { "namespace": "north" } });
    let send = |token: &str| site.post("/api/v1/jobs", Some(token), &job).status;
    for (roles, places, look, act, decide) in [
        (json!(["guest"]), json!("*"), 200, 403, 403),
        (json!(["staff"]), json!(["south", "north"]), 200, 202, 403),
        (json!(["staff"]), json!(["south"]), 200, 403, 403),
        (json!(["guest", "chief"]), json!(["*"]), 200, 202, 200),
        (json!("cook staff"), json!("north"), 200, 202, 403),
        // Nothing is had for nothing.
        (json!([]), json!("*"), 403, 403, 403),
        (json!(null), json!("*"), 403, 403, 403),
        (json!(["cook", "admin", "Chief"]), json!("*"), 403, 403, 403),
        (json!(["chief"]), json!([]), 403, 403, 403),
        (json!(["chief"]), json!(null), 403, 403, 403),
    ] {
        let token = with(roles.clone(), places.clone());
        let did = (
            jobs(&site, &token).status,
            send(&token),
            site.get("/api/v1/audit", Some(&token)).status,
        );
        assert_eq!(did, (look, act, decide), "{roles} {places}");
    }
    let chief = with(json!(["chief"]), json!("*"));
    let audit = site.get("/api/v1/audit", Some(&chief)).json();
    assert_eq!(audit["entries"][0]["deed"]["actor"], "ann (oidc)", "{audit}");
    assert_eq!(realm.asked(), 1, "keys are kept");
}

#[test]
fn what_the_provider_did_not_sign_for_us_and_now_does_not_count() {
    let key = Key::new("one");
    let realm = Realm::new(&key);
    let site = site(&realm);
    let good = realm.token(&key, &json!({}));
    assert_eq!(jobs(&site, &good).status, 200);
    let without_kid = key.sign(&json!({ "alg": "ES256" }), &realm.claims(&json!({})));
    assert_eq!(jobs(&site, &without_kid).status, 200, "a token need not name its key");

    let claims = realm.claims(&json!({}));
    let header = |alg: &str| json!({ "alg": alg, "kid": "one" });
    let mut hostile = vec![
        ("nothing is signed", format!("{}.", unsigned(&header("none"), &claims))),
        ("nor is it here", format!("{}.", unsigned(&header("ES256"), &claims))),
        ("signed with another key of that name", realm.token(&Key::new("one"), &json!({}))),
        ("signed with a key of nobody", realm.token(&Key::new("two"), &json!({}))),
        ("a name that looks like a path", realm.token(&Key::new("../../dev/null"), &json!({}))),
        ("for somebody else", realm.token(&key, &json!({ "aud": "others" }))),
        ("for nobody", realm.token(&key, &json!({ "aud": null }))),
        ("by somebody else", realm.token(&key, &json!({ "iss": "https://login.test" }))),
        ("over", realm.token(&key, &json!({ "exp": now() - 120 }))),
        ("without an end", realm.token(&key, &json!({ "exp": null }))),
        ("not yet", realm.token(&key, &json!({ "nbf": now() + 120 }))),
        ("of nobody", realm.token(&key, &json!({ "sub": "" }))),
        ("longer than a token is", realm.token(&key, &json!({ "more": "x".repeat(20_000) }))),
        ("no token", "a.b.c".to_owned()),
        ("five parts", format!("{good}.a.b")),
        ("dots", ".".repeat(5000)),
    ];
    // Signed with what is public, as if it were a shared secret.
    let public = key.public();
    let x = URL_SAFE_NO_PAD.decode(public["x"].as_str().unwrap()).unwrap();
    for secret in [public.to_string().into_bytes(), x, Vec::new()] {
        let message = unsigned(&header("HS256"), &claims);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature);
        hostile.push(("signed with what is public", format!("{message}.{signature}")));
    }
    // The key is sent along.
    let forged = Key::new("one");
    let header = json!({ "alg": "ES256", "jwk": forged.public(), "jku": "http://127.0.0.1:1/keys",
        "x5u": "http://127.0.0.1:1/keys" });
    hostile.push(("its key comes along", forged.sign(&header, &claims)));
    // Each letter of the claims and the signature counts.
    let parts: Vec<&str> = good.split('.').collect();
    let more = realm.claims(&json!({ "realm": { "roles": ["chief"] } })).to_string();
    let more = URL_SAFE_NO_PAD.encode(more);
    hostile.push(("other claims", format!("{}.{more}.{}", parts[0], parts[2])));
    hostile.push(("half a signature", good[..good.len() - 40].to_owned()));
    let turned = if good.ends_with('A') { "Q" } else { "A" };
    hostile.push(("another signature", format!("{}{turned}", &good[..good.len() - 1])));
    hostile.push(("no signature of its own", format!("{}.{}", parts[0], parts[1])));

    for (what, token) in hostile {
        let answer = jobs(&site, &token);
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.code(), "UNAUTHENTICATED", "{what}");
        assert!(!answer.body.contains(&token), "{what}");
    }
    let huge = realm.token(&key, &json!({ "more": "x".repeat(1_000_000) }));
    let answer = raw(&site, &huge);
    assert!(!answer.contains(" 200 OK"), "{answer}");
    assert_eq!(jobs(&site, &good).status, 200);
    // Without a provider nobody's signature counts.
    let alone = Site::new(Rules::default());
    assert_eq!(jobs(&alone, &good).status, 401);
}

#[test]
fn keys_are_asked_for_when_they_change_and_not_for_every_stranger() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let realm = Realm::new(&old);
    let site = site(&realm);
    assert_eq!(jobs(&site, &realm.token(&old, &json!({}))).status, 200);
    realm.publish(&[&new]);
    let began = Instant::now();
    for number in 0..100 {
        let stranger = Key::new(&format!("stranger-{number}"));
        assert_eq!(jobs(&site, &realm.token(&stranger, &json!({}))).status, 401);
    }
    let allowed = 2 + began.elapsed().as_secs() / 5;
    assert!(realm.asked() as u64 <= allowed, "{} in {:?}", realm.asked(), began.elapsed());
    let began = Instant::now();
    while jobs(&site, &realm.token(&new, &json!({}))).status != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the new key is not taken up");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(jobs(&site, &realm.token(&old, &json!({}))).status, 401, "it was withdrawn");
}

#[test]
fn a_provider_that_is_away_shuts_out_its_own_users_alone() {
    let key = Key::new("one");
    let unwell = [
        Mood::Silent,
        Mood::Says("500 Oops", String::new()),
        Mood::Says("302 Found\r\nLocation: /keys", String::new()),
        Mood::Says("200 OK", "<html>".to_owned()),
        Mood::Says("200 OK", " ".repeat(2 << 20)),
        Mood::Says(
            "200 OK",
            json!({ "issuer": "https://login.test", "jwks_uri": "x" }).to_string(),
        ),
    ];
    std::thread::scope(|scope| {
        for mood in unwell {
            scope.spawn(|| without(&key, mood));
        }
    });
}

fn without(key: &Key, mood: Mood) {
    let silent = matches!(mood, Mood::Silent);
    let realm = Realm::new(key);
    realm.mood(mood);
    let site = site(&realm);
    let ours = site.token(Role::Viewer, None);
    let theirs = realm.token(key, &json!({}));
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..20).map(|_| scope.spawn(|| jobs(&site, &theirs))).collect();
        std::thread::sleep(Duration::from_millis(300));
        // Whoever has a token of ours does not notice.
        for _ in 0..10 {
            let began = Instant::now();
            assert_eq!(jobs(&site, &ours).status, 200);
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        }
        for answer in waiting {
            let answer = answer.join().unwrap();
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (503, "IDENTITY_PROVIDER_UNAVAILABLE"),
                "{answer:?}"
            );
            assert_eq!(answer.headers["retry-after"], "5");
            assert!(!answer.body.contains(&realm.issuer), "{answer:?}");
        }
    });
    assert!(realm.asked() <= if silent { 4 } else { 2 }, "{}", realm.asked());
    // It comes back.
    realm.mood(Mood::Well);
    let began = Instant::now();
    while jobs(&site, &theirs).status != 200 {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn keys_that_are_at_hand_outlive_a_provider_that_goes_away() {
    let key = Key::new("one");
    let realm = Realm::new(&key);
    let site = site(&realm);
    let token = realm.token(&key, &json!({}));
    assert_eq!(jobs(&site, &token).status, 200);
    realm.mood(Mood::Says("500 Oops", String::new()));
    assert_eq!(jobs(&site, &token).status, 200);
    // Of a key that is not at hand it cannot be told.
    std::thread::sleep(Duration::from_secs(6));
    let other = realm.token(&Key::new("two"), &json!({}));
    assert_eq!(jobs(&site, &other).status, 503);
    assert_eq!(jobs(&site, &token).status, 200);
}
