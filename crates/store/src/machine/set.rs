//! Sets of facts, most of them told by how they differ from others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::fact::{Digest, hex};
use crate::error::Result;
use crate::open::Store;

/// What a set is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Matter {
    /// What is installed.
    Packages = 0,
    /// What is wrong.
    Flaws = 1,
}

impl Matter {
    pub(super) const BOTH: [Self; 2] = [Self::Packages, Self::Flaws];

    /// The table of the facts.
    pub(super) fn facts(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Flaws => "flaws",
        }
    }

    /// The table of the sets.
    pub(super) fn sets(self) -> &'static str {
        match self {
            Self::Packages => "package_sets",
            Self::Flaws => "flaw_sets",
        }
    }

    /// The table of what is in them.
    pub(super) fn items(self) -> &'static str {
        match self {
            Self::Packages => "package_items",
            Self::Flaws => "flaw_items",
        }
    }

    /// The column of machines that names the set, and the one that names its base.
    pub(super) fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Packages => ("packages", "packages_base"),
            Self::Flaws => ("flaws", "flaws_base"),
        }
    }
}

/// How many digests stand for a set when two are compared.
const SKETCH: usize = 16;
/// How many of them two sets have in common at least that are worth a closer look.
const ALIKE: usize = 4;
/// How many sets get that closer look.
const CLOSER: usize = 3;
/// How many bases of a namespace are considered: more would not be like each other.
const CONSIDERED: i64 = 20_000;
/// Of how many sets the items are remembered.
const REMEMBERED: usize = 4096;

/// A set without a base of its own: others may be told by how they differ from it.
#[derive(Clone)]
struct Base {
    number: i32,
    sketch: Vec<u32>,
    example: Option<i64>,
}

/// The bases that are known, and what is in those that were used lately.
#[derive(Default)]
pub(crate) struct Bases {
    families: Mutex<HashMap<(Matter, String), Vec<Base>>>,
    items: Mutex<Items>,
}

/// What is in sets, by what they are of and their numbers.
type Items = HashMap<(Matter, i32), Arc<[i32]>>;

impl Bases {
    fn remembered(&self, key: (Matter, i32)) -> Option<Arc<[i32]>> {
        let known = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key).map(Arc::clone)
    }

    /// Forgets all, since some are gone.
    pub(super) fn forget(&self) {
        self.families.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A set that a machine has.
#[derive(Clone, Debug)]
pub(super) struct Set {
    digest: String,
    /// The numbers of the facts, in their order.
    items: Vec<i32>,
    sketch: Vec<u32>,
}

impl Set {
    pub(super) fn of(facts: &BTreeMap<Digest, i32>) -> Self {
        let mut hash = Sha256::new();
        let mut sketch = Vec::with_capacity(SKETCH);
        for digest in facts.keys() {
            hash.update(digest);
            // The smallest digests of two sets are the same where the sets are, about as often as
            // anything else of them.
            if sketch.len() < SKETCH {
                let [a, b, c, d, ..] = *digest;
                sketch.push(u32::from_be_bytes([a, b, c, d]));
            }
        }
        let mut items: Vec<i32> = facts.values().copied().collect();
        items.sort_unstable();
        Self { digest: hex(&hash.finalize()), items, sketch }
    }

    pub(super) fn digest(&self) -> &str {
        &self.digest
    }
}

/// A set as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) number: i32,
    /// The set that it is told by; itself, where that is none.
    pub(super) base: i32,
    /// The document of a machine that has the base, where there is one already.
    pub(super) example: Option<i64>,
}

/// Keeps sets, and says where each is.
pub(super) struct Keeper<'s> {
    store: &'s Store,
    matter: Matter,
    /// Bases that this transaction has made.
    made: Vec<(String, Base)>,
    made_items: HashMap<i32, Arc<[i32]>>,
}

impl<'s> Keeper<'s> {
    pub(super) fn new(store: &'s Store, matter: Matter) -> Self {
        Self { store, matter, made: Vec::new(), made_items: HashMap::new() }
    }

    /// Keeps the sets of namespaces.
    pub(super) async fn keep(
        &mut self,
        transaction: &mut Transaction<'static, Any>,
        sets: &[(&str, &Set)],
    ) -> Result<HashMap<(String, String), Kept>> {
        let mut kept = self.find(transaction, sets).await?;
        // Whoever keeps the same sets at the same time waits for us, and we never for them.
        let mut wanted: BTreeMap<(&str, &str), &Set> = BTreeMap::new();
        for (namespace, set) in sets {
            wanted.insert((namespace, &set.digest), set);
        }
        wanted.retain(|(namespace, digest), _| {
            !kept.contains_key(&((*namespace).to_owned(), (*digest).to_owned()))
        });
        let mut lost = Vec::new();
        for ((namespace, _), set) in wanted {
            match self.add(transaction, namespace, set).await? {
                Some(it) => drop(kept.insert((namespace.to_owned(), set.digest.clone()), it)),
                None => lost.push((namespace, set)),
            }
        }
        if !lost.is_empty() {
            kept.extend(self.find(transaction, &lost).await?);
        }
        Ok(kept)
    }

