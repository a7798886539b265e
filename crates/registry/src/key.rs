//! Keys, as they are asked for.

use std::fmt;
use std::sync::Arc;

use fathom_block::{Error, Fields, Result};

use crate::base_block::LENGTH;
use crate::cell::NIL;
use crate::elements::Elements;
use crate::filetime::Filetime;
use crate::hive::Shared;
use crate::key_node::KeyNode;
use crate::name;
use crate::subkey_list::{Hint, SubkeyList};
use crate::value::Value;

/// How deep keys may lie beneath the root: the limit of Windows.
const MAX_DEPTH: u16 = 512;

const WHAT_VALUES: &str = "list of values";

/// A key of a hive.
#[derive(Clone)]
pub struct Key {
    hive: Arc<Shared>,
    offset: u32,
    depth: u16,
    node: Arc<KeyNode>,
    name: Arc<str>,
}

impl Key {
    pub(crate) fn root(hive: &Arc<Shared>, offset: u32) -> Result<Self> {
        Self::open(hive, offset, 0)
    }

    fn open(hive: &Arc<Shared>, offset: u32, depth: u16) -> Result<Self> {
        let node = KeyNode::read(&hive.cells, offset)?;
        let name = String::from_utf16_lossy(&node.name).into();
        Ok(Self { hive: hive.clone(), offset, depth, node: Arc::new(node), name })
    }

    /// The subkey in the cell at `offset`, of which the list says this.
    fn child(&self, offset: u32, hint: Hint) -> Result<Self> {
        let at = LENGTH + u64::from(offset);
        if self.depth >= MAX_DEPTH {
            return Err(Error::corrupt("registry key", at, "keys lie too deep"));
        }
        if offset == self.hive.root {
            return Err(Error::corrupt("registry key", at, "the root is listed as a subkey"));
        }
        let child = Self::open(&self.hive, offset, self.depth + 1)?;
        if child.node.parent != self.offset {
            let why = format!(
                "{:?} is listed by {:?}, the key at byte {at}, but belongs to the key at byte {}",
                child.name,
                self.name,
                LENGTH + u64::from(child.node.parent),
                at = LENGTH + u64::from(self.offset),
            );
            return Err(Error::corrupt("registry key", child.node.at, why));
        }
        if hint.contradicts(&child.node.name) {
            let why = format!("{:?} is not the name that {:?} lists it by", child.name, self.name);
            return Err(Error::corrupt("registry key", child.node.at, why));
        }
        Ok(child)
    }

    /// The name. What is no Unicode is replaced; see [`Key::name_units`]. The root's is of no
    /// importance.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name as it is stored: in UTF-16, perhaps not well-formed.
    pub fn name_units(&self) -> &[u16] {
        &self.node.name
    }

    /// When the key or one of its values was last written.
    pub fn last_written(&self) -> Filetime {
        self.node.last_written
    }

    /// Whether the key stands for another one, which its value `SymbolicLinkValue` names. It is not
    /// followed.
    pub fn is_link(&self) -> bool {
        self.node.is_link
    }

    /// The name of the key's class, where it has one.
    pub fn class_name(&self) -> Result<Option<String>> {
        const WHAT: &str = "class of a registry key";
        let length = u32::from(self.node.class_length);
        if length == 0 || self.node.class == NIL {
            return Ok(None);
        }
        let cell = self.hive.cells.cell(WHAT, self.node.class)?;
        let bytes = self.hive.cells.start(WHAT, cell, length)?;
        if (bytes.len() as u32) < length {
            let why = format!("{length} bytes are claimed; there are {}", bytes.len());
            return Err(Error::corrupt(WHAT, cell.at, why));
        }
        Ok(Some(String::from_utf16_lossy(&name::utf16(&bytes))))
    }

    /// How many subkeys the key says it has.
    pub fn subkey_count(&self) -> u32 {
        self.node.subkeys
    }

    /// How many values the key says it has.
    pub fn value_count(&self) -> u32 {
        self.node.values
    }

    /// The subkeys, in the order of the list. A subkey that cannot be read is an error in its
    /// place, and the listing goes on.
    pub fn subkeys(&self) -> Subkeys {
        Subkeys { key: self.clone(), list: self.list() }
    }

    fn list(&self) -> SubkeyList {
        SubkeyList::new(self.node.at, self.node.subkeys, self.node.subkeys_list)
    }

