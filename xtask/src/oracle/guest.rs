//! What a system is, who has an account and what is started, as the owning tools write and say it.
//!
//! The files go into a small ext4, so that the whole way from the volume to the report is tried.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::{Fact, PasswordState, ServiceKind, System};
use fathom_guest::{Inspection, Options};

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("guest/identity", identity),
        Case::new("guest/users", users),
        Case::new("guest/sudo", sudo),
        Case::new("guest/services", services),
    ]
}

/// What is in the folder `root`.
fn inspect(work: &Work) -> Result<Inspection> {
    work.bash(
        "rm -f image; size=$(( $(du -sm root | cut -f1) * 2 + 32 ))
         mke2fs -q -t ext4 -d root image ${size}M 2>&1",
    )?;
    Ok(fathom_guest::inspect(&work.discover(&["image"], &[])?, &Options::default()))
}

/// The one system in the folder `root`; nothing may be wrong with it.
pub(super) fn system(work: &Work) -> Result<System> {
    let inspection = inspect(work)?;
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let system = inspection.systems.into_iter().next().context("no system was found")?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    Ok(system)
}

/// Both lists hold the same lines, each as often.
pub(super) fn same(theirs: &str, ours: &[String]) -> Result<()> {
    let mut theirs: Vec<&str> = theirs.lines().collect();
    let mut ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    ensure!(!theirs.is_empty(), "the tool lists nothing");
    let missing: Vec<_> = theirs.iter().filter(|line| !ours.contains(line)).take(5).collect();
    let added: Vec<_> = ours.iter().filter(|line| !theirs.contains(line)).take(5).collect();
    ensure!(theirs == ours, "{missing:#?} are missing, {added:#?} are there instead");
    Ok(())
}

fn shown(fact: &Fact<String>) -> String {
    fact.value().cloned().unwrap_or_default()
}

/// systemd writes the settings, and a shell says what the variables are.
fn identity(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc root/usr/bin root/usr/share/zoneinfo/Europe root/usr/lib/locale
cp -L /etc/os-release root/etc/os-release
cat >> root/etc/os-release <<'S'
# a comment
VARIANT='Server "Edition"'
NAME="two \"words\" \$5"
BUILD_ID=a\ b
S
cp /usr/share/zoneinfo/Europe/Berlin root/usr/share/zoneinfo/Europe/
cp /bin/true root/usr/bin/env
systemd-firstboot --root=$PWD/root --hostname=db7 --timezone=Europe/Berlin --locale=de_DE.UTF-8 --setup-machine-id 2>&1"#,
    )?;
    let said = work.bash(
        r#". ./root/etc/os-release
printf '%s\n' "$ID" "$VERSION_ID" "$VERSION_CODENAME" "$PRETTY_NAME" "$VARIANT" "$BUILD_ID"
uname -m; printf '%s\n' db7; cat root/etc/machine-id; printf '%s\n' Europe/Berlin de_DE.UTF-8"#,
    )?;
    let identity = system(work)?.identity;
    let architecture = identity.architecture.map(|it| it.0);
    let ours = [
        &identity.distribution,
        &identity.version,
        &identity.codename,
        &identity.name,
        &identity.edition,
        &identity.build,
        &architecture,
        &identity.hostname,
        &identity.machine_id,
        &identity.time_zone,
        &identity.locale,
    ];
    same(&said, &ours.map(shown))
}

