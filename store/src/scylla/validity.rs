//! Until when a certificate is valid: the one thing of X.509 that is read here, for people. Whether it is trusted is decided by
//! the library of TLS.

use schema::Timestamp;

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity; `None` if it is not where it should be.
pub(super) fn until(certificate: &[u8]) -> Option<Timestamp> {
    let (signed, _) = expect(SEQUENCE, certificate)?;
    let (mut fields, _) = expect(SEQUENCE, signed)?;
    if let Some((_, rest)) = expect(VERSION, fields) {
        fields = rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, _) = expect(SEQUENCE, fields)?;
    let (_, _, end) = element(validity)?;
    let (tag, end, _) = element(end)?;
    time(tag, std::str::from_utf8(end).ok()?)
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let text = match tag {
        // Years of two digits are 1950 to 2049.
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Timestamp::from_text(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// What an element of this tag holds, and what follows it.
fn expect(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// The first element: its tag, what it holds, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // So many bytes of length follow. A certificate is no longer than four of them say.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_is_found_on_either_side_of_2050_and_in_nothing_else() {
        for (year, expect) in [(2031, "2031-07-09T00:00:00.000000Z"), (2077, "2077-07-09T00:00:00.000000Z")] {
            let mut params = CertificateParams::new(vec!["a".into()]).unwrap();
            params.not_after = date_time_ymd(year, 7, 9);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let bytes = certificate.der();
            assert_eq!(until(bytes).unwrap().to_string(), expect);
            // Cut short anywhere, it is no certificate.
            for end in 0..bytes.len() {
                assert_eq!(until(&bytes[..end]), None);
            }
        }
    }
}
