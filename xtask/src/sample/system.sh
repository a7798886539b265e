# What the system of samples/machine.qcow2 is: its settings, accounts, services and network.
# `put PATH [MODE]` makes a file of the root of what it is given.
put() { mkdir -p "root/$(dirname "$1")"; cat > "root/$1"; chmod "${2:-644}" "root/$1"; }
link() { mkdir -p "root/$(dirname "$2")"; ln -s "$1" "root/$2"; }

mkdir -p root/{boot/efi,dev,etc,home,media,proc,root,run,srv/backup,srv/media,sys,tmp,usr/bin,usr/lib,usr/sbin,var/log/installer,var/tmp}
for folder in bin lib sbin; do ln -s "usr/$folder" "root/$folder"; done
chmod 1777 root/tmp root/var/tmp; chmod 700 root/root

put usr/lib/os-release <<'X'
PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
UBUNTU_CODENAME=jammy
X
link ../usr/lib/os-release etc/os-release
put etc/hostname <<< shop-01
put etc/machine-id 444 <<< 7c1f4e9ab6d24c35a2e80f5b913d6e40
put etc/default/locale <<< 'LANG=en_GB.UTF-8'
put etc/timezone <<< Europe/Dublin
link /usr/share/zoneinfo/Europe/Dublin etc/localtime
put var/log/installer/installer-journal.txt 640 <<< 'subiquity/Shutdown: finished'

# Without this ELF no program says what it is built for.
header='\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0'
program() { mkdir -p "root/$(dirname "$1")"; { printf "$header"; head -c 4072 /dev/zero; } > "root/$1"; chmod "${2:-755}" "root/$1"; }
for name in usr/bin/{bash,dash,dpkg,python3.10} usr/sbin/{nginx,sshd} usr/lib/systemd/systemd; do program "$name"; done
link bash usr/bin/sh
link ../lib/systemd/systemd usr/sbin/init
program usr/bin/sudo 4755
program usr/bin/passwd 4755
program usr/bin/crontab 2755
program usr/sbin/cron; printf "INSECURE MODE (mode 0600 expected)" >> root/usr/sbin/cron # what tells whose cron it is
program usr/local/bin/stock-import 4755

put etc/fstab <<'X'
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=5ab0f00d-0000-4000-8000-000000000011 /          btrfs defaults,subvol=@,compress=zstd     0 1
UUID=5ab0f00d-0000-4000-8000-000000000011 /home      btrfs defaults,subvol=@home,compress=zstd 0 2
UUID=5ab0f00d-0000-4000-8000-000000000012 /boot      ext4  defaults                            0 2
/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 /boot/efi vfat umask=0077                0 1
UUID=5ab0f00d-0000-4000-8000-000000000014 none       swap  sw                                  0 0
# The second disk, for copies of the database.
UUID=5ab0f00d-0000-4000-8000-0000000000ff /srv/backup ext4 defaults,nofail                     0 2
files.example.org:/export/media           /srv/media nfs   ro,nofail,_netdev                   0 0
X

