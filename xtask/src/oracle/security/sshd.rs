//! sshd's settings as `sshd -T` prints them, for whoever logs in.
//!
//! The program looks beneath `/etc/ssh`, so it runs in a mount namespace where that is the case's
//! folder.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::{Setting, Sshd};

use super::super::guest::same;
use super::{Work, lines, security};

/// A configuration.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What writes the files beneath `root/etc/ssh`.
    script: &'static str,
    /// Who logs in, as `sshd -T -C` is told, and the conditions that then hold.
    logins: &'static [(&'static str, &'static [&'static str])],
}

const HOST: &str = "host=h.example.org,addr=192.0.2.7,laddr=10.0.0.1,lport=22";

/// What each login sees is what sshd says.
pub(super) fn compare(work: &Work, case: &Case) -> Result<()> {
    work.bash(
        "mkdir -p root/etc/ssh root/var/lib/dpkg
         { dpkg-query -s openssh-server; echo; } > root/var/lib/dpkg/status
         ssh-keygen -q -A -f $PWD/root",
    )?;
    work.bash(&format!("cd root/etc/ssh\n{}", case.script))?;
    let release = work.bash("dpkg-query -W -f '${Version}' openssh-server")?;
    let security = security(work, false)?;
    let sshd = security.sshd.value().ok_or_else(|| anyhow::anyhow!("{:?}", security.sshd))?;
    ensure!(sshd.mistakes.is_empty(), "mistakes: {:?}", sshd.mistakes);
    for (user, conditions) in case.logins {
        let login = if user.is_empty() { String::new() } else { format!("-C user={user},{HOST}") };
        let said = work.bash(&format!(
            "unshare -m sh -c 'mount --bind root/etc/ssh /etc/ssh; mkdir -p /run/sshd; \
             exec /usr/sbin/sshd -T {login} -f /etc/ssh/sshd_config'",
        ))?;
        agree(work, release.trim(), &said, &lines(&seen(sshd, conditions)))?;
    }
    Ok(())
}

/// What sshd says is what we say, as far as the release was compared.
fn agree(work: &Work, release: &str, said: &str, ours: &[String]) -> Result<()> {
    if release.starts_with("1:9.2p1") {
        return same(said, ours);
    }
    // Of other releases not all defaults are told, but what is told is true.
    work.note(format!("compared as far as the defaults of {release} are told"));
    let wrong: Vec<_> = ours.iter().filter(|line| !said.lines().any(|it| it == *line)).collect();
    ensure!(wrong.is_empty(), "sshd does not say {wrong:?}");
    Ok(())
}

/// What sshd makes of its arguments is what we make of those of its unit.
pub(super) fn started(work: &Work) -> Result<()> {
    work.bash(
        "mkdir -p root/etc/ssh root/var/lib/dpkg root/usr/lib/systemd/system
         { dpkg-query -s openssh-server; echo; } > root/var/lib/dpkg/status
         ssh-keygen -q -A -f $PWD/root
         printf 'Port 2222\\nListenAddress 10.0.0.1\\nListenAddress 10.0.0.2:5\\nMaxSessions 3\\n' \
           > root/etc/ssh/sshd_config
         printf 'MaxAuthTries 2\\nPermitRootLogin yes\\n' > root/etc/ssh/alt",
    )?;
    let release = work.bash("dpkg-query -W -f '${Version}' openssh-server")?;
    for arguments in [
        "",
        "-o \"PermitRootLogin yes\" -o 'MaxAuthTries 2'",
        "-p 77",
        "-p77 -oPort=78 -p 79",
        "-oPort=77 -p 78",
        "-oPort=77",
        "-4f /etc/ssh/alt",
        "-6Df /etc/ssh/alt -g 5 -h /etc/ssh/ssh_host_rsa_key",
        "-oMaxSessions=1 -o MaxSessions=2",
    ] {
        work.bash(&format!(
            "cat > root/usr/lib/systemd/system/ssh.service <<'S'
[Service]
ExecStart=/usr/sbin/sshd -D {arguments}
S",
        ))?;
        let said = work.bash(&format!(
            "cat > sshd.sh <<'S'
mount --bind root/etc/ssh /etc/ssh; mkdir -p /run/sshd
exec /usr/sbin/sshd -T {arguments}
S
             unshare -m sh sshd.sh",
        ))?;
        let security = security(work, false)?;
        let sshd = security.sshd.value().ok_or_else(|| anyhow::anyhow!("{:?}", security.sshd))?;
        agree(work, release.trim(), &said, &lines(&seen(sshd, &[])))
            .with_context(|| format!("sshd {arguments}"))?;
    }
    Ok(())
}

