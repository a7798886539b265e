use fathom_report::Coverage;

use super::{Certificates, usual};
use crate::files::Files;
use crate::memory;

/// Made by openssl, which says of it what is expected below.
const PEM: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIB+jCCAZ+gAwIBAgIUXwxwSFdoz3QIwvruzL81jv+f0C0wCgYIKoZIzj0EAwIw\n\
OzELMAkGA1UEBhMCREUxFjAUBgNVBAoMDUV4YW1wbGUsIEluYy4xFDASBgNVBAMM\n\
C2V4YW1wbGUub3JnMB4XDTI2MTEyNjIxNDMzMloXDTM2MTEyMzIxNDMzMlowOzEL\n\
MAkGA1UEBhMCREUxFjAUBgNVBAoMDUV4YW1wbGUsIEluYy4xFDASBgNVBAMMC2V4\n\
YW1wbGUub3JnMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENTPEQm44wDTe3igk\n\
Peh13D3TdjA3XYD3DtOaYNB9qOjkZKkthpy0Rrd1yigRSqsKzbRN3S3kuvubkozv\n\
TfsZQ6OBgDB+MB0GA1UdDgQWBBS8ctwV6OdnmT88tNkL90qAHW42YDAfBgNVHSME\n\
GDAWgBS8ctwV6OdnmT88tNkL90qAHW42YDAPBgNVHRMBAf8EBTADAQH/MCsGA1Ud\n\
EQQkMCKCC2V4YW1wbGUub3JnhwTAAAIBgQ1hQGV4YW1wbGUub3JnMAoGCCqGSM49\n\
BAMCA0kAMEYCIQCXDsa9QnLjU91EFLzUGRZBhwok9SXLibo9byyHFaAdAgIhAJx2\n\
CvMoP0HnxpaW4kyl7jLf98PkJDDPLgUrHDpBzVxa\n\
-----END CERTIFICATE-----\n\
";

#[test]
fn a_certificate_is_told() {
    let text = format!("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n{PEM}");
    let tree = memory::tree(&[
        ("/etc/nginx/ssl/site.pem", text.as_bytes()),
        ("/etc/nginx/ssl/site.key", b"never read"),
        ("/etc/nginx/again.crt", PEM.as_bytes()),
        ("/etc/ssl/certs/ca-certificates.crt", b"never read"),
        ("/etc/ssl/certs/x.pem -> /usr/share/ca-certificates/mozilla/x.crt", b""),
        ("/usr/share/ca-certificates/mozilla/x.crt", b"never read"),
    ]);
    let files = Files::new(&tree);
    let listing = usual(&files);
    assert!(files.into_problems().is_empty());
    assert_eq!(listing.items.len(), 1, "the same certificate is told once");
    let found = &listing.items[0];
    assert_eq!(found.subject, "C=DE, O=Example\\, Inc., CN=example.org");
    assert_eq!(found.issuer, found.subject);
    assert_eq!(found.serial, "5F0C70485768CF7408C2FAEECCBF358EFF9FD02D");
    assert_eq!(found.names, ["example.org", "192.0.2.1", "a@example.org"]);
    assert_eq!(found.not_before, "2026-11-26T21:43:32Z");
    assert_eq!(found.not_after, "2036-11-23T21:43:32Z");
    assert_eq!(
        found.fingerprint,
        "259e620997682b23b7478a2a482f5a866d25138ab23aab6976a7f5006759add9"
    );
    assert_eq!(found.key.as_deref(), Some("ec 256"));
    assert_eq!(found.signature.as_deref(), Some("ecdsa-with-SHA256"));
    assert!(found.authority);
    assert!(!format!("{listing:?}").contains("c2VjcmV0"));
    assert_eq!(listing.coverage, Coverage::Partial, "the rest was not looked at");
}

