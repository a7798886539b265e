//! How a system is connected, its firewalls and its scripts, as the owning tools write and say it.
//!
//! One description of a network is written by cloud-init and by netplan in the files of every manager;
//! all of them must be read as the same network. ifupdown, the firewalls and OpenRC say themselves
//! what they make of their files.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::{Evidence, Interface, Network, ServiceKind};

use super::guest::{same, system};
use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("network/cloud-init", cloud_init),
        Case::new("network/netplan", netplan),
        Case::new("network/ifupdown", ifupdown),
        Case::new("network/drop-ins", drop_ins),
        Case::new("network/ufw", ufw),
        Case::new("network/firewalld", firewalld),
        Case::new("network/nftables", nftables),
        Case::new("network/iptables", iptables),
        Case::new("services/openrc", openrc),
        Case::new("services/at", at),
    ]
}

/// An empty machine.
const EMPTY: &str =
    "rm -rf root; mkdir -p root/etc; echo ID=debian > root/etc/os-release; : > root/etc/fstab\n";

fn sorted(words: &[String]) -> String {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    words.join(",")
}

/// The interface in one line, as far as every manager can say it.
fn line(one: &Interface) -> String {
    format!(
        "{} addresses={} gateways={} dns={} search={} dhcp4={} mtu={}",
        one.name,
        sorted(&one.addresses),
        sorted(&one.gateways),
        sorted(&one.nameservers),
        sorted(&one.search),
        one.dhcp4 == Some(true),
        one.mtu.unwrap_or_default(),
    )
}

/// What a netplan, or those that it writes for, can say besides.
fn more(one: &Interface) -> String {
    let (dhcp6, vlan) = (one.dhcp6 == Some(true), one.vlan.unwrap_or_default());
    format!("{} dhcp6={dhcp6} vlan={vlan} members={}", line(one), sorted(&one.members))
}

fn routes(network: &Network) -> Vec<String> {
    let routes = network.routes.items.iter().filter(|route| route.destination != "default");
    let line = |route: &fathom_guest::report::Route| {
        let gateway = route.gateway.as_deref().unwrap_or_default();
        format!("route {} {gateway} {}", route.destination, route.metric.unwrap_or_default())
    };
    routes.map(line).collect()
}

/// cloud-init writes one description for each of the managers that it knows.
fn cloud_init(work: &Work) -> Result<()> {
    std::fs::write(work.path("v2.yaml"), DESCRIPTION)?;
    let truth = "\
eth1 addresses=192.0.2.7/24,2001:db8::7/64 gateways=192.0.2.1 dns=192.0.2.53,192.0.2.54 search=a.example,b.example dhcp4=false mtu=9000
eth1.5 addresses=198.51.100.2/25 gateways= dns= search= dhcp4=false mtu=0
bond0 addresses= gateways= dns= search= dhcp4=true mtu=0
br0 addresses=203.0.113.9/24 gateways= dns= search= dhcp4=false mtu=0
route 10.0.0.0/8 192.0.2.2";
    for (distribution, kind, manager) in [
        ("debian", "eni", "ifupdown"),
        ("debian", "netplan", "netplan"),
        ("debian", "networkd", "networkd"),
        ("debian", "network-manager", "network-manager"),
        ("rhel", "sysconfig", "ifcfg"),
        ("debian", "itself", "cloud-init"),
    ] {
        work.bash(EMPTY)?;
        if kind == "itself" {
            work.bash("mkdir -p root/var/lib/cloud/seed/nocloud; cp v2.yaml root/var/lib/cloud/seed/nocloud/network-config")?;
        } else {
            work.bash(&format!(
                "cloud-init devel net-convert -p v2.yaml -k yaml -d $PWD/root -D {distribution} -O {kind} 2>&1
                 if [ {kind} = eni ]; then echo 'source interfaces.d/*' > root/etc/network/interfaces; fi"
            ))?;
        }
        let network = system(work)?.network;
        let interfaces = network.interfaces.items.iter().filter(|one| {
            one.manager == manager && ["eth1", "eth1.5", "bond0", "br0"].contains(&&*one.name)
        });
        let mut ours: Vec<String> = interfaces.map(line).collect();
        // Not every manager is told what a route costs.
        ours.extend(
            routes(&network)
                .iter()
                .map(|route| route.rsplit_once(' ').map_or("", |(start, _)| start).to_owned()),
        );
        same(truth, &ours).with_context(|| format!("as {kind}"))?;
        let recognised = |one: &Interface| one.mac.as_deref() == Some("00:16:3e:00:00:01");
        ensure!(
            network.interfaces.items.iter().any(recognised)
                || network.persistent_names.items.iter().any(|name| name.mac.is_some()),
            "{kind}: nothing is recognised by its hardware address"
        );
    }
    Ok(())
}

