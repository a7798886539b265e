//! Keeping what a look at a machine found.
//!
//! Everything of a batch is one transaction, and goes through the tables in one order, the rows of each
//! in theirs, so that those who keep at the same time wait for each other and never in a ring. Nothing is
//! swept away meanwhile ([`share`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::{Any, Row as _, Transaction};

use super::blob;
use super::fact::{self, Digest, Fact, Numbered, plain};
use super::set::{Keeper, Kept as KeptSet, Matter, Set};
use super::{Flaw, Look, Package, Verdict};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::open::{Store, patiently};

/// What became of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It was kept.
    Of {
        /// The machine.
        id: String,
        /// The look.
        inspection: i64,
    },
    /// Whoever looked does not have the job any more: nothing was kept.
    Late,
}

/// The longest name of a machine that can be told from others by its text; longer ones are by digest.
const KEY: usize = 300;

impl Store {
    /// Keeps looks at machines, all of them or none. A job that looks once more replaces what it kept
    /// before.
    pub async fn keep_looks(&self, looks: &[Look]) -> Result<Vec<Kept>> {
        if looks.is_empty() {
            return Ok(Vec::new());
        }
        patiently(|| self.try_keep_looks(looks)).await
    }

    /// Forgets what is remembered of the tables.
    pub(super) fn forget(&self) {
        self.fact_numbers().forget();
        self.bases().forget();
        self.documents().forget();
    }

    async fn try_keep_looks(&self, looks: &[Look]) -> Result<Vec<Kept>> {
        let mut transaction = self.begin().await?;
        share(self, &mut transaction).await?;
        let held = self.held(&mut transaction, looks).await?;
        let counted: Vec<&Look> =
            looks.iter().zip(&held).filter(|(_, held)| **held).map(|(look, _)| look).collect();
        let machines = self.machines_of(&mut transaction, &counted).await?;
        let mut sorting = Sorting::new(self);
        let sorted = sorting.sort(&mut transaction, &counted).await?;
        let mut kept = Vec::with_capacity(counted.len());
        for (look, sorted) in counted.iter().zip(&sorted) {
            let (number, id) = machines
                .get(&key(look))
                .cloned()
                .ok_or_else(|| Error::new(ErrorKind::Internal, "a machine was not added"))?;
            let inspection = self.inspected(&mut transaction, number, look, sorted).await?;
            self.told(&mut transaction, number, inspection, look, sorted).await?;
            kept.push(Kept::Of { id, inspection });
        }
        transaction.commit().await?;
        sorting.committed();
        let mut kept = kept.into_iter();
        Ok(held
            .into_iter()
            .map(|held| if held { kept.next().unwrap_or(Kept::Late) } else { Kept::Late })
            .collect())
    }

    /// Which of them come from jobs that are still held as they say.
    async fn held(
        &self,
        transaction: &mut Transaction<'static, Any>,
        looks: &[Look],
    ) -> Result<Vec<bool>> {
        let jobs: Vec<_> = looks
            .iter()
            .filter_map(|look| look.job.as_ref())
            .map(|(job, fence)| json!({ "job": job, "fence": fence }))
            .collect();
        if jobs.is_empty() {
            return Ok(vec![true; looks.len()]);
        }
        let rows = sqlx::query(self.sql(
            "SELECT id FROM jobs WHERE state IN (2, 3) AND id IN \
             (SELECT j.id FROM jobs j JOIN {rows:$1} e ON j.id = e.value ->> 'job' \
             AND j.fence = CAST(e.value ->> 'fence' AS BIGINT)) ORDER BY id {kept}",
        ))
        .bind(Value::from(jobs).to_string())
        .fetch_all(&mut **transaction)
        .await?;
        let held: std::result::Result<HashSet<String>, _> =
            rows.iter().map(|row| row.try_get("id")).collect();
        let held = held?;
        Ok(looks
            .iter()
            .map(|look| look.job.as_ref().is_none_or(|(job, _)| held.contains(job)))
            .collect())
    }

