//! Something that was recognised, before it is known what starts it.

use fathom_report::{Application, Evidence, Fact};

use super::known::Known;

/// Something that was recognised.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) known: &'static Known,
    /// Which of several versions that are installed side by side it is, by the name of its packages.
    pub(super) series: Option<String>,
    pub(super) version: Fact<String>,
    pub(super) packages: Vec<String>,
    pub(super) location: Option<String>,
    /// What programs begin with that are run from its own place, by whatever name that has.
    pub(super) programs: Vec<String>,
    /// What starts it, where that is known already.
    pub(super) started: Option<Fact<bool>>,
    pub(super) evidence: Vec<Evidence>,
}

impl Found {
    pub(super) fn new(known: &'static Known, version: Fact<String>) -> Self {
        Self {
            known,
            series: None,
            version,
            packages: Vec::new(),
            location: None,
            programs: Vec::new(),
            started: None,
            evidence: Vec::new(),
        }
    }

    /// Adds what it rests on, once.
    pub(super) fn rests_on(&mut self, place: impl Into<Evidence>) {
        let place = place.into();
        if !self.evidence.contains(&place) {
            self.evidence.push(place);
        }
    }

    pub(super) fn finish(self, started: Fact<bool>) -> Application {
        Application {
            kind: self.known.kind,
            name: self.known.name.to_owned(),
            version: self.version,
            started,
            packages: self.packages,
            location: self.location,
            evidence: self.evidence,
        }
    }
}