# Accounts. The hashes are of phrases that nobody uses.
put etc/passwd <<'X'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
systemd-network:x:100:102:systemd Network Management:/run/systemd:/usr/sbin/nologin
sshd:x:106:65534::/run/sshd:/usr/sbin/nologin
postgres:x:113:120:PostgreSQL administrator:/var/lib/postgresql:/bin/bash
shop:x:998:998:Shop application:/srv/shop:/usr/sbin/nologin
ops:x:1000:1000:Operations:/home/ops:/bin/bash
deploy:x:1001:1001:Deployment:/home/deploy:/bin/bash
reports:x:1002:1002:Reports until 2023:/home/reports:/bin/sh
X
put etc/shadow 640 <<'X'
root:*:19857:0:99999:7:::
daemon:*:19857:0:99999:7:::
www-data:*:19857:0:99999:7:::
systemd-network:*:19857:0:99999:7:::
sshd:*:19857:0:99999:7:::
postgres:*:19857:0:99999:7:::
shop:!:19857::::::
ops:$y$j9T$a0WpB7yq1nVd4sKc$oz5AsVXxnt/zigTz2tAWEy1.cctGQckLLz6EHrOjWL4:20401:0:99999:7:::
deploy:$6$Kq3vT1mZ$sPLEUEG7NjZwXVrVoTUg1SejAvkSYS4aLO0zAlRpMfct1yUJ5lKv7jcGxdZnYTMUPp2c3YMQSOjw.ZhmxXS1A1:19900:0:99999:7:::
reports:$1$7dXw2b$8p16OTjSDITZfbqp/UFj0.:17897:0:99999:7::19723:
X
put etc/group <<'X'
root:x:0:
daemon:x:1:
adm:x:4:ops
sudo:x:27:ops
www-data:x:33:
shadow:x:42:
crontab:x:101:
systemd-network:x:102:
postgres:x:120:
docker:x:121:deploy
shop:x:998:
ops:x:1000:
deploy:x:1001:
reports:x:1002:
X
put etc/sudoers 440 <<'X'
Defaults	env_reset
Defaults	secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root	ALL=(ALL:ALL) ALL
%sudo	ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
X
put etc/sudoers.d/deploy 440 <<< 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart orders.service'
put home/ops/.ssh/authorized_keys 600 <<'X'
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC1kZoGy5LgmVY/JkbVDhZntagMRcbwmmFKV3WWbNaERsqjQrNTQIo8IkWjv55rP9HSk0+fbpi37Shcx2d8OCZan0cQl5ns5/IRzR/RxXdb6twkaqRNJZr44reltSyhLXdh2GwQwwnhyysDB9QyDKmsZbfSr7GFTy35FkiYRsGKNPka8ouvAS/K0YpRwKn3flTGS7sAA5pUs8SnR6TX2fFPGeR+Wyo85E2T8uqYe98uyVSd8s1yOwQk9LlhHuzw6Ffa2szMP2tekmlBFjL2iQS3jqWYd2CwAVEuUP/00c3f6w3seO4P2CPC3oEo099nKmLR/Qb22fjj/xWaEmR/fB8f ops@desk.example.org
X
put home/deploy/.ssh/authorized_keys 600 <<'X'
from="192.0.2.40",no-agent-forwarding ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOUgigUiuP6fppYeTQtl15ZyLrR/CNpOiNDIEq6vucBu deploy@build.example.org
X
chmod 700 root/home/*/.ssh
mkdir -p root/home/reports

# What is started. `unit NAME DESCRIPTION COMMAND [TARGET]` makes a service; with a target it is enabled.
units=root/usr/lib/systemd/system
mkdir -p $units root/etc/systemd/system
enable() { mkdir -p "root/etc/systemd/system/$2.wants"; ln -s "${3:-/lib/systemd/system}/$1" "root/etc/systemd/system/$2.wants/$1"; }
unit() {
  printf '[Unit]\nDescription=%s\n\n[Service]\nExecStart=%s\n\n[Install]\nWantedBy=%s\n' \
    "$2" "$3" "${4:-multi-user.target}" > "$units/$1"
  if [ -n "${4:-}" ]; then enable "$1" "$4"; fi
}
unit ssh.service 'OpenBSD Secure Shell server' '/usr/sbin/sshd -D $SSHD_OPTS' multi-user.target
unit nginx.service 'A high performance web server and a reverse proxy server' '/usr/sbin/nginx -g "daemon on; master_process on;"' multi-user.target
unit docker.service 'Docker Application Container Engine' '/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock' multi-user.target
unit containerd.service 'containerd container runtime' /usr/bin/containerd multi-user.target
unit cron.service 'Regular background program processing daemon' '/usr/sbin/cron -f -P $EXTRA_OPTS' multi-user.target
unit ufw.service 'Uncomplicated firewall' '/lib/ufw/ufw-init start quiet' multi-user.target
unit open-vm-tools.service 'Service for virtual machines hosted on VMware' /usr/bin/vmtoolsd multi-user.target
unit unattended-upgrades.service 'Unattended Upgrades Shutdown' /usr/share/unattended-upgrades/unattended-upgrade-shutdown multi-user.target
unit systemd-networkd.service 'Network Configuration' /lib/systemd/systemd-networkd multi-user.target
unit systemd-resolved.service 'Network Name Resolution' /lib/systemd/systemd-resolved multi-user.target
unit systemd-timesyncd.service 'Network Time Synchronization' /lib/systemd/systemd-timesyncd sysinit.target
unit apparmor.service 'Load AppArmor profiles' '/lib/apparmor/apparmor.systemd reload' sysinit.target
unit postgresql.service 'PostgreSQL RDBMS' /bin/true multi-user.target
unit rpcbind.service 'RPC bind portmap service' '/sbin/rpcbind -f -w'
unit rsync.service 'fast remote file copy program daemon' '/usr/bin/rsync --daemon --no-detach'
printf '[Unit]\nDescription=Daily apt upgrade and clean activities\n\n[Service]\nType=oneshot\nExecStart=/usr/lib/apt/apt.systemd.daily install\n' > $units/apt-daily-upgrade.service
printf '[Unit]\nDescription=PostgreSQL Cluster %%i\n\n[Service]\nUser=postgres\nExecStart=/usr/bin/pg_ctlcluster --skip-systemctl-redirect %%i start\n' > $units/postgresql@.service
printf '[Unit]\nDescription=Docker Socket for the API\n\n[Socket]\nListenStream=/run/docker.sock\n\n[Install]\nWantedBy=sockets.target\n' > $units/docker.socket
printf '[Unit]\nDescription=Daily apt upgrade and clean activities\n\n[Timer]\nOnCalendar=*-*-* 6:00\nRandomizedDelaySec=60m\n\n[Install]\nWantedBy=timers.target\n' > $units/apt-daily-upgrade.timer
enable docker.socket sockets.target
enable apt-daily-upgrade.timer timers.target
# Somebody has stopped it for good.
link /dev/null etc/systemd/system/rpcbind.service
put etc/systemd/system/orders.service <<'X'
[Unit]
Description=Orders of the shop
After=postgresql.service

[Service]
User=shop
ExecStart=/usr/bin/java -jar /opt/orders/orders-2.3.1.jar
Restart=on-failure

[Install]
WantedBy=multi-user.target
X
enable orders.service multi-user.target /etc/systemd/system
put etc/systemd/system/nginx.service.d/restart.conf <<'X'
[Service]
Restart=always
User=www-data
X
put etc/crontab <<'X'
SHELL=/bin/sh
17 *	* * *	root	cd / && run-parts --report /etc/cron.hourly
25 6	* * *	root	test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )
X
put etc/cron.d/shop <<< '30 2 * * * postgres /usr/bin/pg_dump -Fc shop -f /srv/backup/shop.dump'
put var/spool/cron/crontabs/deploy 600 <<< '*/15 * * * * /home/deploy/bin/stock-sync'

