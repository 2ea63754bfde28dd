//! Times: any text is read without a panic, and what is read can be written and read again.

use schema::Timestamp;
use schema::time::duration_micros;

/// The input is a text that stands where a time is expected.
pub(crate) fn target(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let now = Timestamp::from_text("2020-06-01T00:00:24Z").expect("it is a time");
    let asked = [now, Timestamp::MIN, Timestamp::MAX].map(|now| Timestamp::from_request(text, now).ok());
    let read = [Timestamp::from_text(text), Timestamp::from_number(text)];
    for time in read.into_iter().chain(asked).flatten() {
        assert!((Timestamp::MIN..=Timestamp::MAX).contains(&time), "{time:?} lies outside of the years");
        assert_eq!(Timestamp::from_text(&time.to_string()), Some(time));
    }
    if let Err(told) = Timestamp::from_request(text, now) {
        assert!(told.contains("expected"), "{told}");
    }
    let _ = duration_micros(text);
}
