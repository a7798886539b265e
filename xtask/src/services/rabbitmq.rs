//! RabbitMQ: a node by itself, with an `epmd` of its own, so that it meets no other on this machine.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::Result;

use super::authority::{AUTHORITY, CERTIFICATE, KEY};
use super::folder::{Folder, free_port, password};
use super::owned_by_us;
use super::server::Server;

pub(crate) const PACKAGES: &[&str] = &["rabbitmq-server"];

const USER: &str = "fathom";

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("rabbitmq")?;
    let (port, tls, distribution, epmd) = (free_port()?, free_port()?, free_port()?, free_port()?);
    let password = password()?;
    let file = |name| folder.path().join(name).display().to_string();
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{port}\nlisteners.ssl.1 = 127.0.0.1:{tls}\nssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\nssl_options.verify = verify_none\n\
         default_user = {USER}\ndefault_pass = {password}\nlog.console = true\nlog.console.level = warning\n\
         log.file = false\nnum_acceptors.tcp = 2\nnum_acceptors.ssl = 2\n",
        file(AUTHORITY),
        file(CERTIFICATE),
        file(KEY)
    );
    fs::write(home.join("rabbitmq.conf"), settings)?;
    fs::write(home.join("enabled_plugins"), "[].\n")?;
    let cookie = home.join(".erlang.cookie");
    fs::write(&cookie, super::folder::password()?)?;
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;

    let mut names = owned_by_us("KILL");
    names.args(["epmd", "-address", "127.0.0.1", "-port", &epmd.to_string()]).current_dir(&home);

    let mut command = owned_by_us("KILL");
    // The script of the package would change the user and read the settings of the machine.
    command
        .arg("/usr/lib/rabbitmq/bin/rabbitmq-server")
        .current_dir(&home)
        .env("HOME", &home)
        // The script then becomes the server instead of waiting for it.
        .env("RABBITMQ_ALLOW_INPUT", "1")
        .env("RABBITMQ_NODENAME", format!("fathom-{}@localhost", std::process::id()))
        .env("RABBITMQ_CONF_ENV_FILE", home.join("none"))
        .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", home.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", home.join("data"))
        .env("RABBITMQ_LOG_BASE", home.join("log"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_GENERATED_CONFIG_DIR", home.join("generated"))
        .env("RABBITMQ_PID_FILE", home.join("pid"))
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-noinput -start_epmd false +S 1:1 +sbwt none +A 4 -kernel inet_dist_use_interface {127,0,0,1}",
        );
    Ok(Server {
        name: "rabbitmq",
        commands: vec![names, command],
        variables: vec![
            ("FATHOM_TEST_AMQP", format!("amqp://{USER}:{password}@127.0.0.1:{port}/%2f")),
            ("FATHOM_TEST_AMQP_TLS", format!("amqps://{USER}:{password}@127.0.0.1:{tls}/%2f")),
        ],
        answers: Box::new(move || is_ready(port).unwrap_or(false)),
        log: folder.path().join("rabbitmq.log"),
        running: Vec::new(),
    })
}

/// Who sends the header of the protocol is told which methods there are.
fn is_ready(port: u16) -> Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    stream.write_all(b"AMQP\0\0\x09\x01")?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok(kind == [1])
}
