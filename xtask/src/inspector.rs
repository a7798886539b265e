//! What machines are, beside virt-inspector, which starts a Linux of its own to look at them. All of
//! them are looked at in one such start: it takes minutes where it is emulated.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use fathom_guest::Options;
use fathom_guest::report::System;

use crate::oracle::Work;
use crate::oracle::machine::{LAYOUTS, debian};
use crate::tools;

/// What virt-inspector comes in, and a kernel for the Linux that it starts.
pub(crate) const TOOLS: &[&str] = &["guestfs-tools", "libguestfs-tools", "linux-image-cloud-amd64"];

/// What to keep.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Keep the disks, to look at them.
    #[arg(long)]
    keep: bool,
}

/// A system of few files: how its filesystem is made, and what it says of itself.
struct Small {
    name: &'static str,
    /// Makes the filesystem in `image` from the folder `root`.
    make: &'static str,
    os_release: &'static str,
    /// Further files, and what they say.
    files: &'static [(&'static str, &'static str)],
}

const EXT4: &str = "truncate -s 64M image; mke2fs -q -t ext4 -d root image";
const XFS: &str = "truncate -s 400M image; mkfs.xfs -q image; mkdir mnt; mount image mnt; cp -a root/. mnt; umount mnt; rmdir mnt";
const BTRFS: &str = "truncate -s 300M image; mkfs.btrfs -q --rootdir root image";
const PARTITION: &str = "truncate -s 64M part; mke2fs -q -t ext3 -d root part; truncate -s 70M image; echo '2048,131072,L' | sfdisk -q image; \
    dd if=part of=image bs=1M seek=1 conv=notrunc,sparse status=none; rm part";

const SMALL: &[Small] = &[
    Small {
        name: "fedora",
        make: XFS,
        os_release: "NAME=\"Fedora Linux\"\nVERSION=\"39 (Server Edition)\"\nID=fedora\nVERSION_ID=39\n\
            PRETTY_NAME=\"Fedora Linux 39 (Server Edition)\"\nVARIANT_ID=server\n",
        files: &[("etc/redhat-release", "Fedora release 39 (Thirty Nine)\n")],
    },
    Small {
        name: "rhel",
        make: XFS,
        os_release: "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.3 (Plow)\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n\
            VERSION_ID=\"9.3\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 9.3 (Plow)\"\n",
        files: &[("etc/redhat-release", "Red Hat Enterprise Linux release 9.3 (Plow)\n")],
    },
    Small {
        name: "centos",
        make: PARTITION,
        os_release: "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n\
            PRETTY_NAME=\"CentOS Linux 7 (Core)\"\n",
        files: &[
            ("etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n"),
            ("etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n"),
        ],
    },
    // Before there was an os-release.
    Small {
        name: "centos6",
        make: PARTITION,
        os_release: "",
        files: &[
            ("etc/redhat-release", "CentOS release 6.10 (Final)\n"),
            ("etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=centos6.example.org\n"),
        ],
    },
    Small {
        name: "rocky",
        make: EXT4,
        os_release: "NAME=\"Rocky Linux\"\nVERSION=\"8.9 (Green Obsidian)\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n\
            VERSION_ID=\"8.9\"\nPRETTY_NAME=\"Rocky Linux 8.9 (Green Obsidian)\"\n",
        files: &[("etc/redhat-release", "Rocky Linux release 8.9 (Green Obsidian)\n")],
    },
    Small {
        name: "oracle",
        make: EXT4,
        os_release: "NAME=\"Oracle Linux Server\"\nVERSION=\"8.8\"\nID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.8\"\n\
            PRETTY_NAME=\"Oracle Linux Server 8.8\"\n",
        files: &[
            ("etc/oracle-release", "Oracle Linux Server release 8.8\n"),
            ("etc/redhat-release", "Red Hat Enterprise Linux release 8.8 (Ootpa)\n"),
        ],
    },
    Small {
        name: "leap",
        make: BTRFS,
        os_release: "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.5\"\n\
            PRETTY_NAME=\"openSUSE Leap 15.5\"\n",
        files: &[],
    },
    Small {
        name: "sles",
        make: BTRFS,
        os_release: "NAME=\"SLES\"\nVERSION=\"15-SP4\"\nVERSION_ID=\"15.4\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP4\"\n\
            ID=\"sles\"\nID_LIKE=\"suse\"\n",
        files: &[],
    },
    Small {
        name: "ubuntu",
        make: EXT4,
        os_release: "PRETTY_NAME=\"Ubuntu 22.04.3 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\n\
            VERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n",
        files: &[
            ("etc/debian_version", "bookworm/sid\n"),
            (
                "etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.3 LTS\"\n",
            ),
        ],
    },
    Small {
        name: "debian10",
        make: EXT4,
        os_release: "PRETTY_NAME=\"Debian GNU/Linux 10 (buster)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"10\"\nVERSION=\"10 (buster)\"\n\
            VERSION_CODENAME=buster\nID=debian\n",
        files: &[("etc/debian_version", "10.13\n")],
    },
    Small {
        name: "alpine",
        make: EXT4,
        os_release: "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME=\"Alpine Linux v3.19\"\n",
        files: &[("etc/alpine-release", "3.19.1\n")],
    },
    Small {
        name: "arch",
        make: BTRFS,
        os_release: "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n",
        files: &[("etc/arch-release", "")],
    },
];

