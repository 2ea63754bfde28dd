//! Server-sent events, taken from a body piece by piece (WHATWG HTML, section 9.2.6).

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// What kind of event.
    pub(super) kind: String,
    /// What it says.
    pub(super) data: String,
    /// The id to come back with, if it gives one.
    pub(super) id: Option<String>,
}

/// What of a body has come, and is no event yet.
#[derive(Debug, Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Events {
    /// Takes the next piece, and gives the events that it completes.
    pub(super) fn take(&mut self, piece: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut begin = 0;
        while let Some(length) = self.rest[begin..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[begin..begin + length]).into_owned();
            begin += length + 1;
            events.extend(self.line(line.trim_end_matches('\r')));
        }
        self.rest.drain(..begin);
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => self.event.kind = value.to_owned(),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.has_data = true;
                self.event.data.push_str(value);
            }
            // A comment, or a field that means nothing here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, data: &str, id: Option<&str>) -> Event {
        Event { kind: kind.into(), data: data.into(), id: id.map(Into::into) }
    }

    #[test]
    fn events_are_the_same_however_the_body_is_cut() {
        let body = ":\n\nevent: next\nid: a\ndata: {\"ü\":1}\n\nevent:next\r\ndata: x\r\ndata:y\r\n\r\nevent: complete\ndata:\n\nevent: cut\ndata: off";
        let expect =
            [event("next", "{\"ü\":1}", Some("a")), event("next", "x\ny", None), event("complete", "", None)];
        for size in 1..body.len() {
            let mut events = Events::default();
            let got: Vec<Event> = body.as_bytes().chunks(size).flat_map(|piece| events.take(piece)).collect();
            assert_eq!(got, expect, "in pieces of {size}");
        }
    }
}
