//! A certificate authority for the servers of one run, and their common certificate.

use std::path::Path;

use anyhow::Result;

use crate::shell;

/// The certificate of the authority, the certificate of the servers and its key.
pub(crate) const AUTHORITY: &str = "authority.pem";
pub(crate) const CERTIFICATE: &str = "server.pem";
pub(crate) const KEY: &str = "server.key";

/// Makes both in the folder.
pub(crate) fn make(folder: &Path) -> Result<()> {
    shell::bash(
        folder,
        &format!(
            r#"
            kind=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
            openssl req -x509 "${{kind[@]}}" -keyout authority.key -out {AUTHORITY} -days 3 \
              -subj '/CN=authority of tests' -addext keyUsage=critical,keyCertSign 2>&1
            openssl req "${{kind[@]}}" -keyout {KEY} -out server.csr -subj /CN=localhost 2>&1
            printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n' > extensions
            openssl x509 -req -in server.csr -CA {AUTHORITY} -CAkey authority.key -CAcreateserial \
              -days 3 -extfile extensions -out {CERTIFICATE} 2>&1
            rm authority.key server.csr extensions
            chmod 644 {AUTHORITY} {CERTIFICATE}
            chmod 600 {KEY}
            "#
        ),
    )?;
    Ok(())
}