    /// The document of a machine that has this base is number `example`.
    pub(super) async fn exemplify(
        &mut self,
        transaction: &mut Transaction<'static, Any>,
        base: i32,
        example: i64,
    ) -> Result<()> {
        let text = format!(
            "UPDATE {} SET example = $1 WHERE number = $2 AND example IS NULL",
            self.matter.sets()
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(example)
            .bind(base)
            .execute(&mut **transaction)
            .await?;
        for (_, made) in self.made.iter_mut().filter(|(_, it)| it.number == base) {
            made.example = Some(example);
        }
        Ok(())
    }

    /// What was made is there for all.
    pub(super) fn committed(self) {
        let bases = self.store.bases();
        let mut families = bases.families.lock().unwrap_or_else(PoisonError::into_inner);
        for (namespace, base) in self.made {
            if let Some(family) = families.get_mut(&(self.matter, namespace))
                && family.iter().all(|it| it.number != base.number)
            {
                family.push(base);
            }
        }
        let mut items = bases.items.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, of) in self.made_items {
            items.insert((self.matter, number), of);
        }
    }

    async fn find(
        &self,
        transaction: &mut Transaction<'static, Any>,
        sets: &[(&str, &Set)],
    ) -> Result<HashMap<(String, String), Kept>> {
        let digests: Vec<&str> = sets.iter().map(|(_, set)| set.digest.as_str()).collect();
        let namespaces: HashSet<&str> = sets.iter().map(|(namespace, _)| *namespace).collect();
        let text = format!(
            "SELECT s.number, s.namespace, s.digest, COALESCE(s.base, s.number) AS base, \
             COALESCE(b.example, s.example) AS example FROM {sets} s \
             LEFT JOIN {sets} b ON b.number = s.base WHERE s.digest IN (SELECT value FROM {digests}) \
             AND s.namespace IN (SELECT value FROM {namespaces})",
            sets = self.matter.sets(),
            digests = self.store.engine().say("{texts:$1}"),
            namespaces = self.store.engine().say("{texts:$2}"),
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(Value::from(digests).to_string())
            .bind(Value::from(namespaces.into_iter().collect::<Vec<_>>()).to_string())
            .fetch_all(&mut **transaction)
            .await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let kept = Kept {
                number: row.try_get("number")?,
                base: row.try_get("base")?,
                example: row.try_get("example")?,
            };
            found.insert((row.try_get("namespace")?, row.try_get("digest")?), kept);
        }
        Ok(found)
    }

