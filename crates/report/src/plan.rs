//! What to do about flaws: which upgrades, in which order, and what remains after them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Note, State};
use crate::package::PackageKind;

/// The version of the document.
pub const PLAN_SCHEMA: &str = "fathom.plan/v1";

/// What to do about the flaws of a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `fathom.plan/v1`.
    pub schema: String,
    /// The program that made this, and its version.
    pub generator: String,
    /// What was scanned: disks, a report or a list of components.
    pub subject: String,
    /// What the findings do not say, and so neither does this.
    pub notes: Vec<Note>,
    /// How much is at stake before anything is done, from 0 to 100, by the flaws that were looked at.
    pub risk_before: f64,
    /// How much remains after all steps.
    pub risk_after: f64,
    /// What to do, that which takes the most risk away first.
    pub steps: Vec<Step>,
    /// What no step mends, by the reason.
    pub remaining: Vec<Remaining>,
}

/// Upgrades that belong together: packages that were built from one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The root of the system, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What the packages were built from, or the package.
    pub source: String,
    /// The kind of package, as `deb`.
    pub package_kind: PackageKind,
    /// From where the upgrade comes, where that is not where everybody gets packages: `Ubuntu Pro`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The packages.
    pub packages: Vec<Upgrade>,
    /// The flaws that it mends.
    pub flaws: Vec<String>,
    /// Those of them that are known to be exploited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploited: Vec<String>,
    /// How much is at stake before this step, and after all before it.
    pub risk_before: f64,
    /// How much is at stake after it.
    pub risk_after: f64,
    /// What has to be started again for it to take effect.
    pub restart: Restart,
    /// The command that does it, for a shell of the machine; none where there is no such command, or
    /// where a name is none that a package may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What to do in words.
    pub advice: String,
}

/// A package to upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upgrade {
    /// The package.
    pub package: String,
    /// Its architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Where it lies, where it is in no database of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version that is installed.
    pub from: String,
    /// The lowest version that has no flaw which a version mends; of a distribution, that of what it
    /// was built from.
    pub to: String,
}

/// What has to be started again for an upgrade to take effect.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Nothing that is known of beyond what the package itself sees to.
    None,
    /// The services that use it.
    Services,
    /// The machine.
    Machine,
}

/// Flaws that no step mends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remaining {
    /// Why: what can be said of them.
    pub state: State,
    /// The same in words.
    pub reason: String,
    /// The flaws.
    pub flaws: Vec<String>,
    /// The packages that have them.
    pub packages: Vec<String>,
    /// How much is at stake by these alone, from 0 to 100.
    pub risk: f64,
}

/// The JSON Schema of the document.
pub fn plan_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Plan).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), PLAN_SCHEMA.into());
    }
    schema
}
