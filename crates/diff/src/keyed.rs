//! Lists whose items have names.

use std::collections::BTreeMap;

use fathom_report::{
    ChangeKind, Coverage, Evidence, Fact, FieldChange, Listing, NAMED_FILES_ALONE, Part,
    USUAL_FOLDERS_ALONE,
};

use crate::context::Context;

/// What is to be known of one property of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    /// It is this.
    Is(String),
    /// It has none.
    Not,
    /// It could not be told.
    Unknown(String),
}

impl Known {
    /// Of something that may not be there.
    pub(crate) fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Not, |text| Self::Is(text.to_string()))
    }

    /// Of a list in which the order means nothing.
    pub(crate) fn set<S: AsRef<str>>(texts: &[S]) -> Self {
        if texts.is_empty() {
            return Self::Not;
        }
        let mut texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        texts.sort_unstable();
        Self::Is(texts.join(", "))
    }

    /// Of a list in which the order means something.
    pub(crate) fn list<S: AsRef<str>>(texts: &[S]) -> Self {
        if texts.is_empty() {
            return Self::Not;
        }
        Self::Is(texts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "))
    }

    /// Of a statement.
    pub(crate) fn fact<T>(fact: &Fact<T>, show: impl Fn(&T) -> String) -> Self {
        match fact {
            Fact::Known { value, .. } => Self::Is(show(value)),
            Fact::Absent { .. } => Self::Not,
            Fact::Unknown { reason } => Self::Unknown(reason.clone()),
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Is(text) => Some(text.clone()),
            Self::Not | Self::Unknown(_) => None,
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Unknown(reason) => Some(reason.clone()),
            Self::Is(_) | Self::Not => None,
        }
    }
}

/// What is compared of an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    /// Its properties.
    pub(crate) fields: Vec<(&'static str, Known)>,
    /// Where it says so; not compared.
    pub(crate) evidence: Vec<Evidence>,
}

/// How a list is called, and what its items are.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub(crate) part: Part,
    /// The whole: `accounts`.
    pub(crate) list: &'static str,
    /// One of it: `account`.
    pub(crate) item: &'static str,
}

/// Why a list does not hold all there is, if it does not.
pub(crate) fn hides<T>(listing: &Listing<T>) -> Option<String> {
    let reason = || listing.reason.clone().unwrap_or_else(|| "some could not be read".to_owned());
    (listing.coverage != Coverage::Complete).then(reason)
}

/// Compares two lists. Items of one name in one list are told apart by what they are: those that
/// are in both fall away, and what is left over was added or removed; where one is left on each
/// side, it has changed.
pub(crate) fn lists<T>(
    names: Names,
    (before, after): (&Listing<T>, &Listing<T>),
    item: impl Fn(&T) -> (String, Item),
    context: &mut Context,
) {
    let hidden = (hides(before), hides(after));
    parts(names, (before, after), |_| true, hidden, item, context);
}

/// The same of the items of the lists that are `meant`, with the reasons why there may be more. What
/// is compared of an item is put together when its turn comes: there may be hundreds of thousands.
pub(crate) fn parts<T>(
    names: Names,
    (before, after): (&Listing<T>, &Listing<T>),
    meant: impl Fn(&T) -> bool,
    hidden: (Option<String>, Option<String>),
    item: impl Fn(&T) -> (String, Item),
    context: &mut Context,
) {
    let name = |one: &T| item(one).0;
    let (before, after) = (index(before, &meant, name), index(after, &meant, name));
    each(names, (&before, &after), hidden, |one: &&T| item(one).1, context);
}

/// The items that are meant, by their names.
fn index<'a, T>(
    listing: &'a Listing<T>,
    meant: &impl Fn(&T) -> bool,
    name: impl Fn(&T) -> String,
) -> BTreeMap<String, Vec<&'a T>> {
    let mut map: BTreeMap<String, Vec<&T>> = BTreeMap::new();
    for one in listing.items.iter().filter(|one| meant(one)) {
        map.entry(name(one)).or_default().push(one);
    }
    map
}

/// The same of lists that are sorted already.
pub(crate) fn maps(
    names: Names,
    (before, after): (BTreeMap<String, Vec<Item>>, BTreeMap<String, Vec<Item>>),
    hidden: (Option<String>, Option<String>),
    context: &mut Context,
) {
    each(names, (&before, &after), hidden, Item::clone, context);
}

/// Compares the order of lists in which it decides what holds. What only one of them has is left aside:
/// that is said already.
pub(crate) fn order(names: Names, (before, after): (&[String], &[String]), context: &mut Context) {
    let (was, is) = (common(before, after), common(after, before));
    if was == is {
        return;
    }
    let field = FieldChange {
        name: "order".to_owned(),
        before: Some(was.join(", ")),
        after: Some(is.join(", ")),
    };
    context.change(names.part, ChangeKind::Changed, "order", names.list, vec![field]);
}

