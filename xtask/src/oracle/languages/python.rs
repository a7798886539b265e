//! Python: what pip and setuptools leave, as `importlib.metadata` lists it.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::report::PackageKind;

use super::{folder, found, same, shown};
use crate::oracle::Work;
use crate::tools;

/// Wheels in a virtual environment; a folder and a file of old; an egg; and what Debian ships.
pub(super) fn distributions(work: &Work) -> Result<()> {
    let python = tools::python_with(&folder("requirements.txt"))?;
    let environment = python.parent().and_then(|bin| bin.parent()).context("no environment")?;
    work.bash(&format!(
        r#"mkdir -p root/opt/app root/usr/lib root/var/lib/dpkg one
cp -a {environment}/lib/python3.11/site-packages root/opt/app/
cd one
printf 'from setuptools import setup\nsetup(name="With.Folder", version="1.2", license="MIT", author="Joe")\n' > setup.py
PYTHONPATH= {python} setup.py -q install --root=$PWD/../root/opt/old --install-lib=lib --single-version-externally-managed --record=/dev/null 2>&1
printf 'from setuptools import setup\nsetup(name="an_egg", version="3.0")\n' > setup.py
{python} setup.py -q bdist_egg -d $PWD/../root/opt/old/lib 2>&1
printf 'from distutils.core import setup\nsetup(name="with-file", version="2.0", license="BSD")\n' > setup.py
/usr/bin/python3 -W ignore -c 'exec(open("setup.py").read())' -q install --root=$PWD/../root/opt/old --install-lib=lib 2>&1
cd ..; find root/opt/old
cp -a /usr/lib/python3 root/usr/lib/
mkdir -p root/var/lib/dpkg/info; cp -a /var/lib/dpkg/info/*.list root/var/lib/dpkg/info/
find root -name '*.pem' -delete; # some are there to be refused, and that is told
cp /var/lib/dpkg/status root/var/lib/dpkg/status"#,
        environment = shown(environment),
        python = shown(&python),
    ))?;
    let said = work.bash(
        r#"/usr/bin/python3 - <<'P'
from importlib.metadata import distributions
from glob import glob
lib = "root/opt/old/lib"
for place in ["root/opt/app/site-packages", "root/usr/lib/python3/dist-packages", lib, *glob(lib + "/*.egg")]:
    for one in distributions(path=[place]):
        if one.metadata["Name"]:
            licence = one.metadata["License-Expression"] or one.metadata["License"] or "UNKNOWN"
            licence = licence.split("\n")[0].strip()
            print(one.metadata["Name"], one.version, "-" if licence == "UNKNOWN" else licence, sep="\t")
P"#,
    )?;
    let packages = found(work, PackageKind::Python)?;
    let ours = packages.iter().map(|package| {
        let licence = package.licence.as_deref().unwrap_or("-");
        format!("{}\t{}\t{licence}", package.name, package.version)
    });
    same(&said, &ours.collect::<Vec<_>>())?;
    // dpkg says whose the files are that Debian shipped.
    let mut owned = 0;
    for package in &packages {
        let path = &package.evidence.0;
        let owner = match path.starts_with("/usr/lib/python3/") {
            true => {
                work.bash(&format!("dpkg-query -S '{path}' 2>/dev/null | cut -d: -f1 || true"))?
            }
            false => String::new(),
        };
        ensure!(package.owner.as_deref().unwrap_or_default() == owner.trim(), "{package:?}");
        owned += usize::from(package.owner.is_some());
    }
    ensure!(owned > 0, "none belongs to a package of Debian");
    Ok(())
}