    /// The subkey of that name, whatever the case. `None` only where every subkey could be looked
    /// at.
    pub fn subkey(&self, name: &str) -> Result<Option<Self>> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let mut damage = None;
        let mut others = Vec::new();
        let mut list = self.list();
        let mut open = |(offset, hint)| match self.child(offset, hint) {
            Ok(child) => name::is_same(&child.node.name, &wanted).then_some(child),
            Err(error) => {
                damage.get_or_insert(error);
                None
            }
        };
        let mut unlisted = None;
        while let Some(listed) = list.next(&self.hive.cells) {
            match listed {
                Ok((offset, hint)) if hint.is_of(&wanted) => {
                    if let Some(found) = open((offset, hint)) {
                        return Ok(Some(found));
                    }
                }
                Ok(other) => others.push(other),
                Err(error) => {
                    unlisted.get_or_insert(error);
                }
            }
        }
        if let Some(found) = others.into_iter().find_map(open) {
            return Ok(Some(found));
        }
        match unlisted.or(damage) {
            None => Ok(None),
            Some(error) => Err(error.within(format!("subkey {name:?}"))),
        }
    }

    /// The key at a path beneath this one, `A\B\C`; the empty path is the key itself.
    pub fn lookup(&self, path: &str) -> Result<Option<Self>> {
        let mut key = self.clone();
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            match key.subkey(name)? {
                Some(subkey) => key = subkey,
                None => return Ok(None),
            }
        }
        Ok(Some(key))
    }

    /// The values, in the order of the list. A value that cannot be read is an error in its place,
    /// and the listing goes on.
    pub fn values(&self) -> Values {
        let count = self.node.values;
        let mut values =
            Values { hive: self.hive.clone(), list: Elements::new(0, 4, 0), damage: None };
        if count == 0 {
            return values;
        }
        match self.hive.cells.cell(WHAT_VALUES, self.node.values_list) {
            Ok(cell) => {
                let room = cell.length / 4;
                if room < count {
                    let why = format!("{count} values are claimed; there are {room}");
                    values.damage = Some(Error::corrupt(WHAT_VALUES, cell.at, why));
                }
                values.list = Elements::new(cell.at, 4, room.min(count).into());
            }
            Err(error) => values.damage = Some(error),
        }
        values
    }

    /// The value of that name, whatever the case; the empty name is that of the key's own value
    /// ("default"). `None` only where every value could be looked at.
    pub fn value(&self, name: &str) -> Result<Option<Value>> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let mut damage = None;
        for value in self.values() {
            match value {
                Ok(value) if name::is_same(value.name_units(), &wanted) => return Ok(Some(value)),
                Ok(_) => {}
                Err(error) => {
                    damage.get_or_insert(error);
                }
            }
        }
        match damage {
            None => Ok(None),
            Some(error) => Err(error.within(format!("value {name:?}"))),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).field("at", &self.node.at).finish()
    }
}

/// The subkeys of a key, one by one.
pub struct Subkeys {
    key: Key,
    list: SubkeyList,
}

impl Iterator for Subkeys {
    type Item = Result<Key>;

    fn next(&mut self) -> Option<Self::Item> {
        let listed = self.list.next(&self.key.hive.cells)?;
        Some(listed.and_then(|(offset, hint)| self.key.child(offset, hint)))
    }
}

/// The values of a key, one by one.
pub struct Values {
    hive: Arc<Shared>,
    list: Elements,
    damage: Option<Error>,
}

