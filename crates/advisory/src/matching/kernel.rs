//! Kernels: which of them starts, and what only bears their name.

use fathom_report::{Package, PackageKind, System};

/// What a package has to do with kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nothing.
    None,
    /// It is part of the kernel that starts, or of one that may, for all that is known.
    Active,
    /// It is part of a kernel that does not start unless somebody chooses it.
    Inactive,
    /// It was built from the same sources, and holds nothing of what runs: headers, documentation.
    Aid,
}

impl Part {
    pub(crate) fn of(package: &Package, system: &System) -> Self {
        match is_image(package) {
            None => Self::None,
            Some(false) => Self::Aid,
            Some(true) => match starts(package, system) {
                false => Self::Inactive,
                true => Self::Active,
            },
        }
    }
}

/// Whether a package was built from a kernel's sources.
pub(crate) fn is_kernel(package: &Package) -> bool {
    is_image(package).is_some()
}

/// Whether a package built from a kernel's sources is part of the kernel itself; nothing for one that
/// was built from others.
fn is_image(package: &Package) -> Option<bool> {
    let name = package.name.as_str();
    match package.kind {
        PackageKind::Deb => {
            let source = package.source.as_deref().unwrap_or(name);
            let is_kernel = source == "linux" || source.starts_with("linux-");
            let others = ["linux-base", "linux-firmware", "linux-atm", "linux-ftpd", "linux-sound"];
            if !is_kernel || others.iter().any(|other| source.starts_with(other)) {
                return None;
            }
            let images = ["linux-image-", "linux-modules-", "kernel-image-"];
            Some(images.iter().any(|image| name.starts_with(image)))
        }
        PackageKind::Rpm => {
            let of_photon = || name.strip_prefix("linux").filter(|_| is_of_photon(package));
            let rest = name.strip_prefix("kernel").or_else(of_photon).or_else(|| {
                ["perf", "python3-perf", "python-perf", "bpftool", "rtla", "rv", "libperf"]
                    .contains(&name)
                    .then_some("-tools")
            })?;
            // `kernel-rt-core`, `kernel-default`; but `kernelshark` is another program.
            if !(rest.is_empty() || rest.starts_with('-')) {
                return None;
            }
            Some(!rest.split('-').any(|word| AIDS.contains(&word)))
        }
        PackageKind::Apk => {
            let is_kernel = name.starts_with("linux-") && package.source.as_deref() == Some(name);
            let images = ["linux-lts", "linux-virt", "linux-edge", "linux-rpi", "linux-stable"];
            match (is_kernel, name) {
                (_, "linux-headers") => Some(false),
                (true, name) if images.contains(&name) => Some(true),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What packages of rpm are called by that hold nothing of what runs.
const AIDS: [&str; 10] =
    ["abi", "headers", "devel", "doc", "docs", "tools", "perf", "srpm", "macros", "source"];

/// Whether a package of rpm was built from one of Photon's kernels. Elsewhere there are others that are
/// called so: `linux-firmware`, `linux-glibc-devel`.
fn is_of_photon(package: &Package) -> bool {
    let name = package.name.as_str();
    let source = package.source.as_deref().unwrap_or_else(|| match name.rsplit_once('-') {
        Some((kernel, aid)) if AIDS.contains(&aid) => kernel,
        _ => name,
    });
    ["linux", "linux-aws", "linux-esx", "linux-rt", "linux-secure"].contains(&source)
}

/// Whether a release of a kernel is that of SUSE's package, in which the number of the rebuild stands,
/// and which names the flavour by itself: `kernel-default` 5.3.18-150300.59.93.1 is
/// 5.3.18-150300.59.93-default.
fn is_of_suse(package: &Package, release: &str) -> bool {
    let build = package.release.as_deref().and_then(|it| it.rsplit_once('.'));
    let flavour =
        build.and_then(|(build, _)| release.strip_prefix(&format!("{}-{build}-", package.version)));
    flavour.is_some_and(|flavour| package.name.split('-').any(|word| word == flavour))
}

/// Whether the kernel that a package is part of starts by default, or may for all that is known.
fn starts(package: &Package, system: &System) -> bool {
    let default = system.boot.default.value().and_then(|entry| entry.version.as_deref());
    let Some(default) = default else { return true };
    let is_of = |release: &str| match package.kind {
        PackageKind::Deb => package.name.ends_with(release),
        PackageKind::Rpm => {
            let build = package.release.as_deref().unwrap_or_default();
            release.starts_with(&format!("{}-{build}", package.version))
                || is_of_suse(package, release)
        }
        _ => true,
    };
    // What is part of no kernel that was found belongs to all of them, or to one that nobody found.
    is_of(default) || !system.boot.kernels.items.iter().any(|kernel| is_of(&kernel.version))
}
