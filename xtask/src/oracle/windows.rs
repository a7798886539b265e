//! Windows, as others read its registry: regipy, hivex, chntpw and pefile.
//!
//! No original Windows could be had. `make.py` writes what the documented layouts are, with
//! hivexregedit, binutils and ntfs-3g; that others understand it in the same way is what is proved,
//! and not that a Windows writes nothing else.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::{
    Coverage, DriverPlace, Enabled, Fact, Firmware, PackageKind, ServiceKind, System,
};
use fathom_guest::{Inspection, Options};

use super::guest::same;
use super::registry::python;
use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("windows/report", report),
        Case::new("windows/dirty-hives", dirty),
        Case::new("windows/two-systems", two),
    ]
}

/// The boot menu of one, for a disk of that kind of table.
pub(crate) fn menu(work: &Work, file: &str, table: &str) -> Result<()> {
    python(work, &format!("../windows/make.py menu $PWD/{file} {table}"))?;
    Ok(())
}

/// The files of a Windows in `root`, and a kernel that binutils make.
pub(crate) fn files(work: &Work) -> Result<()> {
    python(work, "../windows/make.py root")?;
    work.bash(
        r#"cat > kernel.rc <<'S'
1 VERSIONINFO
FILEVERSION 10,0,20348,2113
PRODUCTVERSION 10,0,20348,2113
FILEOS 0x40004
FILETYPE 1
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904B0"
    BEGIN
      VALUE "OriginalFilename", "ntkrnlmp.exe"
    END
  END
END
S
x86_64-w64-mingw32-windres --preprocessor=cat kernel.rc version.o
printf '.text\n.globl start\nstart: ret\n' | x86_64-w64-mingw32-as -o start.o
x86_64-w64-mingw32-ld -e start --subsystem native -o root/Windows/System32/ntoskrnl.exe start.o version.o"#,
    )?;
    Ok(())
}

/// Makes `volume` an NTFS of the files in the folder.
fn volume(work: &Work, folder: &str, volume: &str) -> Result<()> {
    work.bash(&format!(
        "rm -f {volume}; truncate -s 48M {volume}; mkntfs -qF {volume} >/dev/null 2>&1
         mkdir -p mount; ntfs-3g {volume} mount; cp -r {folder}/. mount; umount mount"
    ))?;
    Ok(())
}

/// A disk as an installer of Windows lays it out for UEFI: the firmware's volume, and that of the
/// system.
fn disk(work: &Work) -> Result<()> {
    volume(work, "root", "system")?;
    menu(work, "BCD", "gpt")?;
    work.bash(
        "truncate -s 34M esp; mkfs.fat -F 32 esp >/dev/null
         mmd -i esp ::/EFI ::/EFI/Microsoft ::/EFI/Microsoft/Boot; mcopy -i esp BCD ::/EFI/Microsoft/Boot/BCD
         truncate -s 100M image
         sfdisk -q image <<'S'
label: gpt
label-id: DEADBEEF-0000-4000-8000-000000000001
start=2048, size=69632, type=U, uuid=1D8A3C5E-0000-4000-8000-00000000E5B0
start=73728, size=98304, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, uuid=C0FFEE00-1234-4ABC-9DEF-0123456789AB
S
         dd if=esp of=image bs=1M seek=1 conv=notrunc status=none
         dd if=system of=image bs=1M seek=36 conv=notrunc status=none",
    )?;
    Ok(())
}

fn inspect(work: &Work) -> Result<Inspection> {
    Ok(fathom_guest::inspect(&work.discover(&["image"], &[])?, &Options::default()))
}

fn only(inspection: Inspection) -> Result<System> {
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let [system] = <[System; 1]>::try_from(inspection.systems)
        .ok()
        .context("there is not exactly one system")?;
    Ok(system)
}

fn shown(fact: &Fact<String>) -> String {
    fact.value().cloned().unwrap_or_else(|| format!("{fact:?}"))
}

fn report(work: &Work) -> Result<()> {
    files(work)?;
    disk(work)?;
    let theirs = python(work, "../windows/theirs.py root BCD 2>/dev/null")?;
    let system = only(inspect(work)?)?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    ensure!(system.root == "disk0/p2", "the root is {}", system.root);
    same(&theirs, &ours(&system))?;
    further(&system)?;
    let said = format!("{system:?}");
    for secret in ["a-secret-of-the-machine", "a5a5a5", "b6b6b6", "A5A5A5", "165, 165"] {
        ensure!(!said.contains(secret), "{secret} got into the report");
    }
    Ok(())
}