# The network.
put etc/netplan/00-installer-config.yaml 600 <<'X'
network:
  version: 2
  renderer: networkd
  ethernets:
    ens160:
      match:
        macaddress: "00:50:56:0a:1b:2c"
      set-name: ens160
      addresses: [192.0.2.21/24, "2001:db8:0:2::21/64"]
      nameservers:
        addresses: [192.0.2.53]
        search: [example.org]
      routes:
        - to: default
          via: 192.0.2.1
        - to: 198.51.100.0/24
          via: 192.0.2.254
    ens192:
      dhcp4: true
      optional: true
X
link ../run/systemd/resolve/stub-resolv.conf etc/resolv.conf
put etc/systemd/resolved.conf <<< $'[Resolve]\nDNS=192.0.2.53 192.0.2.54\nDomains=example.org'
put etc/hosts <<'X'
127.0.0.1 localhost
127.0.1.1 shop-01.example.org shop-01
192.0.2.40 build.example.org build
::1 ip6-localhost ip6-loopback
X
put etc/ufw/ufw.conf <<< $'ENABLED=yes\nLOGLEVEL=low'
put etc/default/ufw <<< $'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\nDEFAULT_FORWARD_POLICY="DROP"'
put etc/ufw/user.rules 640 <<'X'
*filter
### RULES ###

