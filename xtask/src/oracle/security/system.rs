//! Parameters of the kernel, APT's configuration and sources, rules of auditd and profiles of
//! AppArmor, as the owning tools read them.

use anyhow::{Result, ensure};

use super::super::guest::same;
use super::{Work, lines, security};

/// systemd sets the parameters of a `/proc/sys` that is a plain folder, in a mount namespace.
pub(super) fn sysctl(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc/sysctl.d root/usr/lib/sysctl.d root/usr/local/lib/sysctl.d root/run/sysctl.d root/usr/lib/systemd/system root/var/lib/dpkg
: > root/var/lib/dpkg/status
cp /usr/lib/systemd/system/systemd-sysctl.service root/usr/lib/systemd/system/
cp /usr/lib/sysctl.d/*.conf root/usr/lib/sysctl.d/
cat > root/usr/lib/sysctl.d/50-default.conf <<'S'
# a comment
; another
net.ipv4.conf.default.rp_filter = 2
net.ipv4.conf.*.rp_filter = 1
-net.ipv4.conf.all.rp_filter
net.ipv4.conf.*.accept_redirects = 0
net/ipv4/conf/eth0.1/accept_redirects = 1
kernel.core_pattern = |/bin/false %P  "x"
-kernel.sysrq=16
kernel.twice = 1
   kernel.spaces   =   a b   c   
not an assignment
S
echo 'kernel.twice = 2' > root/usr/lib/sysctl.d/60-b.conf
echo 'kernel.twice = 3' > root/etc/sysctl.d/40-a.conf
echo 'kernel.masked = 1' > root/usr/lib/sysctl.d/70-m.conf; ln -s /dev/null root/etc/sysctl.d/70-m.conf
echo 'kernel.shadowed = 1' > root/usr/lib/sysctl.d/80-s.conf; echo 'kernel.shadowing = 1' > root/etc/sysctl.d/80-s.conf
echo 'kernel.empty = 1' > root/usr/lib/sysctl.d/81-e.conf; : > root/etc/sysctl.d/81-e.conf
echo 'kernel.local = 1' > root/usr/local/lib/sysctl.d/82-l.conf; echo 'kernel.local = 2' > root/usr/lib/sysctl.d/82-l.conf
echo 'kernel.notconf = 1' > root/etc/sysctl.d/90-x
echo 'kernel.sysctlconf = 1' > root/etc/sysctl.conf; ln -s ../sysctl.conf root/etc/sysctl.d/99-sysctl.conf
printf 'fs.dots = 1\nfs/slash = 2\n' > root/etc/sysctl.d/91-f.conf
mkdir -p proc/kernel proc/fs
for it in all default eth0.1 lo; do mkdir -p proc/net/ipv4/conf/$it; : > proc/net/ipv4/conf/$it/rp_filter; : > proc/net/ipv4/conf/$it/accept_redirects; done
sed -n 's/^[ -]*\([a-z][^ =*]*\)[ =].*/\1/p' root/etc/sysctl.d/*.conf root/usr/lib/sysctl.d/*.conf root/usr/local/lib/sysctl.d/*.conf root/etc/sysctl.conf \
  | grep -v ^net | tr . / | sort -u | while read -r name; do mkdir -p proc/$(dirname $name); : > proc/$name; done"#,
    )?;
    work.bash(
        r#"unshare -m bash -c 'set -e
for at in /etc/sysctl.d /usr/lib/sysctl.d /usr/local/lib/sysctl.d /run/sysctl.d; do
  [ -d $at ] || mkdir -p $at; mount --bind root$at $at; done
touch /etc/sysctl.conf; mount --bind root/etc/sysctl.conf /etc/sysctl.conf
mount --bind proc /proc/sys; exec /usr/lib/systemd/systemd-sysctl' 2>&1 || true"#,
    )?;
    // What a pattern means for a device is not told.
    let said = work.bash(
        "cd proc; find . -type f -size +0 -printf '%P\\n' | grep -v -e /lo/ -e eth0.1/rp_filter | while read -r file; do \
         echo \"$(echo $file | tr ./ /.) $(cat $file)\"; done",
    )?;
    let security = security(work, false)?;
    let ours = lines(&security.kernel_parameters.items);
    let ours: Vec<String> = ours.into_iter().filter(|line| !line.contains('*')).collect();
    same(&said, &ours)
}

