//! Damaged files of configuration of the network, one of every kind in each image.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "network",
        seeds,
        fix: |_, _| {},
        exercise: exercise::network,
        refused: &[],
    }]
}

/// A machine that has everything.
fn seeds(_: &Work) -> Result<Vec<Vec<u8>>> {
    Ok(vec![FILES.as_bytes().to_vec()])
}

const FILES: &str = r#"//// /etc/netplan/50-a.yaml
network:
  version: 2
  renderer: networkd
  ethernets:
    lan: &lan
      match: {macaddress: 'aa:bb:cc:00:11:22'}
      set-name: lan0
      addresses: [192.0.2.7/24, '2001:db8::7/64': {label: x}]
      routes: [{to: default, via: 192.0.2.1, metric: 5}]
      nameservers: {addresses: [192.0.2.53], search: [example.org]}
    other: *lan
  vlans: {v5: {id: 5, link: lan, mtu: 1400}}
//// /etc/NetworkManager/system-connections/a.nmconnection
[connection]
id=a
uuid=1
type=vlan
interface-name=v5
[vlan]
id=5
parent=eth0
[ipv4]
method=manual
address1=192.0.2.7/24,192.0.2.1
dns=192.0.2.53;192.0.2.54;
route1=10.0.0.0/8,192.0.2.2,100
route1_options=table=7
//// /etc/NetworkManager/conf.d/dns.conf
[global-dns-domain-*]
servers=192.0.2.3,192.0.2.4
//// /etc/systemd/network/10-a.network
[Match]
Name=eth0
[Network]
DHCP=ipv4
Address=192.0.2.7/24
VLAN=v5
[Route]
Gateway=192.0.2.1
Metric=7
//// /etc/systemd/network/10-a.network.d/b.conf
[Network]
Address=
//// /etc/systemd/network/v5.netdev
[NetDev]
Name=v5
Kind=vlan
[VLAN]
Id=5
//// /etc/systemd/network/x.link
[Match]
PermanentMACAddress=00:11:22:33:44:55
[Link]
Name=lan0
//// /etc/systemd/resolved.conf
[Resolve]
DNS=192.0.2.1
Domains=a ~b
//// /etc/network/interfaces
auto lo eth0
source interfaces.d/*
source-directory more
iface lo inet loopback
iface eth0 inet static inherits base
  address 192.0.2.7
  netmask 255.255.255.0
  up ip route add 10.0.0.0/8 via 192.0.2.2
  up route add -net 172.16.0.0 netmask 255.240.0.0 gw 192.0.2.3
iface base inet manual
  mtu 1400
//// /etc/network/interfaces.d/x
iface br0 inet dhcp
  bridge_ports eth1 eth2
//// /etc/sysconfig/network-scripts/ifcfg-eth0
DEVICE=eth0
HWADDR=00:11:22:33:44:55
IPADDR=192.0.2.7
NETMASK=255.255.255.0
IPADDR1=10.1.2.3
PREFIX1=16
GATEWAY=192.0.2.1
DNS1=192.0.2.53
IPV6ADDR=2001:db8::7/64
//// /etc/sysconfig/network-scripts/route-eth0
ADDRESS0=172.16.0.0
NETMASK0=255.240.0.0
GATEWAY0=192.0.2.3
//// /etc/sysconfig/network/ifcfg-v5
ETHERDEVICE='eth0'
VLAN_ID='5'
IPADDR_x='192.0.2.7/24'
//// /etc/sysconfig/network/routes
default 192.0.2.1 - eth0
10.0.0.0 192.0.2.2 255.0.0.0 -
//// /etc/cloud/cloud.cfg.d/50.cfg
network:
  version: 1
  config:
    - {type: physical, name: eth0, mac_address: '00:11:22:33:44:55', subnets: [
        {type: static, address: 192.0.2.7, netmask: 255.255.255.128, gateway: 192.0.2.1,
         routes: [{network: 10.0.0.0, netmask: 255.0.0.0, gateway: 192.0.2.2}]}]}
    - {type: nameserver, address: [192.0.2.54], search: c}
//// /etc/dhcpcd.conf
interface eth0
static ip_address=192.0.2.7/24
static routers=192.0.2.1
//// /etc/udev/rules.d/70-persistent-net.rules
SUBSYSTEM=="net", ATTR{address}=="00:16:3e:00:11:22", NAME="eth0"
//// /etc/resolv.conf
nameserver 192.0.2.1
search a b
//// /etc/hosts
127.0.0.1 localhost
//// /etc/ufw/ufw.conf
ENABLED=yes
//// /etc/ufw/user.rules
### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in_eth0 comment=6162
### tuple ### route:allow tcp 80 10.0.0.2 any 0.0.0.0/0 in_eth0!out_eth1
//// /etc/firewalld/firewalld.conf
DefaultZone=work
//// /etc/firewalld/zones/work.xml
<?xml version="1.0"?>
<zone target="DROP"><service name="ssh"/><rule family="ipv4"><source address="192.0.2.0/24"/><accept/></rule></zone>
//// /etc/nftables.conf
flush ruleset
table inet filter {
  set bad { type ipv4_addr; elements = { 192.0.2.1 } }
  chain input { type filter hook input priority 0; policy drop;
    tcp dport { 22, 80 } accept # why
  }
}
add rule inet filter input counter
include "/etc/nftables.d/*.nft"
//// /etc/nftables.d/a.nft
define x = { 1, 2 }
//// /etc/iptables/rules.v4
*filter
:INPUT DROP [0:0]
[1:2] -A INPUT -i lo -j ACCEPT
COMMIT
//// /etc/anacrontab
1 5 cron.daily run-parts /etc/cron.daily
//// /var/spool/cron/atjobs/a0000301b2d8e0
#!/bin/sh
# mail joe 0
cd / || {
}
echo hi
//// /etc/runlevels/default/d
//// /etc/init.d/d
#!/sbin/openrc-run
command=/bin/d
"#;
