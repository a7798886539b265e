#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use fathom_report::{Coverage, Enabled, PackageKind, ServiceKind};

use super::*;
use crate::memory::tree;
use crate::packages;

fn service(name: &str, enabled: Enabled, command: &str) -> Service {
    Service {
        start: None,
        kind: ServiceKind::Service,
        name: format!("{name}.service"),
        enabled: Fact::known(enabled, "/unit"),
        description: None,
        commands: vec![command.to_owned()],
        further_commands: Vec::new(),
        user: None,
        triggers: Vec::new(),
        evidence: vec!["/unit".into()],
    }
}

/// What is recognised of these packages (`deb:nginx=1.2`), services and files; nothing may be wrong.
fn found(packages: &[&str], services: Vec<Service>, files: &[(&str, &[u8])]) -> Vec<Application> {
    let listing = listing(packages, Listing::complete(services, Vec::new()), files);
    assert_eq!(listing.coverage, Coverage::Complete, "{:?}", listing.reason);
    listing.items
}

fn listing(
    packages: &[&str],
    services: Listing<Service>,
    files: &[(&str, &[u8])],
) -> Listing<Application> {
    let packages = packages.iter().map(|line| {
        let (kind, rest) = line.split_once(':').unwrap();
        let (name, version) = rest.split_once('=').unwrap();
        let kind = match kind {
            "deb" => PackageKind::Deb,
            "rpm" => PackageKind::Rpm,
            _ => PackageKind::Npm,
        };
        packages::of_tests(kind, name, version)
    });
    let packages = Listing::complete(packages.collect(), vec!["/database".into()]);
    let tree = tree(files);
    let files = Files::new(&tree);
    let listing = files.listing(|| all(&files, &packages, &services));
    assert!(files.into_problems().is_empty());
    listing
}

fn shown(application: &Application) -> String {
    let version = application.version.value().map_or("?", String::as_str);
    let started = match &application.started {
        Fact::Known { value, .. } => value.to_string(),
        Fact::Absent { .. } => "-".to_owned(),
        Fact::Unknown { .. } => "?".to_owned(),
    };
    let location = application.location.as_deref().unwrap_or("-");
    format!("{} {version} {started} {location}", application.name)
}

fn check(applications: Vec<Application>, expected: &[&str]) {
    let mut shown: Vec<String> = applications.iter().map(shown).collect();
    shown.sort();
    assert_eq!(shown, expected);
}

#[test]
fn packages_bring_it_and_units_start_it() {
    let packages = [
        "deb:nginx=1.22.1-9",
        "deb:nginx-core=1.22.1-9",
        "npm:redis=4.0",
        "deb:redis-server=5:7.0.15-1",
        "deb:php8.2-fpm=8.2.1",
        "deb:php8.2-common=8.2.1",
        "deb:php7.4-common=7.4.3",
        "deb:memcached=1.6",
        "deb:mongodb-org-server=7.0",
    ];
    let services = vec![
        service("nginx", Enabled::Enabled, "/usr/sbin/nginx"),
        service("redis-server", Enabled::Disabled, "/usr/bin/redis-server"),
        service("redis", Enabled::Alias, "/usr/bin/redis-server"),
        service("php8.2-fpm", Enabled::Enabled, "/usr/sbin/php-fpm8.2"),
        service("memcached", Enabled::Static, "/usr/bin/memcached"),
    ];
    let expected = [
        "memcached 1.6 ? -",
        "mongodb 7.0 ? -",
        "nginx 1.22.1-9 true -",
        "php 7.4.3 ? -",
        "php 8.2.1 true -",
        "redis 5:7.0.15-1 false /var/lib/redis",
    ];
    let found = found(&packages, services, &[("/var/lib/redis/dump.rdb", b"")]);
    let nginx = found.iter().find(|it| it.name == "nginx").unwrap();
    assert_eq!(nginx.packages, ["nginx-core", "nginx"]);
    check(found, &expected);
}