/// What we read, in the form that `theirs.py` prints.
fn ours(system: &System) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |words: &[&str]| lines.push(words.join("|"));
    let it = &system.identity;
    say(&["name", &shown(&it.name)]);
    say(&["edition", &shown(&it.edition)]);
    say(&["installation", it.installation.as_deref().unwrap_or_default()]);
    say(&["build", &shown(&it.build)]);
    say(&["installed", &shown(&it.installed)]);
    say(&["hostname", &shown(&it.hostname)]);
    say(&["zone", &shown(&it.time_zone)]);
    say(&["architecture", it.architecture.value().map_or("", |it| it.0.as_str())]);
    say(&["machine", &shown(&it.machine_id)]);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for package in &system.packages.items {
        match package.kind {
            PackageKind::Program => say(&[
                "program",
                &package.name,
                &package.version,
                &text(&package.vendor),
                &text(&package.installed),
                &text(&package.scope),
            ]),
            PackageKind::Hotfix => {
                let time = if text(&package.installed) == "2024-01-11T19:06:40Z" {
                    "1705000000"
                } else {
                    "another time"
                };
                say(&["update", &text(&package.source), &text(&package.state), time]);
            }
            _ => {}
        }
    }
    for service in &system.services.items {
        let command = service.commands.first().map_or("", String::as_str);
        match service.kind {
            ServiceKind::Autostart => say(&["autostart", &service.name, command]),
            ServiceKind::ScheduledTask => {}
            _ => say(&[
                "service",
                &service.name,
                &text(&service.start),
                command,
                &text(&service.user),
                &text(&service.description),
            ]),
        }
    }
    for interface in &system.network.interfaces.items {
        let place = &interface.evidence[0].0;
        let id = place.rsplit('\\').next().unwrap_or_default();
        let (how, addresses) = match interface.dhcp4 {
            Some(true) => ("dhcp", &interface.leased),
            _ => ("static", &interface.addresses),
        };
        say(&[
            "interface",
            id,
            how,
            &addresses.join(","),
            &interface.gateways.join(","),
            &interface.nameservers.join(","),
        ]);
    }
    for route in &system.network.routes.items {
        let metric = route.metric.map_or(String::new(), |metric| metric.to_string());
        say(&["route", &route.destination, &text(&route.gateway), &metric]);
    }
    for swap in &system.swap.items {
        say(&["swap", &swap.device]);
    }
    accounts(system, &mut say);
    for kernel in &system.boot.kernels.items {
        say(&["kernel", &kernel.version]);
    }
    if let Some(entry) = system.boot.default.value() {
        let root = "c0ffee00-1234-4abc-9def-0123456789ab";
        // Only an entry that leads to the volume of this system bears the kernel's version.
        let device = if entry.version.is_some() { root } else { "" };
        say(&["default", &text(&entry.title), &text(&entry.image), device]);
    }
    for mount in system.mounts.items.iter().filter(|mount| mount.path == "C:") {
        say(&["letter", &mount.path, &mount.device]);
    }
    lines
}

fn accounts(system: &System, say: &mut impl FnMut(&[&str])) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let accounts = &system.users.accounts.items;
    for user in accounts {
        if user.states.iter().any(|state| state == "not-of-this-machine") {
            say(&["elsewhere", &user.id, &text(&user.home)]);
            continue;
        }
        say(&[
            "account",
            &user.id,
            &user.name,
            &user.password.value().map_or("?".to_owned(), |state| format!("{state:?}")),
            &user.states.join(","),
            &text(&user.last_login),
            &text(&user.password_changed),
            &text(&user.home),
        ]);
    }
    for group in &system.users.groups.items {
        for member in &group.members {
            let account = accounts.iter().find(|user| user.name == *member);
            let id = match (account, member.as_str()) {
                (Some(account), _) => account.id.as_str(),
                (None, "INTERACTIVE") => "S-1-5-4",
                (None, "Authenticated Users") => "S-1-5-11",
                (None, other) => {
                    other.split(['(', ')']).find(|part| part.starts_with("S-")).unwrap_or(other)
                }
            };
            say(&["member", &group.name, id]);
        }
    }
}