    /// The machines: their numbers and ids. Those that are new are added.
    async fn machines_of(
        &self,
        transaction: &mut Transaction<'static, Any>,
        looks: &[&Look],
    ) -> Result<HashMap<(String, String), (i64, String)>> {
        let mut wanted = BTreeMap::new();
        for look in looks {
            wanted.insert(key(look), look);
        }
        let rows: Vec<Value> = wanted
            .iter()
            .map(|((namespace, key), look)| {
                json!({
                    "id": format!("vm-{}", uuid::Uuid::now_v7()),
                    "namespace": namespace,
                    "key": key,
                    "alias": look.machine.alias.as_deref().map(plain),
                    "name": plain(&look.machine.name),
                    "likeness": look.likeness,
                })
            })
            .collect();
        let rows = sqlx::query(self.sql(
            "INSERT INTO machines (id, namespace, key, alias, name, version, first_seen_at, seen_at, \
             inspection, packages_known, flaws_known, likeness, match_after) \
             SELECT e.value ->> 'id', e.value ->> 'namespace', e.value ->> 'key', \
             e.value ->> 'alias', e.value ->> 'name', 0, {now}, {now}, 0, 0, 0, \
             e.value ->> 'likeness', 0 FROM {rows:$1} e WHERE true \
             ON CONFLICT (namespace, key) DO UPDATE SET seen_at = {now} \
             RETURNING number, id, namespace, key",
        ))
        .bind(Value::from(rows).to_string())
        .fetch_all(&mut **transaction)
        .await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let key = (row.try_get("namespace")?, row.try_get("key")?);
            found.insert(key, (row.try_get("number")?, row.try_get("id")?));
        }
        Ok(found)
    }

    /// Adds the look to the machine's others.
    async fn inspected(
        &self,
        transaction: &mut Transaction<'static, Any>,
        machine: i64,
        look: &Look,
        sorted: &Sorted,
    ) -> Result<i64> {
        let row = sqlx::query(self.sql(
            "INSERT INTO inspections (machine, job, at, report, findings, packages, flaws, risk) \
             VALUES ($1, $2, {now}, $3, $4, $5, $6, CAST(CAST($7 AS TEXT) AS DOUBLE PRECISION)) \
             ON CONFLICT (job) DO UPDATE SET \
             machine = excluded.machine, at = excluded.at, report = excluded.report, \
             findings = excluded.findings, packages = excluded.packages, flaws = excluded.flaws, \
             risk = excluded.risk RETURNING number",
        ))
        .bind(machine)
        .bind(look.job.as_ref().map(|(job, _)| job.as_str()))
        .bind(sorted.report)
        .bind(sorted.findings)
        .bind(sorted.packages.map(|it| it.number))
        .bind(sorted.flaws.map(|it| it.number))
        .bind(look.verdict.as_ref().map(|it| number(it.tally.risk)))
        .fetch_one(&mut **transaction)
        .await?;
        Ok(row.try_get("number")?)
    }

    /// The machine is what the look says of it.
    async fn told(
        &self,
        transaction: &mut Transaction<'static, Any>,
        machine: i64,
        inspection: i64,
        look: &Look,
        sorted: &Sorted,
    ) -> Result<()> {
        let nature = &look.nature;
        let text = |text: &Option<String>| text.as_deref().map(plain);
        sqlx::query(
            "UPDATE machines SET version = version + 1, inspection = $2, name = $3, alias = $4, \
             hostname = $5, family = $6, os = $7, os_version = $8, os_name = $9, \
             architecture = $10, kernel = $11, packages = $12, packages_base = $13, \
             package_count = $14, packages_known = $15, likeness = $16 WHERE number = $1",
        )
        .bind(machine)
        .bind(inspection)
        .bind(plain(&look.machine.name))
        .bind(text(&look.machine.alias))
        .bind(text(&nature.hostname))
        .bind(text(&nature.family))
        .bind(text(&nature.os))
        .bind(text(&nature.os_version))
        .bind(text(&nature.os_name))
        .bind(text(&nature.architecture))
        .bind(text(&nature.kernel))
        .bind(sorted.packages.map(|it| it.number))
        .bind(sorted.packages.map(|it| it.base))
        .bind(look.packages.as_ref().map(|it| it.len() as i64))
        .bind(i64::from(look.packages.is_some() && look.packages_known))
        .bind(&look.likeness)
        .execute(&mut **transaction)
        .await?;
        self.judged(transaction, machine, look.verdict.as_ref(), sorted.flaws).await
    }

    /// What is wrong with a machine is what the verdict says of it.
    pub(super) async fn judged(
        &self,
        transaction: &mut Transaction<'static, Any>,
        machine: i64,
        verdict: Option<&Verdict>,
        flaws: Option<KeptSet>,
    ) -> Result<()> {
        if let Some(verdict) = verdict {
            self.news(transaction, machine, verdict).await?;
        }
        let tally = verdict.map(|it| it.tally);
        let count = |of: fn(&super::Tally) -> u32| tally.as_ref().map(|it| i64::from(of(it)));
        sqlx::query(self.sql(
            "UPDATE machines SET flaws = $2, flaws_base = $3, flaws_known = $4, matched_with = $5, \
             matched_at = CASE WHEN CAST($5 AS TEXT) IS NULL THEN NULL ELSE {now} END, \
             match_after = 0, risk = CAST(CAST($6 AS TEXT) AS DOUBLE PRECISION), critical = $7, high = $8, medium = $9, low = $10, \
             negligible = $11, unrated = $12, exploited = $13, fixable = $14, excepted = $15 \
             WHERE number = $1",
        ))
        .bind(machine)
        .bind(flaws.map(|it| it.number))
        .bind(flaws.map(|it| it.base))
        .bind(i64::from(verdict.is_some_and(|it| it.known)))
        .bind(verdict.map(|it| it.with.as_str()))
        .bind(tally.map(|it| number(it.risk)))
        .bind(count(|it| it.critical))
        .bind(count(|it| it.high))
        .bind(count(|it| it.medium))
        .bind(count(|it| it.low))
        .bind(count(|it| it.negligible))
        .bind(count(|it| it.unrated))
        .bind(count(|it| it.exploited))
        .bind(count(|it| it.fixable))
        .bind(count(|it| it.excepted))
        .execute(&mut **transaction)
        .await?;
        Ok(())
    }
}