/// Accounts as the shadow tools make them, with the state that passwd says, and keys with the
/// fingerprints that ssh-keygen says.
fn users(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/etc/pam.d root/home/joe/.ssh root/root; : > root/etc/fstab; echo ID=debian > root/etc/os-release
for file in passwd group shadow gshadow login.defs; do cp /etc/$file root/etc/; done
printf 'joe:x:1500:1500:Joe,,,:/home/joe:/bin/sh\nnew:x:1501:1501::/home/new:/bin/bash\nopen:x:1502:1502::/:/bin/sh\nold:x:1503:1503::/:/bin/false\n' >> root/etc/passwd
printf 'joe:x:1500:\nwheel:x:1600:joe,new\n' >> root/etc/group
joe=$(openssl passwd -6 -salt abc secret)
printf 'joe:%s:19700:0:99999:7:::\nnew:!%s:19800:0:99999:7:::\nopen::19900:0:99999:7:::\nold:*:20000:0:99999:7:::\n' "$joe" "$joe" >> root/etc/shadow
for kind in ed25519 ecdsa rsa; do
  rm -f key key.pub; ssh-keygen -q -t $kind -N '' -C "joe on $kind" -f key
  { [ $kind != rsa ] || printf 'command="echo \\"hi there\\"",no-pty '; cat key.pub; } >> root/home/joe/.ssh/authorized_keys
done"#,
    )?;
    let system = system(work)?;
    let accounts = &system.users.accounts.items;
    let states = work.bash("passwd --root $PWD/root -S -a | awk '{ print $1, $2, $3 }'")?;
    let lines = accounts.iter().map(|user| {
        let state = match user.password.value() {
            Some(PasswordState::Set) => "P",
            Some(PasswordState::Empty) => "NP",
            Some(PasswordState::Locked) => "L",
            None => "?",
        };
        let day = user.password_changed.as_deref().unwrap_or("never");
        format!("{} {state} {day}", user.name)
    });
    same(&states, &lines.collect::<Vec<_>>())?;
    let joe = accounts.iter().find(|user| user.name == "joe").context("joe is missing")?;
    ensure!(joe.algorithm.as_deref() == Some("sha512crypt") && joe.groups == ["wheel"], "{joe:?}");
    let keys = work.bash(
        "ssh-keygen -lf root/home/joe/.ssh/authorized_keys | awk '{ print $2, $3, $4, $5 }'",
    )?;
    let ours =
        joe.keys.items.iter().map(|key| {
            format!("{} {}", key.fingerprint, key.comment.as_deref().unwrap_or_default())
        });
    same(&keys, &ours.collect::<Vec<_>>())?;
    let report = format!("{system:?}");
    let hash = work.bash("grep ^joe: root/etc/shadow | cut -d: -f2 | cut -d'$' -f4")?;
    ensure!(!report.contains(hash.trim()), "a hash got into the report");
    Ok(())
}

/// Lines of sudo's files, of which visudo says which it does not understand, and of which sudo itself
/// says what they come to for an account.
fn sudo(work: &Work) -> Result<()> {
    work.bash(SUDOERS)?;
    let said = work.bash(
        "{ visudo -cf root/etc/sudoers 2>&1 || true; } | grep -oE '^[^ ]*sudoers:[0-9]+:' | cut -d: -f2 | sort -nu",
    )?;
    let text = std::fs::read_to_string(work.path("root/etc/sudoers"))?;
    let inspection = inspect(work)?;
    let system = inspection.systems.into_iter().next().context("no system was found")?;
    let messages: Vec<&str> = system.problems.iter().map(|it| it.message.as_str()).collect();
    let number = |message: &&str| {
        let (_, behind) = message.split_once("/etc/sudoers: line ")?;
        behind.split(',').next().map(str::to_owned)
    };
    let ours: Vec<String> = messages.iter().filter_map(number).collect();
    same(&said, &ours)?;
    // What is left are the lines that sudo goes by.
    let broken: Vec<usize> = ours.iter().filter_map(|number| number.parse().ok()).collect();
    let good = (1_usize..).zip(text.lines()).filter(|(number, line)| {
        !broken.contains(number) && !line.is_empty() && !line.starts_with("# ")
    });
    let rules = &system.users.sudo.items;
    ensure!(rules.len() == good.count(), "{rules:#?}");
    // A folder and files that others may write to are passed over: sudo lists one rule of those.
    let listed = work.bash(
        "unshare -m sh -c 'mount --bind refused/sudoers /etc/sudoers; \
         mount --bind refused /opt; sudo -l -U nobody' 2>/dev/null | grep -c '/bin/' || true",
    )?;
    work.bash(
        "rm -rf root/etc/sudoers root/opt; cp -a refused root/opt; cp -a refused/sudoers root/etc/",
    )?;
    let inspection = inspect(work)?;
    let system = inspection.systems.into_iter().next().context("no system was found")?;
    let rules = system.users.sudo.items;
    ensure!(rules.len().to_string() == listed.trim(), "sudo lists {listed}, we {rules:#?}");
    Ok(())
}

