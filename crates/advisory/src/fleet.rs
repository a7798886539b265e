//! Many machines, of which many are alike.
//!
//! What is known to be wrong with a machine depends on what it is, what is installed and what starts,
//! and most machines of a fleet are copies of few. Those that are alike in it are compared once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use fathom_report::finding::Findings;
use fathom_report::{Identity, Package, Report, Security, System};
use sha2::{Digest as _, Sha256};

use crate::database::Database;
use crate::enrich::{Options, scan, scanned};
use crate::error::Result;

/// What stands in the place of what findings do not depend on.
const LEFT_OUT: &str = "it is left out, since findings do not depend on it";

/// What machines have in common that have the same findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Likeness([u8; 32]);

impl Likeness {
    /// That of the machine of a report.
    pub fn of(report: &Report) -> Self {
        Self::of_reduced(&reduced(report))
    }

    fn of_reduced(report: &Report) -> Self {
        // Nothing can go wrong with writing to memory; and a report that could not be written would be
        // like no other but those that cannot either, which have no systems.
        let bytes = serde_json::to_vec(report).unwrap_or_default();
        Self(Sha256::digest(bytes).into())
    }
}

impl AsRef<[u8]> for Likeness {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The findings of one kind of machines, once they are known.
type Known = Arc<Mutex<Option<Arc<Findings>>>>;

/// Compares machines with one database. Any number of threads may ask.
pub struct Fleet<'d> {
    database: &'d Database,
    options: Options,
    /// For how many kinds of machines findings are kept.
    kept: usize,
    kinds: Mutex<Kinds>,
}

#[derive(Default)]
struct Kinds {
    known: HashMap<Likeness, Known>,
    /// The oldest first.
    order: VecDeque<Likeness>,
    /// How many were compared.
    compared: usize,
}

impl<'d> Fleet<'d> {
    /// One that keeps the findings of so many kinds of machines. Who asks about machines that are
    /// alike one after the other needs to keep few.
    pub fn new(database: &'d Database, options: Options, kept: usize) -> Self {
        Self { database, options, kept: kept.max(1), kinds: Mutex::default() }
    }

    /// What is known to be wrong with machines like that of the report: the findings name no machine.
    pub fn findings(&self, report: &Report) -> Result<Arc<Findings>> {
        let reduced = reduced(report);
        let kind = self.kind(Likeness::of_reduced(&reduced));
        // Whoever asks for the same meanwhile waits for it here.
        let mut known = kind.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(findings) = known.as_ref() {
            return Ok(Arc::clone(findings));
        }
        let findings = Arc::new(scan(&reduced, "", self.database, &self.options)?);
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).compared += 1;
        *known = Some(Arc::clone(&findings));
        Ok(findings)
    }

    /// What is known to be wrong with the machine of the report.
    pub fn scan(&self, report: &Report, subject: &str) -> Result<Findings> {
        let mut findings = Findings::clone(&*self.findings(report)?);
        subject.clone_into(&mut findings.subject);
        findings.systems = report.systems.iter().map(scanned).collect();
        Ok(findings)
    }

    /// How many kinds of machines were compared.
    pub fn compared(&self) -> usize {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).compared
    }

    fn kind(&self, likeness: Likeness) -> Known {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.known.get(&likeness) {
            return Arc::clone(known);
        }
        while kinds.order.len() >= self.kept {
            let Some(oldest) = kinds.order.pop_front() else { break };
            kinds.known.remove(&oldest);
        }
        let known = Known::default();
        kinds.known.insert(likeness, Arc::clone(&known));
        kinds.order.push_back(likeness);
        known
    }
}

/// The report with nothing but what findings depend on. They are made of this one: what is left out
/// cannot tell machines apart.
fn reduced(report: &Report) -> Report {
    let systems = report.systems.iter().map(system).collect();
    let problems = match report.systems.is_empty() {
        true => report.problems.clone(),
        false => Vec::new(),
    };
    Report { problems, ..Report::of(systems, LEFT_OUT) }
}

fn system(system: &System) -> System {
    let mut boot = system.boot.clone();
    boot.firmware = fathom_report::Listing::unknown(LEFT_OUT);
    boot.drivers = fathom_report::Listing::unknown(LEFT_OUT);
    let mut packages = system.packages.clone();
    packages.items = system.packages.items.iter().map(package).collect();
    let blank = System::unknown(system.root.clone(), system.identity.family, LEFT_OUT);
    System {
        identity: identity(&system.identity),
        boot,
        packages,
        services: system.services.clone(),
        security: Security { updates: system.security.updates.clone(), ..blank.security },
        ..blank
    }
}

/// Without what is of one machine alone.
fn identity(identity: &Identity) -> Identity {
    let blank = Identity::unknown(identity.family, LEFT_OUT);
    Identity {
        hostname: blank.hostname,
        machine_id: blank.machine_id,
        time_zone: blank.time_zone,
        locale: blank.locale,
        installed: blank.installed,
        first_boot: blank.first_boot,
        ..identity.clone()
    }
}

/// Without what is of one installation alone.
fn package(package: &Package) -> Package {
    Package { installed: None, size: None, licence: None, signature: None, ..package.clone() }
}
