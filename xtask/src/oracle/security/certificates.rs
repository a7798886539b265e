//! Certificates of many kinds, as openssl says what they are.

use anyhow::Result;

use super::super::guest::same;
use super::{Work, security};

/// What makes them: every kind of key, names of every alphabet and with what parts names, serial
/// numbers that begin with zero, dates beyond 2050.
const MAKE: &str = r#"
mkdir -p root/etc/nginx/ssl root/etc/letsencrypt/live/a root/etc/letsencrypt/archive/a root/var/lib/dpkg
: > root/var/lib/dpkg/status
cd root/etc/nginx/ssl
make() { # NAME SUBJECT KEY… -- MORE…
  name=$1 subject=$2; shift 2; key=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do key+=("$1"); shift; done; shift || true
  openssl genpkey "${key[@]}" -out $name.key 2>/dev/null
  openssl req -new -x509 -utf8 -nameopt utf8 -key $name.key -subj "$subject" -days 100 "$@" -out $name.pem 2>/dev/null
}
make rsa1024 /CN=rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -- -sha1
make rsa2048 '/C=DE/ST=Bayern/L=München/O=Größe, Maß \& Söhne/OU=a+b/CN=rsa2048' -algorithm RSA -- -sha512
make rsapss /CN=pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
for curve in P-256 P-384 P-521 secp256k1 brainpoolP384r1; do
  make ec-$curve "/CN=ec $curve" -algorithm EC -pkeyopt ec_paramgen_curve:$curve -- -sha384
done
make ed25519 /CN=ed25519/emailAddress=a@example.org -algorithm ED25519
make ed448 '/DC=org/DC=example/UID=42/CN=ed448' -algorithm ED448
make san '/CN=*.example.org' -algorithm ED25519 -- -addext 'subjectAltName=DNS:*.example.org,DNS:b,IP:192.0.2.1,IP:2001:db8::1,email:x@y,URI:https://a/b'
make leaf /CN=leaf -algorithm ED25519 -- -addext basicConstraints=critical,CA:FALSE -set_serial 0x00ff
make small /CN=small -algorithm ED25519 -- -set_serial 5
make long /CN=long -algorithm ED25519 -- -set_serial 0x8f00000000000000000000000000000000000001
make late /CN=late -algorithm ED25519 -- -days 20000
make quoted '/O=" <quoted>; \\back/CN=#first ' -algorithm ED25519
make pair '/O=multi+OU=valued/CN=x' -algorithm ED25519 -- -multivalue-rdn
printf '[r]\ndistinguished_name=d\nprompt=no\nstring_mask=MASK:0x800\n[d]\nCN=Zoë\nO=bmp\n' > conf
openssl genpkey -algorithm ED25519 -out bmp.key 2>/dev/null
sed -i 's/^string_mask.*/string_mask=MASK:0x800/' conf
openssl req -new -x509 -utf8 -config conf -section r -key bmp.key -out bmp.pem 2>/dev/null
openssl dsaparam -genkey -out dsa.key 1024 2>/dev/null
openssl req -new -x509 -key dsa.key -subj /CN=dsa -out dsa.pem 2>/dev/null
openssl req -new -x509 -key ed25519.key -subj /CN=der -outform DER -out der.der
cat ec-P-256.pem ec-P-256.key > ec-P-256.both; mv ec-P-256.both ec-P-256.pem; rm conf
mv san.pem ../../letsencrypt/archive/a/cert1.pem; ln -s ../../archive/a/cert1.pem ../../letsencrypt/live/a/cert.pem
openssl crl2pkcs7 -nocrl -certfile small.pem -outform DER -out small.p7b; mv small.pem ../../../../small.pem
openssl crl2pkcs7 -nocrl -certfile long.pem -out long.p7b; mv long.pem ../../../../long.pem
ls *.pem | wc -l
"#;

/// What openssl says of each, in one line.
const SAY: &str = r#"
for file in small.pem long.pem root/etc/nginx/ssl/*.pem root/etc/nginx/ssl/*.der root/etc/letsencrypt/archive/a/cert1.pem; do
  form=PEM; case $file in *.der) form=DER;; esac
  say() { openssl x509 -inform $form -in $file -noout "$@" 2>/dev/null; }
  names='esc_2253,esc_ctrl,utf8,sep_comma_plus_space,sname'
  subject=$(say -subject -nameopt $names); issuer=$(say -issuer -nameopt $names)
  serial=$(say -serial); print=$(say -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)
  start=$(date -u -d "$(say -startdate | cut -d= -f2)" +%FT%TZ); end=$(date -u -d "$(say -enddate | cut -d= -f2)" +%FT%TZ)
  alt=$( { say -ext subjectAltName || true; } | tail -n +2 | sed 's/^ *//; s/DNS://g; s/IP Address://g; s/email://g; s/URI://g; s/, /,/g; s/2001:DB8:0:0:0:0:0:1/2001:db8::1/')
  bits=$(say -text | sed -n 's/.*Public-Key: (\([0-9]*\) bit).*/\1/p')
  signature=$(say -text | sed -n 's/^ *Signature Algorithm: \([^ ]*\) *$/\1/p' | head -1)
  ca=$( { say -ext basicConstraints || true; } | grep -c CA:TRUE || true)
  echo "${subject#subject=}|${issuer#issuer=}|${serial#serial=}|$start|$end|$print|$alt|$bits|$signature|$ca"
done
"#;

/// Each as openssl says it, and no key in the report.
pub(super) fn certificates(work: &Work) -> Result<()> {
    work.bash(MAKE)?;
    let said = work.bash(SAY)?;
    let security = security(work, false)?;
    let lines = security.certificates.items.iter().map(|it| {
        let key = it.key.as_deref().unwrap_or_default();
        let bits = key.rsplit(' ').next().unwrap_or_default();
        format!(
            "{}|{}|{}|{}|{}|{}|{}|{bits}|{}|{}",
            it.subject,
            it.issuer,
            it.serial,
            it.not_before,
            it.not_after,
            it.fingerprint,
            it.names.join(","),
            it.signature.as_deref().unwrap_or_default(),
            u8::from(it.authority)
        )
    });
    // openssl says no size of the keys of Edwards curves.
    let lines = lines
        .map(|line| line.replace("|256|ED25519", "||ED25519").replace("|456|ED448", "||ED448"));
    let lines: Vec<String> = lines.collect();
    same(&said, &lines)?;
    let keys = work.bash("cat root/etc/nginx/ssl/*.key | grep -v -- ----- | cut -c1-40")?;
    let report = format!("{security:?}");
    let told = keys.lines().any(|line| report.contains(line));
    anyhow::ensure!(!told, "a key got into the report");
    Ok(())
}