/// Where what a look found is.
#[derive(Clone, Copy, Debug)]
struct Sorted {
    report: i64,
    findings: Option<i64>,
    packages: Option<KeptSet>,
    flaws: Option<KeptSet>,
}

/// Puts facts, sets and documents where they belong.
pub(super) struct Sorting<'s> {
    store: &'s Store,
    packages: Keeper<'s>,
    flaws: Keeper<'s>,
    numbers: [HashMap<Digest, Numbered>; 2],
}

/// A verdict: the namespace, the flaws, and the document that tells them.
type Judged<'l> = (&'l str, &'l [Flaw], &'l str);

impl<'s> Sorting<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self {
            store,
            packages: Keeper::new(store, Matter::Packages),
            flaws: Keeper::new(store, Matter::Flaws),
            numbers: [HashMap::new(), HashMap::new()],
        }
    }

    async fn sort(
        &mut self,
        transaction: &mut Transaction<'static, Any>,
        looks: &[&Look],
    ) -> Result<Vec<Sorted>> {
        let installed: Vec<(&str, Option<&[Package]>)> = looks
            .iter()
            .map(|look| (look.machine.namespace.as_str(), look.packages.as_deref()))
            .collect();
        let wrong: Vec<(&str, Option<&[Flaw]>)> = looks
            .iter()
            .map(|look| {
                let flaws = look.verdict.as_ref().map(|it| it.flaws.as_slice());
                (look.machine.namespace.as_str(), flaws)
            })
            .collect();
        let of = &mut self.numbers;
        let (have, are): (Vec<Told>, Vec<Told>);
        (of[0], have) = numbered(self.store, transaction, Matter::Packages, &installed).await?;
        (of[1], are) = numbered(self.store, transaction, Matter::Flaws, &wrong).await?;
        let namespaces = || looks.iter().map(|look| look.machine.namespace.as_str());
        let have = namespaces().zip(have);
        let packages = sets(&mut self.packages, transaction, have, &of[0]).await?;
        let flaws = sets(&mut self.flaws, transaction, namespaces().zip(are), &of[1]).await?;
        let reports: Vec<_> = looks
            .iter()
            .zip(&packages)
            .map(|(look, set)| Some((look.report.as_str(), *set)))
            .collect();
        let findings: Vec<_> = looks
            .iter()
            .zip(&flaws)
            .map(|(look, set)| look.verdict.as_ref().map(|it| (it.findings.as_str(), *set)))
            .collect();
        let reports = documents(self.store, &mut self.packages, transaction, &reports).await?;
        let findings = documents(self.store, &mut self.flaws, transaction, &findings).await?;
        reports
            .into_iter()
            .zip(findings)
            .zip(packages.into_iter().zip(flaws))
            .map(|((report, findings), (packages, flaws))| {
                let report = report
                    .ok_or_else(|| Error::new(ErrorKind::Internal, "a report was not kept"))?;
                Ok(Sorted { report, findings, packages, flaws })
            })
            .collect()
    }

    /// The same for verdicts alone: the document and the set of each.
    pub(super) async fn sort_verdicts(
        &mut self,
        transaction: &mut Transaction<'static, Any>,
        verdicts: &[Judged<'_>],
    ) -> Result<Vec<(i64, KeptSet)>> {
        let wrong: Vec<_> = verdicts.iter().map(|(of, flaws, _)| (*of, Some(*flaws))).collect();
        let (numbers, are) = numbered(self.store, transaction, Matter::Flaws, &wrong).await?;
        let are = verdicts.iter().map(|(namespace, ..)| *namespace).zip(are);
        let flaws = sets(&mut self.flaws, transaction, are, &numbers).await?;
        self.numbers[1] = numbers;
        let told: Vec<_> =
            verdicts.iter().zip(&flaws).map(|(it, set)| Some((it.2, *set))).collect();
        let kept = documents(self.store, &mut self.flaws, transaction, &told).await?;
        let whole = kept.into_iter().zip(flaws).map(|(document, set)| Some((document?, set?)));
        whole
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a verdict was not kept"))
    }

    /// What was kept is there for all.
    pub(super) fn committed(self) {
        for matter in Matter::BOTH {
            self.store.fact_numbers().remember(matter, &self.numbers[matter as usize]);
        }
        self.packages.committed();
        self.flaws.committed();
    }
}