/// `apt-config` and `apt-get update --print-uris` of that root.
pub(super) fn apt(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc/apt/apt.conf.d root/etc/apt/sources.list.d root/etc/apt/preferences.d root/var/lib/dpkg root/var/lib/apt/lists/partial root/var/cache/apt/archives/partial
{ dpkg-query -s unattended-upgrades; echo; } > root/var/lib/dpkg/status
cp /etc/apt/apt.conf.d/50unattended-upgrades root/etc/apt/apt.conf.d/ 2>/dev/null || true
cat > root/etc/apt/apt.conf.d/20auto <<'S'
APT::Periodic::Update-Package-Lists "1"; // a comment
APT::Periodic { Unattended-Upgrade "1"; Enable "1"; };
/* APT::Periodic::Enable "0"; */
Acquire { AllowInsecureRepositories "true"; List { "a"; "b"; }; };
Acquire::Check-Valid-Until "false";
Unattended-Upgrade::Automatic-Reboot "false";
S
cat > root/etc/apt/apt.conf.d/99local.conf <<'S'
apt::periodic::UNATTENDED-upgrade "7";
Unattended-Upgrade { Automatic-Reboot "true"; Remove-Unused-Dependencies "no" };
#clear Acquire::Check-Valid-Until;
S
echo 'APT::Periodic::Enable "0";' > root/etc/apt/apt.conf.d/99.disabled
echo 'APT::Get::AllowUnauthenticated "true";' > root/etc/apt/apt.conf
cat > root/etc/apt/sources.list <<'S'
# deb http://no.example/ x y
deb http://a.example/debian bookworm main contrib # here
deb [trusted=yes arch=amd64] http://b.example/ stable main
deb-src http://a.example/debian bookworm main
S
cat > root/etc/apt/sources.list.d/c.sources <<'S'
Types: deb deb-src
URIs: http://c.example/one
 http://c.example/two
Suites: s s-updates
Components: main
 non-free

Types: deb
URIs: http://off.example/
Suites: s
Components: main
Enabled: no
S
echo 'deb http://never.example/ x y' > root/etc/apt/sources.list.d/d.list.save
printf 'Dir "%s/root/";\nDir::State::status "%s/root/var/lib/dpkg/status";\n' "$PWD" "$PWD" > apt.conf"#,
    )?;
    const KEYS: [(&str, &str); 8] = [
        ("apt-periodic-update-package-lists", "APT::Periodic::Update-Package-Lists"),
        ("apt-periodic-unattended-upgrade", "APT::Periodic::Unattended-Upgrade"),
        ("apt-periodic-enable", "APT::Periodic::Enable"),
        ("apt-allow-unauthenticated", "APT::Get::AllowUnauthenticated"),
        ("apt-allow-insecure-repositories", "Acquire::AllowInsecureRepositories"),
        ("apt-check-valid-until", "Acquire::Check-Valid-Until"),
        ("apt-automatic-reboot", "Unattended-Upgrade::Automatic-Reboot"),
        ("apt-remove-unused-dependencies", "Unattended-Upgrade::Remove-Unused-Dependencies"),
    ];
    let mut said = String::new();
    for (name, key) in KEYS {
        let value = work.bash(&format!(
            "APT_CONFIG=$PWD/apt.conf apt-config dump '{key}' | grep -i '^{key} ' | sed 's/^[^ ]* \"//; s/\";$//'",
        ));
        let value = value.unwrap_or_default();
        if !value.trim().is_empty() {
            said.push_str(&format!("{name} {}\n", value.trim()));
        }
    }
    let security = security(work, false)?;
    let settings: Vec<_> =
        security.settings.items.iter().filter(|it| it.name.starts_with("apt-")).cloned().collect();
    same(&said, &lines(&settings))?;

    let updates =
        security.updates.value().ok_or_else(|| anyhow::anyhow!("{:?}", security.updates))?;
    ensure!(updates.system == "unattended-upgrades", "{updates:?}");
    // Where APT would get the list of each component from.
    let said = work.bash(
        "APT_CONFIG=$PWD/apt.conf apt-get update --print-uris | cut -d\\' -f2 \
         | sed -n \"s|/binary-$(dpkg --print-architecture)/Packages.*||p\"",
    )?;
    let ours = updates.sources.iter().flat_map(|source| {
        let words: Vec<&str> = source.split(' ').filter(|word| !word.starts_with('[')).collect();
        let suite = format!("{}/dists/{}", words[1].trim_end_matches('/'), words[2]);
        words[3..].iter().map(move |it| format!("{suite}/{it}")).collect::<Vec<_>>()
    });
    same(&said, &ours.collect::<Vec<_>>())?;
    let trusted = "deb [trusted=yes] http://b.example/ stable main";
    ensure!(updates.sources.iter().any(|it| it == trusted), "{:?}", updates.sources);
    Ok(())
}

/// `augenrules`, made to read and write beneath the folder.
pub(super) fn audit(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc/audit/rules.d root/usr/lib/systemd/system root/var/lib/dpkg
: > root/var/lib/dpkg/status
cp /usr/lib/systemd/system/auditd.service /lib/systemd/system/auditd.service root/usr/lib/systemd/system/ 2>/dev/null || true
systemctl --root=$PWD/root enable auditd.service 2>&1
cat > root/etc/audit/rules.d/9-first.rules <<'S'
## comment
-e 1
-D
-w /etc/passwd -p wa -k identity
  -w /etc/group -p wa
S
cat > root/etc/audit/rules.d/10-second.rules <<'S'
-b 8192
-f 2
-a always,exit -F arch=b64 -S adjtimex,settimeofday -k time-change
-D
-b 4096
-D all
S
echo '-e 2' > root/etc/audit/rules.d/99-last.rules
echo '-w /never' > root/etc/audit/rules.d/x.rules.bak
sed "s|/etc/audit|$PWD/root/etc/audit|g" "$(command -v augenrules || echo /usr/sbin/augenrules)" > augenrules
bash augenrules 2>&1"#,
    )?;
    let said = work.bash("grep -v '^##' root/etc/audit/audit.rules | sed 's/^ *//' | grep .")?;
    let security = security(work, false)?;
    let audit = security.audit.value().ok_or_else(|| anyhow::anyhow!("{:?}", security.audit))?;
    ensure!(audit.started, "it is enabled");
    // The order counts, so both are compared as they stand.
    let ours: String = audit.rules.iter().map(|rule| format!("{rule}\n")).collect();
    ensure!(said == ours, "augenrules writes\n{said}and we tell\n{ours}");
    Ok(())
}

