//! The verdict on one message: a pure function of it, its stream's definition, its sender and the limits.

use schema::json::CheckLimits;
use schema::{Limits, Stream, Topic, TopicRule};
use store::{PublishError, PublishRequest, WritePolicy};

use crate::admissible;
use crate::log::LogEntry;

/// What goes into the log for `request`, and the topic that it will have.
///
/// # Errors
/// [`PublishError`] says what is wrong with it, JSON first, as every route then gives the same verdict.
pub(super) fn admit(
    stream: &Stream,
    caller: &dyn WritePolicy,
    request: PublishRequest,
    limits: &Limits,
) -> Result<(Topic, LogEntry), PublishError> {
    let data = admissible::message(&request.data, CheckLimits::from(limits))?;
    let key = request.key.filter(|key| !key.is_empty());
    if let Some(key) = &key {
        admissible::key(key).map_err(PublishError::Invalid)?;
    }
    let named = named_topic(stream, caller, request.topic)?;
    let topic = stream.route(named.as_ref(), key.as_deref().unwrap_or_default(), &data)?;
    caller.may_write(&stream.name, &topic).map_err(PublishError::Denied)?;
    let key = key.map_or_else(|| topic.as_str().into(), Into::into);
    Ok((topic, LogEntry { stream: stream.name.clone(), key, topic: named, data }))
}

/// What goes into a log that carries nothing but keys and messages, so that it is routed there to `topic` again.
///
/// # Errors
/// [`PublishError::Invalid`] where it would not be.
pub(super) fn unnamed(stream: &Stream, topic: &Topic, entry: LogEntry) -> Result<LogEntry, PublishError> {
    // Whoever reads there takes the key for the caller.
    let key = match stream.topic {
        TopicRule::Caller => topic.as_str().into(),
        _ => entry.key,
    };
    let is_same = match stream.topic {
        TopicRule::Caller => true,
        _ => stream.route(None, &key, &entry.data).is_ok_and(|routed| routed == *topic),
    };
    if !is_same {
        return Err(PublishError::Invalid(format!(
            "Kinesis carries no topic beside the message, and stream {} would not route this one to {:?}: leave the topic out",
            stream.name,
            topic.as_str()
        )));
    }
    Ok(LogEntry { key, topic: None, ..entry })
}

/// The topic that the sender is entitled to name, if any. Where the stream's topic is the caller, that is its own, and
/// no other may be named.
fn named_topic(
    stream: &Stream,
    caller: &dyn WritePolicy,
    named: Option<Topic>,
) -> Result<Option<Topic>, PublishError> {
    if stream.topic != TopicRule::Caller {
        return Ok(named);
    }
    let own = caller.own_topic();
    match named {
        Some(other) if other != own => Err(PublishError::Denied(format!(
            "in stream {} each caller writes its own topic: name none, or yours, which is {:?}",
            stream.name,
            own.as_str()
        ))),
        _ => Ok(Some(own)),
    }
}

#[cfg(test)]
mod tests {
    use schema::StreamName;

    use super::*;
    use crate::testing::Caller;

