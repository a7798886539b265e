//! The report as lists with columns, which is what people read of it.
//!
//! One file a section. Each hands the rows of its lists to a [`Sink`], one by one; nothing is
//! gathered here.

mod applications;
mod boot;
mod concerns;
mod containers;
mod identity;
mod network;
mod packages;
mod problems;
mod security;
mod services;
mod storage;
mod users;
mod value;

use std::io;

use fathom_report::{Coverage, Listing, Report, System};

pub use storage::percent;
pub use value::Value;

pub use crate::words::{commands_a_terminal, harmless, size};

/// A part of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// What the system is.
    Identity,
    /// Installed kernels, what starts by default, drivers for virtual hardware.
    Kernels,
    /// What is installed.
    Packages,
    /// Accounts, groups, keys, and the rules of sudo.
    Users,
    /// What is started.
    Services,
    /// Interfaces, routes, names, firewalls.
    Network,
    /// Volumes, mounts and swap.
    Storage,
    /// What the system is there for.
    Applications,
    /// Containers and their images.
    Containers,
    /// How it is guarded.
    Security,
    /// What stands in the way of moving it, and what rules make of it.
    Concerns,
    /// What could not be read, and what that hides.
    Problems,
}

impl Section {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 12] = [
        Self::Identity,
        Self::Kernels,
        Self::Packages,
        Self::Users,
        Self::Services,
        Self::Network,
        Self::Storage,
        Self::Applications,
        Self::Containers,
        Self::Security,
        Self::Concerns,
        Self::Problems,
    ];

    /// Its name, as it is typed: `packages`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Kernels => "kernels",
            Self::Packages => "packages",
            Self::Users => "users",
            Self::Services => "services",
            Self::Network => "network",
            Self::Storage => "storage",
            Self::Applications => "applications",
            Self::Containers => "containers",
            Self::Security => "security",
            Self::Concerns => "concerns",
            Self::Problems => "problems",
        }
    }

    /// What it is about, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Identity => "What the system is",
            Self::Kernels => {
                "Installed kernels, what starts by default, drivers for virtual hardware"
            }
            Self::Packages => "What is installed",
            Self::Users => "Accounts, groups, keys, and the rules of sudo",
            Self::Services => "What is started",
            Self::Network => "Interfaces, routes, names, firewalls",
            Self::Storage => "What the disks are made of, what is mounted and where it swaps",
            Self::Applications => "What the system is there for",
            Self::Containers => "Containers and their images",
            Self::Security => "How it is guarded",
            Self::Concerns => "What stands in the way of moving it, and what rules make of it",
            Self::Problems => "What could not be read, and what that hides",
        }
    }

    /// Its name as a heading: `Packages`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Identity => "Identity",
            Self::Kernels => "Kernels",
            Self::Packages => "Packages",
            Self::Users => "Users",
            Self::Services => "Services",
            Self::Network => "Network",
            Self::Storage => "Storage",
            Self::Applications => "Applications",
            Self::Containers => "Containers",
            Self::Security => "Security",
            Self::Concerns => "Concerns",
            Self::Problems => "Problems",
        }
    }
}

/// How dear a column is where there is little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Without it the row says nothing.
    Key,
    /// It says what one mostly wants to know.
    Main,
    /// It can be spared.
    Spare,
    /// It is for those who look into one row: not in tables of a terminal.
    Detail,
}

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name; within a section columns of one name mean the same.
    pub name: &'static str,
    /// How dear it is.
    pub weight: Weight,
    /// Whether it holds numbers.
    pub number: bool,
}

/// A column without which the row says nothing.
const fn key(name: &'static str) -> Column {
    Column { name, weight: Weight::Key, number: false }
}

/// A column that one mostly wants to see.
const fn main(name: &'static str) -> Column {
    Column { name, weight: Weight::Main, number: false }
}

/// A column that can be spared.
const fn spare(name: &'static str) -> Column {
    Column { name, weight: Weight::Spare, number: false }
}

/// A column for those who look into one row.
const fn detail(name: &'static str) -> Column {
    Column { name, weight: Weight::Detail, number: false }
}