/// What holds for a login: under each condition that holds, what stands first, and before it what
/// stands outside of conditions.
fn seen(sshd: &Sshd, conditions: &[&str]) -> Vec<Setting> {
    let adds_up = |name: &str| {
        ["acceptenv", "allowusers", "denyusers", "allowgroups", "denygroups"].contains(&name)
    };
    let mut over: Vec<Setting> = Vec::new();
    for found in sshd.matches.iter().filter(|it| conditions.contains(&it.condition.as_str())) {
        let before: Vec<String> = over.iter().map(|setting| setting.name.clone()).collect();
        let new =
            found.settings.iter().filter(|it| adds_up(&it.name) || !before.contains(&it.name));
        over.extend(new.cloned());
    }
    let mut settings = sshd.settings.clone();
    settings.retain(|setting| over.iter().all(|it| it.name != setting.name));
    settings.extend(over);
    settings
}

pub(super) const CASES: &[Case] = &[
    Case { name: "empty", script: ": > sshd_config", logins: &[("", &[]), ("bob", &[])] },
    Case {
        name: "debian",
        script: "mkdir sshd_config.d; cp /usr/share/openssh/sshd_config . 2>/dev/null || \
                 printf 'Include /etc/ssh/sshd_config.d/*.conf\\nKbdInteractiveAuthentication no\\n\
                 UsePAM yes\\nX11Forwarding yes\\nPrintMotd no\\nAcceptEnv LANG LC_*\\n\
                 Subsystem\\tsftp\\t/usr/lib/openssh/sftp-server\\n' > sshd_config",
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "words",
        script: r#"cat > sshd_config <<'S'
  PORT = 2222 # a comment
port=22
PermitRootLogin PROHIBIT-PASSWORD
"PasswordAuthentication" no
AllowUsers "bob" 'eve'   joe@192.0.2.* # nobody else
AllowUsers ann
DenyGroups a\ b "c d"
Banner "/etc/issue net"
ForceCommand /bin/echo  "a  b" # not a comment
AuthorizedKeysFile "/etc/keys/%u" .ssh/two
AcceptEnv LANG
AcceptEnv LC_* X
SetEnv A=1 "B=2 3" A=5
SetEnv C=4
Subsystem sftp internal-sftp -l INFO -f "LOCAL 1"
VersionAddendum hello there # gone
S"#,
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "repeated",
        script: "cat > sshd_config <<'S'
PermitRootLogin no
PermitRootLogin yes
MaxAuthTries 3
MaxAuthTries 5
MaxStartups 5:10:20
MaxStartups 7
IPQoS af21 cs1
IPQoS 0x10
HostKey /etc/ssh/ssh_host_rsa_key
HostKey /etc/ssh/ssh_host_ed25519_key
ListenAddress 192.0.2.1
ListenAddress [2001:db8::0001]:2200
ListenAddress 2001:db8:0:0::2
Port 22
Port 2022
FingerprintHash md5
FingerprintHash sha256
StreamLocalBindMask 0077
StreamLocalBindMask 0177
Ciphers aes256-ctr
Ciphers aes128-ctr
AuthenticationMethods publickey,password publickey
AuthenticationMethods password
S",
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "values",
        script: "cat > sshd_config <<'S'
LoginGraceTime 1h2m3s
ClientAliveInterval 5m
ClientAliveCountMax 0
RekeyLimit 1G 1h
MaxSessions 0
AddressFamily inet
Compression delayed
GatewayPorts clientspecified
AllowTcpForwarding all
AllowStreamLocalForwarding local
PermitTunnel point-to-point
PermitUserEnvironment LANG,LC_*
PermitOpen host:80 [2001:db8::1]:81
PermitListen 8080 host:81
PubkeyAuthOptions verify-required touch-required
LogLevel debug1
SyslogFacility local3
LogVerbose kex.c:*:1000 packet.c
ChannelTimeout session:*=5m x11-connection=10
UnusedConnectionTimeout 2h
MaxStartups 5
RequiredRSASize 3072
PerSourceMaxStartups 4
PerSourceNetBlockSize 24:64
TrustedUserCAKeys NONE
PidFile none
XAuthLocation none
ChrootDirectory /srv/%u
AuthorizedKeysCommand /usr/bin/keys %u  %k
AuthorizedKeysCommandUser nobody
IgnoreRhosts shosts-only
StreamLocalBindUnlink yes
Protocol 2
UsePrivilegeSeparation sandbox
S",
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "algorithms",
        script: "cat > sshd_config <<'S'
Ciphers ^aes256-gcm@openssh.com,aes128-cbc
MACs -*etm*,umac-*
KexAlgorithms +diffie-hellman-group14-sha1
HostKeyAlgorithms ssh-ed25519,rsa-sha2-*
PubkeyAcceptedKeyTypes +ssh-rsa
HostbasedAcceptedAlgorithms -ecdsa*
CASignatureAlgorithms ^ssh-rsa
S",
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "includes",
        script: "mkdir -p sshd_config.d more/deep; cat > sshd_config <<'S'
Include sshd_config.d/*.conf /etc/ssh/more/*/x[12].conf none/*.conf
PermitRootLogin yes
X11Forwarding yes
Include last
PrintMotd yes
S
echo 'PermitRootLogin no' > sshd_config.d/10-b.conf
printf 'MaxAuthTries 2\\nInclude more/c\\nMaxSessions 2\\n' > sshd_config.d/9-a.conf
echo 'MaxSessions 3' > sshd_config.d/.hidden.conf
echo 'MaxSessions 4' > sshd_config.d/a.conf.bak
printf 'MaxSessions 5\\nMaxAuthTries 9\\n' > more/c
echo 'PermitTTY no' > more/deep/x1.conf; echo 'PermitTTY yes' > more/deep/x2.conf
echo 'UseDNS yes' > more/deep/x3.conf
printf 'PrintMotd no\\n' > last",
        logins: &[("", &[]), ("bob", &[])],
    },
    Case {
        name: "match",
        script: "cat > sshd_config <<'S'
PasswordAuthentication yes
X11Forwarding yes
AllowUsers bob eve
Match User bob
  PasswordAuthentication no
  AllowUsers bob
  MaxSessions 1
Match User eve,bob Address 192.0.2.0/24 # both
  MaxSessions 2
  X11Forwarding no
  AllowUsers eve
Match Host other.example.org
  PermitTTY no
S",
        logins: &[
            ("", &[]),
            ("joe", &[]),
            ("bob", &["User bob", "User eve,bob Address 192.0.2.0/24"]),
            ("eve", &["User eve,bob Address 192.0.2.0/24"]),
        ],
    },
    Case {
        name: "match-all",
        script: "cat > sshd_config <<'S'
X11Forwarding yes
AllowUsers one
Banner /global
Match User bob
  X11Forwarding yes
  Banner /bob
Match all
  X11Forwarding no
  Banner /all
  AllowUsers two
  PermitTTY no
Match User eve
  X11Forwarding yes
  PermitTunnel yes
S",
        logins: &[("joe", &[]), ("bob", &["User bob"]), ("eve", &["User eve"])],
    },
    Case {
        name: "match-include",
        script: "cat > sshd_config <<'S'
Include inner
PermitTTY no
Match Address 192.0.2.0/24
  Include inner
  MaxAuthTries 2
Match User bob
  Include plain
S
printf 'Match User bob\\nMaxSessions 7\\nBanner /bob\\n' > inner
printf 'Banner /plain\\nMaxAuthTries 4\\nX11Forwarding yes\\n' > plain",
        logins: &[
            ("", &[]),
            ("joe", &["Address 192.0.2.0/24"]),
            ("bob", &["User bob", "Address 192.0.2.0/24 User bob", "Address 192.0.2.0/24"]),
        ],
    },
    Case {
        name: "addresses",
        script: "printf 'Port 22\\nPort 2022\\nAddressFamily inet6\\n' > sshd_config",
        logins: &[("", &[])],
    },
    Case {
        name: "line-ends",
        script: "printf 'PermitRootLogin no\\r\\nMaxSessions 2\\t \\nUsePAM yes' > sshd_config",
        logins: &[("", &[]), ("bob", &[])],
    },
];