impl Iterator for Values {
    type Item = Result<Value>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(element) = self.list.next(&self.hive.cells.hive, WHAT_VALUES) else {
            return self.damage.take().map(Err);
        };
        let offset =
            element.and_then(|(at, element)| Fields::new(WHAT_VALUES, at, element).le_u32(0));
        Some(offset.and_then(|offset| Value::open(&self.hive, offset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hive::Hive;
    use crate::testing::{Builder, key, list, set, value};

    fn units(key: &Key) -> Vec<String> {
        key.subkeys()
            .map(|key| key.map_or_else(|error| error.to_string(), |key| key.name().to_owned()))
            .collect()
    }

    fn open(hive: &mut Builder, root: u32) -> Key {
        Hive::open(Arc::new(hive.image(root)), &[]).unwrap().root().unwrap()
    }

    /// A root with these subkeys, listed with these hashes.
    fn family(names: &[(&[u8], u32)]) -> Key {
        let mut hive = Builder::new(5);
        let root = hive.cell(&key(b"root", 0));
        let elements: Vec<u32> =
            names.iter().flat_map(|(name, hash)| [hive.cell(&key(name, root)), *hash]).collect();
        let leaf = hive.cell(&list(b"lh", &elements));
        hive.change(root, |root| {
            set(root, 20, names.len() as u32);
            set(root, 28, leaf);
        });
        open(&mut hive, root)
    }

    #[test]
    fn subkeys_are_found_by_name() {
        let hash = |name: &str| name::hash(&name.encode_utf16().collect::<Vec<_>>());
        // Writers differ in the hash of what is not ASCII.
        let root = family(&[(b"One", hash("One")), (b"Two", hash("tWO")), (b"Gr\xF6\xDFe", 5)]);
        assert_eq!(units(&root), ["One", "Two", "Größe"]);
        for name in ["ONE", "two", "GRÖßE"] {
            let found = root.subkey(name).unwrap().unwrap();
            assert_eq!(found.name().to_lowercase(), name.to_lowercase());
            assert_eq!(root.lookup(name).unwrap().unwrap().name(), found.name());
        }
        assert!(root.subkey("Three").unwrap().is_none());
        assert!(root.lookup("Two\\Three").unwrap().is_none());
        assert_eq!(root.lookup("\\").unwrap().unwrap().name(), "root");
    }

    #[test]
    fn names_that_were_lost() {
        let hash = |name: &str| name::hash(&name.encode_utf16().collect::<Vec<_>>());
        let root = family(&[(b"One", hash("One")), (b"T\0\0", hash("Two")), (b"", hash("Three"))]);
        let found = units(&root);
        assert_eq!(found[0], "One");
        assert!(found[1].contains("is not the name that \"root\" lists it by"), "{found:?}");
        assert!(found[2].starts_with("corrupt"), "{found:?}");
        assert!(root.subkey("One").unwrap().is_some());
        for name in ["Two", "Three", "T\0\0", "Four"] {
            assert!(root.subkey(name).is_err(), "{name:?}");
        }
        // Where everything is zeros, hash and name do fit.
        let root = family(&[(b"\0\0", 0)]);
        assert!(units(&root)[0].contains("zero"), "{:?}", units(&root));
    }

    #[test]
    fn keys_in_circles() {
        let mut hive = Builder::new(5);
        let root = hive.cell(&key(b"root", 0));
        let child = hive.cell(&key(b"child", root));
        let stray = hive.cell(&key(b"stray", child));
        let of_root = hive.cell(&list(b"li", &[child, stray, root]));
        let of_child = hive.cell(&list(b"li", &[child, root]));
        for (key, count, list) in [(root, 3, of_root), (child, 2, of_child)] {
            hive.change(key, |key| {
                set(key, 20, count);
                set(key, 28, list);
            });
        }
        let root = open(&mut hive, root);
        let found = units(&root);
        assert_eq!(found[0], "child");
        assert!(found[1].contains("\"stray\" is listed by \"root\""), "{found:?}");
        assert!(found[2].contains("the root is listed"), "{found:?}");
        let child = root.subkey("child").unwrap().unwrap();
        assert!(units(&child).iter().all(|said| said.starts_with("corrupt")));
        // What could not be looked at may be what is asked for.
        assert!(root.subkey("other").is_err() && child.subkey("other").is_err());
    }

    #[test]
    fn keys_beneath_keys_beneath_keys() {
        let mut hive = Builder::new(5);
        let root = hive.cell(&key(b"k", 0));
        let mut parent = root;
        for _ in 0..600 {
            let child = hive.cell(&key(b"k", parent));
            let leaf = hive.cell(&list(b"li", &[child]));
            hive.change(parent, |key| {
                set(key, 20, 1);
                set(key, 28, leaf);
            });
            parent = child;
        }
        let mut key = open(&mut hive, root);
        let mut depth = 0;
        let error = loop {
            match key.subkeys().next().unwrap() {
                Ok(child) => key = child,
                Err(error) => break error,
            }
            depth += 1;
        };
        assert_eq!(depth, 512);
        assert!(error.to_string().contains("too deep"), "{error}");
    }

    #[test]
    fn values_and_classes() {
        let mut hive = Builder::new(5);
        let class: Vec<u8> = "Class".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let class = hive.cell(&class);
        let values = [
            hive.cell(&value(b"", 4, 0x8000_0004, 7)),
            hive.cell(&value(b"Big", 5, 0x8000_0004, 7)),
            NIL,
            hive.cell(&value(b"Short", 4, 0x8000_0003, 7)),
            hive.cell(&value(b"Bytes", 3, 0x8000_0003, 7)),
        ];
        let values: Vec<u8> = values.into_iter().flat_map(u32::to_le_bytes).collect();
        let values = hive.cell(&values);
        let root = hive.cell(&key(b"root", 0));
        hive.change(root, |key| {
            set(key, 36, 9);
            set(key, 40, values);
            set(key, 48, class);
            key[74] = 10;
        });
        let root = open(&mut hive, root);
        assert_eq!(root.class_name().unwrap().as_deref(), Some("Class"));
        let names: Vec<_> = root.values().map(|v| v.map(|v| v.name().to_owned())).collect();
        assert_eq!(names.len(), 6, "{names:?}");
        assert!(names[2].is_err());
        let said = names[5].as_ref().unwrap_err().to_string();
        assert!(said.contains("9 values are claimed; there are 5"), "{said}");
        let value = |name: &str| root.value(name).unwrap().unwrap();
        assert_eq!(value("").dword().unwrap(), 7);
        assert_eq!(value("BIG").dword().unwrap(), 7 << 24);
        assert_eq!(value("bytes").binary().unwrap(), [7, 0, 0]);
        let said = value("short").dword().unwrap_err().to_string();
        assert!(said.contains("a number of 4 bytes has 3"), "{said}");
        assert!(value("").qword().is_err() && value("").string().is_err());
        assert!(value("").strings().is_err() && value("").binary().is_err());
        assert!(root.value("other").is_err());
    }
}
