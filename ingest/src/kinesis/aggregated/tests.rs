//! Aggregated records, made by another program, by a writer that does nothing else, and by chance.

use proptest::prelude::*;

use super::*;

fn from_hex(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect::<Vec<u8>>().into()
}

fn shown(record: &Bytes) -> Option<Vec<(String, String)>> {
    let message =
        |message: Aggregated| (message.key.to_string(), String::from_utf8(message.data.to_vec()).unwrap());
    Some(split(record)?.into_iter().map(message).collect())
}

/// A number as protobuf writes it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn bytes_field(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number_field(field: u64, number: u64) -> Vec<u8> {
    [varint(field << 3), varint(number)].concat()
}

fn message(key: u64, data: &[u8]) -> Vec<u8> {
    bytes_field(3, &[number_field(1, key), bytes_field(3, data)].concat())
}

fn seal(body: &[u8]) -> Bytes {
    [&MAGIC[..], body, &Md5::digest(body)[..]].concat().into()
}

/// The reference: what the library writes for `messages`.
fn write(messages: &[(String, Vec<u8>)]) -> Bytes {
    let mut keys: Vec<&String> = messages.iter().map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    let mut body: Vec<u8> = keys.iter().flat_map(|key| bytes_field(1, key.as_bytes())).collect();
    for (key, data) in messages {
        body.extend(message(keys.binary_search(&key).unwrap() as u64, data));
    }
    seal(&body)
}

