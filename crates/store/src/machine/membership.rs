//! Which machines have something.

use sqlx::Row as _;

use super::set::Matter;
use super::sql::{Sql, listed};
use crate::error::Result;
use crate::open::Store;

/// Facts of which any is asked for, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sought {
    pub(super) matter: Matter,
    /// Those that are what was asked for.
    pub(super) sure: Vec<i32>,
    /// Those of which it cannot be told.
    pub(super) unsure: Vec<i32>,
    /// The sets that say that one of the first is in them, where they are few.
    pub(super) sets: Option<Vec<i32>>,
}

/// How many sets are few: each has as many machines as there are copies of one.
const FEW: usize = 32;

impl Sought {
    /// That machine `m` has one of them, or that it is sure that it has none.
    pub(super) fn holds(&self, sql: &mut Sql, wanted: bool) {
        let (set, base) = self.matter.columns();
        if wanted {
            if let Some(sets) = &self.sets {
                let sets = listed(sets);
                sql.say(&format!("((m.{set} IN {sets} OR m.{base} IN {sets}) AND "));
            } else {
                sql.say("(");
            }
            sql.say(&has(self.matter, &self.sure)).say(")");
        } else {
            let any: Vec<i32> = self.sure.iter().chain(&self.unsure).copied().collect();
            let has = has(self.matter, &any);
            sql.say(&format!("(m.{set}_known = 1 AND NOT {has})"));
        }
    }
}

/// That machine `m` has one of the facts: its set adds it, or the base has it and the set does not take
/// it away.
pub(super) fn has(matter: Matter, facts: &[i32]) -> String {
    let (items, facts) = (matter.items(), listed(facts));
    let (set, base) = matter.columns();
    format!(
        "(EXISTS (SELECT 1 FROM {items} a WHERE a.item_set = m.{set} AND a.item IN {facts}) \
         OR EXISTS (SELECT 1 FROM {items} b WHERE b.item_set = m.{base} AND b.item IN {facts} \
         AND NOT EXISTS (SELECT 1 FROM {items} r WHERE r.item_set = m.{set} AND r.item = -b.item)))"
    )
}

impl Store {
    /// The sets that are few enough to begin with.
    pub(super) async fn few_sets(&self, matter: Matter, facts: &[i32]) -> Result<Option<Vec<i32>>> {
        let text = format!(
            "SELECT DISTINCT item_set FROM {} WHERE item IN {} LIMIT {}",
            matter.items(),
            listed(facts),
            FEW + 1
        );
        let rows = Sql::new(text).rows(self).await?;
        let sets: std::result::Result<Vec<i32>, _> =
            rows.iter().map(|row| row.try_get("item_set")).collect();
        let sets = sets?;
        Ok((sets.len() <= FEW).then_some(sets))
    }

    /// How many machines have one of the facts. Whole families are counted at once, and then those that
    /// are no longer like the others.
    pub(super) async fn count_with(
        &self,
        matter: Matter,
        facts: &[i32],
        namespaces: Option<&[String]>,
    ) -> Result<i64> {
        if facts.is_empty() {
            return Ok(0);
        }
        let (items, sets) = (matter.items(), matter.sets());
        let (set, base) = matter.columns();
        let turned: Vec<i32> = facts.iter().map(|number| -number).collect();
        let (facts_listed, turned) = (listed(facts), listed(&turned));
        let bases = format!(
            "SELECT i.item_set FROM {items} i JOIN {sets} s ON s.number = i.item_set \
             WHERE i.item IN {facts_listed} AND s.base IS NULL"
        );
        let has = has(matter, facts);
        let mut sql = Sql::new(format!(
            "SELECT (SELECT COUNT(*) FROM machines m WHERE m.{base} IN ({bases}) AND "
        ));
        sql.within("m", namespaces);
        sql.say(&format!(
            ") - (SELECT COUNT(*) FROM machines m WHERE m.{set} IN \
             (SELECT item_set FROM {items} WHERE item IN {turned}) AND m.{base} IN ({bases}) \
             AND NOT {has} AND "
        ));
        sql.within("m", namespaces);
        sql.say(&format!(
            ") + (SELECT COUNT(*) FROM machines m WHERE m.{set} <> m.{base} AND m.{set} IN \
             (SELECT item_set FROM {items} WHERE item IN {facts_listed}) \
             AND m.{base} NOT IN ({bases}) AND "
        ));
        sql.within("m", namespaces);
        sql.say(") AS machines");
        let rows = sql.rows(self).await?;
        match rows.first() {
            Some(row) => Ok(row.try_get("machines")?),
            None => Ok(0),
        }
    }
}
