//! S3: moto, which looks at every signature, over HTTP and HTTPS. What it keeps is in its memory: one
//! that was killed comes back with empty buckets.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;

use super::authority::{CERTIFICATE, KEY};
use super::folder::{Folder, free_port, password};
use super::owned_by_us;
use super::server::Server;
use crate::{shell, tools};

pub(crate) const PACKAGES: &[&str] = &["python3-venv"];

const NAME: &str = "AKIAFATHOMTESTS";
/// The buckets that there are.
const BUCKETS: &[&str] = &["reports", "images"];

pub(crate) fn prepare(folder: &Folder) -> Result<Server> {
    let home = folder.sub("s3")?;
    let (port, tls, password) = (free_port()?, free_port()?, password()?);
    let ours = shell::project().join("xtask/src/services/s3");
    let python = tools::python_with(&ours.join("requirements.txt"))?;
    let mut command = owned_by_us("KILL");
    command
        .arg(python)
        .arg(ours.join("server.py"))
        .args([port.to_string(), tls.to_string()])
        .args([folder.path().join(CERTIFICATE), folder.path().join(KEY)])
        .args([NAME, &password])
        .args(BUCKETS)
        .current_dir(&home);
    Ok(Server {
        name: "s3",
        commands: vec![command],
        variables: vec![
            ("FATHOM_TEST_S3", format!("http://127.0.0.1:{port}")),
            ("FATHOM_TEST_S3_TLS", format!("https://127.0.0.1:{tls}")),
            ("FATHOM_TEST_S3_KEY", format!("{NAME}:{password}")),
        ],
        answers: Box::new(move || is_ready(port).unwrap_or(false)),
        log: folder.path().join("s3.log"),
        running: Vec::new(),
    })
}

/// Its own page needs no signature.
fn is_ready(port: u16) -> Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(200))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /moto-api/ HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"))
}
