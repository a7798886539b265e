//! Single statements of a key.

use fathom_report::Fact;

use super::node::{Node, Values};
use crate::files::Read;

/// What a key says, or why it says nothing.
pub(in crate::windows) struct Said<'r> {
    key: Read<Node<'r>>,
    /// Where the key would be.
    place: String,
}

impl<'r> Said<'r> {
    pub(super) fn new(key: Read<Node<'r>>, place: String) -> Self {
        Self { key, place }
    }

    /// The first of these values that says something, as text.
    pub(in crate::windows) fn text(&self, names: &[&str]) -> Fact<String> {
        self.first(names, |values, name| values.text(name))
    }

    /// The number in the value of that name.
    pub(in crate::windows) fn number(&self, name: &str) -> Fact<u32> {
        self.first(&[name], |values, name| values.number(name))
    }

    /// What `read` makes of the first of these values that says something.
    pub(in crate::windows) fn first<T>(
        &self,
        names: &[&str],
        read: impl Fn(&Values<'_>, &str) -> Read<T>,
    ) -> Fact<T> {
        let node = match &self.key {
            Read::There(node) => node,
            Read::Absent => return Fact::absent([self.place.clone()]),
            Read::Unread(why) => return Fact::unknown(why.clone()),
        };
        let values = node.values();
        for name in names {
            match read(&values, name) {
                Read::There(value) => return Fact::known(value, values.place(name)),
                Read::Absent => {}
                Read::Unread(why) => return Fact::unknown(why),
            }
        }
        Fact::absent(names.iter().map(|name| values.place(name)))
    }
}
