//! The kernels that are installed.

use std::collections::HashSet;

use fathom_block::ErrorKind;
use fathom_filesystem::{FileType, Found, NodeId};
use fathom_report::{Evidence, Kernel, Listing};

use super::ground::{Area, Ground, Role};
use super::{HIDES, kernel_image};
use crate::files::{Files, Read};
use crate::lines::at_most;

/// The most kernels that are listed. A machine has a handful.
const MAX_KERNELS: usize = 256;

/// The folders that distributions keep modules in; mostly one of them is a link to the other.
pub(super) const MODULES: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

/// What the names of kernels begin with; what follows is mostly the release.
const NAMES: [&str; 6] = ["vmlinuz-", "vmlinux-", "kernel-", "Image-", "bzImage-", "linux-"];

/// What the names of initial filesystems are made of: before and behind what is behind the dash in
/// the kernel's.
const INITRAMFS: [(&str, &str); 8] = [
    ("initrd.img-", ""),
    ("initramfs-", ".img"),
    ("initrd-", ""),
    ("initramfs-", ""),
    ("initrd-", ".img"),
    ("initramfs-genkernel-x86_64-", ""),
    ("initramfs.img-", ""),
    ("initrd-", ".gz"),
];

/// Every kernel of the system.
pub(super) fn installed(ground: &Ground<'_>) -> Listing<Kernel> {
    ground.files.listing(|| {
        let mut kernels = Kernels {
            ground,
            seen: HashSet::new(),
            folders: HashSet::new(),
            found: Vec::new(),
            nameless: Vec::new(),
            cut: false,
        };
        kernels.in_boot("/boot");
        kernels.of_ostree();
        kernels.of_installer("/boot", None);
        for area in &ground.areas {
            kernels.of_installer("", Some(area));
            kernels.unified(area);
        }
        kernels.unified_in_boot();
        kernels.beside_modules();
        kernels.finish()
    })
}

struct Kernels<'a> {
    ground: &'a Ground<'a>,
    /// The files that have been looked at, under whatever name.
    seen: HashSet<(usize, NodeId)>,
    /// The folders of modules, likewise.
    folders: HashSet<(usize, NodeId)>,
    found: Vec<Kernel>,
    /// Files that must be kernels, but do not say which.
    nameless: Vec<String>,
    cut: bool,
}

impl<'a> Kernels<'a> {
    fn files(&self) -> &'a Files<'a> {
        self.ground.files
    }

    /// As many as are looked at.
    fn first_of<T>(&mut self, items: impl IntoIterator<Item = T>) -> Vec<T> {
        at_most(items, MAX_KERNELS, |_| self.cut = true)
    }

    /// `/boot/vmlinuz-VERSION` with its initial filesystem beside it.
    fn in_boot(&mut self, folder: &str) {
        let Some(children) = self.files().children(folder, HIDES).there() else {
            return;
        };
        let names: HashSet<&str> = children.iter().map(|(name, _)| name.as_str()).collect();
        for (name, found) in &children {
            let Some(suffix) = suffix(name) else { continue };
            let initramfs = INITRAMFS
                .iter()
                .map(|(before, behind)| format!("{before}{suffix}{behind}"))
                .find(|name| names.contains(name.as_str()));
            let path = format!("{folder}/{name}");
            let initramfs = initramfs.map(|name| format!("{folder}/{name}"));
            self.image(self.files(), found, path.clone(), path, Some(suffix), initramfs);
        }
    }

    /// ostree keeps the kernel of each deployment in a folder of its own.
    fn of_ostree(&mut self) {
        let folders = self.files().children("/boot/ostree", HIDES).there().unwrap_or_default();
        for (name, _) in self.first_of(&folders) {
            self.in_boot(&format!("/boot/ostree/{name}"));
        }
    }

    /// `kernel-install` makes a folder for the machine and one for each release.
    fn of_installer(&mut self, folder: &str, area: Option<&Area<'_>>) {
        let files = area.map_or(self.ground.files, |area| area.files);
        let at =
            |inside: &str| area.map_or_else(|| format!("{folder}{inside}"), |it| it.path(inside));
        let shown = |path: &str| area.map_or_else(|| path.to_owned(), |it| it.shown(path));
        let top = files.children(&at(""), HIDES).there().unwrap_or_default();
        let is_token =
            |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        for (token, _) in self.first_of(top.iter().filter(|(name, _)| is_token(name))) {
            let releases = files.children(&at(&format!("/{token}")), HIDES).there();
            for (release, _) in self.first_of(&releases.unwrap_or_default()) {
                let path = at(&format!("/{token}/{release}/linux"));
                let Some(found) = files.found(&path, HIDES).there() else { continue };
                let beside = ["initrd", "initramfs"]
                    .map(|name| at(&format!("/{token}/{release}/{name}")))
                    .into_iter()
                    .find(|path| files.exists(path, HIDES));
                let image = shown(&path);
                self.image(files, &found, path, image, Some(release), beside.map(|it| shown(&it)));
            }
        }
    }

    /// Unified kernel images on a partition for boot loaders.
    fn unified(&mut self, area: &Area<'_>) {
        let folder = area.path("/EFI/Linux");
        let images = area.files.children(&folder, HIDES).there().unwrap_or_default();
        for (name, found) in self.first_of(images.iter().filter(|(name, _)| is_efi(name))) {
            let path = format!("{folder}/{name}");
            let shown = area.shown(&path);
            self.image(area.files, found, path, shown, None, None);
        }
    }