### tuple ### limit tcp 22 0.0.0.0/0 any 192.0.2.0/24 in
-A ufw-user-input -p tcp --dport 22 -s 192.0.2.0/24 -m conntrack --ctstate NEW -m recent --set

### tuple ### allow any 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in
-A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT -m comment --comment 'dapp_Nginx%20Full'

### tuple ### allow tcp 5432 0.0.0.0/0 any 192.0.2.40 in comment=6275696c64207365727665722c207265706f727473
-A ufw-user-input -p tcp --dport 5432 -s 192.0.2.40 -j ACCEPT

### END RULES ###
COMMIT
X
put etc/ufw/user6.rules 640 <<'X'
*filter
### RULES ###

### tuple ### allow any 80,443 ::/0 any ::/0 Nginx%20Full - in
-A ufw6-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT -m comment --comment 'dapp_Nginx%20Full'

### END RULES ###
COMMIT
X

# How it is guarded.
put etc/ssh/sshd_config <<'X'
Include /etc/ssh/sshd_config.d/*.conf

KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem	sftp	/usr/lib/openssh/sftp-server

Match Group shop
	ChrootDirectory /srv/shop
	ForceCommand internal-sftp
	AllowTcpForwarding no
X
put etc/ssh/sshd_config.d/50-local.conf 600 <<'X'
PermitRootLogin no
PasswordAuthentication no
MaxAuthTries 3
X
put etc/login.defs <<'X'
MAIL_DIR	/var/mail
UMASK		022
PASS_MAX_DAYS	99999
PASS_MIN_DAYS	0
PASS_WARN_AGE	7
ENCRYPT_METHOD	SHA512
X
put etc/pam.d/common-password <<'X'
password	[success=1 default=ignore]	pam_unix.so obscure use_authtok try_first_pass yescrypt
password	requisite			pam_deny.so
password	required			pam_permit.so
X
put etc/sysctl.d/10-network-security.conf <<< $'net.ipv4.conf.default.rp_filter=2\nnet.ipv4.conf.all.rp_filter=2'
put etc/sysctl.d/60-shop.conf <<< $'net.core.somaxconn = 1024\nkernel.kptr_restrict = 1'
put etc/apparmor.d/usr.sbin.nginx <<< $'profile nginx /usr/sbin/nginx flags=(complain) {\n  /var/www/** r,\n}'
put etc/apparmor.d/usr.bin.man <<< $'profile man /usr/bin/man {\n  /usr/bin/man r,\n}'
put etc/apt/apt.conf.d/20auto-upgrades <<< $'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";'
put etc/apt/apt.conf.d/50unattended-upgrades <<'X'
Unattended-Upgrade::Allowed-Origins {
	"${distro_id}:${distro_codename}-security";
};
Unattended-Upgrade::Automatic-Reboot "false";
X
put etc/apt/sources.list <<'X'
deb http://archive.ubuntu.com/ubuntu jammy main universe
deb http://security.ubuntu.com/ubuntu jammy-security main universe
X
put etc/apt/sources.list.d/shop.list <<< 'deb [signed-by=/usr/share/keyrings/shop.gpg] https://build:invented@apt.example.org/ubuntu jammy main'
put etc/issue <<< 'Ubuntu 22.04.5 LTS \n \l'
# Certificates made by openssl; their keys are on no disk.
put etc/nginx/tls/shop.example.org.pem <<'X'
-----BEGIN CERTIFICATE-----
MIIBtDCCAVqgAwIBAgICHzowCgYIKoZIzj0EAwIwOTEVMBMGA1UECgwMRXhhbXBs
ZSBTaG9wMSAwHgYDVQQDDBdFeGFtcGxlIFNob3AgSXNzdWluZyBDQTAeFw0yNTEx
MDEwMDAwMDBaFw0yNjExMDEwMDAwMDBaMBsxGTAXBgNVBAMMEHNob3AuZXhhbXBs
ZS5vcmcwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASWfXygtrk+kSJvzHrzn9fF
NY6JiIw4pI2hpjtK8e+8Qcr2g7FzdbDl8F90g0gamg9Lw+2XaQqupv7+zNAb1/qj
o3AwbjAsBgNVHREEJTAjghBzaG9wLmV4YW1wbGUub3Jngg93d3cuZXhhbXBsZS5v
cmcwHQYDVR0OBBYEFI3ucYUxLguHfw7klBEUz/ZkMLYmMB8GA1UdIwQYMBaAFL0f
oLzxgFbSiFHjaavnI5z1AywmMAoGCCqGSM49BAMCA0gAMEUCIBerTL0IuP4vDxXK
9Zg1fHKm/EE2PbRf2RQLbdfGWzLZAiEAnw3RbxQqGVAypXjNTtBKPoRvcSJQF0eb
Eiy5gTeB1uo=
-----END CERTIFICATE-----
X
put etc/ssl/certs/ssl-cert-snakeoil.pem <<'X'
-----BEGIN CERTIFICATE-----
MIIC1DCCAbygAwIBAgIBKzANBgkqhkiG9w0BAQsFADASMRAwDgYDVQQDDAdzaG9w
LTAxMB4XDTI0MDUxNDA4MTEwMloXDTM0MDUxMjA4MTEwMlowEjEQMA4GA1UEAwwH
c2hvcC0wMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAJZWLmmwJfrR
6A8TYumAfcbc7sYf08OWla0RhecvKyvsERArycq4cZcJukXvQaYU2n/pfyTfpk5z
hO6s1ZDnx6yXzdWZ87pr6mqJpGpuVQJHyuqpTvQ30GEJ+kPfo11Afy1X7TTD7L4m
pgGwtTSNShMDLtcls55YWf/xIjThCDr/zv2rp3PaAVhZoAtUYiIJ+fWCO3CDNwmm
kiQ0lUWmhhlTLLmYCvdexanZQTBpJJa1DpYU1oKkZLwutHYM4x2CqfTwzkQjLqSb
8wujtlmuY5WRudVpSkCP/6Cn/iRxcw1FOi5T0gcKdqtZkb6sS4f3WGN6JAPna409
U5MthyOBTJkCAwEAAaM1MDMwEgYDVR0RBAswCYIHc2hvcC0wMTAdBgNVHQ4EFgQU
n8y1rzB1IXHxGA/yZFWofjR7V2AwDQYJKoZIhvcNAQELBQADggEBAIGAyZ+IHp7D
4bPMz5pM7UVP3GS15ZPwB7D4dks44ZZf5Jedn384XYGSBOg+P+9PhboIZWT0d1WR
CHiSJnojzeL5CbwBbKXFI1ASPE7ydgBfnABsN3PYr2x9OJfmYQhOILU5h27K7N2j
U+/y4aSvXo+eDWgL/z7d1r84akYdnH+hg5CUjQK7TKAmNcR7Qqi09sPWy0SlLH7R
iK95SLzCp7fPf8rTC69iwMTBYrGH6PWnQms98YV4adCoiWJqEELUxg/Bz6YqxASi
wO7YqX0uiUupUFAYYWGCJW1PfpnZZ4eSQN8v1p0TCRWMMVk9y+FO4d4fSHHUKCh4
k0eUT8Swe7A=
-----END CERTIFICATE-----
X
