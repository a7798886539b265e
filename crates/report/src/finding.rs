//! What is known to be wrong with what is installed.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;
use crate::package::PackageKind;

/// How bad it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FlawSeverity")]
pub enum Severity {
    /// Of no consequence in practice.
    Negligible,
    /// Of little consequence.
    Low,
    /// To be mended in time.
    Medium,
    /// To be mended soon.
    High,
    /// To be mended at once.
    Critical,
}

impl Severity {
    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negligible => "negligible",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What can be said of a flaw in what is installed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "FindingState")]
pub enum State {
    /// A later version mends it.
    Fixed,
    /// Nothing mends it yet.
    Affected,
    /// Whoever maintains it will not mend it.
    WillNotFix,
    /// It will be mended some day.
    Deferred,
    /// It is not clear yet whether it is affected.
    UnderInvestigation,
    /// It has been looked into, and is not affected.
    NotAffected,
    /// Nobody maintains it any more.
    EndOfLife,
}

impl State {
    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::WillNotFix => "will-not-fix",
            Self::Deferred => "deferred",
            Self::UnderInvestigation => "under-investigation",
            Self::NotAffected => "not-affected",
            Self::EndOfLife => "end-of-life",
        }
    }
}

/// The version of the document.
pub const SCHEMA: &str = "fathom.findings/v1";

/// What begins the names that machines have in VEX documents; behind it stands what was scanned, or the
/// name of the machine, percent-encoded.
pub const MACHINE: &str = "urn:fathom:machine:";

/// From where fixes come that a rebuild of a distribution does not have yet.
pub const UPSTREAM: &str = "Red Hat";

/// What is known to be wrong with a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// `fathom.findings/v1`.
    pub schema: String,
    /// The program that made this, and its version.
    pub generator: String,
    /// What was scanned: disks, a report or a list of components.
    pub subject: String,
    /// The systems that were found there.
    pub systems: Vec<Scanned>,
    /// What it was compared with.
    pub database: Vec<Source>,
    /// What this does not say, and why.
    pub notes: Vec<Note>,
    /// How much there is.
    pub summary: Summary,
    /// The flaws, each in each package that has it.
    pub vulnerabilities: Vec<Finding>,
    /// The packages that have flaws, each with what these come to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// Flaws that somebody has decided about, apart from the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excepted: Vec<Excepted>,
    /// Packages that were not compared with anything.
    pub unscanned: Vec<Unscanned>,
}

/// A package that has flaws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// The package.
    pub package: String,
    /// The kind of package, as `deb`.
    pub package_kind: PackageKind,
    /// What the package was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_package: Option<String>,
    /// The version that is installed.
    pub installed_version: String,
    /// The architecture of the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Where the package lies, where it is in no database of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The root of the system, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How many flaws it has.
    pub vulnerabilities: usize,
    /// How many of them a later version mends.
    pub fixable: usize,
    /// How bad the worst of them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The greatest base score of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_cvss: Option<f64>,
    /// The version that mends all that can be mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_by: Option<String>,
    /// How much is at stake by the package, from 0 to 100.
    pub risk: f64,
}

/// A flaw that somebody has decided about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Excepted {
    /// The flaw.
    pub finding: Finding,
    /// What was decided.
    pub exemption: Exemption,
}