const DESCRIPTION: &str = r#"network:
  version: 2
  ethernets:
    eth0:
      match: {macaddress: "00:16:3e:00:00:01"}
      set-name: eth0
      dhcp4: true
      mtu: 1400
    eth1:
      addresses: [192.0.2.7/24, "2001:db8::7/64"]
      gateway4: 192.0.2.1
      mtu: 9000
      nameservers: {addresses: [192.0.2.53, 192.0.2.54], search: [a.example, b.example]}
      routes: [{to: 10.0.0.0/8, via: 192.0.2.2, metric: 7}]
    eth2: {}
    eth3: {}
    eth4: {}
  bonds:
    bond0: {interfaces: [eth3, eth4], dhcp4: true, parameters: {mode: active-backup}}
  vlans:
    eth1.5: {id: 5, link: eth1, addresses: [198.51.100.2/25]}
  bridges:
    br0: {interfaces: [eth2], addresses: [203.0.113.9/24]}
"#;

/// netplan's own files, in three folders, and what netplan makes of them for networkd and for
/// NetworkManager.
fn netplan(work: &Work) -> Result<()> {
    for (renderer, manager) in [("networkd", "networkd"), ("NetworkManager", "network-manager")] {
        work.bash(EMPTY)?;
        work.bash("mkdir -p root/lib/netplan root/etc/netplan")?;
        let write = |path: &str, text: &str| std::fs::write(work.path(path), text);
        let first =
            DESCRIPTION.replace("version: 2", &format!("version: 2\n  renderer: {renderer}"));
        write("root/lib/netplan/10-a.yaml", &first)?;
        write("root/lib/netplan/50-c.yaml", "network: {ethernets: {no: {dhcp4: true}}}\n")?;
        // NetworkManager has no labels.
        let third = match renderer {
            "networkd" => THIRD.replace("/25\"", "/25\": {label: 'eth5:x'}"),
            _ => THIRD.to_owned(),
        };
        write("root/etc/netplan/50-c.yaml", &third)?;
        write("root/etc/netplan/20-b.yaml", SECOND)?;
        let own = system(work)?.network;
        work.bash(
            "chmod 600 root/*/netplan/*; netplan generate --root-dir $PWD/root 2>&1; cp -a root/run run; rm -r root/run
             rm -rf root/etc/netplan root/lib/netplan; mkdir -p root/etc/systemd root/etc/NetworkManager
             for folder in systemd/network NetworkManager/system-connections; do
               if [ -d run/$folder ]; then cp -a run/$folder root/etc/$folder; fi
             done; rm -r run",
        )?;
        let made = system(work)?.network;
        let lines = |network: &Network, manager: &str| -> Vec<String> {
            let interfaces = network.interfaces.items.iter();
            let mut lines: Vec<_> =
                interfaces.filter(|one| one.manager == manager).map(more).collect();
            lines.extend(routes(network));
            lines
        };
        let theirs = lines(&made, manager).join("\n");
        same(&theirs, &lines(&own, "netplan")).context(renderer)?;
        ensure!(theirs.lines().count() > 9, "{theirs}");
        let names = |network: &Network| -> Vec<String> {
            let names = network.persistent_names.items.iter();
            names.map(|name| format!("{} {:?}", name.name, name.mac)).collect()
        };
        same(&names(&made).join("\n"), &names(&own)).context("names")?;
    }
    Ok(())
}

const SECOND: &str = "network:
  ethernets:
    eth2: {dhcp6: yes, mtu: 1300}
    eth1:
      addresses: [192.0.2.8/24]
      mtu: 8000
      nameservers: {addresses: [192.0.2.55]}
    wild: {match: {name: 'enp*'}, dhcp4: on}
";

