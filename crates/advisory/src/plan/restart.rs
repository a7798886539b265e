//! What has to be started again for an upgrade to take effect.

use fathom_report::{PackageKind, Restart, Upgrade};

/// Sources of what everything that runs has loaded, or what runs as long as the machine does.
const WHOLE: [&str; 14] = [
    "glibc",
    "eglibc",
    "musl",
    "systemd",
    "dbus",
    "dbus-broker",
    "microcode_ctl",
    "intel-microcode",
    "amd64-microcode",
    "linux-firmware",
    "firmware-nonfree",
    "xen",
    "openrc",
    "sysvinit",
];

/// Sources of libraries that services keep loaded until they are started again.
const LOADED: [&str; 24] = [
    "openssl",
    "openssl1.0",
    "compat-openssl10",
    "compat-openssl11",
    "openssl-1_0_0",
    "openssl-1_1",
    "openssl-3",
    "openssl3",
    "libssl",
    "gnutls28",
    "gnutls",
    "nss",
    "mozilla-nss",
    "libgcrypt20",
    "libgcrypt",
    "krb5",
    "zlib",
    "libxml2",
    "expat",
    "pam",
    "linux-pam",
    "curl",
    "xz",
    "xz-utils",
];

/// What to start again after these upgrades.
pub(super) fn needed(kind: PackageKind, source: &str, packages: &[Upgrade]) -> Restart {
    let is_kernel = packages.iter().any(|it| is_kernel(kind, &it.package));
    if kind == PackageKind::Hotfix || is_kernel || is_any(&WHOLE, source, kind) {
        return Restart::Machine;
    }
    match is_any(&LOADED, source, kind) || kind.is_of_language() {
        true => Restart::Services,
        false => Restart::None,
    }
}

/// Packages of a language are called as they like.
fn is_any(names: &[&str], source: &str, kind: PackageKind) -> bool {
    !kind.is_of_language() && names.contains(&source)
}

/// Whether a package is part of a kernel.
pub(super) fn is_kernel(kind: PackageKind, package: &str) -> bool {
    match kind {
        PackageKind::Deb => ["linux-image-", "linux-modules-", "linux-image", "kernel-image-"]
            .iter()
            .any(|image| package.starts_with(image)),
        PackageKind::Rpm => package == "kernel" || package.starts_with("kernel-"),
        PackageKind::Apk => ["linux-lts", "linux-virt", "linux-edge", "linux-rpi", "linux-stable"]
            .contains(&package),
        PackageKind::Pacman => package == "linux" || package.starts_with("linux-"),
        _ => false,
    }
}