/// The same column, of numbers.
const fn number(column: Column) -> Column {
    Column { number: true, ..column }
}

/// The columns of single statements.
const FACTS: &[Column] = &[key("name"), key("value"), spare("evidence")];

/// A list, before its rows.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// What it lists, as a heading: `Accounts`.
    pub title: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Whether it is made of single statements: a name, a value, what that rests on.
    pub facts: bool,
    /// Whether it holds all there is.
    pub coverage: Coverage,
    /// Why it is empty or not complete.
    pub reason: Option<&'a str>,
}

/// What the lists of the report are handed to.
pub trait Sink {
    /// A list begins.
    fn begin(&mut self, list: &List<'_>) -> io::Result<()>;
    /// One row of it, with a value for each column.
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()>;
    /// The list ends.
    fn end(&mut self) -> io::Result<()>;
}

/// Hands over a section of one system.
pub fn system(section: Section, system: &System, sink: &mut dyn Sink) -> io::Result<()> {
    match section {
        Section::Identity => identity::write(system, sink),
        Section::Kernels => boot::write(system, sink),
        Section::Packages => packages::write(system, sink),
        Section::Users => users::write(system, sink),
        Section::Services => services::write(system, sink),
        Section::Network => network::write(system, sink),
        Section::Storage => storage::mounts(system, sink),
        Section::Applications => applications::write(system, sink),
        Section::Containers => containers::write(system, sink),
        Section::Security => security::write(system, sink),
        Section::Concerns => Ok(()),
        Section::Problems => problems::write("Problems", &system.problems, sink),
    }
}

/// Hands over what a section says of the machine as a whole.
pub fn machine(section: Section, report: &Report, sink: &mut dyn Sink) -> io::Result<()> {
    match section {
        Section::Storage => storage::volumes(report, sink),
        Section::Concerns => concerns::write(report, sink),
        Section::Problems => problems::write("Problems of the disks", &report.problems, sink),
        _ => Ok(()),
    }
}

/// The names of all columns of a section, whatever a report holds.
pub(crate) fn columns(section: Section) -> Vec<&'static str> {
    let lists = match section {
        Section::Identity => identity::LISTS,
        Section::Kernels => boot::LISTS,
        Section::Packages => packages::LISTS,
        Section::Users => users::LISTS,
        Section::Services => services::LISTS,
        Section::Network => network::LISTS,
        Section::Storage => storage::LISTS,
        Section::Applications => applications::LISTS,
        Section::Containers => containers::LISTS,
        Section::Security => security::LISTS,
        Section::Concerns => concerns::LISTS,
        Section::Problems => problems::LISTS,
    };
    let mut names: Vec<&'static str> = Vec::new();
    for column in lists.iter().copied().flatten() {
        if !names.contains(&column.name) {
            names.push(column.name);
        }
    }
    names
}

/// Whether a section says something of the machine as a whole.
pub fn is_of_machine(section: Section) -> bool {
    matches!(section, Section::Storage | Section::Concerns | Section::Problems)
}

/// Whether a section says something of each system.
pub fn is_of_system(section: Section) -> bool {
    section != Section::Concerns
}

/// Hands over a listing, row by row.
fn listing<T>(
    title: &'static str,
    columns: &'static [Column],
    listing: &Listing<T>,
    sink: &mut dyn Sink,
    mut row: impl FnMut(&T, &mut dyn Sink) -> io::Result<()>,
) -> io::Result<()> {
    let reason = listing.reason.as_deref();
    sink.begin(&List { title, columns, facts: false, coverage: listing.coverage, reason })?;
    listing.items.iter().try_for_each(|item| row(item, sink))?;
    sink.end()
}

/// Hands over single statements.
fn facts(
    title: &'static str,
    rows: &[(&'static str, Value<'_>, Value<'_>)],
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let (coverage, reason) = (Coverage::Complete, None);
    sink.begin(&List { title, columns: FACTS, facts: true, coverage, reason })?;
    for (name, value, evidence) in rows {
        sink.row(&[Value::text(*name), value.clone(), evidence.clone()])?;
    }
    sink.end()
}