/// The facts of a look, by their digests; nothing where it could not be looked.
type Told = Option<Vec<Digest>>;

/// The numbers of all facts of a batch, and which each look told.
async fn numbered<F: Fact>(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    matter: Matter,
    all: &[(&str, Option<&[F]>)],
) -> Result<(HashMap<Digest, Numbered>, Vec<Told>)> {
    let mut facts = BTreeMap::new();
    let mut told = Vec::with_capacity(all.len());
    for (_, some) in all {
        let Some(some) = some else {
            told.push(None);
            continue;
        };
        let digests: Vec<Digest> = some.iter().map(Fact::digest).collect();
        facts.extend(digests.iter().copied().zip(*some));
        told.push(Some(digests));
    }
    let numbers = fact::number(store, transaction, matter, &facts).await?;
    match numbers.len() == facts.len() {
        true => Ok((numbers, told)),
        false => Err(Error::new(ErrorKind::Internal, "a fact was not added")),
    }
}

async fn sets<'n>(
    keeper: &mut Keeper<'_>,
    transaction: &mut Transaction<'static, Any>,
    all: impl Iterator<Item = (&'n str, Told)>,
    numbers: &HashMap<Digest, Numbered>,
) -> Result<Vec<Option<KeptSet>>> {
    let set = |digests: Vec<Digest>| {
        let numbered = digests.into_iter().filter_map(|it| Some((it, numbers.get(&it)?.0)));
        Set::of(&numbered.collect())
    };
    let made: Vec<(&str, Option<Set>)> =
        all.map(|(namespace, told)| (namespace, told.map(set))).collect();
    let wanted: Vec<(&str, &Set)> =
        made.iter().filter_map(|(namespace, set)| Some((*namespace, set.as_ref()?))).collect();
    let kept = match wanted.is_empty() {
        true => HashMap::new(),
        false => keeper.keep(transaction, &wanted).await?,
    };
    let found = |(namespace, set): &(&str, Option<Set>)| {
        let Some(set) = set else { return Ok(None) };
        let key = ((*namespace).to_owned(), set.digest().to_owned());
        let kept = kept.get(&key).copied();
        kept.map(Some).ok_or_else(|| Error::new(ErrorKind::Internal, "a set was not added"))
    };
    made.iter().map(found).collect()
}