/// Puts what is in the file into a partition.
const PARTITIONED: &str = r#"partitioned() {
  truncate -s $(( $(stat -c %s "$1") + (2 << 20) )) part; echo '2048,,L' | sfdisk -q part
  dd if="$1" of=part bs=1M seek=1 conv=notrunc,sparse status=none; mv part "$1"
}
partitioned"#;

/// Makes the machines, has both look at them, and compares.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "filesystems are mounted to be filled: run as root"
    );
    tools::setup()?;
    tools::install_packages(TOOLS)?;
    let work = Work::new("inspector", arguments.keep)?;
    let mut ours = BTreeMap::new();
    let mut images = Vec::new();
    for small in SMALL {
        work.bash(&script(small))?;
        work.bash(&format!("mv image {}", small.name))?;
        images.push((small.name.to_owned(), &[][..]));
    }
    let root = debian()?;
    for (name, layout, keys) in LAYOUTS {
        let hostname = format!("{name}.example.org");
        work.bash(&format!(
            "fill() {{ cp -a {}/. mnt/; echo {hostname} > mnt/etc/hostname; }}\n{layout}\nmv image {name}; rm -rf mnt",
            root.display()
        ))?;
        if !keys.is_empty() {
            // QEMU would take what begins with LUKS for a format that it is to decrypt itself.
            work.bash(&format!("{PARTITIONED} {name}"))?;
        }
        images.push((name.to_owned(), keys));
    }
    let mut disks = String::new();
    for ((name, keys), letter) in images.iter().zip('a'..='z') {
        let inspection =
            fathom_guest::inspect(&work.discover(&[name.as_str()], keys)?, &Options::default());
        ensure!(inspection.problems.is_empty(), "{name}: {:?}", inspection.problems);
        for system in &inspection.systems {
            ours.insert(hostname(system), told(system));
        }
        disks.push_str(&format!(" -a {name}"));
        for key in *keys {
            disks.push_str(&format!(" --key /dev/sd{letter}1:key:{key}"));
        }
    }
    println!(
        "virt-inspector looks at {} machines; it takes minutes where it is emulated",
        images.len()
    );
    let said = looked(|| {
        work.bash(&format!(
            "export LIBGUESTFS_BACKEND=direct; export LIBGUESTFS_BACKEND_SETTINGS=force_tcg; \
             virt-inspector --no-icon --no-applications{disks} > theirs.xml; python3 -c '{READ}' < theirs.xml"
        ))
    })?;
    let theirs: BTreeMap<String, String> = said
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(hostname, rest)| (hostname.to_owned(), rest.to_owned()))
        .collect();
    let mut wrong = 0;
    for hostname in ours.keys().chain(theirs.keys().filter(|it| !ours.contains_key(*it))) {
        match (ours.get(hostname), theirs.get(hostname)) {
            (Some(ours), Some(theirs)) if ours == theirs => println!("ok    {hostname:<24} {ours}"),
            (ours, theirs) => {
                wrong += 1;
                println!("WRONG {hostname:<24} ours {ours:?}, theirs {theirs:?}");
            }
        }
    }
    println!("inspector: {} passed, {wrong} failed", ours.len() - wrong.min(ours.len()));
    if wrong > 0 { bail!("{wrong} machines differ") } else { Ok(()) }
}

