//! Which partition a key goes to.

/// The partition of `key` among `count`: the CRC-32C (Castagnoli) of the key's bytes, modulo `count`.
///
/// This never changes: what a key's messages were put into is where the next must go.
pub fn partition_of(key: &str, count: u32) -> u32 {
    crc32c::crc32c(key.as_bytes()) % count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_where_they_are() {
        for (key, expect) in
            [("", 0), ("a", 0), ("123456789", 3), ("92ebe247-77f5-4a3c-a7f1-d22af67bf71d", 1)]
        {
            assert_eq!(partition_of(key, 4), expect, "{key}");
        }
        let mut counts = [0; 4];
        (0..4_000).for_each(|n| counts[partition_of(&format!("user-{n}"), 4) as usize] += 1);
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
