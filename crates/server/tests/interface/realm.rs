//! A provider of identities that does what a test tells it to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fathom_server::{Identities, Role};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// What tokens must be meant for.
pub(crate) const AUDIENCE: &str = "fathom";

/// A key of P-256 and what it is called.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pair: Arc<EcdsaKeyPair>,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let bytes = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, bytes.as_ref(), &random).unwrap();
        Self { kid: kid.to_owned(), pair: Arc::new(pair) }
    }

    /// As it is published.
    pub(crate) fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) })
    }

    /// A token with this header and these claims, signed.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What is signed of a token.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What it answers.
#[derive(Clone)]
pub(crate) enum Mood {
    /// What it should.
    Well,
    /// Nothing, and does not hang up.
    Silent,
    /// This to everything.
    Says(&'static str, String),
}

struct State {
    keys: Vec<Value>,
    mood: Mood,
}

/// The provider.
pub(crate) struct Realm {
    pub(crate) issuer: String,
    state: Arc<Mutex<State>>,
    asked: Arc<AtomicUsize>,
}

impl Realm {
    /// One that publishes this key.
    pub(crate) fn new(key: &Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = State { keys: vec![key.public()], mood: Mood::Well };
        let realm = Self { issuer, state: Arc::new(Mutex::new(state)), asked: Arc::default() };
        let (state, asked, issuer) =
            (Arc::clone(&realm.state), Arc::clone(&realm.asked), realm.issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, asked, issuer) =
                    (Arc::clone(&state), Arc::clone(&asked), issuer.clone());
                std::thread::spawn(move || answer(&stream.unwrap(), &state, &asked, &issuer));
            }
        });
        realm
    }

    pub(crate) fn publish(&self, keys: &[&Key]) {
        self.state.lock().unwrap().keys = keys.iter().map(|key| key.public()).collect();
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// It, as a service is told of it.
    pub(crate) fn identities(&self) -> Identities {
        let settings = fathom_identity::Settings {
            issuer: self.issuer.clone(),
            audience: AUDIENCE.to_owned(),
            roles_claim: "realm.roles".to_owned(),
            namespaces_claim: Some("places".to_owned()),
            ..fathom_identity::Settings::default()
        };
        let provider = fathom_identity::Provider::new(settings).unwrap();
        let role = |name: &str| match name {
            "chief" => Some(Role::Admin),
            "staff" => Some(Role::Operator),
            "guest" => Some(Role::Viewer),
            _ => None,
        };
        Identities::new(provider, role, |_| ())
    }

    /// Claims of a token that counts, with these changed.
    pub(crate) fn claims(&self, change: &Value) -> Value {
        let mut claims = json!({ "iss": self.issuer, "aud": AUDIENCE, "sub": "ann", "exp": now() + 300,
            "realm": { "roles": ["staff"] }, "places": "*" });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// A token of this key, with these claims changed.
    pub(crate) fn token(&self, key: &Key, change: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid });
        key.sign(&header, &self.claims(change))
    }
}

fn answer(stream: &TcpStream, state: &Mutex<State>, asked: &AtomicUsize, issuer: &str) {
    let mut path = String::new();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix("GET ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    let (mood, keys) = {
        let state = state.lock().unwrap();
        (state.mood.clone(), state.keys.clone())
    };
    let about = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
    if path == "/keys" || !matches!(mood, Mood::Well) {
        asked.fetch_add(1, Ordering::SeqCst);
    }
    let (status, body) = match mood {
        Mood::Silent => {
            std::thread::sleep(Duration::from_secs(60));
            return;
        }
        Mood::Says(status, body) => (status, body),
        Mood::Well if path == "/keys" => ("200 OK", json!({ "keys": keys }).to_string()),
        Mood::Well if path == "/.well-known/openid-configuration" => ("200 OK", about.to_string()),
        Mood::Well => ("404 Not Found", String::new()),
    };
    let mut stream = stream;
    let length = body.len();
    // Whoever asks may have gone away.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