const THIRD: &str = "network:
  ethernets:
    eth1:
      routes: [{to: 172.16.0.0/12, via: 192.0.2.3}]
      mtu: 7000
    eth5:
      addresses: [\"198.51.100.200/25\"]
      routes: [{to: default, via: 198.51.100.129}]
";

/// What ifquery says of every interface.
fn ifupdown(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    work.bash(INTERFACES)?;
    let said = work.bash(
        r#"query() { ifquery --interfaces=root/etc/network/interfaces "$@"; }
for name in $( (query --list; query --list --allow=hotplug) | sort -u); do echo "$name automatic"; done
for name in lo eth0 eth1 eth2 eth3 br0 more_1 v7; do
  query $name | awk -v name=$name '
    $1 == "address:" || $1 == "gateway:" || $1 == "mtu:" { print name, $1, $2 }
    $1 == "dns-nameservers:" { for (at = 2; at <= NF; at++) print name, "dns:", $at }
    $1 == "netmask:" { print name, $1, $2 }'
done"#,
    )?;
    // Masks are compared by their lengths.
    let said: Vec<String> = said
        .lines()
        .map(|line| match line.split_once(" netmask: ") {
            Some((name, mask)) => {
                let bits: Option<u32> =
                    mask.parse::<std::net::Ipv4Addr>().ok().map(|mask| mask.to_bits().count_ones());
                format!("{name} netmask: {}", bits.map_or(mask.to_owned(), |bits| bits.to_string()))
            }
            None => line.to_owned(),
        })
        .collect();
    let network = system(work)?.network;
    let mut ours = Vec::new();
    for one in &network.interfaces.items {
        let name = &one.name;
        if one.automatic == Some(true) {
            ours.push(format!("{name} automatic"));
        }
        for address in &one.addresses {
            let (address, length) = address.split_once('/').context("no length")?;
            ours.push(format!("{name} address: {address}"));
            ours.push(format!("{name} netmask: {length}"));
        }
        ours.extend(one.gateways.iter().map(|gateway| format!("{name} gateway: {gateway}")));
        ours.extend(one.nameservers.iter().map(|server| format!("{name} dns: {server}")));
        ours.extend(one.mtu.iter().map(|mtu| format!("{name} mtu: {mtu}")));
    }
    same(&said.join("\n"), &ours)
}

const INTERFACES: &str = r#"
mkdir -p root/etc/network/interfaces.d root/etc/network/more
cat > root/etc/network/interfaces <<'S'
# The first.
auto lo eth0
allow-hotplug eth1
iface lo inet loopback
source interfaces.d/*
source-directory more
iface base inet manual
    mtu 1400
iface eth0 inet static inherits base
    address 192.0.2.7
    netmask 255.255.255.128
    gateway 192.0.2.1
    dns-nameservers 192.0.2.53 \
      192.0.2.54
    # A comment.
iface eth0 inet static
    address 192.0.2.200/26
iface eth1 inet static
    address 10.1.2.3
iface eth2 inet dhcp
S
printf 'iface eth3 inet static\n address 172.16.5.5\n' > root/etc/network/interfaces.d/a.cfg
printf 'iface hidden inet dhcp\n' > root/etc/network/interfaces.d/.hidden
printf 'auto br0\niface br0 inet static\n address 192.168.7.1/24\n bridge_ports eth4 eth5\n' > root/etc/network/interfaces.d/b
printf 'iface more_1 inet6 static\n address 2001:db8::1\n netmask 48\n' > root/etc/network/more/one
printf 'iface backup inet dhcp\n' > root/etc/network/more/one.bak
printf 'iface v7 inet manual\n mtu 1200\n vlan-raw-device eth0\n' > root/etc/network/more/v-7
"#;

/// The files that systemd joins, in their order.
fn drop_ins(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"name=10-lan.network
write() { mkdir -p "root/$(dirname "$1")"; printf '[Network]\nDNS=192.0.2.%d\n' "$2" > "root/$1"; }
write etc/systemd/network/$name 1; printf '[Match]\nName=eth0\n' >> root/etc/systemd/network/$name
write usr/lib/systemd/network/$name 2
write usr/lib/systemd/network/$name.d/a.conf 3
write etc/systemd/network/$name.d/b.conf 4
write usr/lib/systemd/network/$name.d/b.conf 5
write usr/local/lib/systemd/network/$name.d/0.conf 6
write usr/lib/systemd/network/$name.d/c.conf 7
ln -s /dev/null root/etc/systemd/network/$name.d/c.conf
write etc/systemd/network/$name.d/d.txt 8
systemd-analyze --root=$PWD/root cat-config systemd/network/$name | sed -n "s|^# $PWD/root||p; s|^# /|/|p" | while read -r path; do
  # What is masked is named too.
  if [ "$(readlink root$path)" != /dev/null ]; then echo "$path"; fi
done"#,
    )?;
    let network = system(work)?.network;
    let one = network.interfaces.items.first().context("there is no interface")?;
    let ours: Vec<&str> = one.evidence.iter().map(|Evidence(path)| path.as_str()).collect();
    ensure!(said.lines().collect::<Vec<_>>() == ours, "{said} and {ours:#?}");
    ensure!(one.nameservers.len() == 4, "{:?}", one.nameservers);
    Ok(())
}

fn rules(work: &Work, kind: &str) -> Result<(Vec<String>, Option<String>)> {
    let firewalls = system(work)?.network.firewalls.items;
    let found = firewalls.into_iter().find(|firewall| firewall.kind == kind);
    let found = found.with_context(|| format!("there is no {kind}"))?;
    Ok((found.rules, found.default))
}

/// Rules that ufw writes, and shows as it takes them.
fn ufw(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/etc/default root/lib root/usr/share data
cp -r /usr/share/ufw root/usr/share/; cp -r /lib/ufw root/lib/; cp -r /etc/ufw root/etc/; cp /etc/default/ufw root/etc/default/
cp /usr/share/ufw/iptables/user.rules /usr/share/ufw/iptables/user6.rules root/etc/ufw/ 2>/dev/null || cp /usr/share/ufw/user*.rules root/etc/ufw/
printf '[Some App]\ntitle=t\ndescription=d\nports=80,443/tcp\n' > root/etc/ufw/applications.d/some
add() { ufw --rootdir=$PWD/root --datadir=$PWD/root "$@" >/dev/null 2>&1; }
add allow 22/tcp
add deny from 192.0.2.0/24 comment "its us"
add limit in on eth0 to any port 22 proto tcp
add allow out 53
add reject from 2001:db8::/32 to any port 25 proto tcp
add allow 'Some App'
add allow log 8080/tcp
add allow proto udp from 10.0.0.1 port 5000:5010 to 10.0.0.2 port 53
add route allow in on eth0 out on eth1 to 10.0.0.2 port 80 proto tcp
add deny in on eth1
add default reject incoming
ufw --rootdir=$PWD/root --datadir=$PWD/root show added 2>/dev/null | sed -n 's/^ufw //p'"#,
    )?;
    let (ours, default) = rules(work, "ufw")?;
    same(&said, &ours)?;
    let expected = "reject (incoming), allow (outgoing), deny (routed)";
    ensure!(default.as_deref() == Some(expected), "{default:?}");
    Ok(())
}

/// Zones that firewalld's offline tool writes and lists.
fn firewalld(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/usr/lib; cp -r /etc/firewalld root/etc/; cp -r /usr/lib/firewalld root/usr/lib/
tool() { firewall-offline-cmd --system-config=$PWD/root/etc/firewalld --default-config=$PWD/root/usr/lib/firewalld "$@" 2>&1; }
tool --set-default-zone=work >&2
tool --zone=public --add-service=http >&2; tool --zone=public --remove-service-from-zone=ssh >&2
tool --zone=public --add-port=8080-8090/udp >&2; tool --zone=public --add-interface=eth0 >&2
tool --zone=dmz --add-source=192.0.2.0/24 >&2; tool --zone=dmz --add-masquerade >&2
tool --zone=dmz --add-protocol=gre >&2; tool --zone=dmz --add-source-port=53/udp >&2
tool --zone=dmz --add-rich-rule='rule family="ipv4" source address="192.0.2.0/24" service name="ssh" log prefix="x" level="info" limit value="1/m" accept' >&2
tool --zone=dmz --set-target=DROP >&2
for zone in public dmz work; do
  for kind in services:service ports:port interfaces:interface sources:source protocols:protocol source-ports:source-port; do
    for one in $(tool --zone=$zone --list-${kind%:*}); do echo "$zone: ${kind#*:} $one"; done
  done
  tool --zone=$zone --list-rich-rules | sed "/^$/d; s/^/$zone: /"
  for kind in masquerade forward; do if [ "$(tool --zone=$zone --query-$kind)" = yes ]; then echo "$zone: $kind"; fi; done
done"#,
    )?;
    let (ours, default) = rules(work, "firewalld")?;
    same(&said, &ours)?;
    ensure!(default.as_deref() == Some("zone work, target default"), "{default:?}");
    Ok(())
}

/// A ruleset as somebody wrote it, and as nft lists what it made of it.
fn nftables(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/etc/nftables.d
cat > root/etc/nftables.conf <<'S'
#!/usr/sbin/nft -f
flush ruleset
define web = { 80, 443 }
table inet filter {
  set bad {
    type ipv4_addr
    elements = { 192.0.2.1,
      192.0.2.2 }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iif "lo" accept; ct state established,related accept # both { on one line
    ip saddr @bad \
      drop
    tcp dport { 22, 2222 } accept
    jump mine
  }
  chain mine { udp dport 53 counter packets 0 bytes 0 accept comment "a; b {" ; }
  chain output { type filter hook output priority filter; }
}
include "/etc/nftables.d/*.nft"
S
printf 'table ip nat {\n chain post {\n type nat hook postrouting priority srcnat; policy accept;\n oif "lo" masquerade\n }\n}\nadd rule ip nat post ip daddr 192.0.2.9 accept\n' > root/etc/nftables.d/nat.nft
sed "s|/etc/nftables.d|$PWD/root&|" root/etc/nftables.conf > whole
unshare -n bash -euc 'nft -f whole; nft list ruleset' | awk '
  /^table/ { table = $2 " " $3 }
  /^\tchain/ { chain = $2; next }
  /^\t}/ { chain = "" }
  chain == "" { next }
  $1 == "type" { print "policy " table " " chain ": " substr($NF, 1, length($NF) - 1); next }
  /^\t\t/ { sub(/^\t+/, ""); print table " " chain ": " $0 }'"#,
    )?;
    let (mut ours, default) = rules(work, "nftables")?;
    let policies = default.context("no policy")?;
    ours.extend(policies.split(", ").map(|policy| format!("policy {policy}")));
    same(&said, &ours)
}

/// Rules that iptables saves.
fn iptables(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/etc/iptables
unshare -n bash -euc '
  iptables -P INPUT DROP; iptables -N mine; iptables -A INPUT -i lo -j ACCEPT
  iptables -A INPUT -p tcp -m multiport --dports 22,80 -m comment --comment "two words" -j mine
  iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
  iptables-save -c > root/etc/iptables/rules.v4
  for table in filter nat; do
    iptables -t $table -S | grep -e "^-A" | if [ $table = nat ]; then sed "s/^/-t nat /"; else cat; fi
  done
  iptables -S | grep ^-P | cut -d" " -f2- | paste -sd, | sed "s/,/, /g"'"#,
    )?;
    let (mut ours, default) = rules(work, "iptables")?;
    ours.extend(default);
    same(&said, &ours)
}

/// Runlevels as rc-update changes and shows them.
fn openrc(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/etc/init.d root/etc/runlevels/{boot,default,sysinit}
for name in one two three; do
  printf '#!/sbin/openrc-run\ndescription="Number %s"\ncommand=/bin/%s\n' $name $name > root/etc/init.d/$name
done
printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: old\n# Default-Start: 2\n### END INIT INFO\n' > root/etc/init.d/old
chmod +x root/etc/init.d/*
mkdir -p /etc/runlevels
unshare -m bash -euc '
  mount --bind root/etc/init.d /etc/init.d; mount --bind root/etc/runlevels /etc/runlevels
  rc-update add one default >&2; rc-update add one boot >&2; rc-update add two sysinit >&2; rc-update add old default >&2
  rc-update -v show' | awk -F'|' '{ gsub(/ /, "", $1); gsub(/^ +| +$/, "", $2); gsub(/ +/, " ", $2); print $1, $2 }'"#,
    )?;
    let services = system(work)?.services.items;
    let ours = services.iter().filter(|one| one.kind == ServiceKind::OpenRc);
    let ours: Vec<String> =
        ours.map(|one| format!("{} {}", one.name, one.triggers.join(" "))).collect();
    same(&said, &ours)
}

/// Jobs that at writes and lists.
fn at(work: &Work) -> Result<()> {
    work.bash(EMPTY)?;
    let said = work.bash(
        r#"mkdir -p root/var/spool/cron/atjobs; touch root/var/spool/cron/atjobs/.SEQ
chown -R daemon:daemon root/var/spool/cron/atjobs; chmod 1770 root/var/spool/cron/atjobs
unshare -m bash -euc '
  mount --bind root/var/spool/cron/atjobs /var/spool/cron/atjobs
  export HIDDEN=s3cret
  printf "echo one\necho two\n" | at -t 203001020304 2>&1
  echo "echo three" | at -q c -t 203512312359 2>&1
  atq' | awk '/^[0-9]+\t/ { print $1, $NF }'"#,
    )?;
    let services = system(work)?.services.items;
    let jobs: Vec<_> = services.iter().filter(|one| one.kind == ServiceKind::At).collect();
    let ours = jobs.iter().map(|job| {
        let number = job.name.trim_start_matches("job ");
        format!("{number} {}", job.user.as_deref().unwrap_or_default())
    });
    same(&said, &ours.collect::<Vec<_>>())?;
    let first = jobs.iter().find(|job| job.commands.len() == 2).context("no job has two lines")?;
    ensure!(first.commands == ["echo one", "echo two"], "{:?}", first.commands);
    ensure!(first.triggers[0].starts_with("2030-01-02T03:04:00"), "{:?}", first.triggers);
    ensure!(!format!("{jobs:?}").contains("s3cret"), "the environment got into the report");
    Ok(())
}
