//! Programs with special rights and files that everybody may write, as `find` and `getcap` list them.

use anyhow::{Result, ensure};
use fathom_guest::report::Coverage;

use super::super::guest::same;
use super::{Work, security};

const MAKE: &str = r#"
mkdir -p root/usr/bin root/usr/lib/helper root/tmp root/srv/share root/var/lib/dpkg root/opt/a/b
: > root/var/lib/dpkg/status; ln -s usr/bin root/bin
chmod 1777 root/tmp; chmod 777 root/srv/share
program() { printf x > root/$2; chmod $1 root/$2; }
program 4755 usr/bin/suid; program 2755 usr/bin/sgid; program 6711 usr/bin/both; program 4644 usr/bin/inert
program 755 usr/bin/plain; program 666 usr/bin/open; program 4777 opt/a/b/worst; program 4755 usr/lib/helper/x
chown 33:44 root/usr/bin/sgid; chmod 2755 root/usr/bin/sgid
mkdir root/opt/sgid-folder; chmod 2777 root/opt/sgid-folder; chmod 1777 root/opt/a
program 755 usr/bin/ping; setcap cap_net_raw=ep root/usr/bin/ping
program 755 usr/bin/two; setcap 'cap_net_bind_service,cap_sys_admin+p cap_chown+i' root/usr/bin/two
program 755 opt/a/all; setcap 'cap_dac_override,cap_bpf=eip' root/opt/a/all
program 755 usr/bin/spaced; setcap -n 1000 cap_net_raw=ep root/usr/bin/spaced
ln -s suid root/usr/bin/link; mkfifo -m 666 root/opt/pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("root/opt/socket")'; chmod 777 root/opt/socket
"#;

/// What is found, line by line.
struct Found {
    set_id: Vec<String>,
    capable: Vec<String>,
    writable: Vec<String>,
    coverage: Coverage,
}

/// Over the whole tree all; over the usual folders those that lie there.
pub(super) fn open_files(work: &Work) -> Result<()> {
    work.bash(MAKE)?;
    let found = |deep: bool| -> Result<Found> {
        let security = security(work, deep)?;
        let line = |it: &fathom_guest::report::OpenFile| {
            let mode = it.mode.trim_start_matches('0');
            format!("{} {mode} {} {}", it.path, it.owner, it.group)
        };
        let set_id = security.set_id.items.iter();
        let by_mode = set_id.clone().filter(|it| it.mode.as_bytes()[0] & 6 != 0).map(line);
        let capable =
            set_id.filter_map(|it| Some(format!("{} {}", it.path, it.capabilities.as_ref()?)));
        Ok(Found {
            set_id: by_mode.collect(),
            capable: capable.collect(),
            writable: security.world_writable.items.iter().map(line).collect(),
            coverage: security.set_id.coverage,
        })
    };
    let say = |what: &str| {
        work.bash(&format!("cd root; find . {what} -printf '/%P %m %U %G\\n' | sed 's|^/ |/|'"))
    };
    let capabilities = "cd root; getcap -n -r . | sed 's|^[./]*|/|; s|+|=|g'";

    let Found { set_id, capable, writable, coverage } = found(true)?;
    ensure!(coverage == Coverage::Complete, "after a look at everything there is more");
    same(&say("-type f -perm /6000")?, &set_id)?;
    let open = r"\( -type f -o -type d -not -perm -1000 \) -perm -0002";
    same(&say(open)?, &writable)?;
    same(&work.bash(capabilities)?, &capable)?;

    let Found { set_id, capable, coverage, .. } = found(false)?;
    ensure!(coverage == Coverage::Partial, "the usual folders pass for everything");
    same(&say("-path './usr/bin/*' -type f -perm /6000")?, &set_id)?;
    same(&work.bash(&format!("{capabilities} | grep ^/usr/bin/"))?, &capable)
}
