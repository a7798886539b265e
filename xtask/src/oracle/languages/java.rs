//! Java: archives as Maven publishes them, one of them shaded, and applications put together of them.

use anyhow::Result;
use fathom_guest::report::PackageKind;

use super::{cached, folder, found, same, shown};
use crate::oracle::Work;

/// Python's own reader of archives says which `pom.properties` lie where, in whatever depth; of the
/// two archives that have none, what Maven calls them is known.
const SAID: &str = r#"
import glob, hashlib, io, sys, zipfile
def archive(data, place):
    name = place.rsplit("/", 1)[-1]
    with zipfile.ZipFile(io.BytesIO(data)) as zip:
        poms = []
        for one in zip.namelist():
            parts = one.split("/")
            if one.startswith("META-INF/maven/") and len(parts) == 5 and parts[4] == "pom.properties":
                lines = (line.split("=", 1) for line in zip.read(one).decode().splitlines() if "=" in line)
                says = {key.strip(): value.strip() for key, value in lines}
                poms.append((says["groupId"] + ":" + says["artifactId"], says["version"]))
        names = {"javax.inject-1.jar": ("javax.inject", "1"), "app-5.0.jar": ("app", "5.0"),
                 "web-1.war": ("web", "1"), "all-2.ear": ("all", "2"),
                 "wiremock-standalone-2.27.2.jar": ("wiremock-standalone", "2.27.2")}
        itself = names.get(name)
        for pom in poms:
            if name == pom[0].split(":")[1] + "-" + pom[1] + ".jar":
                itself = pom
        digest = "sha1:" + hashlib.sha1(data).hexdigest()
        for pom in sorted(set(poms + ([itself] if itself else []))):
            times = max(poms.count(pom), 1)
            for _ in range(times):
                print(place, *pom, digest if pom == itself else "-", sep="\t")
        for one in zip.namelist():
            if one.endswith((".jar", ".war", ".ear")):
                archive(zip.read(one), place + "!/" + one)
for path in sorted(glob.glob("root/srv/**/*.?ar", recursive=True)):
    archive(open(path, "rb").read(), path[4:])
"#;

pub(super) fn archives(work: &Work) -> Result<()> {
    let project = shown(&folder("java"));
    let jars = cached(
        "java",
        &format!(
            "mvn -q -B -f {project}/pom.xml dependency:copy-dependencies -DexcludeTransitive=true \
             -DoutputDirectory=$PWD 2>&1
             sha256sum --check --quiet {project}/checksums"
        ),
    )?;
    // As Spring Boot has it: what is within is stored as it is, a script leads. A web application
    // compresses what is within, and an enterprise application that once more.
    work.bash(&format!(
        r#"mkdir -p root/srv/lib boot/BOOT-INF/lib web/WEB-INF/lib all
cp {jars}/*.jar root/srv/lib/
cp {jars}/guava-*.jar {jars}/javax.inject-*.jar boot/BOOT-INF/lib/
cp {jars}/commons-lang3-*.jar {jars}/slf4j-api-*.jar web/WEB-INF/lib/
(cd boot; zip -q -0 -r ../app.zip .); (printf '#!/bin/sh\nexec java -jar "$0"\n'; cat app.zip) > root/srv/app-5.0.jar
(cd web; zip -q -9 -r ../all/web-1.war .); (cd all; zip -q -9 -r ../root/srv/all-2.ear .)"#,
        jars = shown(&jars),
    ))?;
    std::fs::write(work.path("said.py"), SAID)?;
    let said = work.bash("/usr/bin/python3 said.py")?;
    let ours = found(work, PackageKind::Maven)?.into_iter().map(|package| {
        let place = package.location.unwrap_or_default();
        let checksum = package.checksum.as_deref().unwrap_or("-");
        format!("{place}\t{}\t{}\t{checksum}", package.name, package.version)
    });
    same(&said, &ours.collect::<Vec<_>>())
}