/// The names that `apparmor_parser` finds, those within others aside.
pub(super) fn apparmor(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc root/usr/lib/systemd/system root/var/lib/dpkg; : > root/var/lib/dpkg/status
cp -a /etc/apparmor.d root/etc/; cp /usr/lib/systemd/system/apparmor.service /lib/systemd/system/apparmor.service root/usr/lib/systemd/system/ 2>/dev/null || true
systemctl --root=$PWD/root enable apparmor.service 2>&1
cat > root/etc/apparmor.d/bent <<'S'
#include <tunables/global>
@{MINE} = /srv/{a,b} # not a profile {
/{usr/,}bin/one flags=(complain) { /etc/{x,y} r, }
profile two /usr/bin/tw{o,oo} flags=(attach_disconnected, mediate_deleted) {
  profile inner { /a r, }
  ^hat { /b r, }
  # }
}
profile "with blank" /usr/bin/blank (audit)
{
  /c r,
}
S
mkdir -p root/etc/apparmor.d/disable; cp root/etc/apparmor.d/bent root/etc/apparmor.d/off; sed -i 's/one/one-off/; s/two/two-off/; s/with blank/off/' root/etc/apparmor.d/off
ln -s ../off root/etc/apparmor.d/disable/off; cp root/etc/apparmor.d/off root/etc/apparmor.d/off.dpkg-old"#,
    )?;
    let said = work.bash(
        "for file in root/etc/apparmor.d/*; do [ -f $file ] || continue; case $file in *dpkg-old|*/off|*README) continue;; esac; \
         apparmor_parser --base root/etc/apparmor.d -N $file; done | grep -v //",
    )?;
    let security = security(work, false)?;
    let found = security.mandatory_access.items.iter().find(|it| it.system == "apparmor");
    let found = found.ok_or_else(|| anyhow::anyhow!("{:?}", security.mandatory_access))?;
    ensure!(found.mode.value().is_some_and(|mode| mode == "enforcing"), "{:?}", found.mode);
    let complaining = found.policies.iter().any(|it| it == "/{usr/,}bin/one (complain)");
    ensure!(complaining, "{:?}", found.policies);
    let names = found.policies.iter().map(|it| it.split(" (").next().unwrap_or(it).to_owned());
    same(&said, &names.collect::<Vec<_>>())
}

/// What `modprobe -c` of those folders says of modules that are turned off, of which it runs the first
/// that it names.
pub(super) fn modprobe(work: &Work) -> Result<()> {
    work.bash(
        r##"mkdir -p root/etc/modprobe.d root/run/modprobe.d root/usr/local/lib/modprobe.d root/usr/lib/modprobe.d root/var/lib/dpkg
: > root/var/lib/dpkg/status
printf 'blacklist cramfs # c\nblacklist hfs#c\n# blacklist udf\ninstall sctp \\\n  /bin/false\n#install x \\\ninstall rds /bin/false\nblacklist ti\\\npc\nblacklist jffs2 udf\n  blacklist freevxfs\ninstall bluetooth\ninstall hfsplus /bin/a\ninstall hfsplus /bin/b\n' > root/usr/lib/modprobe.d/b.conf
printf 'install dccp /bin/true\ninstall usb_storage /bin/false\n' > root/etc/modprobe.d/c.conf
printf 'install dccp /bin/never\n' > root/run/modprobe.d/c.conf
printf 'install hfsplus /bin/first\n' > root/usr/local/lib/modprobe.d/a.conf
echo 'blacklist vfat' > root/usr/lib/modprobe.d/masked.conf; ln -s /dev/null root/etc/modprobe.d/masked.conf
echo 'blacklist thunderbolt' > root/etc/modprobe.d/not-read"##,
    )?;
    let said = work.bash(
        r#"options=; for at in etc run usr/local/lib usr/lib; do options="$options -C root/$at/modprobe.d"; done
PATH=$PATH:/usr/sbin modprobe $options -c 2>/dev/null | sed -n 's/^blacklist \([^ #]*\)$/\1 blacklist/p; s/^install \([^ ]*\)  */\1 /p' \
 | awk '!seen[$1]++' | sed 's/^\([^ ]*\)_/module-\1-/; t; s/^/module-/'"#,
    )?;
    let security = security(work, false)?;
    let ours = security.settings.items.iter().filter(|it| it.name.starts_with("module-"));
    same(&said, &lines(&ours.cloned().collect::<Vec<_>>()))
}
