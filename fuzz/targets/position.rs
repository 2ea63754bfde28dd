//! Positions: bytes and texts come back, and sort as numbers do.

use schema::Position;
use schema::position::Sequence;

/// The input is the bytes of a position, a position's text, and two sequences parted by a space.
pub(crate) fn target(input: &[u8]) {
    if let Some((position, rest)) = Position::decode(input) {
        let mut bytes = Vec::new();
        position.encode(&mut bytes);
        assert_eq!([&bytes, rest].concat(), input, "a position has one encoding");
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(position) = text.parse::<Position>() {
        let again = position.to_string().parse();
        assert_eq!(again, Ok(position), "a text stands for one position");
    }
    let numbers = text.split_once(' ').map(|(a, b)| (a.parse::<Sequence>(), b.parse::<Sequence>()));
    if let Some((Ok(a), Ok(b))) = numbers {
        let digits = |n: &Sequence| n.to_string();
        let by_digits = digits(&a).len().cmp(&digits(&b).len()).then_with(|| digits(&a).cmp(&digits(&b)));
        let bytes = |n: &Sequence| {
            let mut bytes = Vec::new();
            n.encode(&mut bytes);
            bytes
        };
        assert_eq!((a.cmp(&b), bytes(&a).cmp(&bytes(&b))), (by_digits, by_digits));
        assert_eq!(digits(&a).parse(), Ok(a));
    }
}
