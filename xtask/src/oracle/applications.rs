//! Applications of a Debian that is unpacked from its own packages, with the versions that dpkg says
//! and the state that systemctl says.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::Fact;

use super::guest::{same, system};
use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("applications/debian", debian)]
}

/// Packages, what they bring, and the unit that starts it.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("apache2", "apache", "apache2.service"),
    ("bind9", "bind", "named.service"),
    ("clamav-daemon", "clamav", "clamav-daemon.service"),
    ("fail2ban", "fail2ban", "fail2ban.service"),
    ("haproxy", "haproxy", "haproxy.service"),
    ("libvirt-daemon-system", "libvirt", "libvirtd.service"),
    ("mariadb-server", "mariadb", "mariadb.service"),
    ("memcached", "memcached", "memcached.service"),
    ("nginx", "nginx", "nginx.service"),
    ("open-vm-tools", "open-vm-tools", "open-vm-tools.service"),
    ("openjdk-17-jre-headless", "java", ""),
    ("openssh-server", "openssh-server", "ssh.service"),
    ("php8.2-common", "php", ""),
    ("postfix", "postfix", "postfix.service"),
    ("postgresql-15", "postgresql", ""),
    ("prometheus-node-exporter", "node-exporter", "prometheus-node-exporter.service"),
    ("python3.11", "python", ""),
    ("redis-server", "redis", "redis-server.service"),
    ("samba", "samba", "smbd.service"),
    ("tomcat10", "tomcat", "tomcat10.service"),
    ("zabbix-agent", "zabbix-agent", "zabbix-agent.service"),
];

/// Unpacks them as dpkg would, without running their scripts; enables every other unit.
const MAKE: &str = r#"
mkdir -p root/etc root/usr/lib root/usr/bin root/usr/sbin root/var/lib/dpkg/info root/var/lib/dpkg/updates debs
for name in lib bin sbin; do ln -s usr/$name root/$name; done
echo ID=debian > root/etc/os-release; : > root/etc/fstab
(cd debs; apt-get download $packages >/dev/null 2>&1)
for deb in debs/*.deb; do
  dpkg-deb --fsys-tarfile $deb | tar -C root -x --keep-directory-symlink
  dpkg-deb -f $deb | sed '1a Status: install ok installed' >> root/var/lib/dpkg/status
  echo >> root/var/lib/dpkg/status
done
mkdir -p root/var/lib/postgresql/15/main root/var/lib/postgresql/15/second
echo 15 | tee root/var/lib/postgresql/15/{main,second}/PG_VERSION >/dev/null
# Scripts of System V would be enabled too, by a program that is not there.
rm -rf root/etc/init.d
number=0
for unit in $units; do
  number=$((number + 1))
  if [ $((number % 2)) = 0 ]; then systemctl --root=$PWD/root enable $unit 2>&1; fi
done
"#;

fn debian(work: &Work) -> Result<()> {
    let list = |part: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        PACKAGES.iter().map(part).collect::<Vec<_>>().join(" ")
    };
    let (packages, units) = (list(|it| it.0), list(|it| it.2));
    work.bash(&format!("packages='{packages}' units='{units}'\n{MAKE}"))?;
    let system = system(work)?;
    let found = &system.applications.items;
    // Every version is that of the package that it names, as dpkg says it.
    let theirs =
        work.bash("dpkg-query --admindir=$PWD/root/var/lib/dpkg -W -f '${Package} ${Version}\\n'")?;
    let mut ours = Vec::new();
    for (package, name, _) in PACKAGES {
        let brought = found.iter().find(|it| it.packages.iter().any(|it| it == package));
        let it = brought.with_context(|| format!("{package} brings nothing"))?;
        ensure!(it.name == *name, "{package} brings {}", it.name);
        let version = it.version.value().with_context(|| format!("{package} has no version"))?;
        ours.push(format!("{package} {version}"));
    }
    same(&theirs, &ours)?;
    let clusters = found.iter().filter(|it| it.name == "postgresql");
    let clusters: Vec<_> = clusters.filter_map(|it| it.location.as_deref()).collect();
    ensure!(
        clusters == ["/var/lib/postgresql/15/main", "/var/lib/postgresql/15/second"],
        "{clusters:?}"
    );
    let java = found.iter().find(|it| it.name == "java").context("no java")?;
    ensure!(java.location.as_deref() == Some("/usr/lib/jvm/java-17-openjdk-amd64"), "{java:?}");
    // Each is started that systemctl calls enabled, and not where it is disabled.
    for (_, name, unit) in PACKAGES.iter().filter(|(_, _, unit)| !unit.is_empty()) {
        let state = work.bash(&format!("systemctl --root=$PWD/root is-enabled {unit} || true"))?;
        let started = &found.iter().find(|it| it.name == *name).context("it is gone")?.started;
        let fits = match (state.trim(), started) {
            ("enabled", Fact::Known { value, .. }) => *value,
            ("disabled", Fact::Known { value, .. }) => !*value,
            (state, Fact::Unknown { .. }) => !matches!(state, "enabled" | "disabled"),
            _ => false,
        };
        ensure!(fits, "{unit} is {state}, and {name} {started:?}");
    }
    Ok(())
}