    /// Adds a set; nothing where somebody else has just done so.
    async fn add(
        &mut self,
        transaction: &mut Transaction<'static, Any>,
        namespace: &str,
        set: &Set,
    ) -> Result<Option<Kept>> {
        let base = self.nearest(transaction, namespace, set).await?;
        let text = format!(
            "INSERT INTO {} (namespace, digest, base, size, sketch) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (namespace, digest) DO NOTHING RETURNING number",
            self.matter.sets()
        );
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(namespace)
            .bind(&set.digest)
            .bind(base.as_ref().map(|(base, _)| base.number))
            .bind(set.items.len() as i64)
            .bind(base.is_none().then(|| written(&set.sketch)))
            .fetch_optional(&mut **transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let number: i32 = row.try_get("number")?;
        let items = match &base {
            Some((_, difference)) => difference,
            None => &set.items,
        };
        let rows: Vec<Value> = items.iter().map(|item| json!(item)).collect();
        let text = format!(
            "INSERT INTO {} (item_set, item) SELECT CAST($1 AS INTEGER), CAST(e.value AS INTEGER) FROM {}",
            self.matter.items(),
            self.store.engine().say("{rows:$2} e"),
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(number)
            .bind(Value::from(rows).to_string())
            .execute(&mut **transaction)
            .await?;
        Ok(Some(match base {
            Some((base, _)) => Kept { number, base: base.number, example: base.example },
            None => {
                let sketch = set.sketch.clone();
                self.made.push((namespace.to_owned(), Base { number, sketch, example: None }));
                self.made_items.insert(number, set.items.as_slice().into());
                Kept { number, base: number, example: None }
            }
        }))
    }

    /// The base that a set is best told by, and how it differs; nothing where it is like none.
    async fn nearest(
        &self,
        transaction: &mut Transaction<'static, Any>,
        namespace: &str,
        set: &Set,
    ) -> Result<Option<(Base, Vec<i32>)>> {
        self.look_for_more(transaction, namespace).await?;
        let mut alike: Vec<(usize, Base)> = {
            let families =
                self.store.bases().families.lock().unwrap_or_else(PoisonError::into_inner);
            let known = families.get(&(self.matter, namespace.to_owned()));
            let made = self.made.iter().filter(|(of, _)| of == namespace).map(|(_, base)| base);
            let all = known.into_iter().flatten().chain(made);
            let enough = ALIKE.min(set.sketch.len().max(1));
            all.map(|base| (common(&base.sketch, &set.sketch), base))
                .filter(|(common, _)| *common >= enough)
                .map(|(common, base)| (common, base.clone()))
                .collect()
        };
        alike.sort_by_key(|(common, base)| (std::cmp::Reverse(*common), base.number));
        let mut best: Option<(Base, Vec<i32>)> = None;
        for (_, base) in alike.into_iter().take(CLOSER) {
            let items = self.items(transaction, base.number).await?;
            let difference = difference(&items, &set.items);
            let least = best.as_ref().map_or(usize::MAX, |(_, it)| it.len());
            if difference.len() < least && difference.len() * 4 <= set.items.len().max(64) {
                best = Some((base, difference));
            }
        }
        Ok(best)
    }

    /// Reads what others have made since.
    async fn look_for_more(
        &self,
        transaction: &mut Transaction<'static, Any>,
        namespace: &str,
    ) -> Result<()> {
        let key = (self.matter, namespace.to_owned());
        let last = {
            let families =
                self.store.bases().families.lock().unwrap_or_else(PoisonError::into_inner);
            families.get(&key).and_then(|family| family.iter().map(|it| it.number).max())
        };
        let text = format!(
            "SELECT number, sketch, example FROM {} WHERE namespace = $1 AND base IS NULL \
             AND number > $2 ORDER BY number DESC LIMIT $3",
            self.matter.sets()
        );
        let rows = sqlx::query(AssertSqlSafe(text))
            .bind(namespace)
            .bind(last.unwrap_or(0))
            .bind(CONSIDERED)
            .fetch_all(&mut **transaction)
            .await?;
        let mut more = Vec::with_capacity(rows.len());
        for row in &rows {
            let number: i32 = row.try_get("number")?;
            // Ours may yet be taken back.
            if self.made.iter().any(|(_, it)| it.number == number) {
                continue;
            }
            let sketch: Option<String> = row.try_get("sketch")?;
            let sketch = read(sketch.as_deref().unwrap_or(""));
            more.push(Base { number, sketch, example: row.try_get("example")? });
        }
        let mut families =
            self.store.bases().families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(key).or_default();
        for base in more {
            if family.iter().all(|it| it.number != base.number) {
                family.push(base);
            }
        }
        Ok(())
    }

    /// What is in a base.
    async fn items(
        &self,
        transaction: &mut Transaction<'static, Any>,
        number: i32,
    ) -> Result<Arc<[i32]>> {
        if let Some(items) = self.made_items.get(&number) {
            return Ok(Arc::clone(items));
        }
        let key = (self.matter, number);
        if let Some(items) = self.store.bases().remembered(key) {
            return Ok(items);
        }
        let text =
            format!("SELECT item FROM {} WHERE item_set = $1 ORDER BY item", self.matter.items());
        let rows =
            sqlx::query(AssertSqlSafe(text)).bind(number).fetch_all(&mut **transaction).await?;
        let items: std::result::Result<Vec<i32>, _> =
            rows.iter().map(|row| row.try_get("item")).collect();
        let items: Arc<[i32]> = items?.into();
        let mut known = self.store.bases().items.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&items));
        Ok(items)
    }
}

/// How many numbers two rows in their order have in common.
fn common(one: &[u32], other: &[u32]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        common += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    common
}

/// What `now` has more than `before`, and turned what it lacks.
fn difference(before: &[i32], now: &[i32]) -> Vec<i32> {
    let (mut i, mut j, mut difference) = (0, 0, Vec::new());
    loop {
        match (before.get(i), now.get(j)) {
            (Some(a), Some(b)) if a == b => (i, j) = (i + 1, j + 1),
            (Some(a), Some(b)) if a < b => {
                difference.push(-a);
                i += 1;
            }
            (Some(a), None) => {
                difference.push(-a);
                i += 1;
            }
            (_, Some(b)) => {
                difference.push(*b);
                j += 1;
            }
            (None, None) => return difference,
        }
    }
}

fn written(sketch: &[u32]) -> String {
    sketch.iter().map(|it| format!("{it:08x}")).collect()
}

fn read(sketch: &str) -> Vec<u32> {
    let digits = sketch.as_bytes().chunks(8);
    digits
        .filter_map(|chunk| u32::from_str_radix(std::str::from_utf8(chunk).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{common, difference, read, written};

    #[test]
    fn what_differs_makes_the_one_of_the_other() {
        assert_eq!(difference(&[1, 2, 3], &[1, 2, 3]), Vec::<i32>::new());
        assert_eq!(difference(&[1, 2, 3, 9], &[2, 4, 9, 10]), [-1, -3, 4, 10]);
        assert_eq!(difference(&[], &[1]), [1]);
        assert_eq!(difference(&[1], &[]), [-1]);
    }

    #[test]
    fn sketches_are_compared() {
        assert_eq!(common(&[1, 5, 9], &[5, 9, 11]), 2);
        assert_eq!(common(&[], &[5]), 0);
        assert_eq!(read(&written(&[0, 7, u32::MAX])), [0, 7, u32::MAX]);
    }
}
