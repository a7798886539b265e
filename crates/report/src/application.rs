//! What a system is there for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// What an application does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationKind {
    /// Keeps data.
    Database,
    /// Serves pages, or passes requests on.
    WebServer,
    /// Runs programs of others: Java, Python, Node.js, PHP, .NET.
    Runtime,
    /// Runs the programs of an enterprise: Tomcat, `JBoss`.
    ApplicationServer,
    /// Runs containers, or orchestrates them.
    Container,
    /// Passes messages.
    Messaging,
    /// Serves names, mail, files, directories, or is a hypervisor.
    Server,
    /// Speaks with the hypervisor or the cloud that the system runs on.
    GuestAgent,
    /// Watches over the system: malware, intrusion, integrity.
    Security,
    /// Tells others how the system does: metrics, logs, backup.
    Management,
}

/// Something that a system is there for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// What it does.
    pub kind: ApplicationKind,
    /// Its short name, as `postgresql`.
    pub name: String,
    /// Its version.
    pub version: Fact<String>,
    /// Whether something starts it with the system.
    pub started: Fact<bool>,
    /// The packages that bring it.
    pub packages: Vec<String>,
    /// Where it keeps its data or its programs, where that could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What it was recognised by.
    pub evidence: Vec<Evidence>,
}

/// Containers on the disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Containers {
    /// Images that have been fetched or built.
    pub images: Listing<ContainerImage>,
    /// Containers that have been made, running or not.
    pub containers: Listing<Container>,
}

/// The image of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerImage {
    /// Whose it is: `docker`, `podman`, `containerd`.
    pub engine: String,
    /// The part of the engine that it belongs to: a namespace of containerd, or the user of an engine
    /// that runs without root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its identifier: the digest of its configuration, or of its manifest.
    pub id: String,
    /// What it goes by.
    pub names: Vec<String>,
    /// The digests that it was fetched by.
    pub digests: Vec<String>,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The architecture that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Where it says so.
    pub evidence: Evidence,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// Whose it is: `docker`, `podman`, `cri-o`, `containerd`; `containers-storage` where nothing but
    /// the storage of Podman's kin knows it, as of Buildah.
    pub engine: String,
    /// The part of the engine that it belongs to: a namespace of containerd, or the user of an engine
    /// that runs without root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Its identifier.
    pub id: String,
    /// What it goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it was made of, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The identifier of what it was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Whether it ran when the disk was written: `running`, `exited`, `created`, `paused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What it runs.
    pub command: Vec<String>,
    /// Whether and when it is started again: `always`, `unless-stopped`, `on-failure`, `no`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// Whether it may do everything that the host may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// The folders of the host that it sees, as `/srv/data:/data`.
    pub mounts: Vec<String>,
    /// The ports of the host that lead into it, as `0.0.0.0:8080->80/tcp`.
    pub ports: Vec<String>,
    /// Where it says so.
    pub evidence: Evidence,
}
