//! A small Windows in memory: what the sections make of it, whole and damaged.

use fathom_filesystem::Tree;
use fathom_report::{Coverage, Enabled, Fact, FirstBoot, PackageKind, ServiceKind};

use super::registry::testing::Data::{Bytes, Number, Text, Texts, Typed, Wide};
use super::registry::testing::{Line, hive};
use super::registry::{Hives, Registry};
use super::{applications, identity, network, packages, pe, security, services, users};
use crate::files::{Files, Read};
use crate::memory;

const CONFIG: &str = "/Windows/System32/config";
const CURRENT: &str = r"Microsoft\Windows NT\CurrentVersion";

fn system_hive(more: Vec<Line<'_>>) -> Vec<u8> {
    let mut lines = vec![
        ("Select", "Current", Number(2)),
        ("ControlSet001\\Services\\Tcpip\\Parameters", "NV Hostname", Text("wrong")),
        ("ControlSet002\\Services\\Tcpip\\Parameters", "NV Hostname", Text("HOST")),
        ("Setup", "SystemSetupInProgress", Number(0)),
    ];
    lines.extend(more);
    hive(&lines)
}

/// A Windows of these lines in SYSTEM and SOFTWARE, and further files.
fn windows(system: Vec<Line<'_>>, software: &[Line<'_>], files: &[(&str, &[u8])]) -> Tree {
    let system = system_hive(system);
    let software = hive(software);
    let nothing = hive(&[]);
    let paths = ["SYSTEM", "SOFTWARE", "DEFAULT"].map(|name| format!("{CONFIG}/{name}"));
    let sam = format!("{CONFIG}/SAM");
    let mut all: Vec<(&str, &[u8])> =
        vec![(&paths[0], &system), (&paths[1], &software), (&paths[2], &nothing)];
    if !files.iter().any(|(path, _)| *path == sam) {
        all.push((&sam, &nothing));
    }
    all.extend(files);
    memory::tree(&all)
}

