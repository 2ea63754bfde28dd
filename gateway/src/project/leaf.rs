//! Scalars: which values a type shows, and what is an error rather than null.

use schema::json::Kind;

/// A scalar type of the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// `Boolean`
    Boolean,
    /// `Long`
    Long,
    /// `Float`
    Float,
    /// `String`
    Text,
    /// `JSON`
    Json,
}

impl Leaf {
    /// Writes `raw` if this type shows values of `kind`, else null: what is of another kind stands in the sibling field.
    ///
    /// # Errors
    /// A number of the right kind that the type can't hold; null was written. Its digits are in `raw` and in the JSON view.
    pub(super) fn write(self, kind: Kind, raw: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let fits = match (self, kind) {
            (Self::Json, _) | (Self::Boolean, Kind::Boolean) | (Self::Text, Kind::Text) => Ok(true),
            (Self::Long, Kind::Integer) => long(raw),
            (Self::Float, Kind::Integer | Kind::Float) => float(raw),
            _ => Ok(false),
        };
        let shown = matches!(fits, Ok(true));
        out.extend_from_slice(if shown { raw } else { b"null" });
        fits.map(drop)
    }
}

fn long(raw: &[u8]) -> Result<bool, String> {
    // 18 digits always fit; only longer ones need a look.
    if raw.len() <= 18 || text(raw).parse::<i64>().is_ok() {
        return Ok(true);
    }
    Err(format!("{} does not fit Long, which has 64 bits: select the JSON view or raw instead", shorten(raw)))
}

fn float(raw: &[u8]) -> Result<bool, String> {
    // Short numbers without an exponent are far from the end of the range.
    let short = raw.len() <= 18 && !raw.iter().any(|c| matches!(c, b'e' | b'E'));
    if short || text(raw).parse::<f64>().is_ok_and(f64::is_finite) {
        return Ok(true);
    }
    Err(format!(
        "{} does not fit Float, which has 64 bits: select the JSON view or raw instead",
        shorten(raw)
    ))
}

fn text(raw: &[u8]) -> &str {
    std::str::from_utf8(raw).unwrap_or_default()
}

fn shorten(raw: &[u8]) -> String {
    let text = text(raw);
    if text.len() <= 40 {
        return text.to_owned();
    }
    // By characters: bytes that were never checked need not be digits.
    format!("{}… ({} digits)", text.chars().take(40).collect::<String>(), text.len())
}
