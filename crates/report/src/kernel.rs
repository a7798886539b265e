//! The kernels of a system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// The kernels of a system: its own, never that of the machine that looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Kernels {
    /// Those that are installed.
    pub installed: Listing<Kernel>,
    /// The version of the one that starts by default.
    pub default: Fact<String>,
    /// The boot loader that decides it, as `grub`.
    pub boot_loader: Fact<String>,
    /// How the default one is started: its command line.
    pub command_line: Fact<String>,
    /// Drivers for virtual hardware, and whether the default kernel has them when it starts.
    pub drivers: Listing<Driver>,
}

/// An installed kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// The version as the kernel says it, `6.1.0-28-amd64`.
    pub version: String,
    /// Its image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Its initial RAM filesystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initramfs: Option<String>,
    /// Where its modules are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<String>,
}

/// A driver for virtual hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Driver {
    /// The module, as `virtio_blk`.
    pub name: String,
    /// Whose hardware it is for: `virtio`, `vmware`, `hyper-v`, `xen`.
    pub platform: String,
    /// It is there before the root is mounted: built in, or in the initial RAM filesystem.
    pub early: bool,
    /// It is there once the root is mounted.
    pub installed: bool,
    /// Where it was found.
    pub evidence: Vec<Evidence>,
}
