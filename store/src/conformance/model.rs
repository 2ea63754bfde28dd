//! What a store holds, as plainly as it can be said: all messages in one sorted list.

use schema::{Message, Topic};

use super::fixture::{Turns, message, position};
use crate::{Order, RowMark, TopicPage};

/// All messages of a stream.
pub(super) struct Model {
    messages: Vec<Message>,
}

impl Model {
    /// Some messages of a few topics: times that meet, long runs, times before 1970 and at the ends of time.
    pub(super) fn random(turns: &mut Turns, topics: &[&str], count: u64) -> Self {
        let span = turns.pick(&[3, 50, 1_000_000]);
        let mut messages: Vec<Message> = (1..=count)
            .map(|number| {
                let time = match turns.below(20) {
                    0 => schema::Timestamp::MIN.0,
                    1 => schema::Timestamp::MAX.0 - 1_000_000,
                    _ => turns.below(span) as i64 - span as i64 / 2,
                };
                message(turns.pick(topics), time, position(turns.below(3), number))
            })
            .collect();
        turns.shuffle(&mut messages);
        Self { messages }
    }

    /// In the order in which they are to be written: none.
    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Any of them.
    pub(super) fn any(&self, turns: &mut Turns) -> &Message {
        &self.messages[turns.below(self.messages.len() as u64) as usize]
    }

    /// What a read of `topics` must give; bytes are not looked at.
    pub(super) fn read(&self, topics: &[Topic], page: &TopicPage) -> Vec<Message> {
        let mut rows: Vec<&Message> = self
            .messages
            .iter()
            .filter(|message| topics.contains(&message.topic) && page.range.contains(message.time))
            .collect();
        rows.sort_by_key(|message| RowMark::of(message));
        if page.order == Order::Descending {
            rows.reverse();
        }
        let comes_before = |a: &RowMark, b: &RowMark| match page.order {
            Order::Ascending => a < b,
            Order::Descending => a > b,
        };
        rows.into_iter()
            .filter(|message| {
                let mark = RowMark::of(message);
                page.after.as_ref().is_none_or(|after| comes_before(after, &mark))
                    && page.before.as_ref().is_none_or(|before| comes_before(&mark, before))
            })
            .take(page.rows_max)
            .cloned()
            .collect()
    }

    /// A page, with marks that are messages' places or lie between them.
    pub(super) fn random_page(&self, turns: &mut Turns) -> TopicPage {
        let time = |turns: &mut Turns| {
            let near = self.any(turns).time;
            near.plus_micros(turns.below(3) as i64 - 1)
        };
        let mark = |turns: &mut Turns| {
            turns.one_in(2).then(|| {
                let mut mark = RowMark::of(self.any(turns));
                if turns.one_in(4) {
                    mark.time = time(turns);
                }
                mark
            })
        };
        let mut page = super::fixture::whole(turns.pick(&[Order::Ascending, Order::Descending]));
        if turns.one_in(2) {
            (page.range.from, page.range.to) = (time(turns), time(turns));
        }
        (page.after, page.before) = (mark(turns), mark(turns));
        let widest = turns.pick(&[1, 5, 40, 400]);
        page.rows_max = 1 + turns.below(widest) as usize;
        page
    }
}
