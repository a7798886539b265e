//! The report: what a machine is and what is on it, as a published document.
//!
//! `fathom.report/v1` is read by other programs and stored for years. Its JSON Schema is generated
//! from these types and checked in; within version 1 properties may be added, none is taken away and
//! none changes its meaning.
//!
//! Every statement is *known*, *absent* or *unknown* ([`Fact`]), and says what it rests on
//! ([`Evidence`]). Lists say whether they are complete ([`Listing`]). What could not be read, and
//! what that hides, is a [`Problem`]: "could not look" never reads as "nothing there".

#![forbid(unsafe_code)]

mod application;
mod blank;
mod boot;
mod concern;
mod day;
mod difference;
mod fact;
pub mod finding;
pub mod finding_difference;
mod identity;
pub mod inventory;
mod network;
mod package;
mod pattern;
mod plan;
mod problem;
mod profile;
mod purl;
mod security;
mod service;
mod storage;
mod user;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use application::{Application, ApplicationKind, Container, ContainerImage, Containers};
pub use boot::{Boot, BootEntry, Driver, DriverPlace, DriverPurpose, Firmware, Kernel, Platform};
pub use concern::{Category, Concern, Undecided};
pub use day::Day;
pub use difference::{
    Change, ChangeKind, DIFFERENCE_SCHEMA, Difference, Direction, FieldChange, Incomparable, Part,
    Side, difference_schema,
};
pub use fact::{Coverage, Evidence, Fact, Listing};
pub use identity::{Architecture, EndOfLife, Family, FirstBoot, Identity};
pub use network::{Firewall, HostEntry, Interface, Network, PersistentName, Route};
pub use package::{Package, PackageKind, USUAL_PLACES_ALONE};
pub use pattern::is_like;
pub use plan::{PLAN_SCHEMA, Plan, Remaining, Restart, Step, Upgrade, plan_schema};
pub use problem::{Problem, ProblemKind};
pub use profile::{Outcome, Profile, RuleResult, Severity};
pub use purl::{package_url, percent_decoded, percent_encoded, system_url};
pub use security::{
    Audit, Certificate, MandatoryAccess, NAMED_FILES_ALONE, OpenFile, Security, Setting, Sshd,
    SshdMatch, USUAL_FOLDERS_ALONE, Updates,
};
pub use service::{Enabled, Service, ServiceKind};
pub use storage::{Mount, Storage, Swap, Volume};
pub use user::{Group, PasswordState, SshKey, User, Users};

/// The version of the document.
pub const SCHEMA: &str = "fathom.report/v1";

/// What one machine is and what is on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `fathom.report/v1`.
    pub schema: String,
    /// The program that made the report, and its version.
    pub generator: String,
    /// The disks, in the machine's order.
    pub disks: Vec<Disk>,
    /// The operating systems found; several where the machine boots one of several.
    pub systems: Vec<System>,
    /// What the disks are made of.
    pub storage: Storage,
    /// What stands in the way of moving the machine.
    pub concerns: Listing<Concern>,
    /// Concerns of which it could not be told whether there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Undecided>,
    /// What rules make of it, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
    /// What could not be read of the disks, and what that hides.
    pub problems: Vec<Problem>,
}

/// A disk that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// What it was opened by.
    pub name: String,
    /// The format of its container.
    pub format: String,
    /// How many bytes the guest sees.
    pub virtual_size: u64,
    /// The checksum of the image file, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// One operating system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct System {
    /// The volume that its root lies on, and behind a colon the subvolume.
    pub root: String,
    /// What it is.
    pub identity: Identity,
    /// What it starts with.
    pub boot: Boot,
    /// What is installed.
    pub packages: Listing<Package>,
    /// Accounts and groups.
    pub users: Users,
    /// What it starts.
    pub services: Listing<Service>,
    /// How it is connected.
    pub network: Network,
    /// What it is there for.
    pub applications: Listing<Application>,
    /// Containers on the disk.
    pub containers: Containers,
    /// How it is guarded.
    pub security: Security,
    /// What it mounts.
    pub mounts: Listing<Mount>,
    /// Where it swaps.
    pub swap: Listing<Swap>,
    /// What could not be read, and what that hides.
    pub problems: Vec<Problem>,
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), SCHEMA.into());
    }
    schema
}