    fn verdict(
        stream: &str,
        key: Option<&str>,
        topic: Option<&str>,
        data: &str,
    ) -> Result<(String, String, Option<String>, String), String> {
        let stream: Stream = serde_json::from_str(stream).unwrap();
        let request = PublishRequest {
            stream: StreamName::new("s").unwrap(),
            topic: topic.map(|topic| Topic::new(topic).unwrap()),
            key: key.map(Into::into),
            data: data.to_owned().into(),
        };
        let limits = Limits { message_bytes: 40, json_depth: 3, ..Limits::default() };
        admit(&stream, &Caller::new("me"), request, &limits)
            .map(|(topic, entry)| {
                let text = String::from_utf8(entry.data.to_vec()).unwrap();
                (topic.to_string(), entry.key.to_string(), entry.topic.map(|topic| topic.to_string()), text)
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_message_is_routed_once_it_may_come_in() {
        let (plain, own) = (r#"{"name":"s"}"#, r#"{"name":"s","topic":"caller"}"#);
        let pointed = r#"{"name":"s","topic":"/t"}"#;
        for (stream, key, topic, data, expect) in [
            (plain, Some("k"), None, " 1\n", ("k", "k", None, "1")),
            (plain, Some("k"), Some("t"), "{}", ("t", "k", Some("t"), "{}")),
            (plain, None, Some("t"), "{}", ("t", "t", Some("t"), "{}")),
            (own, None, None, "{}", ("me", "me", Some("me"), "{}")),
            (own, Some("k"), Some("me"), "{}", ("me", "k", Some("me"), "{}")),
            (pointed, None, None, r#"{"t":7}"#, ("7", "7", None, r#"{"t":7}"#)),
            (pointed, Some(""), Some("x"), r#"{"t":7}"#, ("x", "x", Some("x"), r#"{"t":7}"#)),
        ] {
            let expect = (expect.0.into(), expect.1.into(), expect.2.map(Into::into), expect.3.into());
            assert_eq!(verdict(stream, key, topic, data), Ok(expect), "{stream} {key:?} {topic:?} {data}");
        }
    }

    #[test]
    fn where_the_log_carries_no_topic_the_same_one_must_be_found_again() {
        let unnamed = |stream: &str, key: &str, topic: &str, data: &str| {
            let stream: Stream = serde_json::from_str(stream).unwrap();
            let (topic, name) = (Topic::new(topic).unwrap(), stream.name.clone());
            let entry = LogEntry {
                stream: name,
                key: key.into(),
                topic: Some(topic.clone()),
                data: data.to_owned().into(),
            };
            super::unnamed(&stream, &topic, entry)
                .map(|entry| (entry.key.to_string(), entry.topic))
                .map_err(|error| error.to_string())
        };
        let (plain, own) = (r#"{"name":"s"}"#, r#"{"name":"s","topic":"caller"}"#);
        let pointed = r#"{"name":"s","topic":"/t"}"#;
        assert_eq!(unnamed(plain, "t", "t", "{}"), Ok(("t".into(), None)));
        assert_eq!(unnamed(pointed, "k", "7", r#"{"t":7}"#), Ok(("k".into(), None)));
        assert_eq!(unnamed(own, "k", "me", "{}"), Ok(("me".into(), None)));
        for (stream, key, topic, data) in [(plain, "k", "t", "{}"), (pointed, "k", "8", r#"{"t":7}"#)] {
            let error = unnamed(stream, key, topic, data).unwrap_err();
            assert!(error.contains("leave the topic out"), "{error}");
        }
    }

    #[test]
    fn what_may_not_come_in_is_told_why() {
        let (plain, own) = (r#"{"name":"s"}"#, r#"{"name":"s","topic":"caller"}"#);
        let long = "k".repeat(257);
        for (stream, key, topic, data, expect) in [
            (plain, Some("k"), None, "{", "is not JSON"),
            (plain, Some("k"), None, "", "is not JSON"),
            (plain, Some("k"), None, "[[[[]]]]", "deeper than 3 levels"),
            (
                plain,
                Some("k"),
                None,
                r#""12345678901234567890123456789012345678901""#,
                "at most 40 are accepted",
            ),
            (plain, None, None, "{}", "has no partition key"),
            (plain, Some("a\u{0}b"), None, "{}", "may not hold control characters"),
            (plain, Some(long.as_str()), None, "{}", "257 characters long, and at most 256"),
            (own, None, Some("you"), "{}", "name none, or yours, which is \"me\""),
            (plain, Some("forbidden"), None, "{}", "me may not write forbidden of s"),
            (plain, Some("k"), Some("forbidden"), "{}", "me may not write forbidden of s"),
        ] {
            let error = verdict(stream, key, topic, data).expect_err(data);
            assert!(error.contains(expect), "{error}");
        }
    }
}