/// What somebody has decided about a flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exemption {
    /// What kind of decision it is.
    pub kind: ExemptionKind,
    /// Why.
    pub reason: String,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Until when: a day, `fixable` or `all-fixable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The statement of a VEX document that decided it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<VexStatement>,
}

/// What a VEX document says of a flaw in a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VexStatement {
    /// How the product stands to the flaw.
    pub status: VexStatus,
    /// Why it is not affected, in the word that the document has for it:
    /// `vulnerable_code_not_present`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Why, or what to do, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The document: the file, and the document's own name.
    pub document: String,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Since when it is so, as the document says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// How a product stands to a flaw, in the words of VEX.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// It does not have the flaw.
    NotAffected,
    /// It has it.
    Affected,
    /// It had it, and is mended.
    Fixed,
    /// It is being looked into.
    UnderInvestigation,
}

impl VexStatus {
    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

/// What kind of decision it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExemptionKind {
    /// It is there, and will be mended later.
    Deferred,
    /// It is not there.
    FalsePositive,
}

/// A system that was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scanned {
    /// The volume that its root lies on.
    pub root: String,
    /// Its distribution, as `debian`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The name of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Numbers of what is installed, eight digits each, in their order: by them two documents tell
    /// what changed on a machine. They prove nothing against who wants to deceive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<String>,
}

/// A part of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The short name of who provides it.
    pub provider: String,
    /// The last day on which anything in it was changed.
    pub as_of: String,
    /// When it was made, RFC 3339.
    pub built: String,
}

/// What keeps findings from being all there is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoteKind {
    /// There is no database, or nothing to compare with it.
    MissingScanner,
    /// It could not be compared.
    ScanFailed,
    /// It is not known what system this is.
    OsUnknown,
    /// Nobody in the database speaks of this system.
    OsUnsupported,
    /// What is installed could not be read, or not all of it.
    MissingScanData,
    /// Of this system it is only known which flaws were mended, not which remain.
    FixesOnly,
    /// The system is not mended any more by whoever made it.
    OsEndOfLife,
    /// The database is older than it should be.
    DatabaseStale,
    /// The database has nothing of a provider that tells how bad flaws are.
    MissingProvider,
    /// Some packages were not compared with anything.
    Unscanned,
}

impl NoteKind {
    /// Whether it means that something was not compared at all, or not all of it; the others tell how much
    /// what was compared is worth.
    pub fn is_failure(self) -> bool {
        match self {
            Self::MissingScanner
            | Self::ScanFailed
            | Self::OsUnknown
            | Self::OsUnsupported
            | Self::MissingScanData => true,
            Self::FixesOnly
            | Self::OsEndOfLife
            | Self::DatabaseStale
            | Self::MissingProvider
            | Self::Unscanned => false,
        }
    }

    /// Its name in the documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingScanner => "MISSING_SCANNER",
            Self::ScanFailed => "SCAN_FAILED",
            Self::OsUnknown => "OS_UNKNOWN",
            Self::OsUnsupported => "OS_UNSUPPORTED",
            Self::MissingScanData => "MISSING_SCAN_DATA",
            Self::FixesOnly => "FIXES_ONLY",
            Self::OsEndOfLife => "OS_END_OF_LIFE",
            Self::DatabaseStale => "DATABASE_STALE",
            Self::MissingProvider => "MISSING_PROVIDER",
            Self::Unscanned => "UNSCANNED",
        }
    }
}

/// Something that findings do not say, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// What kind of thing that is.
    pub kind: NoteKind,
    /// What it is, and what to do.
    pub message: String,
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// How many packages are installed.
    pub total_packages: usize,
    /// How many of them have a flaw.
    pub vulnerable_packages: usize,
    /// How many flaws there are, each counted once.
    pub vulnerabilities: usize,
    /// Flaws that are critical, each counted once.
    pub critical: usize,
    /// Flaws that are grave.
    pub high: usize,
    /// Flaws of middling gravity.
    pub medium: usize,
    /// Flaws of little consequence.
    pub low: usize,
    /// Flaws of no consequence in practice.
    pub negligible: usize,
    /// Flaws of which nobody says how bad they are.
    pub unknown: usize,
    /// Flaws that a package mends which is there to be installed.
    pub fixable: usize,
    /// Flaws that are known to be exploited.
    pub exploited: usize,
    /// Findings that somebody has decided about; they count in nothing else here.
    pub excepted: usize,
    /// How much is at stake, from 0 to 100.
    pub risk: f64,
}

/// A flaw in a package. What is the same for all packages of one source is held once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The flaw: its number in the CVE list, or its name where it has none.
    pub cve_id: String,
    /// Its other names.
    #[serde(default, skip_serializing_if = "is_none")]
    pub aliases: Arc<[String]>,
    /// What announced it: `DSA-5863-1`, `RHSA-2023:1599`, `USN-…`.
    #[serde(default, skip_serializing_if = "is_none")]
    pub advisories: Arc<[String]>,
    /// The root of the system, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The package.
    pub package: String,
    /// The kind of package, as `deb`.
    pub package_kind: PackageKind,
    /// What the package was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_package: Option<String>,
    /// The version that is installed.
    pub installed_version: String,
    /// The architecture of the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Where the package lies, where it is in no database of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The package as a package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// The version that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
    /// From where the version that mends it comes, where that is not where everybody gets packages:
    /// `Ubuntu Pro`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_in: Option<String>,
    /// What can be said of it.
    pub state: State,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Who says how bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_source: Option<String>,
    /// How bad it is, computed: the base score of the vector that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss_score: Option<f64>,
    /// The vectors; the one that was chosen first.
    #[serde(default, skip_serializing_if = "is_none")]
    pub cvss: Arc<[Cvss]>,
    /// Kinds of weaknesses: `CWE-787`.
    #[serde(default, skip_serializing_if = "is_none")]
    pub weaknesses: Arc<[String]>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Arc<str>>,
    /// What to do.
    pub remediation: String,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// What is known of its being exploited.
    pub exploitability: Exploitability,
    /// How much is at stake.
    pub risk: Risk,
    /// Whether the package is part of a kernel that does not start unless somebody chooses it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inactive: bool,
    /// What a VEX document says of it that does not tell it apart: that it is affected, or that this
    /// is being looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<VexStatement>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub references: Arc<[String]>,
    /// Why it is said to be here.
    pub because: Arc<[Reason]>,
    /// Where in the machine it says that the package is installed.
    pub evidence: Evidence,
}

fn is_none<T>(shared: &Arc<[T]>) -> bool {
    shared.is_empty()
}

impl Findings {
    /// Findings on what was scanned, of which there are none yet.
    pub fn none(subject: &str, generator: &str, systems: Vec<Scanned>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            generator: generator.to_owned(),
            subject: subject.to_owned(),
            systems,
            database: Vec::new(),
            notes: Vec::new(),
            summary: Summary::default(),
            vulnerabilities: Vec::new(),
            components: Vec::new(),
            excepted: Vec::new(),
            unscanned: Vec::new(),
        }
    }

    /// The first number that is none of its kind, in a document that others may have written.
    pub fn fault(&self) -> Option<String> {
        let excepted = self.excepted.iter().map(|it| &it.finding);
        self.vulnerabilities.iter().chain(excepted).find_map(|finding| {
            let (name, value, most) = finding.numbers().find(|(_, value, most)| {
                // So that NaN is none either.
                !(0.0..=*most).contains(value)
            })?;
            let (flaw, package) = (&finding.cve_id, &finding.package);
            Some(format!("{flaw} in {package}: {name} is {value}, and not from 0 to {most}"))
        })
    }
}

impl Finding {
    /// Whether a version mends it that can be had: one of the distribution that this one is rebuilt from
    /// cannot.
    pub fn is_fixable(&self) -> bool {
        self.state == State::Fixed && self.fixed_in.as_deref() != Some(UPSTREAM)
    }

    /// Its numbers, each with its name and the most that it may be.
    fn numbers(&self) -> impl Iterator<Item = (&'static str, f64, f64)> {
        let Exploitability { epss, epss_percentile, .. } = &self.exploitability;
        let Risk { score, severity, likelihood, context, .. } = &self.risk;
        let scores = self.cvss.iter().map(|it| Some(it.score)).chain([self.cvss_score]);
        let scores = scores.flatten().map(|score| ("a score of CVSS", score, 10.0));
        let likely = [("epss", *epss), ("epss_percentile", *epss_percentile)];
        let likely = likely.into_iter().filter_map(|(name, value)| Some((name, value?, 1.0)));
        let risk = [
            ("risk.score", *score, 100.0),
            ("risk.severity", *severity, 1.0),
            ("risk.likelihood", *likelihood, 1.0),
            ("risk.context", *context, 1.0),
        ];
        scores.chain(likely).chain(risk)
    }
}

impl Scanned {
    /// A system of which nothing else is known.
    pub fn bare(root: &str, distribution: &str, version: &str) -> Self {
        Self {
            root: root.to_owned(),
            distribution: Some(distribution.to_owned()),
            version: Some(version.to_owned()),
            hostname: None,
            inventory: None,
        }
    }
}

impl Finding {
    /// A flaw of which nothing is known but that a package has it, and that nothing mends it.
    pub fn bare(cve_id: &str, kind: PackageKind, package: &str, version: &str) -> Self {
        Self {
            cve_id: cve_id.to_owned(),
            aliases: Arc::default(),
            advisories: Arc::default(),
            system: None,
            package: package.to_owned(),
            package_kind: kind,
            source_package: None,
            installed_version: version.to_owned(),
            architecture: None,
            location: None,
            purl: None,
            fixed_version: None,
            fixed_in: None,
            state: State::Affected,
            severity: None,
            severity_source: None,
            cvss_score: None,
            cvss: Arc::default(),
            weaknesses: Arc::default(),
            description: None,
            remediation: String::new(),
            published: None,
            exploitability: Exploitability::default(),
            risk: Risk::default(),
            inactive: false,
            vex: None,
            references: Arc::default(),
            because: Arc::default(),
            evidence: Evidence::default(),
        }
    }
}

/// A CVSS vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cvss {
    /// The vector.
    pub vector: String,
    /// Its base score.
    pub score: f64,
    /// 2, 3 or 4.
    pub version: u8,
    /// Who provides it.
    pub source: String,
}

/// What is known of a flaw's being exploited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exploitability {
    /// How likely it is exploited within a month, from 0 to 1, by EPSS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// How many of all flaws are less likely exploited, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss_percentile: Option<f64>,
    /// Since when CISA knows that it is exploited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exploited_since: Option<String>,
    /// Until when agencies of the United States must have mended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// Whether campaigns of ransomware use it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ransomware: bool,
    /// Whether there is a published way to exploit it, where that is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_exploit: bool,
}

/// How much is at stake: a hundred times what the three parts make, multiplied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Risk {
    /// From 0 to 100.
    pub score: f64,
    /// How bad it is, from 0 to 1.
    pub severity: f64,
    /// How likely it is used, from 0 to 1.
    pub likelihood: f64,
    /// How much this machine depends on the package, from 0 to 1.
    pub context: f64,
    /// What of the machine depends on the package, which the last number is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependent: Option<Dependent>,
}

/// What of a machine depends on a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dependent {
    /// A kernel that starts.
    Kernel,
    /// A kernel that does not.
    InactiveKernel,
    /// A service that starts.
    Service,
    /// Something else.
    Other,
    /// Documentation, headers and symbols.
    Documentation,
}

/// A statement that a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Whose statement it is.
    pub provider: String,
    /// The advisory.
    pub advisory: String,
    /// The ecosystem that it speaks of: `Debian:12`.
    pub ecosystem: String,
    /// The name that was looked for there.
    pub name: String,
    /// The version that was compared.
    pub version: String,
    /// What was found by comparing: `2.36-9+deb12u3 is before 2.36-9+deb12u4`.
    pub rule: String,
    /// What the statement says.
    pub state: State,
}

/// Why packages were not compared with anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unscanned {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: usize,
    /// Some of their names.
    pub examples: Vec<String>,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Findings).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), SCHEMA.into());
    }
    schema
}