const SUDOERS: &str = r#"
mkdir -p root/etc refused/open refused/owned refused/good refused/comment; echo ID=debian > root/etc/os-release
cat > root/etc/sudoers <<'S'
Defaults mail_badpass # use_pty
Defaults:alice use_pty
Defaults@host, other !use_pty
Defaults>root use_pty
Defaults!/bin/ls, /bin/cat !authenticate
Defaults timestamp_timeout = 30, logfile = "/var/log/sudo log", env_keep += "A B"
Defaults use_pty use_pty
# a comment \
frank ALL=(ALL) this is a syntax error : =
gina ALL=(ALL) NOPASSWD: sha224:abcd /bin/ls
bob ALL=(ALL) ALL # was NOPASSWD: before
#1000 ALL=(#1001) /bin/ls \#, /bin/cat a=b
#1000 rest
%wheel, +net, %#10, "a b" 10.0.0.0/8,fe80::1=(root:adm) NOPASSWD: SETENV: /bin/ls : h2=!/bin/cat
list ALL=list
joe ALL=(root:) ALL
joe ALL=CWD=/x TIMEOUT=5m /bin/ls
joe ALL=CWD=x /bin/ls
joe ALL=/bin/ls ^a.*$, ^/bin/.*$
joe ALL=/bin/ls ^a.*
joe ALL=/bin/ /x
joe ALL=sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls
User_Alias ADMINS = joe, bob : OTHERS = eve
User_Alias admins = joe
Cmnd_Alias LISTS = /bin/ls, !/bin/ls -l
joe
ALL ALL
S
cat > refused/sudoers <<'S'
@includedir /opt/open
@includedir /opt/owned
#includedir /opt/good
 #includedir /opt/comment
S
for folder in open owned good comment; do echo "nobody ALL=/bin/$folder" > refused/$folder/a; done
echo "nobody ALL=/bin/file" > refused/good/b; echo "nobody ALL=/bin/owner" > refused/good/c
echo "nobody ALL=/bin/backup" > refused/good/d~; echo "nobody ALL=/bin/dot" > refused/good/e.f
mkdir refused/good/folder; chmod 755 refused refused/good refused/comment
chmod 777 refused/open; chown 1 refused/owned; chmod 440 refused/sudoers refused/*/*
chmod 446 refused/good/b; chown 1 refused/good/c; chmod 755 refused/good/folder
"#;

/// Units of this machine and some that are bent, with the state that systemctl says.
fn services(work: &Work) -> Result<()> {
    work.bash(UNITS)?;
    let said = work.bash(
        "systemctl --root=$PWD/root list-unit-files --no-legend --no-pager 2>/dev/null \
         | awk '{ print $1, $2 }' | grep -E '\\.(service|timer|socket|path|mount|automount|swap) '",
    )?;
    let system = system(work)?;
    let units = system.services.items.iter().filter(|service| {
        use ServiceKind::{Cron, Inetd, Sysv, UserUnit};
        !matches!(service.kind, Cron | Inetd | Sysv | UserUnit)
    });
    let lines = units.map(|service| {
        let state = match service.enabled.value() {
            Some(state) => format!("{state:?}").to_lowercase(),
            None => "bad".to_owned(),
        };
        format!("{} {state}", service.name)
    });
    same(&said, &lines.collect::<Vec<_>>())
}

const UNITS: &str = r#"
mkdir -p root/etc/systemd root/usr/lib root/opt; echo ID=debian > root/etc/os-release
cp -a /usr/lib/systemd root/usr/lib/; ln -s usr/lib root/lib
on() { systemctl --root=$PWD/root "$@" 2>&1; }
units=root/etc/systemd/system; mkdir -p $units
unit() { printf '[Service]\nExecStart=/bin/true\n[Install]\n%b\n' "$2" > "$1"; }
unit root/opt/linked.service 'WantedBy=multi-user.target\nAlias=linked2.service'
unit $units/changed.service ''; mkdir $units/changed.service.d
printf '[Install]\nWantedBy=multi-user.target\n' > $units/changed.service.d/a.conf
unit $units/also.service 'Also=changed.service'
unit $units/aliased.service 'Alias=other.service'
unit $units/named.service 'Alias=another.service'
unit $units/tpl@.service 'WantedBy=multi-user.target\nDefaultInstance=one'
unit $units/tpl2@.service 'WantedBy=multi-user.target\nDefaultInstance=one'
unit $units/tpl3@.service 'WantedBy=multi-user.target'
unit $units/taken.service 'WantedBy=a.target\nWantedBy=\nAlso='
unit $units/joined.service 'WantedBy=\\\n# between\n multi-user.target'
: > $units/empty.service
ln -s gone.service $units/dangling.service
ln -s /dev/null $units/never.timer
unit $units/hand.service ''; ln -s hand.service $units/made.service
ln -s /lib/systemd/system/emergency.service $units/hands.service
on mask systemd-resolved.service
on enable getty@tty3.service serial-getty@ttyS0.service systemd-networkd.service
on link /opt/linked.service
on enable aliased.service joined.service tpl@.service tpl@two.service tpl2@two.service tpl3@x.service
on disable fstrim.timer systemd-timesyncd.service
"#;