/// What none of the others reads, by what was written.
fn further(system: &System) -> Result<()> {
    let it = &system.identity;
    ensure!(shown(&it.version) == "10.0.20348", "{:?}", it.version);
    ensure!(shown(&it.locale) == "de-DE", "{:?}", it.locale);
    let cpe = "cpe:2.3:o:microsoft:windows_server_2022:10.0.20348.2113:*:*:*:*:*:x64:*";
    ensure!(shown(&it.cpe) == cpe, "{:?}", it.cpe);
    ensure!(system.boot.firmware.items == [Firmware::Uefi], "{:?}", system.boot.firmware);
    let drivers: Vec<_> =
        system.boot.drivers.items.iter().map(|it| (it.name.as_str(), it.place)).collect();
    // The file of pvscsi is not there, and storvsc is disabled.
    ensure!(
        drivers == [("viostor", DriverPlace::Early), ("netkvm", DriverPlace::Installed)],
        "{drivers:?}"
    );
    let mounts: Vec<_> =
        system.mounts.items.iter().map(|it| (it.path.as_str(), it.volume.as_deref())).collect();
    ensure!(mounts == [("C:", Some("disk0/p2")), ("D:", None), ("E:", None)], "{mounts:?}");
    let named = |kind: PackageKind| -> Vec<&str> {
        let items = system.packages.items.iter().filter(|it| it.kind == kind);
        items.map(|it| it.name.as_str()).collect()
    };
    ensure!(named(PackageKind::Feature) == ["Web-Server", "OpenSSH-Server"]);
    let apps = named(PackageKind::StoreApp);
    ensure!(apps == ["Microsoft.SecHealthUI", "Vendor.Game"], "{apps:?}");
    let updates = named(PackageKind::Hotfix);
    ensure!(updates.contains(&"KB5032198") && updates.contains(&"KB5034439"), "{updates:?}");
    let task = system.services.items.iter().find(|it| it.kind == ServiceKind::ScheduledTask);
    let task = task.context("the task is missing")?;
    ensure!(task.name == r"\Microsoft\Cleanup" && task.enabled.value() == Some(&Enabled::Disabled));
    ensure!(task.commands == [r"%windir%\system32\cleanmgr.exe /autoclean"], "{task:?}");
    let setting = |name: &str| {
        let mut settings = system.security.settings.items.iter();
        settings.find(|it| it.name == name).map(|it| it.value.as_str())
    };
    for (name, value) in [
        ("lsa.run-as-ppl", "1"),
        ("rdp.enabled", "1"),
        ("smb1.server", "0"),
        ("uac.enabled", "1"),
        ("pending-restart.file-renames", "2 files"),
        ("logon.automatic-password-in-clear", "set"),
    ] {
        ensure!(setting(name) == Some(value), "{name} is {:?}", setting(name));
    }
    ensure!(system.security.secure_boot.value() == Some(&true));
    let updates = system.security.updates.value().context("how it updates is unknown")?;
    ensure!(updates.automatic && updates.sources == ["http://wsus.example.test:8530"]);
    let policy: Vec<_> =
        system.security.password_policy.items.iter().map(|it| it.value.as_str()).collect();
    ensure!(policy == ["14", "24", "42", "1", "1", "1", "5", "30", "15"], "{policy:?}");
    let firewalls: Vec<_> = system
        .network
        .firewalls
        .items
        .iter()
        .map(|it| (it.enabled.value().copied(), it.rules.len()))
        .collect();
    ensure!(firewalls == [(Some(true), 2), (Some(true), 1), (Some(false), 1)], "{firewalls:?}");
    let applications: Vec<_> = system
        .applications
        .items
        .iter()
        .map(|it| format!("{} {}", it.name, shown(&it.version)))
        .collect();
    for wanted in [
        "iis 10.0",
        "sql-server 15.0.4345.5",
        "qemu-guest-agent 107.0.1",
        "dotnet-framework 4.8.04161",
    ] {
        ensure!(applications.iter().any(|it| it == wanted), "{wanted}: {applications:?}");
    }
    let lists = [
        system.packages.coverage,
        system.services.coverage,
        system.users.accounts.coverage,
        system.network.interfaces.coverage,
        system.applications.coverage,
        system.security.settings.coverage,
    ];
    ensure!(lists.iter().all(|it| *it == Coverage::Complete), "{lists:?}");
    Ok(())
}