/// What libguestfs says when the kernel that it started has found the disks in another order than
/// they were given in: it translates the names of disks then, but not those of the subvolumes of
/// Btrfs on them, and does not know again what it has named itself.
const OUT_OF_ORDER: &str = "root device not found: only call this function with a root device";
/// How often the disks may come out of order before that is taken for a failure.
const STARTS: u32 = 5;

/// What `look` answers, which is asked again where the disks have come out of order.
fn looked(look: impl Fn() -> Result<String>) -> Result<String> {
    for start in 1..STARTS {
        match look() {
            Err(error) if format!("{error:#}").contains(OUT_OF_ORDER) => {
                println!(
                    "start {start} of {STARTS}: libguestfs lost the names of its disks; again"
                );
            }
            said => return said,
        }
    }
    look()
}

/// One line for each system: name of the machine, distribution, version, processor, product, mounts.
const READ: &str = r#"
import sys, xml.etree.ElementTree as x
for os in x.parse(sys.stdin).getroot():
    text = lambda name: (os.findtext(name) or "")
    mounts = sorted(m.text for m in os.findall("mountpoints/mountpoint"))
    name = "" if text("distro") in ("debian", "centos", "oraclelinux") else text("product_name")
    print(text("hostname"), text("distro"), text("major_version"), text("minor_version"), text("arch"), name, ",".join(mounts), sep="\t")
"#;

fn script(small: &Small) -> String {
    let mut script = String::from(
        "rm -rf root; mkdir -p root/{etc/sysconfig,bin,usr/bin,boot,var,dev,proc}\n\
         cp /bin/true root/bin/ls; cp /bin/bash root/bin/bash\n\
         touch root/etc/fstab\n",
    );
    script.push_str(&format!("echo {}.example.org > root/etc/hostname\n", small.name));
    if !small.os_release.is_empty() {
        script.push_str(&format!("cat > root/etc/os-release <<'S'\n{}S\n", small.os_release));
    }
    if small.name == "alpine" {
        // For another processor.
        script.push_str(
            "for program in root/bin/*; do printf '\\xb7' | dd of=$program bs=1 seek=18 conv=notrunc status=none; done\n",
        );
    }
    for (path, text) in small.files {
        script.push_str(&format!("cat > root/{path} <<'S'\n{text}S\n"));
    }
    script + small.make
}

fn hostname(system: &System) -> String {
    system.identity.hostname.value().cloned().unwrap_or_default()
}

/// The same line of ours, in their words.
fn told(system: &System) -> String {
    let identity = &system.identity;
    let text =
        |fact: &fathom_guest::report::Fact<String>| fact.value().cloned().unwrap_or_default();
    let distribution = match &*text(&identity.distribution) {
        "alpine" => "alpinelinux".to_owned(),
        "arch" => "archlinux".to_owned(),
        "ol" => "oraclelinux".to_owned(),
        "opensuse-leap" => "opensuse".to_owned(),
        other => other.to_owned(),
    };
    // They tell what the system says in detail, where it does.
    let exact =
        Some(text(&identity.build)).filter(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    let version = exact.unwrap_or_else(|| text(&identity.version));
    let mut numbers = version.split('.').map(|part| part.trim_start_matches('0'));
    let mut number =
        || Some(numbers.next().unwrap_or_default()).filter(|it| !it.is_empty()).unwrap_or("0");
    let (major, minor) = (number().to_owned(), number().to_owned());
    let architecture = identity.architecture.value().map(|it| it.0.clone()).unwrap_or_default();
    // Of these they tell what stands in another file than the one that the system shows.
    let name = match &*distribution {
        "debian" | "centos" | "oraclelinux" => String::new(),
        _ => text(&identity.name),
    };
    let mut mounts: Vec<_> = system
        .mounts
        .items
        .iter()
        .filter(|it| it.volume.is_some())
        .map(|it| it.path.clone())
        .collect();
    // They always tell the root.
    mounts.push("/".to_owned());
    mounts.sort();
    mounts.dedup();
    [distribution, major, minor, architecture, name, mounts.join(",")].join("\t")
}
