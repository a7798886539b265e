//! The updates of one Windows: which of them hold what others do, and which is to be installed.
//!
//! Only those count that somebody names for this Windows: what replaces an update of several may be for
//! another of them alone.
//!
//! What is said of replacements has gaps, and after one nothing would hold what came before. Since
//! Windows 10 each month has one update that holds all earlier ones. It is known by what it mends: most
//! flaws of its month, in several components; what is for a browser's plug-in, for the start or for one
//! grave flaw alone mends few, and is held by nothing but what replaces it.
//!
//! Before Windows 10 each month since October 2016 has two such updates: the monthly rollup, which holds
//! all earlier rollups, and another that mends the flaws of the month alone and is held by its rollup.
//! Only rollups replace each other, by which they are told.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Said, number};
use crate::error::Result;
use crate::segment::Segment;

/// The first build of which monthly updates hold all earlier ones.
const FIRST_CUMULATIVE: u32 = 10_240;

/// The first month whose rollups hold those of earlier months, before that build.
const FIRST_ROLLUP: &str = "2016-10";

/// The fewest components in which such an update mends flaws.
const FEWEST_COMPONENTS: usize = 3;

/// The most updates that are followed from one: what replaces it, and what replaces that.
const FOLLOWED: usize = 10_000;

/// What is known of an update.
#[derive(Default)]
struct Update<'d> {
    flaws: BTreeSet<&'d str>,
    components: BTreeSet<&'d str>,
    /// The month of which it mends most flaws, if it is one of those that are held by others.
    month: Option<String>,
    /// Whether it holds all of earlier months; then only those of later months hold it.
    holds: bool,
}

/// Those that are named for a Windows.
pub(super) struct Updates<'d> {
    own: HashMap<u32, Update<'d>>,
    /// Those of them that replace another one.
    replacements: HashMap<u32, Vec<u32>>,
}

impl<'d> Updates<'d> {
    /// Those of a Windows of this build.
    pub(super) fn of(said: &[Said<'d>], build: Option<u32>) -> Result<Self> {
        let mut segments: Vec<&Segment> = Vec::new();
        let mut own: HashMap<u32, Update<'_>> = HashMap::new();
        let mut months = HashMap::new();
        for it in said {
            if !segments.iter().any(|known| std::ptr::eq(*known, it.segment)) {
                segments.push(it.segment);
            }
            let Some(update) = it.row.qualifier.and_then(number) else { continue };
            let update = own.entry(update).or_default();
            update.flaws.insert(it.flaw);
            update.components.insert(it.component);
            // 2024-02
            if it.published.is_known() {
                let month = it.published.to_string().chars().take(7).collect::<String>();
                months.entry(it.flaw).or_insert(month);
            }
        }
        let mut replacements: HashMap<u32, Vec<u32>> = HashMap::new();
        for update in own.keys() {
            for segment in &segments {
                let newer = segment.replacements(*update)?;
                let newer = newer.into_iter().filter(|it| it != update && own.contains_key(it));
                replacements.entry(*update).or_default().extend(newer);
            }
        }
        let mut updates = Self { own, replacements };
        let Some(build) = build else { return Ok(updates) };
        let mut known: HashMap<&str, usize> = HashMap::new();
        for month in months.values() {
            *known.entry(month).or_default() += 1;
        }
        for update in updates.own.values_mut() {
            update.month = month(update, &months, &known);
            update.holds = update.month.is_some();
        }
        if build < FIRST_CUMULATIVE {
            updates.tell_rollups();
        }
        Ok(updates)
    }

    /// Says which updates hold earlier ones where each month has two that mend most of its flaws: those
    /// that replace another such one, or are replaced by it.
    fn tell_rollups(&mut self) {
        let is_late = |month: &String| month.as_str() >= FIRST_ROLLUP;
        self.own.values_mut().for_each(|it| it.month = it.month.take().filter(is_late));
        let is_of_month = |update: &u32| self.own.get(update).is_some_and(|it| it.month.is_some());
        let mut rollups = HashSet::new();
        for update in self.own.keys().filter(|update| is_of_month(update)) {
            for newer in self.replacements(*update).iter().filter(|it| is_of_month(it)) {
                rollups.extend([*update, *newer]);
            }
        }
        for (update, it) in &mut self.own {
            it.holds = rollups.contains(update);
        }
    }

    /// The month up to which the installed ones hold everything, where one of them does.
    pub(super) fn month(&self, installed: &HashSet<u32>) -> Option<&str> {
        installed.iter().filter_map(|update| self.holds(*update)).max()
    }

    /// The month up to which this one holds everything, if it does.
    fn holds(&self, update: u32) -> Option<&str> {
        self.own.get(&update).filter(|it| it.holds)?.month.as_deref()
    }

    /// Whether it, or what has replaced it, is installed, or something that holds one of them.
    pub(super) fn has(&self, update: u32, installed: &HashSet<u32>, month: Option<&str>) -> bool {
        let is_held = |update: &u32| {
            let is_earlier = |own: &Update<'_>, held: &str| match (&own.month, own.holds) {
                (Some(own), true) => own.as_str() < held,
                (Some(own), false) => own.as_str() <= held,
                (None, _) => false,
            };
            let own = self.own.get(update).zip(month);
            installed.contains(update) || own.is_some_and(|(own, held)| is_earlier(own, held))
        };
        self.follow(update).iter().any(is_held)
    }

