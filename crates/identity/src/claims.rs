//! What a token says, and whether that is meant for us and now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::provider::Settings;

/// The longest name of somebody.
const LONGEST: usize = 200;
/// The most roles or namespaces that are looked at.
const MOST: usize = 1000;
/// What says "all namespaces".
const ALL: &str = "*";

/// Somebody, as the provider knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What they are called.
    pub user: String,
    /// The roles that they have there, which mean nothing here by themselves.
    pub roles: Vec<String>,
    /// The namespaces that they see; nothing: all.
    pub namespaces: Option<Vec<String>>,
}

/// Whether a token with these claims counts now, and who it is about.
pub(crate) fn judge(
    claims: &Map<String, Value>,
    settings: &Settings,
    now: SystemTime,
) -> Result<Identity, &'static str> {
    if claims.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
        return Err("the token is of another issuer");
    }
    let meant = |audience: &Value| audience.as_str() == Some(&settings.audience);
    let for_us = claims.get("aud").is_some_and(|audience| match audience {
        Value::Array(list) => list.iter().any(meant),
        one => meant(one),
    });
    if !for_us {
        return Err("the token is not meant for this service");
    }
    in_time(claims, settings.leeway, now)?;
    let user = claims.get(&settings.user_claim).and_then(Value::as_str).unwrap_or_default();
    if !is_plain(user) {
        return Err("the token names nobody");
    }
    let roles = names(lookup(claims, &settings.roles_claim));
    let namespaces = match &settings.namespaces_claim {
        None => None,
        Some(claim) => match names(lookup(claims, claim)) {
            all if all.iter().any(|name| name == ALL) => None,
            some => Some(some),
        },
    };
    Ok(Identity { user: user.to_owned(), roles, namespaces })
}

fn in_time(
    claims: &Map<String, Value>,
    leeway: Duration,
    now: SystemTime,
) -> Result<(), &'static str> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let leeway = leeway.as_secs_f64();
    let time = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or("a time of the token is no number"),
    };
    let ends = time("exp")?.ok_or("the token says no time at which it expires")?;
    if ends + leeway <= now {
        return Err("the token has expired");
    }
    if time("nbf")?.is_some_and(|begins| begins - leeway > now) {
        return Err("the token does not count yet");
    }
    Ok(())
}

/// The claim of this name, or the one that it leads to: `realm_access.roles`. Some names have dots in
/// them.
fn lookup<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut parts = path.split('.');
    let mut value = claims.get(parts.next()?)?;
    for part in parts {
        value = value.as_object()?.get(part)?;
    }
    Some(value)
}

/// A list of names, which some providers write as one text with blanks between.
fn names(value: Option<&Value>) -> Vec<String> {
    let all: Vec<&str> = match value {
        Some(Value::Array(list)) => list.iter().take(MOST).filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => text.split_whitespace().take(MOST).collect(),
        _ => Vec::new(),
    };
    all.into_iter().filter(|name| is_plain(name)).map(str::to_owned).collect()
}

fn is_plain(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn settings() -> Settings {
        Settings {
            issuer: "https://login.test".to_owned(),
            audience: "fathom".to_owned(),
            namespaces_claim: Some("places".to_owned()),
            roles_claim: "realm.roles".to_owned(),
            ..Settings::default()
        }
    }

    fn said(change: &Value) -> Result<Identity, &'static str> {
        let mut claims = json!({ "iss": "https://login.test", "aud": "fathom", "sub": "ann",
            "exp": NOW + 300, "nbf": NOW, "realm": { "roles": ["a", "b"] }, "places": ["north"] });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        judge(claims.as_object().unwrap(), &settings(), now)
    }

    #[test]
    fn what_is_meant_for_us_and_now_counts() {
        let ann = Identity {
            user: "ann".to_owned(),
            roles: vec!["a".to_owned(), "b".to_owned()],
            namespaces: Some(vec!["north".to_owned()]),
        };
        for change in [
            json!({}),
            json!({ "aud": ["other", "fathom"] }),
            json!({ "exp": NOW as f64 - 59.5 }),
            json!({ "nbf": NOW + 59 }),
            json!({ "nbf": null }),
        ] {
            assert_eq!(said(&change), Ok(ann.clone()), "{change}");
        }
    }

    #[test]
    fn what_is_not_is_refused() {
        for (change, why) in [
            (json!({ "iss": "https://login.test/" }), "another issuer"),
            (json!({ "iss": null }), "another issuer"),
            (json!({ "iss": ["https://login.test"] }), "another issuer"),
            (json!({ "aud": "fathom2" }), "not meant"),
            (json!({ "aud": [] }), "not meant"),
            (json!({ "aud": { "fathom": 1 } }), "not meant"),
            (json!({ "aud": null }), "not meant"),
            (json!({ "exp": NOW - 60 }), "has expired"),
            (json!({ "exp": null }), "no time"),
            (json!({ "exp": "soon" }), "no number"),
            (json!({ "nbf": NOW + 61 }), "not count yet"),
            (json!({ "nbf": "now" }), "no number"),
            (json!({ "sub": "" }), "nobody"),
            (json!({ "sub": null }), "nobody"),
            (json!({ "sub": 7 }), "nobody"),
            (json!({ "sub": "a\nb" }), "nobody"),
            (json!({ "sub": "a".repeat(201) }), "nobody"),
        ] {
            let outcome = said(&change);
            assert!(outcome.clone().is_err_and(|it| it.contains(why)), "{change}: {outcome:?}");
        }
    }

    #[test]
    fn roles_and_namespaces_are_what_the_claims_say_and_no_more() {
        let roles = |change: Value| said(&change).unwrap().roles;
        assert_eq!(roles(json!({ "realm": { "roles": "x y" } })), ["x", "y"]);
        assert_eq!(roles(json!({ "realm.roles": ["z"] })), ["z"]);
        for none in [json!(null), json!({}), json!({ "roles": 7 }), json!({ "roles": [1, ["a"]] })]
        {
            assert_eq!(roles(json!({ "realm": none })), [""; 0], "{none}");
        }
        let places = |value: Value| said(&json!({ "places": value })).unwrap().namespaces;
        assert_eq!(places(json!("*")), None);
        assert_eq!(places(json!(["north", "*"])), None);
        for none in [json!(null), json!({}), json!([]), json!(""), json!(true)] {
            assert_eq!(places(none.clone()), Some(Vec::new()), "{none}");
        }
    }
}
