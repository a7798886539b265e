//! What Red Hat publishes of flaws, in several forms that say the same of the same products.
//!
//! Products are named by CPEs, and what is said of one is kept under the name that OSV gives it:
//! `Red Hat:enterprise_linux:8::baseos` of `cpe:/o:redhat:enterprise_linux:8::baseos`.

pub mod cve;
pub mod repositories;
pub mod vex;

use fathom_advisory::segment::{AdvisoryId, Statement, Subject, Upper, Writer};
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use crate::tally;

/// How a product stands to a flaw.
struct Said<'r> {
    cpe: &'r str,
    /// What packages are built from.
    name: &'r str,
    stream: Option<&'r str>,
    before: Option<&'r str>,
    state: State,
    /// How bad it is in this product, where that is said.
    severity: Option<Severity>,
}

impl Said<'_> {
    fn add(&self, id: AdvisoryId, document: &str, writer: &mut Writer) {
        // Images of containers are named by their repositories, and are no packages.
        let Some(product) = product(self.cpe) else { return };
        if self.name.is_empty() || self.name.contains('/') {
            return;
        }
        let statement = Statement {
            namespace: &format!("Red Hat:{product}"),
            scheme: Scheme::Rpm,
            subject: Subject::Source,
            name: self.name,
            lower: None,
            upper: self.before.map(Upper::Before),
            state: self.state,
            severity: self.severity,
            qualifier: self.stream,
        };
        if let Err(refused) = writer.statement(id, &statement) {
            tally::malformed(writer.about(), &format!("{document}, {}", self.name), refused.0);
        }
    }
}

/// An entry of a map that stands among statements: under this name this qualifier.
fn entry<'a>(map: &'a str, name: &'a str, qualifier: &'a str) -> Statement<'a> {
    Statement {
        namespace: map,
        scheme: Scheme::Rpm,
        subject: Subject::Installed,
        name,
        lower: None,
        upper: None,
        state: State::NotAffected,
        severity: None,
        qualifier: Some(qualifier),
    }
}

/// The product of a CPE, as OSV names it: `enterprise_linux:8::baseos`; nothing for one of others.
fn product(cpe: &str) -> Option<&str> {
    cpe.strip_prefix("cpe:/")?.get(2..)?.strip_prefix("redhat:")
}

/// The stream and the package of `mariadb:10.3/mariadb`.
fn of_module(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((stream, name)) if stream.contains(':') => (Some(stream), name),
        _ => (None, name),
    }
}

/// Numbers of CWE. `CWE-125->CWE-787`, `(CWE-476|CWE-401)`: kinds of weaknesses that lead to each
/// other.
fn weaknesses(said: &str) -> Vec<u16> {
    let number = |text: &str| text.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok();
    said.split("CWE-").skip(1).filter_map(number).take(u8::MAX.into()).collect()
}
