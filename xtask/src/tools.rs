//! What a developer's machine needs: Debian packages and cargo tools, installed on request.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::shell;

/// Debian packages that tests and oracles use, and what for.
const PACKAGES: &[(&str, &str)] = &[
    ("acl", "setfacl for golden images"),
    ("at", "writes jobs that run once"),
    ("apparmor", "the owner of its profiles"),
    ("attr", "setfattr for golden images"),
    ("auditd", "the owner of the rules of what is recorded"),
    ("binutils-mingw-w64-x86-64", "makes programs of Windows"),
    ("btrfs-progs", "makes and checks Btrfs"),
    ("binutils", "strips programs"),
    ("bzip2", "compressed files that must be refused"),
    ("composer", "installs packages of PHP, and says the order of their versions"),
    ("busybox", "goes into initial filesystems"),
    ("containerd", "makes and lists images and containers"),
    ("cloud-init", "writes the network in the files of every manager"),
    ("cpio", "archives of initial filesystems"),
    ("chromium", "shows the page of the service's interface"),
    ("chntpw", "a second reader of accounts of Windows"),
    ("cryptsetup-bin", "makes LUKS headers"),
    ("db5.3-util", "makes Berkeley DB"),
    ("docker.io", "makes and lists images and containers"),
    ("dosfstools", "makes FAT"),
    ("dracut-core", "makes and lists initial filesystems"),
    ("e2fsprogs", "makes and checks ext2/3/4"),
    ("fdisk", "sfdisk makes MBR and GPT"),
    ("firewalld", "the owner of its zones"),
    ("g++", "libFuzzer is C++; rpm's own container of SUSE"),
    ("gdisk", "sgdisk makes GPT"),
    ("gnupg", "signs packages of rpm"),
    ("ifupdown", "says what it makes of its interfaces"),
    ("iptables", "saves rules of its own"),
    ("grub-common", "writes and checks menus of GRUB"),
    ("grub-emu", "GRUB itself, to say which entry it starts"),
    ("grub2-common", "grub-editenv and grub-set-default"),
    ("initramfs-tools-core", "makes and lists initial filesystems"),
    ("jq", "the examples in the guide"),
    ("kmod", "depmod"),
    ("libarchive-tools", "bsdtar makes packages of pacman"),
    ("libcap2-bin", "setcap for golden images"),
    ("libwin-hivex-perl", "hivexregedit writes registry hives"),
    ("libxml2-utils", "xmllint holds JUnit to its schema"),
    ("lvm2", "makes LVM metadata"),
    ("maven", "brings archives of Java"),
    ("mdadm", "says what superblocks of md say"),
    ("mmdebstrap", "makes a whole Debian"),
    ("lz4", "packs initial filesystems"),
    ("lzop", "packs initial filesystems"),
    ("mount", "the kernel's own view of golden images"),
    ("mtools", "reads and writes FAT"),
    ("netplan.io", "writes the files of networkd and NetworkManager from its own"),
    ("nftables", "loads and lists rules"),
    ("ntfs-3g", "makes and reads NTFS"),
    ("openrc", "the owner of its runlevels"),
    ("openssh-client", "ssh-keygen says fingerprints"),
    ("ostree", "makes deployments"),
    ("openssh-server", "the owner of the settings of logins over SSH"),
    ("openssl", "says what certificates are, and encrypts LUKS payloads independently"),
    ("pacman-package-manager", "the owner of its database and of the order of its versions"),
    ("parted", "makes partition tables"),
    ("podman", "makes and lists images and containers"),
    ("prometheus", "promtool holds figures, rules and their tests to its own rules"),
    ("python3", "sockets in golden images, and second readers of containers"),
    ("python3-hivex", "makes and reads registry hives"),
    ("python3-libvhdi", "a second reader of VHD and VHDX"),
    ("python3-libvmdk", "a second reader of VMDK"),
    ("python3-packaging", "says the order of versions of Python"),
    ("python3-pefile", "a second reader of programs of Windows"),
    ("python3-venv", "Python packages of fixed versions"),
    ("qemu-utils", "qemu-img makes and reads every container"),
    ("rpm", "the owner of its database"),
    ("ruby", "installs gems, and says the order of their versions"),
    ("sqlite3", "shapes databases of rpm"),
    ("sudo", "the owner of its rules"),
    ("systemd", "the owner of units and of the settings of a system"),
    ("systemd-boot", "bootctl lists entries in their order"),
    ("tar", "makes OVA archives"),
    ("ufw", "the owner of its rules"),
    ("unattended-upgrades", "the owner of its settings"),
    ("util-linux", "losetup, prlimit, blkid, unshare"),
    ("xfsprogs", "makes and checks XFS"),
    ("xz-utils", "compressed files that must be refused"),
    ("zip", "makes archives of Java"),
    ("zstd", "unpacks corpora"),
];

