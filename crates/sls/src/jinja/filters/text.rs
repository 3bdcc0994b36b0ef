//! Filters, tests and methods on text and numbers.

use minijinja::value::{Rest, Value, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind};
use regex::RegexBuilder;

use super::super::mutable::{invalid, list};
use super::named;

/// Bytes a compiled pattern may take.
const REGEX_SIZE_LIMIT: usize = 1 << 20;

pub(super) fn add(env: &mut Environment<'static>) {
    let of_pattern = &["rgx", "ignorecase", "multiline"];
    named::add(
        env,
        "regex_match",
        of_pattern,
        |text: String, pattern: String, ignorecase: Option<bool>, multiline: Option<bool>| {
            captures(&format!("\\A(?:{pattern})"), &text, ignorecase, multiline)
        },
    );
    named::add(
        env,
        "regex_search",
        of_pattern,
        |text: String, pattern: String, ignorecase: Option<bool>, multiline: Option<bool>| {
            captures(&pattern, &text, ignorecase, multiline)
        },
    );
    named::add(
        env,
        "regex_replace",
        &["rgx", "val", "ignorecase", "multiline"],
        regex_replace,
    );
    env.add_filter("regex_escape", |text: String| regex::escape(&text));
    env.add_filter("quote", |text: String| shell_quote(&text));
    env.add_filter("contains_whitespace", |text: String| {
        text.contains(char::is_whitespace)
    });
    env.add_filter(
        "substring_in_list",
        |text: String, items: Value| -> Result<bool, Error> {
            Ok(items
                .try_iter()?
                .any(|item| item.as_str().is_some_and(|item| item.contains(&text))))
        },
    );
    env.add_filter("to_bool", |value: &Value| to_bool(value));
    for name in ["to_num", "str_to_num"] {
        env.add_filter(name, |value: Value| to_num(&value));
    }
    env.add_filter("to_bytes", |value: Value| value);
    let camelcase = |text: String, upper: Option<bool>| camelcase(&text, upper == Some(true));
    named::add(env, "to_camelcase", &["uppercamel"], camelcase);
    env.add_filter("to_snake_case", |text: String| snake_case(&text));
    named::add(
        env,
        "human_to_bytes",
        &["default_unit", "handle_metric"],
        human_to_bytes,
    );
    env.add_filter("path_join", path_join);
    env.add_filter("is_hex", |text: String| {
        !text.is_empty() && u128::from_str_radix(text.trim_start_matches("0x"), 16).is_ok()
    });
    env.add_function("__percent", percent);
    env.add_test(
        "match",
        |text: String, pattern: String, ignorecase: Option<bool>| -> Result<bool, Error> {
            regex(&format!("^(?:{pattern})"), ignorecase, None).map(|regex| regex.is_match(&text))
        },
    );
}

fn regex(
    pattern: &str,
    ignorecase: Option<bool>,
    multiline: Option<bool>,
) -> Result<regex::Regex, Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignorecase == Some(true))
        .multi_line(multiline == Some(true))
        .size_limit(REGEX_SIZE_LIMIT)
        .build()
        .map_err(|fault| invalid(format!("the pattern '{pattern}' cannot be used: {fault}")))
}

/// The groups of a match as a tuple, none when there is no match.
fn captures(
    pattern: &str,
    text: &str,
    ignorecase: Option<bool>,
    multiline: Option<bool>,
) -> Result<Value, Error> {
    let regex = regex(pattern, ignorecase, multiline)?;
    let Some(found) = regex.captures(text) else {
        return Ok(Value::from(()));
    };
    let group = |group: Option<regex::Match<'_>>| {
        group.map_or(Value::from(()), |group| Value::from(group.as_str()))
    };
    let groups: Vec<Value> = found.iter().skip(1).map(group).collect();
    Ok(Value::from(minijinja::value::Tuple::from(groups)))
}

/// Python writes a group as `\1`.
fn regex_replace(
    text: String,
    pattern: String,
    with: String,
    ignorecase: Option<bool>,
    multiline: Option<bool>,
) -> Result<String, Error> {
    let regex = regex(&pattern, ignorecase, multiline)?;
    let mut replacement = String::new();
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => replacement.push_str("$$"),
            '\\' => match chars.next_if(char::is_ascii_digit) {
                Some(group) => replacement.push_str(&format!("${{{group}}}")),
                None => replacement.extend(chars.next()),
            },
            c => replacement.push(c),
        }
    }
    Ok(regex.replace_all(&text, replacement.as_str()).into_owned())
}

fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn to_bool(value: &Value) -> bool {
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default().to_lowercase();
            matches!(text.as_str(), "yes" | "1" | "true")
        }
        ValueKind::Number => value.as_i64().is_none_or(|number| number > 0),
        _ => value.is_true(),
    }
}

fn to_num(value: &Value) -> Value {
    let Some(text) = value.as_str().map(str::trim) else {
        return value.clone();
    };
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) => Value::from(number),
        (_, Ok(number)) => Value::from(number),
        _ => value.clone(),
    }
}

fn camelcase(text: &str, upper_first: bool) -> String {
    let mut out = String::new();
    for (at, word) in text.split('_').enumerate() {
        let mut chars = word.chars();
        match chars.next() {
            Some(first) if at > 0 || upper_first => {
                out.extend(first.to_uppercase());
                out.push_str(chars.as_str());
            }
            _ => out.push_str(word),
        }
    }
    out
}

/// A mark before each capital that begins a word; a run of capitals is one word.
fn snake_case(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::new();
    for (at, c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let ends_word = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let begins_word = before.is_some_and(|b| b != '_')
            && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (ends_word || begins_word) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// `1.5G`, `512M`, `1GB`: powers of 1024, with `handle_metric` of 1000 where a `B` without `i` ends it.
fn human_to_bytes(
    text: String,
    default_unit: Option<String>,
    metric: Option<bool>,
) -> Result<u64, Error> {
    let text = text.trim();
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim().to_lowercase());
    let unit = if unit.is_empty() {
        default_unit.unwrap_or_default().to_lowercase()
    } else {
        unit
    };
    let power = match unit.chars().next() {
        None | Some('b') => 0,
        Some(letter) => match "kmgtpezy".find(letter) {
            Some(at) => at + 1,
            None => return Err(invalid(format!("'{text}' is no size"))),
        },
    };
    let base: f64 = if metric == Some(true) && unit.len() == 2 && unit.ends_with('b') {
        1000.0
    } else {
        1024.0
    };
    let number: f64 = number
        .parse()
        .map_err(|_| invalid(format!("'{text}' is no size")))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and there is no sign"
    )]
    Ok((number * base.powi(i32::try_from(power).unwrap_or(0))) as u64)
}

fn path_join(first: String, more: Rest<String>) -> String {
    more.iter().fold(first, |path, part| {
        let (path, part) = (path.trim_end_matches('/'), part.trim_start_matches('/'));
        format!("{path}/{part}")
    })
}

/// Python's `'…' % value` for `%s`, `%r`, `%d`, `%i`, `%x`, `%f`, `%%`, `%(name)s`, widths and zero padding.
fn percent(format: String, value: Value) -> Result<String, Error> {
    let is_tuple = value
        .downcast_object_ref::<minijinja::value::Tuple>()
        .is_some();
    let values: Vec<Value> = if is_tuple {
        value.try_iter()?.collect()
    } else {
        vec![value.clone()]
    };
    let mut next = values.iter();
    let mut out = String::new();
    let mut rest = format.as_str();
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (directive, after) = directive(&rest[at + 1..])?;
        rest = after;
        if directive.conversion == '%' {
            out.push('%');
            continue;
        }
        let argument = match directive.name {
            Some(name) => value.get_attr(name)?,
            None => next
                .next()
                .cloned()
                .ok_or_else(|| invalid("not enough arguments for format string"))?,
        };
        out.push_str(&directive.apply(&argument)?);
    }
    out.push_str(rest);
    if next.next().is_some() && value.kind() != ValueKind::Map {
        return Err(invalid(
            "not all arguments converted during string formatting",
        ));
    }
    Ok(out)
}

struct Directive<'f> {
    name: Option<&'f str>,
    zero: bool,
    left: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

/// Reads what follows a `%`, and the rest.
fn directive(text: &str) -> Result<(Directive<'_>, &str), Error> {
    let incomplete = || invalid("incomplete format");
    let (name, text) = match text.strip_prefix('(') {
        Some(inner) => inner
            .split_once(')')
            .map(|(name, rest)| (Some(name), rest))
            .ok_or_else(incomplete)?,
        None => (None, text),
    };
    let flags = text.len() - text.trim_start_matches(['-', '0', '+', ' ', '#']).len();
    let (flags, text) = text.split_at(flags);
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(incomplete)?;
    let (size, text) = text.split_at(split);
    let (width, precision) = match size.split_once('.') {
        Some((width, precision)) => (width, precision.parse().ok()),
        None => (size, None),
    };
    let conversion = text.chars().next().ok_or_else(incomplete)?;
    let width = width.parse().unwrap_or(0);
    let directive = Directive {
        name,
        zero: flags.contains('0'),
        left: flags.contains('-'),
        width,
        precision,
        conversion,
    };
    if width > 1000 || precision.is_some_and(|digits| digits > 100) {
        return Err(invalid("a width in a format is too large"));
    }
    Ok((directive, &text[conversion.len_utf8()..]))
}