/// Keeps documents, each told by the one of a machine with the same base. The first of each base is the
/// one that others are told by.
async fn documents(
    store: &Store,
    keeper: &mut Keeper<'_>,
    transaction: &mut Transaction<'static, Any>,
    all: &[Option<(&str, Option<KeptSet>)>],
) -> Result<Vec<Option<i64>>> {
    let mut examples: HashMap<i32, i64> = HashMap::new();
    let mut rounds: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
    let mut first = HashSet::new();
    for (index, entry) in all.iter().enumerate() {
        let Some((_, set)) = entry else { continue };
        let is_first = set.is_some_and(|it| it.example.is_none() && first.insert(it.base));
        rounds[usize::from(!is_first)].push(index);
    }
    let digests: Vec<String> = all
        .iter()
        .map(|it| it.map_or_else(String::new, |(document, _)| blob::digest(document.as_bytes())))
        .collect();
    let mut kept = vec![None; all.len()];
    for (round, indices) in rounds.into_iter().enumerate() {
        let mut wanted = BTreeMap::new();
        for index in &indices {
            let Some((document, set)) = all[*index] else { continue };
            let like = set.and_then(|it| it.example.or_else(|| examples.get(&it.base).copied()));
            let document = document.as_bytes();
            wanted.insert(digests[*index].clone(), blob::New { document, like });
        }
        if wanted.is_empty() {
            continue;
        }
        let numbers = blob::keep(store, transaction, &wanted).await?;
        for index in indices {
            let Some((_, set)) = all[index] else { continue };
            let number = numbers.get(&digests[index]).copied();
            kept[index] = number;
            if let (0, Some(set), Some(number)) = (round, set, number) {
                examples.insert(set.base, number);
                keeper.exemplify(transaction, set.base, number).await?;
            }
        }
    }
    Ok(kept)
}

/// A number as text, which comes back as it was. What binds numbers that may be nothing takes these for
/// shorter ones (sqlx 0.9), and PostgreSQL refuses the next.
fn number(of: f64) -> String {
    of.to_string()
}

/// What tells the machine of a look from all others.
fn key(look: &Look) -> (String, String) {
    let key = plain(&look.machine.key);
    let key = match key == look.machine.key && key.len() <= KEY {
        true => key,
        false => {
            let begin: String = key.chars().take(KEY / 4).collect();
            format!("{begin}…{}", blob::digest(look.machine.key.as_bytes()))
        }
    };
    (plain(&look.machine.namespace), key)
}

/// Whoever holds this of PostgreSQL together with others adds facts; who holds it alone sweeps them
/// away.
const LOCK: i64 = 4_616_453_220_195_472;

/// Nobody sweeps until the end of the transaction. What is remembered from before a sweep is forgotten.
pub(super) async fn share(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
) -> Result<()> {
    if store.engine() == Engine::Postgres {
        sqlx::query("SELECT pg_advisory_xact_lock_shared($1)")
            .bind(LOCK)
            .execute(&mut **transaction)
            .await?;
    }
    let row = sqlx::query("SELECT number FROM sweeps").fetch_one(&mut **transaction).await?;
    if store.has_swept(row.try_get("number")?) {
        store.forget();
    }
    Ok(())
}

/// Nobody keeps anything until the end of the transaction, which sweeps.
pub(super) async fn alone(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
) -> Result<()> {
    if store.engine() == Engine::Postgres {
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("UPDATE sweeps SET number = number + 1").execute(&mut **transaction).await?;
    Ok(())
}