#[test]
fn what_is_no_certificate_leaves_the_list_partial_and_is_a_problem() {
    let long = PEM.repeat(40);
    for bytes in [&b"-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----"[..], b"\x30\x82"]
    {
        let tree = memory::tree(&[("/etc/nginx/a.pem", bytes)]);
        let files = Files::new(&tree);
        let listing = usual(&files);
        assert!(listing.items.is_empty() && listing.coverage == Coverage::Partial);
        assert_eq!(files.into_problems().len(), 1);
    }
    let tree = memory::tree(&[("/etc/nginx/a.pem", long.as_bytes())]);
    let listing = usual(&Files::new(&tree));
    assert!(listing.reason.unwrap().contains("more than 32"), "a collection is not listed");
}

/// What openssl writes beside certificates.
#[test]
fn requests_keys_and_parameters_are_passed_over() {
    // SEQUENCE { SEQUENCE { INTEGER 0, SEQUENCE { SET { …: a request.
    let request = b"\x30\x0d\x30\x09\x02\x01\x00\x30\x04\x31\x02\x30\x00\x30\x00";
    // SEQUENCE { INTEGER …: a key of RSA, parameters of Diffie and Hellman.
    let key = b"\x30\x06\x02\x01\x00\x02\x01\x05";
    for bytes in [&request[..], key] {
        let tree = memory::tree(&[("/etc/nginx/a.der", bytes)]);
        let files = Files::new(&tree);
        assert!(usual(&files).items.is_empty());
        assert_eq!(files.into_problems(), []);
    }
    // What is cut off may have been one.
    let tree = memory::tree(&[("/etc/nginx/a.der", &request[..5])]);
    let files = Files::new(&tree);
    usual(&files);
    assert_eq!(files.into_problems().len(), 1);
}

#[test]
fn a_look_at_everything_goes_by_names_and_says_so() {
    let listing = Certificates::new().listing(true);
    assert_eq!(listing.coverage, Coverage::Partial);
    assert_eq!(listing.reason.as_deref(), Some(fathom_report::NAMED_FILES_ALONE));
}

#[test]
fn texts_that_hold_certificates_are_found_by_looking_at_everything() {
    let inside = format!("client\n<ca>\n{PEM}</ca>\n");
    let tree = memory::tree(&[("/x", inside.as_bytes())]);
    let found = tree.resolve(b"/x", true).unwrap();
    let metadata = found.metadata().unwrap();
    for path in ["/etc/vpn/client.ovpn", "/srv/noext", "/home/a/c5.txt", "/usr/local/etc/a.conf"] {
        assert!(super::is_text(path, &metadata), "{path}");
    }
    for path in ["/usr/bin/noext", "/usr/share/doc/a.txt", "/srv/a.jpg", "/srv/site.key"] {
        assert!(!super::is_text(path, &metadata), "{path}");
    }
    let text = super::read_text(&*found.open().unwrap()).unwrap().unwrap();
    let mut certificates = Certificates::new();
    certificates.text("/x", &text);
    certificates.text("/y", b"-----BEGIN CERTIFICATE-----\n...\n");
    assert_eq!(certificates.listing(true).items.len(), 1);
    assert!(super::read_text(&b"no certificate".to_vec()).unwrap().is_none());
}

/// What `openssl crl2pkcs7 -nocrl` makes, put together by hand.
#[test]
fn certificates_in_a_container_are_told() {
    fn part(tag: u8, inside: &[u8]) -> Vec<u8> {
        let length = u16::try_from(inside.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, inside].concat()
    }
    let der = &super::pem::certificates(PEM.as_bytes(), 1).unwrap()[0];
    let data = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
    let signed =
        part(0x30, &[b"\x02\x01\x01\x31\x00", &data[..], &part(0xa0, der), b"\x31\x00"].concat());
    let kind = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    let whole = part(0x30, &[&kind[..], &part(0xa0, &signed)].concat());
    let tree = memory::tree(&[("/etc/nginx/chain.p7b", &whole)]);
    let files = Files::new(&tree);
    let listing = usual(&files);
    assert_eq!(files.into_problems(), []);
    assert_eq!(listing.items.len(), 1);
    assert!(listing.items[0].subject.ends_with("CN=example.org"));
}
