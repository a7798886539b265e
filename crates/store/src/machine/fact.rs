//! Packages and flaws, each kept once and known by its number.
//!
//! What a flaw is told by does not change with the likelihoods of each day: those are corrected where it
//! stands (`stamp`), and the machines that have it keep their sets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Any, Row as _, Transaction};

use super::set::Matter;
use super::{Flaw, Package};
use crate::error::Result;
use crate::open::Store;

/// What tells facts apart.
pub(super) type Digest = [u8; 32];

/// How many characters of a text can be looked for. PostgreSQL has no index over longer ones, and what
/// has such a name is written by an enemy.
const LONGEST: usize = 400;

/// How many numbers are remembered: some twenty megabytes.
const REMEMBERED: usize = 300_000;

/// A fact as it was met: its number, and the stamp that it had.
pub(super) type Numbered = (i32, u64);

/// The numbers of facts that were met lately.
#[derive(Default)]
pub(crate) struct Numbers {
    of: [Mutex<HashMap<Digest, Numbered>>; 2],
}

impl Numbers {
    fn get(&self, matter: Matter, digest: &Digest) -> Option<Numbered> {
        let known = self.of[matter as usize].lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).copied()
    }

    /// Remembers what was committed.
    pub(super) fn remember(&self, matter: Matter, numbers: &HashMap<Digest, Numbered>) {
        let mut known = self.of[matter as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.clear();
        }
        known.extend(numbers);
    }

    /// Forgets all, since some are gone.
    pub(super) fn forget(&self) {
        for known in &self.of {
            known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// What is the same for all machines that have it.
pub(super) trait Fact {
    /// By what it is told from others.
    fn digest(&self) -> Digest;
    /// A digest of what else is told of it, which may change.
    fn stamp(&self) -> u64;
    fn row(&self) -> Value;
    /// By which names it can be asked for, besides its own.
    fn names(&self) -> HashSet<String>;
}

impl Fact for Package {
    fn digest(&self) -> Digest {
        digest(&[
            &self.system,
            &self.kind,
            &self.name,
            &self.version,
            self.architecture.as_deref().unwrap_or("\u{1}"),
            self.source.as_deref().unwrap_or("\u{1}"),
        ])
    }

    fn stamp(&self) -> u64 {
        0
    }

    fn row(&self) -> Value {
        let key = self.scheme.and_then(|scheme| scheme.key(&self.version));
        json!({
            "digest": hex(&self.digest()),
            "system": plain(&self.system),
            "kind": plain(&self.kind),
            "name": plain(&self.name),
            "version": plain(&self.version),
            "architecture": self.architecture.as_deref().map(plain),
            "source": self.source.as_deref().map(plain),
            "scheme": key.as_ref().and(self.scheme).map(fathom_version::Scheme::as_str),
            "key": key.map(|key| hex(&key)),
        })
    }

    fn names(&self) -> HashSet<String> {
        HashSet::new()
    }
}

impl Fact for Flaw {
    fn digest(&self) -> Digest {
        digest(&[
            &self.cve,
            &self.system,
            &self.kind,
            &self.package,
            &self.version,
            self.fixed_version.as_deref().unwrap_or("\u{1}"),
            &self.state,
            self.excepted.as_deref().unwrap_or("\u{1}"),
        ])
    }

    fn stamp(&self) -> u64 {
        let Self { severity, cvss, epss, exploited, risk, .. } = self;
        let numbers = format!("{severity:?} {cvss:?} {epss:?} {exploited} {risk}");
        let mut parts = vec![numbers.as_str()];
        parts.extend(self.aliases.iter().map(String::as_str));
        let [a, b, c, d, e, f, g, h, ..] = digest(&parts);
        // Databases count up to here.
        u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 1
    }

    fn row(&self) -> Value {
        json!({
            "digest": hex(&self.digest()),
            "stamp": self.stamp(),
            "cve": plain(&self.cve),
            "system": plain(&self.system),
            "kind": plain(&self.kind),
            "package": plain(&self.package),
            "version": plain(&self.version),
            "fixed": self.fixed_version.as_deref().map(plain),
            "state": plain(&self.state),
            "severity": self.severity,
            "cvss": self.cvss,
            "epss": self.epss,
            "exploited": i64::from(self.exploited),
            "excepted": self.excepted.as_deref().map(plain),
            "risk": self.risk,
        })
    }

    fn names(&self) -> HashSet<String> {
        self.aliases.iter().chain([&self.cve]).map(|name| plain(name)).collect()
    }
}

/// The numbers of these facts, by their digests. Those that are new are added, and what has changed of
/// the others is corrected.
pub(super) async fn number<F: Fact>(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    matter: Matter,
    facts: &BTreeMap<Digest, &F>,
) -> Result<HashMap<Digest, Numbered>> {
    let mut numbers = HashMap::with_capacity(facts.len());
    let mut unknown = Vec::new();
    for digest in facts.keys() {
        match store.fact_numbers().get(matter, digest) {
            Some(numbered) => drop(numbers.insert(*digest, numbered)),
            None => unknown.push(*digest),
        }
    }
    find(store, transaction, matter, &mut unknown, &mut numbers).await?;
    let changed = |numbers: &HashMap<Digest, Numbered>| -> Vec<Digest> {
        let differs = |it: &(&Digest, &&F)| numbers.get(it.0).is_some_and(|n| n.1 != it.1.stamp());
        facts.iter().filter(differs).map(|(digest, _)| *digest).collect()
    };
    let told = changed(&numbers);
    for (digests, text) in [(&unknown, matter.add()), (&told, CORRECT)] {
        if digests.is_empty() {
            continue;
        }
        let rows: Vec<Value> = digests.iter().map(|digest| facts[digest].row()).collect();
        sqlx::query(store.sql(text))
            .bind(Value::from(rows).to_string())
            .execute(&mut **transaction)
            .await?;
    }
    for digest in &told {
        if let Some(numbered) = numbers.get_mut(digest) {
            numbered.1 = facts[digest].stamp();
        }
    }
    let mut new = unknown.clone();
    find(store, transaction, matter, &mut unknown, &mut numbers).await?;
    new.extend(told);
    let names: Vec<Value> = new
        .iter()
        .filter_map(|digest| Some((numbers.get(digest)?.0, facts[digest].names())))
        .flat_map(|(number, names)| {
            names.into_iter().map(move |name| json!({ "n": name, "f": number }))
        })
        .collect();
    if !names.is_empty() {
        sqlx::query(store.sql(NAME))
            .bind(Value::from(names).to_string())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(numbers)
}

/// Takes those out of `unknown` that are there.
async fn find(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    matter: Matter,
    unknown: &mut Vec<Digest>,
    numbers: &mut HashMap<Digest, Numbered>,
) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    let digests: Vec<String> = unknown.iter().map(|digest| hex(digest)).collect();
    let rows = sqlx::query(store.sql(matter.find()))
        .bind(Value::from(digests).to_string())
        .fetch_all(&mut **transaction)
        .await?;
    let mut found: HashMap<String, Numbered> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let stamp: i64 = row.try_get("stamp")?;
        found.insert(row.try_get("digest")?, (row.try_get("number")?, stamp as u64));
    }
    unknown.retain(|digest| match found.get(&hex(digest)) {
        Some(numbered) => {
            numbers.insert(*digest, *numbered);
            false
        }
        None => true,
    });
    Ok(())
}

impl Matter {
    fn find(self) -> &'static str {
        match self {
            Self::Packages => {
                "SELECT number, digest, CAST(0 AS BIGINT) AS stamp FROM packages \
                 WHERE digest IN (SELECT value FROM {texts:$1})"
            }
            Self::Flaws => {
                "SELECT number, digest, stamp FROM flaws \
                 WHERE digest IN (SELECT value FROM {texts:$1})"
            }
        }
    }

    fn add(self) -> &'static str {
        match self {
            Self::Packages => {
                "INSERT INTO packages (digest, system, kind, name, version, architecture, source, \
                 scheme, key) SELECT e.value ->> 'digest', e.value ->> 'system', \
                 e.value ->> 'kind', e.value ->> 'name', e.value ->> 'version', \
                 e.value ->> 'architecture', e.value ->> 'source', e.value ->> 'scheme', \
                 e.value ->> 'key' FROM {rows:$1} e WHERE true ON CONFLICT (digest) DO NOTHING"
            }
            Self::Flaws => {
                "INSERT INTO flaws (digest, stamp, cve, system, kind, package, version, \
                 fixed_version, state, severity, cvss, epss, exploited, excepted, risk) \
                 SELECT e.value ->> 'digest', CAST(e.value ->> 'stamp' AS BIGINT), \
                 e.value ->> 'cve', e.value ->> 'system', e.value ->> 'kind', \
                 e.value ->> 'package', e.value ->> 'version', e.value ->> 'fixed', \
                 e.value ->> 'state', CAST(e.value ->> 'severity' AS BIGINT), \
                 CAST(e.value ->> 'cvss' AS DOUBLE PRECISION), \
                 CAST(e.value ->> 'epss' AS DOUBLE PRECISION), \
                 CAST(e.value ->> 'exploited' AS BIGINT), e.value ->> 'excepted', \
                 CAST(e.value ->> 'risk' AS DOUBLE PRECISION) \
                 FROM {rows:$1} e WHERE true ON CONFLICT (digest) DO NOTHING"
            }
        }
    }
}

