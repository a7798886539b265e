//! Redis, which writes to the disk before it answers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;

use super::authority::{AUTHORITY, CERTIFICATE, KEY};
use super::folder::{Folder, free_port, password};
use super::owned_by_us;
use super::server::Server;

pub(crate) const PACKAGES: &[&str] = &["redis-server"];

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("redis")?;
    let (port, tls, password) = (free_port()?, free_port()?, password()?);
    let file = |name| folder.path().join(name).display().to_string();
    let settings = format!(
        "bind 127.0.0.1\nport {port}\ntls-port {tls}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\n\
         tls-auth-clients no\nrequirepass {password}\ndir {}\nappendonly yes\nappendfsync always\nsave \"\"\n\
         io-threads 1\n",
        file(CERTIFICATE),
        file(KEY),
        file(AUTHORITY),
        home.display()
    );
    fs::write(home.join("redis.conf"), settings)?;
    let mut command = owned_by_us("KILL");
    command.arg("redis-server").arg(home.join("redis.conf")).current_dir(&home);
    let secret = password.clone();
    Ok(Server {
        name: "redis",
        commands: vec![command],
        variables: vec![
            ("FATHOM_TEST_REDIS", format!("redis://:{password}@127.0.0.1:{port}/")),
            ("FATHOM_TEST_REDIS_TLS", format!("rediss://:{password}@127.0.0.1:{tls}/")),
        ],
        answers: Box::new(move || is_ready(port, &secret).unwrap_or(false)),
        log: folder.path().join("redis.log"),
        running: Vec::new(),
    })
}

/// While it still reads its data it says that it is loading.
fn is_ready(port: u16, password: &str) -> Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    write!(stream, "AUTH {password}\r\nPING\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.contains("+PONG"))
}