/// Programs that a machine may have from elsewhere than Debian, and the package of Debian that has
/// them where it has not.
const PROGRAMS: &[(&str, &str)] = &[
    // Builds programs, and says what they are made of.
    ("go", "golang-go"),
    // Installs packages of Node.js.
    ("npm", "npm"),
];

/// Cargo tools: crate, version.
pub(crate) const CARGO_AUDITABLE: (&str, &str) = ("cargo-auditable", "0.7.7");
pub(crate) const CARGO_DENY: (&str, &str) = ("cargo-deny", "0.20.2");
pub(crate) const CARGO_FUZZ: (&str, &str) = ("cargo-fuzz", "0.13.2");
pub(crate) const RUST_AUDIT_INFO: (&str, &str) = ("rust-audit-info", "0.5.4");
pub(crate) const CARGO_LLVM_COV: (&str, &str) = ("cargo-llvm-cov", "0.9.1");

/// Installs what is missing of the Debian packages.
pub(crate) fn setup() -> Result<()> {
    let names = PACKAGES.iter().map(|(name, _)| *name);
    let missing = PROGRAMS.iter().filter(|(program, _)| !is_there(program));
    let names: Vec<&str> = names.chain(missing.map(|(_, package)| *package)).collect();
    let watched = is_installed("prometheus");
    install_packages(&names)?;
    if !watched {
        // What is wanted of it are its programs: the service that it starts takes our port for figures.
        let _ = Command::new("service").args(["prometheus", "stop"]).output();
    }
    Ok(())
}

/// Installs those of the packages that are not there yet, and says whether there were any.
pub(crate) fn install_packages(names: &[&str]) -> Result<bool> {
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    println!("installing {}", missing.join(" "));
    let sudo = if rustix::process::geteuid().is_root() { "" } else { "sudo " };
    let environment = "DEBIAN_FRONTEND=noninteractive";
    shell::visible(&shell::project(), &format!("{sudo}apt-get update -qq"))?;
    shell::visible(
        &shell::project(),
        &format!(
            "{sudo}env {environment} apt-get install -qq -y --no-install-recommends {} >/dev/null",
            missing.join(" ")
        ),
    )?;
    Ok(true)
}

/// Whether the program is found in the usual folders.
pub(crate) fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// The path of a cargo tool in our own cache; it is built there if it is not yet.
pub(crate) fn cargo_tool((name, version): (&str, &str)) -> Result<PathBuf> {
    let root = shell::cache()?.join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        println!("building {name} {version}");
        let status = Command::new("cargo")
            .args(["install", "--quiet", "--locked", "--version", version, "--root"])
            .arg(&root)
            .arg(name)
            .env_remove("CARGO_TARGET_DIR")
            .status()
            .context("cargo could not be started")?;
        if !status.success() {
            bail!("{name} {version} could not be built");
        }
    }
    Ok(program)
}

/// A Python that has the packages of a requirements file besides those of Debian, in our own cache.
/// Versions and hashes are fixed there.
pub(crate) fn python_with(requirements: &Path) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::fs::read(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let version: String =
        Sha256::digest(&wanted).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let root = shell::cache()?.join(format!("python-{version}"));
    let program = root.join("bin/python");
    let done = root.join("complete");
    if !done.exists() {
        println!("installing the Python packages of {}", requirements.display());
        // Debian's packages belong to Debian's Python, which need not be the first in the path.
        shell::bash(
            &shell::project(),
            &format!(
                "/usr/bin/python3 -m venv --clear --system-site-packages '{root}'
                 '{root}/bin/pip' install --quiet --require-hashes -r '{requirements}'
                 touch '{done}'",
                root = root.display(),
                requirements = requirements.display(),
                done = done.display()
            ),
        )?;
    }
    Ok(program)
}
