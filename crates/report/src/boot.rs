//! What a system starts with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// What a system starts with. Of the guest; never of the host that looks at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boot {
    /// The kernels that are installed.
    pub kernels: Listing<Kernel>,
    /// What starts when nobody chooses.
    pub default: Fact<BootEntry>,
    /// The firmware that the disks are prepared to be started by: `bios`, `uefi`.
    pub firmware: Listing<Firmware>,
    /// Drivers for the hardware of hypervisors, and whether they are there when it starts.
    pub drivers: Listing<Driver>,
}

/// A kernel that is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Its release, as `uname -r` would say it.
    pub version: String,
    /// Its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The initial filesystem that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initramfs: Option<String>,
    /// The folder of its modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<String>,
    /// Where it says so.
    pub evidence: Vec<Evidence>,
}

/// An entry of a boot loader's menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BootEntry {
    /// Whose menu: `grub`, `systemd-boot`, `extlinux`, `windows`.
    pub loader: String,
    /// What the menu shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The kernel's release, where the entry's file is one of the installed kernels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The kernel's or loader's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The initial filesystems, in order.
    pub initramfs: Vec<String>,
    /// What the kernel is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}

/// What starts a machine.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// The BIOS of old.
    Bios,
    /// UEFI.
    Uefi,
}

/// Whose virtual hardware a driver drives.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// KVM, KubeVirt, OpenStack.
    Virtio,
    /// VMware.
    Vmware,
    /// Hyper-V and Azure.
    Hyperv,
    /// Xen.
    Xen,
}

/// What a driver is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DriverPurpose {
    /// Disks: without it the system cannot find its root.
    Disk,
    /// The network.
    Network,
    /// The bus that the others hang on.
    Bus,
    /// Anything else.
    Other,
}

/// When a driver is there.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DriverPlace {
    /// It is part of the kernel.
    BuiltIn,
    /// It is in the initial filesystem that boots, or on Windows starts with the loader.
    Early,
    /// It is installed, and can be loaded once the root is mounted.
    Installed,
}

/// A driver for virtual hardware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Driver {
    /// Whose hardware it drives.
    pub platform: Platform,
    /// What for.
    pub purpose: DriverPurpose,
    /// Its name, as `virtio_blk`.
    pub name: String,
    /// When it is there.
    pub place: DriverPlace,
    /// Where it was found.
    pub evidence: Evidence,
}