impl Directive<'_> {
    fn apply(&self, value: &Value) -> Result<String, Error> {
        let number = || {
            f64::try_from(value.clone())
                .map_err(|_| invalid(format!("%{} needs a number, not {value}", self.conversion)))
        };
        let whole = || {
            i64::try_from(value.clone()).or_else(|_| {
                #[expect(clippy::cast_possible_truncation, reason = "Python truncates too")]
                number().map(|number| number as i64)
            })
        };
        let text = match self.conversion {
            's' => match self.precision {
                Some(length) => value.to_string().chars().take(length).collect(),
                None => value.to_string(),
            },
            'r' => format!("{value:?}"),
            'd' | 'i' | 'u' => whole()?.to_string(),
            'x' => format!("{:x}", whole()?),
            'X' => format!("{:X}", whole()?),
            'o' => format!("{:o}", whole()?),
            'f' | 'F' => format!("{:.*}", self.precision.unwrap_or(6), number()?),
            other => return Err(invalid(format!("unsupported format character '{other}'"))),
        };
        Ok(self.pad(text))
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        match (
            self.left,
            self.zero && !matches!(self.conversion, 's' | 'r'),
        ) {
            (true, _) => format!("{text}{}", " ".repeat(missing)),
            (false, true) => match text.strip_prefix('-') {
                Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
                None => format!("{}{text}", "0".repeat(missing)),
            },
            (false, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }
}

/// Python's string methods that the engine lacks.
pub(super) fn method(value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    let unknown = || Error::from(ErrorKind::UnknownMethod);
    let text = value.as_str().ok_or_else(unknown)?;
    match name {
        "encode" | "decode" => Ok(value.clone()),
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let directive = Directive {
                name: None,
                zero: true,
                left: false,
                width: width.min(1000),
                precision: None,
                conversion: 'd',
            };
            Ok(Value::from(directive.pad(text.to_owned())))
        }
        "ljust" | "rjust" => {
            let (width,): (usize,) = from_args(args)?;
            let left = name == "ljust";
            let directive = Directive {
                name: None,
                zero: false,
                left,
                width: width.min(1000),
                precision: None,
                conversion: 's',
            };
            Ok(Value::from(directive.pad(text.to_owned())))
        }
        "isdigit" | "isnumeric" | "isdecimal" => Ok(Value::from(
            !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()),
        )),
        "rsplit" => {
            let (by, count): (Option<String>, Option<usize>) = from_args(args)?;
            let count = count.map_or(usize::MAX, |count| count.saturating_add(1));
            let mut parts: Vec<&str> = match by.as_deref().filter(|by| !by.is_empty()) {
                Some(by) => text.rsplitn(count, by).collect(),
                None => text.split_whitespace().rev().collect(),
            };
            parts.reverse();
            Ok(list(parts.into_iter().map(Value::from)))
        }
        "partition" => {
            let (by,): (String,) = from_args(args)?;
            let (head, tail) = text
                .split_once(&by)
                .map_or((text, None), |(head, tail)| (head, Some(tail)));
            let middle = if tail.is_some() { by.as_str() } else { "" };
            Ok(list(
                [head, middle, tail.unwrap_or_default()].map(Value::from),
            ))
        }
        "index" | "rindex" => {
            let (part,): (String,) = from_args(args)?;
            let found = if name == "index" {
                text.find(&part)
            } else {
                text.rfind(&part)
            };
            let at = found.ok_or_else(|| invalid(format!("substring '{part}' not found")))?;
            Ok(Value::from(text[..at].chars().count()))
        }
        "swapcase" => Ok(Value::from(
            text.chars().flat_map(swapped).collect::<String>(),
        )),
        "removeprefix" => {
            let (prefix,): (String,) = from_args(args)?;
            Ok(Value::from(
                text.strip_prefix(prefix.as_str()).unwrap_or(text),
            ))
        }
        "removesuffix" => {
            let (suffix,): (String,) = from_args(args)?;
            Ok(Value::from(
                text.strip_suffix(suffix.as_str()).unwrap_or(text),
            ))
        }
        _ => Err(unknown()),
    }
}

fn swapped(c: char) -> Vec<char> {
    match c.is_uppercase() {
        true => c.to_lowercase().collect(),
        false => c.to_uppercase().collect(),
    }
}
