//! What stands behind the question mark of an address.

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::problem::Problem;

/// The parameters of a request. Those that its operation does not know are refused: a filter that was
/// mistyped must not read as none.
#[derive(Clone, Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    /// Its door has read them.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(BTreeMap::new())))
    }
}

impl Parameters {
    /// Reads a query, in which only these are known.
    pub(crate) fn read(query: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            if found.insert(name.clone(), decode(value)?).is_some() {
                return Err(Problem::invalid(format!("{name} is given twice")));
            }
        }
        match found.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Problem::invalid(format!("there is no parameter {name:?}; there are: {known}")))
            }
            None => Ok(Self(found)),
        }
    }

    /// How many entries a page has, and behind which it begins.
    pub(crate) fn page(&self, most: u32) -> Result<(u32, Option<i64>), Problem> {
        Ok((self.limit(most)?, self.number("cursor", 0, i64::MAX)?))
    }

    /// How many entries a page has: as many as are asked for, and no more than the service gives at once.
    pub(crate) fn limit(&self, most: u32) -> Result<u32, Problem> {
        let Some(text) = self.text("limit") else { return Ok(50.min(most)) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX).min(most)) {
            Some(limit) if limit > 0 => Ok(limit),
            _ => Err(Problem::invalid("limit: it is a number from 1 on")),
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(Problem::invalid(format!(
                    "{name}: there is no {text:?}; there are {}",
                    known.join(", ")
                )))
            }
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.text(name).map(|text| text.split(',').collect())
    }

    pub(crate) fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
        &self,
        name: &str,
        least: T,
        most: T,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<T>() {
            Ok(number) if number >= least && number <= most => Ok(Some(number)),
            _ => Err(Problem::invalid(format!("{name}: it is a number from {least} to {most}"))),
        }
    }
}

/// A part of the path.
pub(crate) struct Id(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Problem::not_found("there is nothing of that name")),
        }
    }
}

fn decode(text: &str) -> Result<String, Problem> {
    let wrong = || Problem::invalid("the query is not encoded as it must be");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|it| char::from(it).to_digit(16));
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                bytes.push((high * 16 + low) as u8);
            }
            _ => bytes.push(byte),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    if text.contains('\0') { Err(wrong()) } else { Ok(text) }
}