/// What `collect` makes of the tree, and how many problems it met.
fn collect<T>(tree: &Tree, collect: impl FnOnce(&Registry<'_>) -> T) -> (T, usize) {
    let files = Files::new(tree);
    let hives = Hives::default();
    let result = collect(&Registry::new(&files, &hives, "a test"));
    (result, files.into_problems().len())
}

#[test]
fn what_it_is() {
    let software = [
        (CURRENT, "ProductName", Text("Windows 10 Pro")),
        (CURRENT, "CurrentBuild", Text("22631")),
        (CURRENT, "UBR", Number(3007)),
        (CURRENT, "CurrentMajorVersionNumber", Number(10)),
        (CURRENT, "CurrentMinorVersionNumber", Number(0)),
        (CURRENT, "CurrentVersion", Text("6.3")),
        (CURRENT, "DisplayVersion", Text("23H2")),
        (CURRENT, "EditionID", Text("Professional")),
        (CURRENT, "InstallationType", Text("Client")),
        (CURRENT, "InstallTime", Wide(133_500_000_000_000_000)),
        (
            r"Microsoft\Windows\CurrentVersion\Setup\State",
            "ImageState",
            Text("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"),
        ),
    ];
    let set = r"ControlSet002\Control";
    let environment = format!(r"{set}\Session Manager\Environment");
    let language = format!(r"{set}\Nls\Language");
    let system = vec![
        (environment.as_str(), "PROCESSOR_ARCHITECTURE", Text("AMD64")),
        (language.as_str(), "Default", Text("0407")),
    ];
    let tree = windows(system, &software, &[]);
    let (said, problems) = collect(&tree, |registry| identity::of(registry, &Read::Absent));
    assert_eq!(problems, 0);
    let value = |fact: &Fact<String>| fact.value().cloned().unwrap();
    assert_eq!(value(&said.name), "Windows 11 Pro");
    assert_eq!(value(&said.version), "10.0.22631");
    assert_eq!(value(&said.build), "22631.3007");
    assert_eq!(value(&said.hostname), "HOST");
    assert_eq!(value(&said.locale), "de-DE");
    assert_eq!(value(&said.installed), "2024-01-17T21:20:00Z");
    assert_eq!(said.architecture.value().unwrap().0, "x86_64");
    assert_eq!(said.first_boot.value(), Some(&FirstBoot::Pending));
    assert_eq!(said.installation.as_deref(), Some("Client"));
    let cpe = "cpe:2.3:o:microsoft:windows_11_23h2:10.0.22631.3007:*:*:*:*:*:x64:*";
    assert_eq!(value(&said.cpe), cpe);
    assert!(matches!(said.machine_id, Fact::Absent { .. }));
}

#[test]
fn before_windows_10() {
    let software = [
        (CURRENT, "ProductName", Text("Windows Server 2008 R2 Standard")),
        (CURRENT, "CurrentBuild", Text("7601")),
        (CURRENT, "CurrentVersion", Text("6.1")),
        (CURRENT, "CSDVersion", Text("Service Pack 1")),
        (CURRENT, "InstallDate", Number(1_700_000_000)),
    ];
    let tree = windows(Vec::new(), &software, &[]);
    let (said, problems) = collect(&tree, |registry| identity::of(registry, &Read::Absent));
    assert_eq!(problems, 0);
    assert_eq!(said.version.value().unwrap(), "6.1.7601");
    assert_eq!(said.build.value().unwrap(), "7601");
    assert_eq!(said.codename.value().unwrap(), "Service Pack 1");
    assert_eq!(said.installed.value().unwrap(), "2023-11-14T22:13:20Z");
    assert_eq!(said.first_boot.value(), Some(&FirstBoot::Done));
    assert!(matches!(said.cpe, Fact::Unknown { .. }));
}

/// Where the hives cannot be read nothing is "absent", and no list is complete.
#[test]
fn unreadable_hives_hide_everything() {
    let damaged = [0xFF; 8192];
    let paths = ["SYSTEM", "SOFTWARE", "SAM", "DEFAULT"].map(|name| format!("{CONFIG}/{name}"));
    let files: Vec<(&str, &[u8])> =
        paths.iter().map(|path| (path.as_str(), &damaged[..])).collect();
    let kernel = ("/Windows/System32/ntoskrnl.exe", &b"MZ"[..]);
    for tree in [memory::tree(&[files, vec![kernel]].concat()), memory::tree(&[kernel])] {
        let (said, problems) = collect(&tree, |registry| {
            let kernel = pe::image(registry.files, super::KERNEL, "a test");
            identity::of(registry, &kernel)
        });
        assert!(problems >= 3);
        for fact in [
            &said.name,
            &said.version,
            &said.build,
            &said.hostname,
            &said.machine_id,
            &said.time_zone,
            &said.locale,
            &said.installed,
            &said.edition,
            &said.cpe,
        ] {
            assert!(matches!(fact, Fact::Unknown { .. }), "{fact:?}");
        }
        assert!(matches!(said.architecture, Fact::Unknown { .. }));
        assert!(matches!(said.first_boot, Fact::Unknown { .. }));
        let unknown = |coverage: Coverage| assert_ne!(coverage, Coverage::Complete);
        let (packages, _) = collect(&tree, |registry| packages::all(registry, None));
        unknown(packages.coverage);
        let (services, _) = collect(&tree, services::all);
        unknown(services.coverage);
        let (users, _) = collect(&tree, users::all);
        unknown(users.accounts.coverage);
        unknown(users.groups.coverage);
        let (network, _) = collect(&tree, network::of);
        for coverage in [
            network.interfaces.coverage,
            network.routes.coverage,
            network.nameservers.coverage,
            network.search.coverage,
            network.firewalls.coverage,
        ] {
            unknown(coverage);
        }
        let (security, _) = collect(&tree, security::of);
        unknown(security.settings.coverage);
        unknown(security.password_policy.coverage);
        assert!(matches!(security.updates, Fact::Unknown { .. }));
        assert!(matches!(security.secure_boot, Fact::Unknown { .. }));
        let (applications, _) =
            collect(&tree, |registry| applications::all(registry, &packages, &services));
        unknown(applications.coverage);
    }
}

#[test]
fn programs_and_updates() {
    let uninstall = r"Microsoft\Windows\CurrentVersion\Uninstall";
    let shown = format!(r"{uninstall}\Shown");
    let hidden = format!(r"{uninstall}\Hidden");
    let nameless = format!(r"{uninstall}\Nameless");
    let narrow = r"WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\Narrow";
    let servicing = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
    let installed =
        format!(r"{servicing}\Package_for_KB5034439~31bf3856ad364e35~amd64~~20348.2201.1.2");
    let old = format!(r"{servicing}\Package_for_RollupFix~31bf3856ad364e35~amd64~~20348.1.1.0");
    let part = format!(r"{servicing}\Package_1_for_KB5034439~31bf3856ad364e35~amd64~~1.1.1.1");
    let app = r"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications\Microsoft.App_1.2.3.4_x64__8wekyb3d8bbwe";
    let role = r"Microsoft\ServerManager\ServicingStorage\ServerComponentCache\Web-Server";
    let off = r"Microsoft\ServerManager\ServicingStorage\ServerComponentCache\DNS";
    let profile = format!(r"{CURRENT}\ProfileList\S-1-5-21-1-2-3-1001");
    let software = [
        (shown.as_str(), "DisplayName", Text("Shown")),
        (shown.as_str(), "DisplayVersion", Text("1.2")),
        (shown.as_str(), "InstallDate", Text("20240131")),
        (shown.as_str(), "EstimatedSize", Number(10)),
        (hidden.as_str(), "DisplayName", Text("Hidden")),
        (hidden.as_str(), "SystemComponent", Number(1)),
        (nameless.as_str(), "DisplayVersion", Text("1")),
        (narrow, "DisplayName", Text("Narrow")),
        (installed.as_str(), "CurrentState", Number(0x70)),
        (installed.as_str(), "InstallTimeHigh", Number(31_082_819)),
        (installed.as_str(), "InstallTimeLow", Number(0)),
        (old.as_str(), "CurrentState", Number(0x50)),
        (part.as_str(), "CurrentState", Number(0x70)),
        (app, "Path", Text(r"C:\Program Files\WindowsApps\x")),
        (role, "InstallState", Number(1)),
        (off, "InstallState", Number(0)),
        (CURRENT, "SystemRoot", Text(r"C:\Windows")),
        (profile.as_str(), "ProfileImagePath", Text(r"C:\Users\joe")),
    ];
    let own = hive(&[(
        r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Mine",
        "DisplayName",
        Text("Mine"),
    )]);
    let nothing = hive(&[]);
    let manifest = format!("/Windows/servicing/Packages/{}.mum", old.rsplit('\\').next().unwrap());
    let tree = windows(
        Vec::new(),
        &software,
        &[
            ("/Users/joe/NTUSER.DAT", &own),
            ("/Users/joe/AppData/Local/Microsoft/Windows/UsrClass.dat", &nothing),
            (&manifest, b"<assembly><package identifier=\"KB5030216\"/></assembly>"),
        ],
    );
    let (packages, problems) = collect(&tree, |it| packages::all(it, Some("x86_64")));
    assert_eq!((problems, packages.coverage), (0, Coverage::Complete), "{:?}", packages.reason);
    let shown: Vec<_> = packages
        .items
        .iter()
        .map(|it| (it.kind, it.name.as_str(), it.version.as_str(), it.scope.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            (PackageKind::Program, "Shown", "1.2", Some("machine")),
            (PackageKind::Program, "Narrow", "", Some("machine")),
            (PackageKind::Program, "Mine", "", Some("joe")),
            (PackageKind::Hotfix, "KB5034439", "20348.2201.1.2", None),
            (PackageKind::Hotfix, "KB5030216", "20348.1.1.0", None),
            (PackageKind::Feature, "Web-Server", "", None),
            (PackageKind::StoreApp, "Microsoft.App", "1.2.3.4", Some("machine")),
        ]
    );
    assert_eq!(packages.items[0].installed.as_deref(), Some("2024-01-31"));
    assert_eq!(packages.items[0].size, Some(10240));
    assert_eq!(packages.items[1].architecture.as_deref(), Some("i686"));
    assert_eq!(packages.items[4].state.as_deref(), Some("superseded"));
    assert_eq!(packages.items[3].installed.as_deref(), Some("2024-01-17T12:45:07Z"));
    assert!(packages.items[0].evidence.0.starts_with(r"HKLM\SOFTWARE\Microsoft\Windows\"));
}

/// A profile whose hives are gone hides what they would say, that of a part of the system does not.
#[test]
fn hives_of_users_that_are_gone() {
    let profile = format!(r"{CURRENT}\ProfileList\S-1-5-21-1-2-3-1001");
    let service = format!(r"{CURRENT}\ProfileList\S-1-5-18");
    const STORE: &str = r"Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications";
    let at_home = r"%systemroot%\system32\config\systemprofile";
    let lines = || {
        vec![
            (CURRENT, "SystemRoot", Text(r"C:\Windows")),
            (service.as_str(), "ProfileImagePath", Text(at_home)),
            (profile.as_str(), "ProfileImagePath", Text(r"C:\Users\joe")),
        ]
    };
    let hive = hive(&[]);
    let user: (&str, &[u8]) = ("/Users/joe/NTUSER.DAT", &hive);
    let classes: (&str, &[u8]) = ("/Users/joe/AppData/Local/Microsoft/Windows/UsrClass.dat", &hive);
    let check = |store: bool, files: &[(&str, &[u8])], of_packages, of_services| {
        let mut software = lines();
        if store {
            software.push((STORE, "*", Text("")));
        }
        let tree = windows(Vec::new(), &software, files);
        let (packages, _) = collect(&tree, |it| packages::all(it, None));
        assert_eq!(packages.coverage, of_packages, "{:?}", packages.reason);
        let (services, _) = collect(&tree, services::all);
        assert_eq!(services.coverage, of_services, "{:?}", services.reason);
    };
    use Coverage::{Complete, Partial};
    check(true, &[user, classes], Complete, Complete);
    check(true, &[user], Partial, Complete);
    // Before there was a store nothing of it can be missing.
    check(false, &[user], Complete, Complete);
    check(true, &[classes], Partial, Partial);
    check(false, &[], Partial, Partial);
}

#[test]
fn everything_that_starts_at_a_login() {
    let current = r"Microsoft\Windows\CurrentVersion";
    let narrow = r"WOW6432Node\Microsoft\Windows\CurrentVersion";
    let profile = format!(r"{CURRENT}\ProfileList\S-1-5-21-1-2-3-1001");
    let policy = format!(r"{current}\Policies\Explorer\Run");
    let narrow_policy = format!(r"{narrow}\Policies\Explorer\Run");
    let section = format!(r"{current}\RunOnceEx\001");
    let switches = format!(r"{current}\Explorer\StartupApproved\StartupFolder");
    let software = [
        (CURRENT, "SystemRoot", Text(r"C:\Windows")),
        (profile.as_str(), "ProfileImagePath", Text(r"C:\Users\joe")),
        (policy.as_str(), "1", Text("policy.exe")),
        (narrow_policy.as_str(), "1", Text("narrow-policy.exe")),
        (section.as_str(), "", Text("A title")),
        (section.as_str(), "a", Text("||once.exe")),
        (switches.as_str(), "off.lnk", Bytes(&[3, 0, 0, 0])),
    ];
    let own = [
        (format!(r"Software\{policy}"), "own-policy.exe"),
        (format!(r"Software\{narrow}\Run"), "own-narrow.exe"),
        (format!(r"Software\{section}"), "own-once.exe"),
    ];
    let own: Vec<Line<'_>> = own.iter().map(|(key, it)| (key.as_str(), "1", Text(it))).collect();
    let own = hive(&own);
    let startup = "/Users/joe/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup";
    let machine = "/ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp";
    let files = [
        format!("{startup}/desktop.ini"),
        format!("{startup}/own.lnk"),
        format!("{machine}/off.lnk"),
    ];
    let mut found: Vec<(&str, &[u8])> =
        files.iter().map(|file| (file.as_str(), &b""[..])).collect();
    found.push(("/Users/joe/NTUSER.DAT", &own));
    let tree = windows(Vec::new(), &software, &found);
    let (services, problems) = collect(&tree, services::all);
    assert_eq!((problems, services.coverage), (0, Coverage::Complete), "{:?}", services.reason);
    let shown: Vec<_> = services
        .items
        .iter()
        .map(|it| (it.commands[0].as_str(), it.user.as_deref(), it.enabled.value().copied()))
        .collect();
    let on = |command, user| (command, user, Some(Enabled::Enabled));
    assert_eq!(
        shown,
        [
            on("policy.exe", None),
            on("||once.exe", None),
            on("narrow-policy.exe", None),
            (files[2].as_str(), None, Some(Enabled::Disabled)),
            on("own-policy.exe", Some("joe")),
            on("own-once.exe", Some("joe")),
            on("own-narrow.exe", Some("joe")),
            on(files[1].as_str(), Some("joe")),
        ]
    );
}

/// Folders that lie elsewhere are read there, and a profile that nobody can change has another hive.
#[test]
fn what_starts_at_a_login_may_lie_elsewhere() {
    let profile = format!(r"{CURRENT}\ProfileList\S-1-5-21-1-2-3-1001");
    let folders = r"Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders";
    let of_user = format!(r"Software\{folders}");
    let software = [
        (CURRENT, "SystemRoot", Text(r"C:\Windows")),
        (profile.as_str(), "ProfileImagePath", Text(r"%SystemDrive%\Users\joe")),
        (folders, "Common Startup", Text(r"C:\Shared")),
    ];
    let check = |own: &str, expected: &[&str], coverage: Coverage| {
        let own = hive(&[(of_user.as_str(), "Startup", Text(own))]);
        let tree = windows(
            Vec::new(),
            &software,
            &[
                ("/Users/joe/NTUSER.MAN", &own),
                ("/Users/joe/NTUSER.DAT", b"of no use"),
                ("/Shared/all.lnk", b""),
                ("/Users/joe/AppData/Roaming/Mine/own.lnk", b""),
                ("/ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp/old.lnk", b""),
            ],
        );
        let (services, _) = collect(&tree, services::all);
        let names: Vec<_> = services.items.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((names.as_slice(), services.coverage), (expected, coverage), "{services:?}");
    };
    check(r"%AppData%\Mine", &["all.lnk", "own.lnk"], Coverage::Complete);
    check(r"%USERPROFILE%\Nothing", &["all.lnk"], Coverage::Complete);
    check(r"\\server\joe\Startup", &["all.lnk"], Coverage::Partial);
}

#[test]
fn tasks_of_the_scheduler_of_old_are_not_none() {
    for (file, coverage) in [("SA.DAT", Coverage::Complete), ("Backup.JOB", Coverage::Partial)] {
        let file = format!("/Windows/Tasks/{file}");
        let tree = windows(Vec::new(), &[], &[(file.as_str(), b"x")]);
        let (services, _) = collect(&tree, services::all);
        assert_eq!(services.coverage, coverage, "{file}: {:?}", services.reason);
    }
}

/// What is not read any more since there is too much of it is told.
#[test]
fn more_than_is_read() {
    let names: Vec<String> = (0..1001).map(|number| format!("n{number}")).collect();
    let run = r"Microsoft\Windows\CurrentVersion\Run";
    let software: Vec<Line<'_>> = names.iter().map(|name| (run, &**name, Text("x"))).collect();
    let tree = windows(Vec::new(), &software, &[]);
    let (services, problems) = collect(&tree, services::all);
    assert_eq!((services.items.len(), problems), (1000, 1));
    assert_eq!(services.coverage, Coverage::Partial);

    let keys: Vec<String> =
        names.iter().map(|name| format!(r"{CURRENT}\ProfileList\S-1-5-80-{name}")).collect();
    let mut software: Vec<Line<'_>> =
        keys.iter().map(|key| (&**key, "ProfileImagePath", Text(r"D:\x"))).collect();
    software.push((CURRENT, "SystemRoot", Text(r"C:\Windows")));
    let tree = windows(Vec::new(), &software, &[]);
    let (packages, problems) = collect(&tree, |it| packages::all(it, None));
    assert_eq!((packages.coverage, problems), (Coverage::Partial, 1));

    let policy = r"ControlSet002\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
    let names: Vec<String> = (0..20_001).map(|number| format!("n{number}")).collect();
    let system: Vec<Line<'_>> = names.iter().map(|name| (policy, &**name, Text("x"))).collect();
    let tree = windows(system, &[], &[]);
    let (network, problems) = collect(&tree, network::of);
    assert_eq!((network.firewalls.coverage, problems), (Coverage::Partial, 1));

    let keys: Vec<String> = (0..4097)
        .map(|number| format!(r"ControlSet002\Services\Tcpip\Parameters\Interfaces\{{{number}}}"))
        .collect();
    let system: Vec<Line<'_>> = keys.iter().map(|key| (&**key, "EnableDHCP", Number(1))).collect();
    let tree = windows(system, &[], &[]);
    let (network, problems) = collect(&tree, network::of);
    assert_eq!((network.interfaces.items.len(), problems), (4096, 1));
    assert_eq!(network.interfaces.coverage, Coverage::Partial);
}

#[test]
fn an_update_that_does_not_say_its_state() {
    let servicing = r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
    let key = format!(r"{servicing}\Package_for_KB1~31bf3856ad364e35~amd64~~1.2.3.4");
    let tree = windows(Vec::new(), &[(key.as_str(), "InstallClient", Text("x"))], &[]);
    let (packages, _) = collect(&tree, |it| packages::all(it, None));
    let [update] = packages.items.as_slice() else { panic!("{packages:?}") };
    assert_eq!((update.name.as_str(), update.state.as_deref()), ("KB1", Some("unknown-state")));
}

#[test]
fn services_and_autostarts() {
    let own = r"ControlSet002\Services\Own";
    let hosted = r"ControlSet002\Services\Hosted";
    let run = r"Microsoft\Windows\CurrentVersion\Run";
    let approved = r"Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";
    let system = vec![
        (own, "Type", Number(0x10)),
        (own, "Start", Number(2)),
        (own, "DelayedAutostart", Number(1)),
        (own, "ImagePath", Text(r"C:\own.exe")),
        (own, "ObjectName", Text("LocalSystem")),
        (hosted, "Type", Number(0x20)),
        (hosted, "Start", Number(3)),
        (hosted, "ImagePath", Text(r"%SystemRoot%\system32\svchost.exe -k netsvcs")),
        (r"ControlSet002\Services\Hosted\Parameters", "ServiceDll", Text("x.dll")),
        (r"ControlSet002\Services\Hosted\TriggerInfo\0", "Type", Number(2)),
        (r"ControlSet002\Services\Hosted\TriggerInfo\0", "Action", Number(1)),
        (r"ControlSet002\Services\Driver", "Type", Number(1)),
        (r"ControlSet002\Services\Driver", "Start", Number(0)),
        (r"ControlSet002\Services\Counters\Performance", "Library", Text("x")),
    ];
    let software = [
        (run, "On", Text("on.exe")),
        (run, "Off", Text("off.exe")),
        (approved, "Off", Bytes(&[3, 0, 0, 0])),
    ];
    let tree = windows(system, &software, &[]);
    let (services, problems) = collect(&tree, services::all);
    assert_eq!((problems, services.coverage), (0, Coverage::Complete), "{:?}", services.reason);
    let shown: Vec<_> = services
        .items
        .iter()
        .map(|it| (it.kind, it.name.as_str(), it.start.as_deref(), it.enabled.value().copied()))
        .collect();
    use ServiceKind::{Autostart, WindowsDriver, WindowsService};
    assert_eq!(
        shown,
        [
            (WindowsDriver, "Driver", Some("boot"), Some(Enabled::Enabled)),
            (WindowsService, "Hosted", Some("manual"), Some(Enabled::Enabled)),
            (WindowsService, "Own", Some("automatic-delayed"), Some(Enabled::Enabled)),
            (Autostart, "On", None, Some(Enabled::Enabled)),
            (Autostart, "Off", None, Some(Enabled::Disabled)),
        ]
    );
    assert_eq!(services.items[1].commands[1], "x.dll");
    assert_eq!(services.items[1].triggers, ["address"]);
}

#[test]
fn interfaces_routes_and_firewall() {
    let base = r"ControlSet002\Services\Tcpip\Parameters";
    let one = format!(r"{base}\Interfaces\{{1}}");
    let two = format!(r"{base}\Interfaces\{{2}}");
    let routes = format!(r"{base}\PersistentRoutes");
    let class = "{4D36E972-E325-11CE-BFC1-08002BE10318}";
    let connection = format!(r"ControlSet002\Control\Network\{class}\{{1}}\Connection");
    let card = format!(r"ControlSet002\Control\Class\{class}\0001");
    let policy = r"ControlSet002\Services\SharedAccess\Parameters\FirewallPolicy";
    let public = format!(r"{policy}\PublicProfile");
    let rules = format!(r"{policy}\FirewallRules");
    let system = vec![
        (one.as_str(), "EnableDHCP", Number(0)),
        (one.as_str(), "IPAddress", Texts(&["192.0.2.7"])),
        (one.as_str(), "SubnetMask", Texts(&["255.255.255.0"])),
        (one.as_str(), "DefaultGateway", Texts(&["192.0.2.1"])),
        (one.as_str(), "NameServer", Text("192.0.2.2,192.0.2.3")),
        (two.as_str(), "EnableDHCP", Number(1)),
        (two.as_str(), "IPAddress", Texts(&["0.0.0.0"])),
        (two.as_str(), "DhcpIPAddress", Text("198.51.100.4")),
        (two.as_str(), "DhcpSubnetMask", Text("255.255.254.0")),
        (connection.as_str(), "Name", Text("Ethernet")),
        (card.as_str(), "NetCfgInstanceId", Text("{1}")),
        (card.as_str(), "NetworkAddress", Text("525400123456")),
        (card.as_str(), "*IfType", Number(6)),
        (routes.as_str(), "203.0.113.0,255.255.255.0,192.0.2.9,5", Text("")),
        (public.as_str(), "EnableFirewall", Number(1)),
        (
            rules.as_str(),
            "R",
            Text("v2.31|Action=Allow|Active=TRUE|Dir=In|Profile=Public|LPort=1|"),
        ),
    ];
    let hosts = ("/Windows/System32/drivers/etc/hosts", &b"# x\r\n192.0.2.5 a b # c\r\n"[..]);
    let tree = windows(system, &[], &[hosts]);
    let (network, problems) = collect(&tree, network::of);
    assert_eq!(problems, 0);
    let [one, two] = network.interfaces.items.as_slice() else { panic!("{network:?}") };
    assert_eq!((one.name.as_str(), one.mac.as_deref()), ("Ethernet", Some("52:54:00:12:34:56")));
    assert_eq!((one.dhcp4, one.kind.as_deref()), (Some(false), Some("ethernet")));
    assert_eq!(
        (one.addresses.as_slice(), one.nameservers.len()),
        (&["192.0.2.7/24".into()][..], 2)
    );
    assert_eq!((two.name.as_str(), two.dhcp4), ("{2}", Some(true)));
    assert_eq!((two.addresses.len(), two.leased.as_slice()), (0, &["198.51.100.4/23".into()][..]));
    let route = &network.routes.items[0];
    assert_eq!((route.destination.as_str(), route.metric), ("203.0.113.0/24", Some(5)));
    assert_eq!(network.hosts.items[0].names, ["a", "b"]);
    let firewalls = &network.firewalls.items;
    assert_eq!(firewalls.len(), 3);
    assert!(matches!(firewalls[0].enabled, Fact::Absent { .. }) && firewalls[0].rules.is_empty());
    assert_eq!((firewalls[2].enabled.value(), firewalls[2].rules.len()), (Some(&true), 1));
}

#[test]
fn accounts_with_damaged_records() {
    let users = r"SAM\Domains\Account\Users";
    let key = format!(r"{users}\000001F4");
    let name = format!(r"{users}\Names\Administrator");
    let sam = hive(&[
        (key.as_str(), "F", Bytes(&[0; 80])),
        (key.as_str(), "V", Bytes(&[0xFF; 300])),
        (name.as_str(), "", Typed(500)),
    ]);
    let path = format!("{CONFIG}/SAM");
    let tree = windows(Vec::new(), &[], &[(&path, &sam)]);
    let (users, problems) = collect(&tree, users::all);
    assert!(problems > 0);
    assert_eq!(users.accounts.coverage, Coverage::Partial);
    let [account] = users.accounts.items.as_slice() else { panic!("{users:?}") };
    assert_eq!(account.name, "Administrator");
    assert!(matches!(account.password, Fact::Unknown { .. }));
}

#[test]
fn settings_never_tell_a_password() {
    let winlogon = format!(r"{CURRENT}\Winlogon");
    let software = [
        (winlogon.as_str(), "DefaultPassword", Text("hunter2")),
        (winlogon.as_str(), "AutoAdminLogon", Text("1")),
    ];
    let system = vec![
        (r"ControlSet002\Control\Terminal Server", "fDenyTSConnections", Number(0)),
        (
            r"ControlSet002\Control\Session Manager",
            "PendingFileRenameOperations",
            Texts(&[r"\??\C:\a", r"!\??\C:\b"]),
        ),
    ];
    let tree = windows(system, &software, &[]);
    let (security, problems) = collect(&tree, security::of);
    assert_eq!(problems, 0);
    assert!(!format!("{security:?}").contains("hunter2"));
    let value = |name: &str| {
        let mut settings = security.settings.items.iter();
        settings.find(|it| it.name == name).map(|it| it.value.as_str())
    };
    assert_eq!(value("logon.automatic-password-in-clear"), Some("set"));
    assert_eq!(value("rdp.enabled"), Some("1"));
    assert_eq!(value("pending-restart.file-renames"), Some("1 files"));
    assert_eq!(value("lsa.run-as-ppl"), None);
}
