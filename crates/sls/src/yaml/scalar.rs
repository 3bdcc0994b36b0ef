//! What an unquoted word means: YAML 1.1 as PyYAML reads it, with Salt's changes.
//!
//! Salt's changes: integers with a leading zero are decimal, dates stay text. Ours: base-60 numbers
//! stay text too, since what looks like one is a MAC address or a time and no parameter wants one.

use crate::Value;

/// The meaning of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    /// The value.
    pub(crate) value: Value,
    /// The number that YAML 1.1 would have read, where we keep the text.
    pub(crate) base60: Option<String>,
}

/// Resolves an unquoted, untagged scalar.
pub(crate) fn resolve(text: &str) -> Resolved {
    let value = |value| Resolved {
        value,
        base60: None,
    };
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return value(Value::Null),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return value(Value::Bool(true));
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return value(Value::Bool(false));
        }
        _ => {}
    }
    if let Some(number) = int(text).or_else(|| float(text)) {
        return value(number);
    }
    Resolved {
        value: Value::String(text.to_owned()),
        base60: base60(text),
    }
}

/// An integer in decimal, hexadecimal or binary; beyond 64 bits it stays text.
pub(crate) fn int(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = if let Some(rest) = digits.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = digits.strip_prefix("0x") {
        (16, rest)
    } else {
        // `0999` is no octal number to YAML 1.1 and so no number at all.
        let octal = digits.len() > 1 && digits.starts_with('0');
        let allowed = |b: u8| {
            b == b'_'
                || if octal {
                    matches!(b, b'0'..=b'7')
                } else {
                    b.is_ascii_digit()
                }
        };
        if digits.starts_with('_') || !digits.bytes().all(allowed) {
            return None;
        }
        (10, digits)
    };
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(&digits, radix).ok()?;
    let number = if negative { -magnitude } else { magnitude };
    if let Ok(number) = i64::try_from(number) {
        return Some(Value::from(number));
    }
    u64::try_from(number).ok().map(Value::from)
}

/// A decimal fraction. An exponent needs a fraction before it and a sign (`1.0e+3`), as in YAML 1.1.
/// Infinities and not-a-number have no place in JSON and stay text.
pub(crate) fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = unsigned.split_once('.')?;
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    if !digits(whole) || !digits(fraction) || whole.starts_with('_') || fraction.starts_with('_') {
        return None;
    }
    if whole.is_empty() && (fraction.is_empty() || unsigned.len() != text.len()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['-', '+'])?;
        if power.is_empty() || !power.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let number: f64 = plain.parse().ok()?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

/// The number YAML 1.1 sees in `52:54:00:00:00:30`, as text; `None` when it is not base 60.
fn base60(text: &str) -> Option<String> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (head, tail) = unsigned.split_once(':')?;
    let head_digits: String = head.chars().filter(|c| *c != '_').collect();
    if !matches!(head.as_bytes().first()?, b'1'..=b'9')
        || !head_digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let mut number: u128 = head_digits.parse().ok()?;
    for part in tail.split(':') {
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digit: u128 = part.parse().ok().filter(|digit| *digit < 60)?;
        number = number.checked_mul(60)?.checked_add(digit)?;
    }
    Some(format!("{}{number}", if negative { "-" } else { "" }))
}
