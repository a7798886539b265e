//! Damaged certificates, and damaged texts that say how a system is guarded.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    let target =
        |name, seeds, exercise| Target { name, seeds, fix: nothing, exercise, refused: &[] };
    vec![
        target(
            "certificate",
            certificates as fn(&Work) -> Result<Vec<Vec<u8>>>,
            exercise::certificate as fn(Vec<u8>) -> exercise::Outcome,
        ),
        target("security-text", texts, exercise::security_text),
    ]
}

fn nothing(_: &mut [u8], _: usize) {}

/// Some with many extensions, of three kinds of keys, in DER and in PEM.
fn certificates(work: &Work) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for key in ["rsa:1024", "ec -pkeyopt ec_paramgen_curve:P-521", "ed25519"] {
        work.bash(&format!(
            "openssl req -new -x509 -newkey {key} -nodes -keyout key -subj '/C=DE/O=a, b/CN=c' \
             -addext 'subjectAltName=DNS:a,IP:192.0.2.1,email:a@b,URI:c:d,dirName:n' \
             -addext 'nameConstraints=permitted;DNS:x' -outform DER -out der \
             -config <(printf '[req]\\ndistinguished_name=d\\nx509_extensions=e\\n[d]\\n[e]\\nbasicConstraints=CA:TRUE\\n[n]\\nCN=n\\n') 2>&1"
        ))?;
        seeds.push(std::fs::read(work.path("der"))?);
        work.bash("openssl x509 -inform DER -in der -out pem")?;
        seeds.push(std::fs::read(work.path("pem"))?);
    }
    Ok(seeds)
}

/// Some of each kind, and what they have in common.
fn texts(_: &Work) -> Result<Vec<Vec<u8>>> {
    let texts: [&str; 6] = [
        "Port 22\nInclude /etc/ssh/*.conf\nMatch User bob Address 192.0.2.0/24\nBanner \"a b\"\n\
         Match all\nCiphers +aes*\nRekeyLimit 1G 1h\nListenAddress [::1]:22\nIPQoS 0x10\n",
        "kernel.a = 1\n-net.ipv4.conf.*.rp_filter = 2\nnet/ipv4/conf/eth0.1/x = 3\n",
        "APT::Periodic { Enable \"1\"; List { \"a\"; }; };\n#clear A::B;\n/* x */ // y\n",
        "Types: deb\nURIs: http://a:b@c\nSuites: s\nComponents: m\n\ndeb [trusted=yes] http://x y z\n",
        "profile a /{b,c} flags=(complain) { /d r, }\n/e { }\nset superusers=\"root\"\n",
        "password [success=1 default=ignore] pam_unix.so obscure\n* hard core 0\nPASS_MAX_DAYS 9\n\
         minlen = 3\n-w /a -p wa\nSELINUX=enforcing\n",
    ];
    Ok(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}