/// Those of the list that are in the other too, each as often as it is there.
fn common<'a>(list: &'a [String], other: &[String]) -> Vec<&'a str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for one in other {
        let count = left.entry(one).or_default();
        *count = count.saturating_add(1);
    }
    let mut take = |one: &&'a str| match left.get_mut(one) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    list.iter().map(String::as_str).filter(|one| take(one)).collect()
}

/// The same as [`lists`] of lists that say where they looked. Where both looked in the usual folders
/// alone, or in the same kinds of files, and nothing there was hidden, what only one of them has is missing in the other for sure; what
/// lies elsewhere neither of them knows.
pub(crate) fn looked_up<T>(
    names: Names,
    (before, after): (&Listing<T>, &Listing<T>),
    item: impl Fn(&T) -> (String, Item),
    context: &mut Context,
) {
    let alone = |listing: &Listing<T>, why: &str| {
        listing.coverage == Coverage::Partial && listing.reason.as_deref() == Some(why)
    };
    let both = |why: &str| alone(before, why) && alone(after, why);
    if !both(USUAL_FOLDERS_ALONE) && !both(NAMED_FILES_ALONE) {
        return lists(names, (before, after), item, context);
    }
    parts(names, (before, after), |_| true, (None, None), item, context);
    context.hidden(names.part, names.list, hides(before), hides(after), Vec::new());
}

/// What is compared, by its name.
type Sorted<T> = BTreeMap<String, Vec<T>>;

/// Compares what is sorted already; `make` gives what is compared of an item.
fn each<T>(
    names: Names,
    (before, after): (&Sorted<T>, &Sorted<T>),
    (hidden_before, hidden_after): (Option<String>, Option<String>),
    make: impl Fn(&T) -> Item,
    context: &mut Context,
) {
    let new = after.keys().filter(|name| !before.contains_key(*name));
    let mut all: Vec<&String> = before.keys().chain(new).collect();
    all.sort_unstable();
    let mut lone = Vec::new();
    let items = |map: &Sorted<T>, name: &String| -> Vec<Item> {
        map.get(name).into_iter().flatten().map(&make).collect()
    };
    for name in all {
        let (mut was, mut is) = (items(before, name), items(after, name));
        drop_same(&mut was, &mut is);
        if let ([one], [other]) = (was.as_slice(), is.as_slice()) {
            changed(names, name, (one, other), context);
            continue;
        }
        // More of a name: those that are left over belong to no other.
        let sides =
            [(&was, &hidden_after, ChangeKind::Removed), (&is, &hidden_before, ChangeKind::Added)];
        for (left, hidden, kind) in sides {
            for one in left {
                match hidden {
                    Some(_) => lone.push(name.clone()),
                    None => alone(names, name, kind, one, context),
                }
            }
        }
    }
    if hidden_before.is_some() || hidden_after.is_some() {
        context.hidden(names.part, names.list, hidden_before, hidden_after, lone);
    }
}

/// Lets fall what is in both lists.
fn drop_same(was: &mut Vec<Item>, is: &mut Vec<Item>) {
    if was.len() == 1 && is.len() == 1 {
        return;
    }
    was.retain(|one| match is.iter().position(|other| other.fields == one.fields) {
        Some(at) => {
            is.remove(at);
            false
        }
        None => true,
    });
    was.sort();
    is.sort();
}

/// Only one of the two has it.
fn alone(names: Names, name: &str, kind: ChangeKind, item: &Item, context: &mut Context) {
    let fields = item.fields.iter().filter_map(|(field, known)| {
        let (field, text) = ((*field).to_owned(), Some(known.text()?));
        Some(match kind {
            ChangeKind::Added => FieldChange { name: field, before: None, after: text },
            _ => FieldChange { name: field, before: text, after: None },
        })
    });
    context.change(names.part, kind, names.item, name, fields.collect());
    if let Some(change) = context.changes.last_mut() {
        match kind {
            ChangeKind::Added => change.evidence_after = item.evidence.clone(),
            _ => change.evidence_before = item.evidence.clone(),
        }
    }
}

/// Both have it: which of its properties are not the same, and which cannot be told.
fn changed(names: Names, name: &str, (was, is): (&Item, &Item), context: &mut Context) {
    let mut fields = Vec::new();
    for ((field, before), (_, after)) in was.fields.iter().zip(&is.fields) {
        let (unread, unread_after) = (before.reason(), after.reason());
        if unread.is_some() || unread_after.is_some() {
            let what = format!("{} {name}: {field}", names.item);
            context.hidden(names.part, &what, unread, unread_after, Vec::new());
        } else if before != after {
            let (before, after) = (before.text(), after.text());
            fields.push(FieldChange { name: (*field).to_owned(), before, after });
        }
    }
    if fields.is_empty() {
        return;
    }
    context.change(names.part, ChangeKind::Changed, names.item, name, fields);
    if let Some(change) = context.changes.last_mut() {
        change.evidence_before.clone_from(&was.evidence);
        change.evidence_after.clone_from(&is.evidence);
    }
}
