//! One certificate: whom it is about, when it ends, and what its key is.

use std::net::{Ipv4Addr, Ipv6Addr};

use fathom_filesystem::Timestamp;
use fathom_report::Certificate;
use sha2::{Digest as _, Sha256};
use x509_parser::asn1_rs::{Any, Class, Tag};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::time::ASN1Time;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::name;

/// How many names of one certificate are told.
const MAX_NAMES: usize = 1000;

/// Whether these bytes are something else that is kept in files of the same names, each whole and with
/// nothing in it that certificates have: requests, keys, parameters.
pub(super) fn is_other(der: &[u8]) -> bool {
    // Certificate ::= SEQUENCE { SEQUENCE { [0] version OPTIONAL, INTEGER, SEQUENCE { OBJECT
    // IDENTIFIER … before anything that tells it from a request, whose names come there.
    fn is_certificate(der: &[u8]) -> Option<bool> {
        let (_, whole) = Any::from_der(der).ok()?;
        if whole.tag() != Tag::Sequence {
            return Some(false);
        }
        let (_, signed) = Any::from_der(whole.data).ok()?;
        if signed.tag() != Tag::Sequence {
            return Some(false);
        }
        let (rest, first) = Any::from_der(signed.data).ok()?;
        if first.header.class() == Class::ContextSpecific {
            return Some(true);
        }
        let (_, second) = Any::from_der(rest).ok()?;
        if (first.tag(), second.tag()) != (Tag::Integer, Tag::Sequence) {
            return Some(false);
        }
        let (_, algorithm) = Any::from_der(second.data).ok()?;
        Some(algorithm.tag() == Tag::Oid)
    }
    is_certificate(der) == Some(false)
}

/// The certificate that `der` begins with; or why it is none.
pub(super) fn read(der: &[u8], path: &str) -> Result<Certificate, String> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|error| format!("it is no certificate: {error}"))?;
    let whole = &der[..der.len() - rest.len()];
    let authority = certificate.basic_constraints().map_err(|error| error.to_string())?;
    let alternative = certificate.subject_alternative_name().map_err(|error| error.to_string())?;
    let names = alternative.map(|extension| {
        extension.value.general_names.iter().filter_map(general).take(MAX_NAMES).collect()
    });
    let validity = certificate.validity();
    Ok(Certificate {
        subject: name::line(certificate.subject()),
        issuer: name::line(certificate.issuer()),
        serial: serial(certificate.tbs_certificate.raw_serial()),
        names: names.unwrap_or_default(),
        not_before: time(validity.not_before)?,
        not_after: time(validity.not_after)?,
        fingerprint: Sha256::digest(whole).iter().map(|byte| format!("{byte:02x}")).collect(),
        key: Some(key(certificate.public_key())),
        signature: Some(signature(&certificate.signature_algorithm.algorithm.to_id_string())),
        authority: authority.is_some_and(|constraints| constraints.value.ca),
        evidence: path.into(),
    })
}

fn time(time: ASN1Time) -> Result<String, String> {
    // From the year 0 to the year 9999.
    let seconds = time.timestamp();
    match seconds {
        -62_167_219_200..=253_402_300_799 => Ok(Timestamp::new(seconds, 0).to_string()),
        _ => Err("a date is out of reach".to_owned()),
    }
}

/// In hexadecimal, without the zero that only says that it is no negative number.
fn serial(bytes: &[u8]) -> String {
    let bytes = match bytes {
        [0, rest @ ..] if !rest.is_empty() => rest,
        bytes => bytes,
    };
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn general(name: &GeneralName<'_>) -> Option<String> {
    Some(match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            (*name).to_owned()
        }
        GeneralName::IPAddress(bytes) => {
            if let Ok(four) = <[u8; 4]>::try_from(*bytes) {
                Ipv4Addr::from(four).to_string()
            } else if let Ok(sixteen) = <[u8; 16]>::try_from(*bytes) {
                Ipv6Addr::from(sixteen).to_string()
            } else {
                return None;
            }
        }
        GeneralName::DirectoryName(name) => super::name::line(name),
        GeneralName::RegisteredID(number) => number.to_id_string(),
        _ => return None,
    })
}

/// Curves and the sizes of their keys.
const CURVES: [(&str, usize); 8] = [
    ("1.2.840.10045.3.1.7", 256),
    ("1.3.132.0.34", 384),
    ("1.3.132.0.35", 521),
    ("1.3.132.0.10", 256),
    ("1.2.840.10045.3.1.1", 192),
    ("1.3.36.3.3.2.8.1.1.7", 256),
    ("1.3.36.3.3.2.8.1.1.11", 384),
    ("1.3.36.3.3.2.8.1.1.13", 512),
];

fn key(info: &SubjectPublicKeyInfo<'_>) -> String {
    let number = info.algorithm.algorithm.to_id_string();
    match number.as_str() {
        "1.3.101.112" => return "ed25519 256".to_owned(),
        "1.3.101.113" => return "ed448 456".to_owned(),
        "1.3.101.110" => return "x25519 256".to_owned(),
        _ => {}
    }
    if number == "1.2.840.113549.1.1.10" {
        // The key is that of any RSA, which may only be used in one way.
        let key = RSAPublicKey::from_der(&info.subject_public_key.data);
        return key.map_or(number, |(_, rsa)| format!("rsa-pss {}", bits(rsa.modulus)));
    }
    match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("rsa {}", bits(rsa.modulus)),
        Ok(PublicKey::DSA(_)) => {
            // The size is that of the first of its parameters, a sequence of three numbers.
            let parameters = info.algorithm.parameters.as_ref().map(|any| any.data);
            match parameters.and_then(first_integer) {
                Some(prime) => format!("dsa {}", bits(prime)),
                None => "dsa".to_owned(),
            }
        }
        Ok(PublicKey::EC(point)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            let curve = curve.map(|oid| oid.to_id_string());
            let known = CURVES.iter().find(|(its, _)| Some(*its) == curve.as_deref());
            format!("ec {}", known.map_or_else(|| point.key_size(), |(_, size)| *size))
        }
        _ => number,
    }
}

/// How many bits the number has.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => (number.len() - zeros) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

/// The bytes of the INTEGER that `der` begins with.
fn first_integer(der: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    (*tag == 2).then(|| rest.get(..length)).flatten()
}

/// The names of algorithms of signatures; others are shown as their numbers.
fn signature(number: &str) -> String {
    let name = match number {
        "1.2.840.113549.1.1.2" => "md2WithRSAEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.2.840.10040.4.3" => "dsaWithSHA1",
        "2.16.840.1.101.3.4.3.1" => "dsa_with_SHA224",
        "2.16.840.1.101.3.4.3.2" => "dsa_with_SHA256",
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.3.101.112" => "ED25519",
        "1.3.101.113" => "ED448",
        number => number,
    };
    name.to_owned()
}