/// A hive that was not written completely says what its log says; without the log, that something is
/// missing.
fn dirty(work: &Work) -> Result<()> {
    files(work)?;
    work.bash("cp root/Windows/System32/config/SOFTWARE before; cp before after")?;
    python(work, "../windows/make.py edition $PWD/after 'Windows Server 2022 Datacenter'")?;
    python(work, "log.py one before after")?;
    work.bash(
        "cp hive root/Windows/System32/config/SOFTWARE
         cp hive.LOG1 root/Windows/System32/config/SOFTWARE.LOG1
         : > root/Windows/System32/config/SOFTWARE.LOG2",
    )?;
    disk(work)?;
    work.bash("mkdir -p theirs/Windows; cp -r root/. theirs/; cp after theirs/Windows/System32/config/SOFTWARE")?;
    let theirs = python(work, "../windows/theirs.py theirs BCD 2>/dev/null")?;
    ensure!(theirs.contains("Windows Server 2022 Datacenter"), "the log changes nothing");
    let system = only(inspect(work)?)?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    same(&theirs, &ours(&system))?;

    work.bash("rm root/Windows/System32/config/SOFTWARE.LOG1")?;
    disk(work)?;
    let system = only(inspect(work)?)?;
    ensure!(!system.problems.is_empty(), "the log is missing, and nothing is wrong");
    ensure!(system.packages.coverage == Coverage::Partial, "{:?}", system.packages.reason);
    Ok(())
}

/// Two systems on a disk of the old kind; the hives of one are damaged, which says nothing of the
/// other.
fn two(work: &Work) -> Result<()> {
    files(work)?;
    menu(work, "root/Boot/BCD", "mbr")?;
    volume(work, "root", "one")?;
    work.bash(
        "cp -r root second; rm -r second/Boot
         for hive in SYSTEM SOFTWARE SAM; do
           dd if=/dev/urandom of=second/Windows/System32/config/$hive bs=4096 count=2 conv=notrunc status=none
         done",
    )?;
    volume(work, "second", "two")?;
    work.bash(
        "truncate -s 100M image
         sfdisk -q image <<'S'
label: dos
label-id: 0x12345678
start=2048, size=98304, type=7, bootable
start=100352, size=98304, type=7
S
         dd if=one of=image bs=1M seek=1 conv=notrunc status=none
         dd if=two of=image bs=1M seek=49 conv=notrunc status=none",
    )?;
    let inspection = inspect(work)?;
    let [one, two] = inspection.systems.as_slice() else {
        anyhow::bail!("{} systems were found", inspection.systems.len());
    };
    ensure!((one.root.as_str(), two.root.as_str()) == ("disk0/p1", "disk0/p2"));
    ensure!(one.problems.is_empty(), "problems: {:?}", one.problems);
    ensure!(one.boot.firmware.items == [Firmware::Bios], "{:?}", one.boot.firmware);
    let entry = one.boot.default.value().context("no default")?;
    ensure!(
        entry.title.as_deref() == Some("Windows Server") && entry.version.is_some(),
        "{entry:?}"
    );
    let letter = one.mounts.items.iter().find(|mount| mount.path == "D:");
    ensure!(letter.and_then(|it| it.volume.as_deref()) == Some("disk0/p1"), "{letter:?}");

    ensure!(two.problems.len() >= 3, "problems: {:?}", two.problems);
    let it = &two.identity;
    for fact in [&it.name, &it.edition, &it.hostname, &it.machine_id, &it.time_zone, &it.installed]
    {
        ensure!(matches!(fact, Fact::Unknown { .. }), "{fact:?}");
    }
    // The kernel's own file still says it.
    ensure!(shown(&it.version) == "10.0.20348", "{:?}", it.version);
    let lists = [
        two.packages.coverage,
        two.services.coverage,
        two.users.accounts.coverage,
        two.users.groups.coverage,
        two.network.interfaces.coverage,
        two.applications.coverage,
        two.mounts.coverage,
    ];
    ensure!(lists.iter().all(|it| *it != Coverage::Complete), "{lists:?}");
    Ok(())
}