/// What is told of flaws by now.
const CORRECT: &str = "UPDATE flaws SET stamp = CAST(e.value ->> 'stamp' AS BIGINT), \
     severity = CAST(e.value ->> 'severity' AS BIGINT), \
     cvss = CAST(e.value ->> 'cvss' AS DOUBLE PRECISION), \
     epss = CAST(e.value ->> 'epss' AS DOUBLE PRECISION), \
     exploited = CAST(e.value ->> 'exploited' AS BIGINT), \
     risk = CAST(e.value ->> 'risk' AS DOUBLE PRECISION) \
     FROM {rows:$1} e WHERE flaws.digest = e.value ->> 'digest'";

/// By which names flaws can be asked for.
const NAME: &str = "INSERT INTO flaw_names (name, flaw) \
     SELECT e.value ->> 'n', CAST(e.value ->> 'f' AS INTEGER) FROM {rows:$1} e WHERE true \
     ON CONFLICT (name, flaw) DO NOTHING";

/// A text that databases take: without NUL, and not longer than what an index holds.
pub(super) fn plain(text: &str) -> String {
    text.chars().take(LONGEST).map(|it| if it == '\0' { '\u{fffd}' } else { it }).collect()
}

/// A digest of texts, of which none can pass for a part of another.
fn digest(parts: &[&str]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