    /// The same, where `/boot` is no partition of its own.
    fn unified_in_boot(&mut self) {
        let images = self.files().children("/boot/EFI/Linux", HIDES).there().unwrap_or_default();
        for (name, found) in self.first_of(images.iter().filter(|(name, _)| is_efi(name))) {
            let path = format!("/boot/EFI/Linux/{name}");
            self.image(self.files(), found, path.clone(), path, None, None);
        }
    }

    /// A folder of modules, with the kernel in it or none at all.
    fn beside_modules(&mut self) {
        for folder in MODULES {
            let releases = self.files().children(folder, HIDES).there().unwrap_or_default();
            for (release, found) in &releases {
                if !self.folders.insert(found.place()) {
                    continue;
                }
                let modules = format!("{folder}/{release}");
                let image = ["vmlinuz", "vmlinux"].map(|name| format!("{modules}/{name}"));
                let image = image
                    .into_iter()
                    .find_map(|path| Some((self.files().found(&path, HIDES).there()?, path)));
                let initramfs = format!("{modules}/initramfs.img");
                let initramfs = self.files().exists(&initramfs, HIDES).then_some(initramfs);
                if let Some((image, path)) = image {
                    self.image(self.files(), &image, path.clone(), path, Some(release), initramfs);
                }
                let is_known = self.found.iter().any(|kernel| kernel.version == *release);
                if !is_known && self.has_modules(&modules) {
                    self.add(Kernel {
                        version: release.clone(),
                        image: None,
                        initramfs: None,
                        modules: Some(modules.clone()),
                        evidence: vec![modules.into()],
                    });
                }
            }
        }
    }

    fn has_modules(&self, folder: &str) -> bool {
        ["modules.dep", "modules.dep.bin", "kernel"]
            .iter()
            .any(|name| self.files().exists(&format!("{folder}/{name}"), HIDES))
    }

    /// Takes the file for a kernel; `suffix` is what its name says of its release.
    fn image(
        &mut self,
        files: &Files<'_>,
        found: &Found,
        path: String,
        shown: String,
        suffix: Option<&str>,
        initramfs: Option<String>,
    ) {
        // The names of a folder are not followed.
        let link =
            matches!(found.metadata(), Ok(metadata) if metadata.file_type == FileType::Symlink);
        let followed = if link { files.found(&path, HIDES).there() } else { Some(found.clone()) };
        let Some(followed) = followed else { return };
        match followed.metadata() {
            Ok(metadata) if metadata.file_type == FileType::File => {}
            Ok(_) => return,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return files.note(&error, &path, HIDES),
        }
        let (filesystem, node) = (std::ptr::from_ref(&*followed.filesystem).addr(), followed.node);
        if !self.seen.insert((filesystem, node)) {
            return;
        }
        let release = match files.open(&path, HIDES) {
            Read::There(reader) => kernel_image::release(&*reader).unwrap_or_else(|error| {
                files.note(&error, &path, HIDES);
                None
            }),
            Read::Absent | Read::Unread(_) => None,
        };
        let is_release = |suffix: &&str| {
            suffix.starts_with(|first: char| first.is_ascii_digit())
                || self.modules(suffix).is_some()
        };
        let Some(version) = release.or_else(|| suffix.filter(is_release).map(str::to_owned)) else {
            self.nameless.push(shown);
            return;
        };
        let modules = self.modules(&version);
        let evidence = vec![Evidence::from(shown.clone())];
        self.add(Kernel { version, image: Some(shown), initramfs, modules, evidence });
    }

    /// The folder of modules of that release.
    fn modules(&self, release: &str) -> Option<String> {
        if release.is_empty() || release.contains('/') {
            return None;
        }
        let folders = MODULES.map(|folder| format!("{folder}/{release}"));
        folders.into_iter().find(|folder| self.files().exists(folder, HIDES))
    }

    fn add(&mut self, kernel: Kernel) {
        if self.found.len() < MAX_KERNELS {
            self.found.push(kernel);
        } else {
            self.cut = true;
        }
    }

    fn finish(self) -> Listing<Kernel> {
        let places = ["/boot"].into_iter().chain(MODULES);
        let areas = self.ground.areas.iter().filter(|area| area.role == Role::Esp);
        let mut evidence: Vec<Evidence> = places.map(Evidence::from).collect();
        evidence.extend(areas.map(|area| area.shown(&area.path("/EFI/Linux")).into()));
        let mut listing = match self.found.is_empty() {
            true => Listing::empty("no kernel is installed", evidence),
            false => Listing::complete(self.found, evidence),
        };
        if self.cut {
            listing.hide(format!("there are more than {MAX_KERNELS}"));
        }
        if let [first, ..] = self.nameless.as_slice() {
            listing.hide(format!("{first} does not say which release it is"));
        }
        listing
    }
}

/// What stands behind the dash in the name of a kernel.
fn suffix(name: &str) -> Option<&str> {
    let suffix = NAMES.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    // What lies beside kernels: checksums, signatures, packed copies.
    let is_other =
        [".hmac", ".sig", ".gz", ".xz", ".old.sig"].iter().any(|end| name.ends_with(end));
    (!is_other && !suffix.is_empty()).then_some(suffix)
}

pub(super) fn is_efi(name: &str) -> bool {
    name.len() > 4 && name.to_ascii_lowercase().ends_with(".efi")
}
