//! Keys and values of Windows registry hives.
//!
//! A hive is a file of *bins*, each filled with *cells*, each of which holds one record: the
//! [base block](base_block) names the cell of the root [key](key_node), a key the cells of its
//! [list of subkeys](subkey_list) and of its [values](value_record), a value the cell of its data
//! or of a [list of pieces](big_data) of it. [`Hive::open`] is the one door.
//!
//! Windows writes what changes to a [transaction log](log) first and to the hive later, some times
//! much later, so that a hive of a running or crashed machine is *dirty*: what it says is only true
//! together with its logs. They are replayed in memory; the hive itself is only ever read.
//!
//! The layout is that of Maxim Suhanov's specification of the format; the fields keep its spelling
//! where they are parsed. This crate knows bytes and nothing else: no files, filesystems or guests,
//! and not what any key means.
//!
//! What is particular:
//! - A key belongs where it says it belongs: one that is listed beneath another key than its parent
//!   is an error in the listing. So every walk ends, each key is met once, and no cycle is possible.
//! - The hints of a list (the hash or the first characters of a name) say where to look first. A key
//!   whose name does not fit the hint was overwritten, or the list was: it is an error in the listing.
//! - What can be read is read: an iterator goes on behind an error, and what is wrong but did not
//!   stop the reading is among [`Hive::problems`].

#![forbid(unsafe_code)]

mod base_block;
mod big_data;
mod bin;
mod cell;
mod decode;
mod elements;
mod filetime;
mod hive;
mod key;
mod key_node;
mod log;
mod name;
mod patched;
mod subkey_list;
#[cfg(test)]
mod testing;
mod value;
mod value_record;

pub use filetime::Filetime;
pub use hive::{Hive, State};
pub use key::{Key, Subkeys, Values};
pub use value::{Value, ValueType};