#[test]
fn services_that_could_not_be_read_may_start_it() {
    let services =
        vec![service("nginx", Enabled::Disabled, ""), service("squid", Enabled::Enabled, "")];
    let mut services = Listing::complete(services, Vec::new());
    services.hide("a folder is damaged");
    let listing = listing(&["rpm:nginx=1", "rpm:squid=2", "rpm:httpd=3"], services, &[]);
    assert_eq!(listing.coverage, Coverage::Complete);
    for application in &listing.items {
        match &application.started {
            Fact::Known { value: true, .. } => assert_eq!(application.name, "squid"),
            Fact::Unknown { reason } => assert!(reason.contains("damaged"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn clusters_of_postgresql() {
    let files: [(&str, &[u8]); 9] = [
        ("/var/lib/postgresql/13/main/PG_VERSION", b"13\n"),
        ("/var/lib/postgresql/15/main/PG_VERSION", b"15\n"),
        ("/var/lib/postgresql/15/second/PG_VERSION", b"15\n"),
        ("/var/lib/postgresql/16/lost+found/x", b""),
        ("/srv/pg/PG_VERSION", b"15\n"),
        (
            "/etc/postgresql/15/main/postgresql.conf",
            b"data_directory = '/var/lib/postgresql/15/main'\n",
        ),
        ("/etc/postgresql/15/main/start.conf", b"# comment\nmanual\n"),
        (
            "/etc/postgresql/15/third/postgresql.conf",
            b"#data_directory = '/no'\ndata_directory='/srv/pg/' # moved\n",
        ),
        ("/etc/postgresql/15/third/start.conf", b"auto\n"),
    ];
    let services = vec![service("postgresql", Enabled::Enabled, "/bin/true")];
    let found = found(&["deb:postgresql-15=15.4-1", "deb:postgresql-14=14.9-1"], services, &files);
    check(
        found,
        &[
            "postgresql 13 true /var/lib/postgresql/13/main",
            "postgresql 14.9-1 true -",
            "postgresql 15.4-1 false /var/lib/postgresql/15/main",
            "postgresql 15.4-1 true /srv/pg",
            "postgresql 15.4-1 true /var/lib/postgresql/15/second",
        ],
    );
}

#[test]
fn a_cluster_of_red_hat_belongs_to_its_package() {
    let files: [(&str, &[u8]); 2] = [
        ("/var/lib/pgsql/data/PG_VERSION", b"13\n"),
        ("/var/lib/pgsql/15/data/PG_VERSION", b"15\n"),
    ];
    let services = vec![
        service("postgresql", Enabled::Disabled, ""),
        service("postgresql-15", Enabled::Enabled, ""),
    ];
    let packages = ["rpm:postgresql-server=13.11", "rpm:postgresql15-server=15.2"];
    check(
        found(&packages, services, &files),
        &[
            "postgresql 13.11 true /var/lib/pgsql/data",
            "postgresql 15.2 true /var/lib/pgsql/15/data",
        ],
    );
}

const NOTES: &[u8] = b"text\n\n                     Apache Tomcat Version 9.0.80\n";

#[test]
fn what_no_package_brings_is_recognised_by_its_place() {
    let files: [(&str, &[u8]); 13] = [
        ("/opt/apache-tomcat-9.0.80/RELEASE-NOTES", NOTES),
        ("/opt/tomcat -> apache-tomcat-9.0.80", b""),
        ("/opt/old-tomcat/RELEASE-NOTES", b"nothing"),
        ("/usr/local/bin/redis-server", b""),
        ("/opt/kafka/libs/kafka_2.13-3.6.0.jar", b""),
        ("/opt/jboss-eap-7.4/version.txt", b"Red Hat JBoss Enterprise Application Platform - Version 7.4.0.GA\n"),
        ("/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/x", b""),
        ("/usr/share/dotnet/shared/Microsoft.NETCore.App/6.0.0-rc.1/x", b""),
        ("/usr/lib/parallels-tools/version", b"18.1.1.53328\n"),
        ("/opt/CrowdStrike/falcond", b""),
        ("/usr/local/include/node/node_version.h", b"#define NODE_MAJOR_VERSION 18\n#define NODE_MINOR_VERSION 2\n#define NODE_PATCH_VERSION 0\n"),
        ("/usr/local/include/python3.9/patchlevel.h", b"#define PY_VERSION      \t\"3.9.2\"\n"),
        ("/usr/local/include/python3.12/patchlevel.h", b"#define PY_VERSION \"3.12.0+\"\n"),
    ];
    let services = vec![
        service("tomcat", Enabled::Enabled, "/opt/tomcat/bin/startup.sh"),
        service("falcon-sensor", Enabled::Disabled, "/opt/CrowdStrike/falcond"),
        service(
            "my-kafka",
            Enabled::Enabled,
            "/bin/sh -c '/opt/kafka/bin/kafka-server-start.sh x'",
        ),
        service("backup", Enabled::Enabled, "/usr/bin/backup /opt/jboss-eap-7.4/"),
    ];
    check(
        found(&["deb:tomcat10=10.1.6"], services, &files),
        &[
            "crowdstrike-falcon ? false /opt/CrowdStrike",
            "dotnet 6.0.0-rc.1 - /usr/share/dotnet/shared/Microsoft.NETCore.App/6.0.0-rc.1",
            "dotnet 8.0.1 - /usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1",
            "jboss-eap 7.4.0.GA ? /opt/jboss-eap-7.4",
            "kafka 3.6.0 true /opt/kafka",
            "node 18.2.0 - /usr/local/include/node/node_version.h",
            "parallels-tools 18.1.1.53328 ? /usr/lib/parallels-tools",
            "python 3.12.0+ - /usr/local/include/python3.12/patchlevel.h",
            "python 3.9.2 - /usr/local/include/python3.9/patchlevel.h",
            "redis ? ? /usr/local/bin/redis-server",
            "tomcat 10.1.6 ? -",
            "tomcat 9.0.80 true /opt/apache-tomcat-9.0.80",
            "tomcat ? ? /opt/old-tomcat",
        ],
    );
}

#[test]
fn a_machine_of_java_belongs_to_the_package_of_its_version() {
    let release =
        |version: &str| format!("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"{version}\"\n").into_bytes();
    let (eight, seventeen, own) = (release("1.8.0_412"), release("17.0.12"), release("21.0.1"));
    let files: [(&str, &[u8]); 4] = [
        ("/usr/lib/jvm/java-8-openjdk-amd64/release", &eight),
        ("/usr/lib/jvm/java-17-openjdk-amd64/release", &seventeen),
        ("/usr/lib/jvm/default-java -> java-17-openjdk-amd64", b""),
        ("/opt/jdk-21.0.1/release", &own),
    ];
    let packages =
        ["deb:openjdk-17-jre-headless=17.0.12+7-1", "deb:openjdk-8-jre-headless=8u412-ga-1"];
    check(
        found(&packages, Vec::new(), &files),
        &[
            "java 17.0.12+7-1 - /usr/lib/jvm/java-17-openjdk-amd64",
            "java 21.0.1 - /opt/jdk-21.0.1",
            "java 8u412-ga-1 - /usr/lib/jvm/java-8-openjdk-amd64",
        ],
    );
}

#[test]
fn databases_of_oracle() {
    let files: [(&str, &[u8]); 5] = [
        ("/etc/oratab", b"# list\nORCL:/u01/db19:Y\n+ASM:/u01/grid:N\n*:/u01/none:N\nOLD:/u01/gone:N\n"),
        ("/u01/db19/inventory/ContentsXML/comps.xml", b"<COMP NAME=\"oracle.server\" VER=\"19.0.0.0.0\" BUILD=\"1\">"),
        ("/etc/oraInst.loc", b"inventory_loc=/u01/inv\ninst_group=oinstall\n"),
        ("/u01/inv/ContentsXML/inventory.xml", b"<HOME NAME=\"a\" LOC=\"/u01/db19\"/>\n<HOME NAME=\"b\" LOC=\"/u01/db12\" TYPE=\"O\"/>\n<HOME NAME=\"c\" LOC=\"/u01/client\"/>\n"),
        ("/u01/db12/inventory/ContentsXML/comps.xml", b"x <COMP NAME=\"oracle.server\" VER=\"12.2.0.1.0\">"),
    ];
    check(
        found(&[], Vec::new(), &files),
        &[
            "oracle-database 12.2.0.1.0 ? /u01/db12",
            "oracle-database 19.0.0.0.0 ? /u01/db19",
            "oracle-database ? ? /u01/gone",
        ],
    );
}

#[test]
fn removed_packages_bring_nothing() {
    let text = "Package: nginx\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                Package: squid\nStatus: install ok half-configured\nVersion: 2\n";
    let tree = tree(&[("/var/lib/dpkg/status", text.as_bytes())]);
    let files = Files::new(&tree);
    let packages = packages::all(&files);
    let services = Listing::complete(Vec::new(), Vec::new());
    check(all(&files, &packages, &services).items, &["squid 2 ? -"]);
}

#[test]
fn a_thousand_folders_are_noted() {
    let paths: Vec<String> = (0..1000).map(|n| format!("/opt/tomcat{n}/RELEASE-NOTES")).collect();
    let files: Vec<(&str, &[u8])> = paths.iter().map(|path| (path.as_str(), NOTES)).collect();
    let tree = tree(&files);
    let files = Files::new(&tree);
    let (packages, services) =
        (Listing::complete(vec![], vec![]), Listing::complete(vec![], vec![]));
    let listing = files.listing(|| all(&files, &packages, &services));
    assert_eq!(listing.coverage, Coverage::Partial);
    assert!(listing.items.len() <= 256);
}