#[test]
fn records_of_another_program_are_split() {
    for (hex, expect) in [
        (
            "f3899ac20a026b301a0b08001a077b2269223a307de16bca26d3d554884f0d0653a49791e9",
            &[("k0", r#"{"i":0}"#)][..],
        ),
        (
            "f3899ac20a026b300a026b310a026b321a0b08001a077b2269223a307d1a0b08011a077b2269223a317d1a0b08021a077b2269223a327d1a0b08001a077b2269223a337d1a0b08011a077b2269223a347d045775c0411cf54f63c3fe8f142c5afa",
            &[
                ("k0", r#"{"i":0}"#),
                ("k1", r#"{"i":1}"#),
                ("k2", r#"{"i":2}"#),
                ("k0", r#"{"i":3}"#),
                ("k1", r#"{"i":4}"#),
            ],
        ),
        (
            "f3899ac20a01610a01621a0408011a001a0508001a01781a0608011a025b5d66dc52ecd46610d8c831b37ce4bc5a5e",
            &[("b", ""), ("a", "x"), ("b", "[]")],
        ),
    ] {
        let record = from_hex(hex);
        let expect = expect.iter().map(|(key, data)| ((*key).to_owned(), (*data).to_owned())).collect();
        assert_eq!(shown(&record), Some(expect));
        // One bit of it is another.
        for at in 0..record.len() {
            let mut damaged = record.to_vec();
            damaged[at] ^= 1;
            assert_eq!(split(&damaged.into()), None, "{hex} at {at}");
        }
        assert_eq!(split(&record.slice(..record.len() - 1)), None);
    }
}

#[test]
fn a_body_is_read_as_protobuf_is() {
    let key = bytes_field(1, b"k");
    let one = message(0, b"1");
    let hashed = [number_field(1, 0), number_field(2, 0), bytes_field(3, b"1"), bytes_field(4, b"\x0a\x01t")];
    let twice = [number_field(1, 9), number_field(1, 0), bytes_field(3, b"9"), bytes_field(3, b"1")];
    let unknown = [varint(9 << 3 | 1), vec![0; 8], varint(9 << 3 | 5), vec![0; 4], number_field(9, u64::MAX)];
    let good =
        |body: &[u8]| assert_eq!(shown(&seal(body)), Some(vec![("k".into(), "1".into())]), "{body:x?}");
    good(&[key.clone(), one.clone()].concat());
    good(&[one.clone(), key.clone()].concat());
    good(&[key.clone(), bytes_field(2, b"123"), bytes_field(3, &hashed.concat())].concat());
    // The last of a field that may be there once is meant.
    good(&[key.clone(), bytes_field(3, &twice.concat())].concat());
    good(&[key.clone(), unknown.concat(), one.clone()].concat());
    // A number may be longer than it need be.
    good(&[key.clone(), bytes_field(3, &[vec![8, 0x80, 0], bytes_field(3, b"1")].concat())].concat());
    assert_eq!(split(&seal(&key)), Some(Vec::new()));

    let bad = |body: &[u8], why: &str| assert_eq!(split(&seal(body)), None, "{why}");
    bad(b"", "no body");
    bad(&one, "a key that is not there");
    bad(&[key.clone(), message(1, b"1")].concat(), "a key that is not there");
    bad(&[key.clone(), message(u64::MAX, b"1")].concat(), "a key that is not there");
    bad(&[bytes_field(1, b"\xff"), one.clone()].concat(), "a key that is no text");
    bad(&[bytes_field(1, b""), one.clone()].concat(), "an empty key");
    bad(&[bytes_field(1, &[b'k'; 257]), one.clone()].concat(), "a long key");
    bad(&[number_field(1, 0), one].concat(), "a key that is a number");
    bad(&[key.clone(), bytes_field(3, &number_field(1, 0))].concat(), "a message without data");
    bad(&[key.clone(), bytes_field(3, &bytes_field(3, b"1"))].concat(), "a message without a key");
    bad(&[key.clone(), vec![3 << 3 | 5, 0, 0, 0, 0]].concat(), "a message that is four bytes");
    bad(&[key.clone(), vec![3 << 3 | 3]].concat(), "a group");
    bad(&[key.clone(), vec![3 << 3 | 2, 200, 1, 0]].concat(), "a field beyond the end");
    bad(&[key.clone(), vec![2, 0]].concat(), "field number 0");
    bad(&[key.clone(), vec![8], vec![0x80; 9], vec![2]].concat(), "a number beyond 64 bits");
    bad(&[key, vec![8], vec![0x80; 12]].concat(), "a number without an end");
}

#[test]
fn how_many_messages_there_are_is_bounded() {
    let body = |count: usize| {
        let mut body = bytes_field(1, b"k");
        (0..count).for_each(|_| body.extend(message(0, b"")));
        body
    };
    let most = split(&seal(&body(MESSAGES_MAX))).unwrap();
    assert_eq!(most.len(), MESSAGES_MAX);
    assert!(most.iter().all(|message| Arc::ptr_eq(&message.key, &most[0].key)));
    assert_eq!(split(&seal(&body(MESSAGES_MAX + 1))), None);
    let keys: Vec<u8> = (0..=MESSAGES_MAX).flat_map(|_| bytes_field(1, b"k")).collect();
    assert_eq!(split(&seal(&keys)), None);
}

proptest! {
    #[test]
    fn what_is_written_is_read(messages in prop::collection::vec(("[a-cäß☃]{1,3}", any::<Vec<u8>>()), 1..40)) {
        let record = write(&messages);
        let read: Vec<_> = split(&record).unwrap().into_iter().map(|m| (m.key.to_string(), m.data.to_vec())).collect();
        prop_assert_eq!(read, messages);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert_eq!(split(&bytes.clone().into()), None);
        let _ = split(&[&MAGIC[..], &bytes].concat().into());
        // The checksum is right: the body is read.
        let _ = split(&seal(&bytes));
    }

    /// Nearly right bodies get further than arbitrary ones.
    #[test]
    fn damaged_bodies_never_panic(
        messages in prop::collection::vec(("[a-c]{1,2}", prop::collection::vec(any::<u8>(), 0..6)), 1..9),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let record = write(&messages);
        let mut body = record[MAGIC.len()..record.len() - DIGEST_BYTES].to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        for body in [&body[..], &body[..cut.index(body.len())]] {
            for message in split(&seal(body)).unwrap_or_default() {
                prop_assert!(message.data.len() <= body.len());
            }
        }
    }
}
