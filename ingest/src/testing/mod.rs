//! What tests of several modules use.

mod faulty;
mod memory;
mod memory_leases;

use bytes::Bytes;
use schema::{StreamName, Topic};
use store::WritePolicy;

pub(crate) use faulty::{Faulty, Turnstile};
pub(crate) use memory::Memory;

/// A caller that may write every topic but `forbidden`.
#[derive(Debug)]
pub(crate) struct Caller(Topic);

impl Caller {
    pub(crate) fn new(own_topic: &str) -> Self {
        Self(Topic::new(own_topic).unwrap())
    }
}

impl WritePolicy for Caller {
    fn may_write(&self, stream: &StreamName, topic: &Topic) -> Result<(), String> {
        if topic.as_str() == "forbidden" {
            Err(format!("{} may not write {topic} of {stream}", self.0))
        } else {
            Ok(())
        }
    }

    fn may_write_some(&self, _: &StreamName) -> Result<(), String> {
        Ok(())
    }

    fn own_topic(&self) -> Topic {
        self.0.clone()
    }
}

/// `text`, cut at `cuts`.
pub(crate) fn pieces(text: &[u8], cuts: &[usize]) -> Vec<Bytes> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| Bytes::copy_from_slice(&text[cut[0]..cut[1]])).collect()
}