    /// The one to install that mends what this one does: of those that replace it, and those that hold
    /// everything if it is such a one, the last.
    pub(super) fn latest(&self, update: u32) -> u32 {
        let followed = self.follow(update);
        let is_last = |update: &&u32| self.replacements(**update).is_empty();
        let mut last: Vec<u32> = followed.iter().filter(is_last).copied().collect();
        // Where they replace each other in a ring, none is the last.
        if last.is_empty() {
            last.extend(&followed);
        }
        let month = |update| self.own.get(update).and_then(|it| it.month.as_deref());
        if let Some(month) = followed.iter().filter_map(month).max() {
            let holds = |update: &&u32| self.holds(**update).is_some_and(|it| it >= month);
            last.extend(self.own.keys().filter(holds));
        }
        let flaws = |update: u32| self.own.get(&update).map_or(0, |it| it.flaws.len());
        // A patch without a restart is of the same month, and never mends more.
        let key = |update: &u32| match self.holds(*update) {
            Some(month) => (Some(month), flaws(*update), *update),
            None => (None, 0, *update),
        };
        last.into_iter().max_by_key(key).unwrap_or(update)
    }

    /// The update, what replaces it, and what replaces that.
    fn follow(&self, update: u32) -> HashSet<u32> {
        let mut seen = HashSet::from([update]);
        let mut next = vec![update];
        while let Some(update) = next.pop() {
            for newer in self.replacements(update) {
                if seen.len() < FOLLOWED && seen.insert(*newer) {
                    next.push(*newer);
                }
            }
        }
        seen
    }

    fn replacements(&self, update: u32) -> &[u32] {
        self.replacements.get(&update).map_or(&[], Vec::as_slice)
    }
}

/// The month of which it mends the most flaws, if that are most of the month's, and in several components.
fn month(
    update: &Update<'_>,
    months: &HashMap<&str, String>,
    known: &HashMap<&str, usize>,
) -> Option<String> {
    let mut mended: BTreeMap<&str, usize> = BTreeMap::new();
    for month in update.flaws.iter().filter_map(|flaw| months.get(flaw)) {
        *mended.entry(month).or_default() += 1;
    }
    let (month, count) =
        mended.into_iter().max_by_key(|(month, count)| (*count, std::cmp::Reverse(*month)))?;
    let is_most = known.get(month).is_some_and(|all| count.saturating_mul(2) > *all);
    (is_most && update.components.len() >= FEWEST_COMPONENTS).then(|| month.to_owned())
}
