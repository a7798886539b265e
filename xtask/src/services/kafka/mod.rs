//! Kafka: broker and controller in one process, which want a name and a password.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::folder::{Folder, free_port, password};
use super::owned_by_us;
use super::server::Server;
use crate::shell;

pub(crate) const PACKAGES: &[&str] = &["maven"];

const USER: &str = "fathom";
/// The archives of the broker, and what they have to be.
const PROJECT: &str = include_str!("pom.xml");
const SUMS: &str = include_str!("SHA256SUMS");
/// What the process makes do with.
const JAVA: &[&str] = &["-Xmx256m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("kafka")?;
    let (port, controller, password) = (free_port()?, free_port()?, password()?);
    let classes = format!("{}/*", archives()?.display());
    let settings = home.join("server.properties");
    fs::write(
        &settings,
        format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n\
             listeners=SASL_PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners=SASL_PLAINTEXT://127.0.0.1:{port}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT\n\
             inter.broker.listener.name=SASL_PLAINTEXT\nsasl.enabled.mechanisms=PLAIN\n\
             sasl.mechanism.inter.broker.protocol=PLAIN\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"{USER}\" password=\"{password}\" user_{USER}=\"{password}\";\n\
             log.dirs={}\nnum.partitions=4\noffsets.topic.num.partitions=4\n\
             offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n\
             num.network.threads=2\nnum.io.threads=2\nmessage.max.bytes=8388608\n",
            home.join("data").display()
        ),
    )?;
    let formatted = Command::new("java")
        .args(JAVA)
        .args(["-cp", &classes, "kafka.tools.StorageTool", "format"])
        .args(["--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ", "--config"])
        .arg(&settings)
        .output()
        .context("java could not be started")?;
    ensure!(
        formatted.status.success(),
        "the storage of Kafka: {}{}",
        String::from_utf8_lossy(&formatted.stdout),
        String::from_utf8_lossy(&formatted.stderr)
    );
    let mut command = owned_by_us("KILL");
    command.arg("java").args(JAVA).args(["-cp", &classes, "kafka.Kafka"]).arg(&settings);
    command.current_dir(&home);
    Ok(Server {
        name: "kafka",
        commands: vec![command],
        variables: vec![(
            "FATHOM_TEST_KAFKA",
            format!("kafka://{USER}:{password}@127.0.0.1:{port}/"),
        )],
        answers: Box::new(move || is_ready(port).unwrap_or(false)),
        log: folder.path().join("kafka.log"),
        running: Vec::new(),
    })
}

/// The folder of the archives, brought once, and what they have to be.
fn archives() -> Result<PathBuf> {
    let version = PROJECT
        .split_once("<artifactId>kafka_2.13</artifactId><version>")
        .and_then(|(_, rest)| rest.split_once('<'))
        .map(|(version, _)| version)
        .context("no version of Kafka is named")?;
    let root = shell::cache()?.join(format!("kafka-{version}"));
    fs::create_dir_all(&root)?;
    fs::write(root.join("pom.xml"), PROJECT)?;
    fs::write(root.join("SHA256SUMS"), SUMS)?;
    shell::bash(
        &root,
        "if [ ! -d archives ]; then
           rm -rf draft
           mvn --quiet --batch-mode dependency:copy-dependencies \
             -DoutputDirectory=\"$PWD/draft\" -DincludeScope=runtime
           [ \"$(cd draft; echo *)\" = \"$(awk '{print $2}' SHA256SUMS | LC_ALL=C sort | xargs)\" ]
           (cd draft && sha256sum --quiet --check ../SHA256SUMS)
           mv draft archives
         fi",
    )
    .context("the archives of Kafka")?;
    Ok(root.join("archives"))
}

/// Who asks which requests there are is answered before a login.
fn is_ready(port: u16) -> Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    // Length, ApiVersions, version 0, number 7, no name.
    stream.write_all(&[0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff])?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    Ok(answer[4..] == [0, 0, 0, 7, 0, 0])
}
