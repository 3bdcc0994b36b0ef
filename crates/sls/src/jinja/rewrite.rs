//! Salt's template dialect in the engine's words, token by token, every line break kept in place.
//!
//! | written | becomes |
//! |---|---|
//! | `[1, 2]`, `{'a': 1}` as values | `__list([1, 2])`, `__dict({'a': 1})` |
//! | `'%s' % x` | `__percent('%s', x)` |
//! | `{% import_yaml 'f' as x %}` | `{% set x \| __load_yaml %}{% include 'f' %}{% endset %}` |
//! | `{% load_yaml as x %}…{% endload %}` | `{% set x \| __load_yaml %}…{% endset %}` |
//! | `{% profile as 'x' %}…{% endprofile %}` | `{% if true %}…{% endif %}` |
//!
//! A tag that never ends, or a string in it, is passed on as it is: the engine has the better message.

/// Rewrites a template.
pub(crate) fn rewrite(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + source.len() / 8);
    let mut rest = source;
    while let Some(at) = rest.find('{') {
        let (text, tag) = rest.split_at(at);
        out.push_str(text);
        rest = match tag.as_bytes().get(1) {
            Some(b'#') => copy_until(tag, "#}", &mut out),
            Some(b'{') => expression(tag, &mut out),
            Some(b'%') => statement(tag, &mut out),
            _ => {
                out.push('{');
                &tag[1..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// Copies up to and including `end`, or everything.
fn copy_until<'s>(tag: &'s str, end: &str, out: &mut String) -> &'s str {
    let length = tag.find(end).map_or(tag.len(), |at| at + end.len());
    out.push_str(&tag[..length]);
    &tag[length..]
}

fn expression<'s>(tag: &'s str, out: &mut String) -> &'s str {
    let Some(tokens) = tokens(&tag[2..], "}}") else {
        return copy_all(tag, out);
    };
    let length = 2 + tokens.length;
    out.push_str("{{");
    out.push_str(&values(&tokens.tokens));
    out.push_str("}}");
    &tag[length..]
}

fn copy_all<'s>(tag: &'s str, out: &mut String) -> &'s str {
    out.push_str(tag);
    ""
}

fn statement<'s>(tag: &'s str, out: &mut String) -> &'s str {
    let Some(found) = tokens(&tag[2..], "%}") else {
        return copy_all(tag, out);
    };
    let rest = &tag[2 + found.length..];
    let (open, body, close) = whitespace_control(&found.tokens);
    let word = body
        .iter()
        .find(|token| token.kind == Kind::Name)
        .map_or("", |token| token.text);
    match word {
        "raw" => {
            out.push_str(&tag[..2 + found.length]);
            return raw(rest, out);
        }
        "import_yaml" | "import_json" | "import_text" => {
            if let Some(text) = import(&word["import_".len()..], body, open, close) {
                out.push_str(&text);
                return rest;
            }
        }
        "import" if !names_a_module(body) => {
            // The engine would take any expression for the name, and then panic.
            let at = body.iter().rposition(|token| token.text == "as");
            let (before, after) = body.split_at(at.map_or(body.len(), |at| at + 1));
            let (before, after) = (values(before), breaks(after));
            out.push_str(&format!("{{%{open}{before} {after}{close}%}}"));
            return rest;
        }
        "load_yaml" | "load_json" | "load_text" => {
            if let Some((before, name)) = split_as(body) {
                let filter = if word == "load_text" {
                    String::new()
                } else {
                    format!(" | __{word}")
                };
                let gap = breaks(before);
                out.push_str(&format!("{{%{open} set{gap}{name}{filter} {close}%}}"));
                return rest;
            }
        }
        "endload" => {
            out.push_str(&format!("{{%{open} endset {}{close}%}}", breaks(body)));
            return rest;
        }
        "profile" => {
            out.push_str(&format!("{{%{open} if true {}{close}%}}", breaks(body)));
            return rest;
        }
        "endprofile" => {
            out.push_str(&format!("{{%{open} endif {}{close}%}}", breaks(body)));
            return rest;
        }
        _ => {}
    }
    out.push_str(&format!("{{%{open}{}{close}%}}", values(body)));
    rest
}

/// Everything up to the end of a raw block, as it is.
fn raw<'s>(rest: &'s str, out: &mut String) -> &'s str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("{%") {
        let tag = &rest[from + at..];
        let word = tag[2..].trim_start_matches(['-', '+']).trim_start();
        if let Some(after) = word.strip_prefix("endraw")
            && let Some(end) = after.find("%}")
        {
            let length = rest.len() - after.len() + end + 2;
            out.push_str(&rest[..length]);
            return &rest[length..];
        }
        from += at + 2;
    }
    copy_all(rest, out)
}

/// `import_yaml 'f' as x with context`
fn import(kind: &str, body: &[Token<'_>], open: &str, close: &str) -> Option<String> {
    let start = body.iter().position(|token| token.kind == Kind::Name)? + 1;
    let (file, name) = split_as(&body[start..])?;
    let filter = if kind == "text" {
        String::new()
    } else {
        format!(" | __load_{kind}")
    };
    Some(format!(
        "{{%{open} set{}{name}{filter} %}}{{% include{} %}}{{% endset {close}%}}",
        breaks(&body[..start]),
        values(file).trim_end_matches(' ')
    ))
}

/// The tokens before the last `as`, and the text of the name after it with the line breaks that follow.
fn split_as<'t, 's>(body: &'t [Token<'s>]) -> Option<(&'t [Token<'s>], String)> {
    let at = body
        .iter()
        .rposition(|token| token.kind == Kind::Name && token.text == "as")?;
    let after = &body[at + 1..];
    let name = after.iter().find(|token| token.kind == Kind::Name)?;
    Some((&body[..at], format!(" {}{}", name.text, breaks(after))))
}

/// Whether an `import` ends with `as` and a name, and perhaps `with context`.
fn names_a_module(body: &[Token<'_>]) -> bool {
    let mut words = body
        .iter()
        .rev()
        .filter(|token| !token.text.trim().is_empty());
    let mut last = words.next();
    if last.is_some_and(|token| token.text == "context") {
        words.next();
        last = words.next();
    }
    let is_name = |token: &Token<'_>| {
        let constant = matches!(
            token.text.to_lowercase().as_str(),
            "true" | "false" | "none"
        );
        token.kind == Kind::Name && !constant
    };
    last.is_some_and(is_name) && words.next().is_some_and(|token| token.text == "as")
}

fn breaks(tokens: &[Token<'_>]) -> String {
    let count: usize = tokens
        .iter()
        .map(|token| token.text.matches('\n').count())
        .sum();
    "\n".repeat(count)
}

/// Splits the `-` or `+` of `{%-` and `-%}` off a tag's tokens.
fn whitespace_control<'t, 's>(tokens: &'t [Token<'s>]) -> (&'s str, &'t [Token<'s>], &'s str) {
    let sign = |token: Option<&Token<'s>>| match token {
        Some(token) if matches!(token.text, "-" | "+") => token.text,
        _ => "",
    };
    let open = sign(tokens.first());
    let body = &tokens[usize::from(!open.is_empty())..];
    let close = sign(body.last());
    (
        open,
        &body[..body.len() - usize::from(!close.is_empty())],
        close,
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Name,
    Number,
    Text,
    Operator,
}

#[derive(Debug, Clone, Copy)]
struct Token<'s> {
    kind: Kind,
    text: &'s str,
}

struct Tokens<'s> {
    tokens: Vec<Token<'s>>,
    /// Bytes up to and including the end of the tag.
    length: usize,
}

/// Splits a tag's inside up to `end`; `None` when it does not end.
fn tokens<'s>(text: &'s str, end: &str) -> Option<Tokens<'s>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut braces = 0_usize;
    loop {
        let rest = &text[at..];
        // `}}` inside a dictionary closes the dictionary first.
        if rest.starts_with(end) && (end == "%}" || braces == 0) {
            return Some(Tokens {
                tokens,
                length: at + end.len(),
            });
        }
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
            c if c.is_alphabetic() || c == '_' => {
                (Kind::Name, run(rest, |c| c.is_alphanumeric() || c == '_'))
            }
            c if c.is_ascii_digit() => (
                Kind::Number,
                run(rest, |c| c.is_ascii_alphanumeric() || c == '_'),
            ),
            '\'' | '"' => (Kind::Text, string_length(rest, first)?),
            c => (Kind::Operator, c.len_utf8()),
        };
        match first {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token {
            kind,
            text: &rest[..length],
        });
        at += length;
    }
}

fn run(text: &str, member: impl Fn(char) -> bool) -> usize {
    text.find(|c| !member(c)).unwrap_or(text.len())
}

fn string_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// Words after which a bracket opens a literal rather than a subscript.
const KEYWORDS: [&str; 14] = [
    "in", "if", "else", "elif", "and", "or", "not", "is", "do", "set", "for", "include", "import",
    "from",
];

/// The tokens as text, literals wrapped and `%` formatting turned into calls.
fn values(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    // For each open bracket, what has to follow its end.
    let mut open: Vec<&str> = Vec::new();
    let mut previous: Option<Token<'_>> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some((text, next)) = percent(tokens, at) {
            out.push_str(&text);
            previous = Some(Token {
                kind: Kind::Operator,
                text: ")",
            });
            at = next;
            continue;
        }
        at += 1;
        match token.text {
            "[" | "{" if token.kind == Kind::Operator && begins_literal(previous) => {
                out.push_str(if token.text == "[" {
                    "__list(["
                } else {
                    "__dict({"
                });
                open.push(")");
            }
            "[" | "{" | "(" if token.kind == Kind::Operator => {
                out.push_str(token.text);
                open.push("");
            }
            "]" | "}" | ")" if token.kind == Kind::Operator => {
                out.push_str(token.text);
                out.push_str(open.pop().unwrap_or_default());
            }
            text => out.push_str(text),
        }
        if token.kind != Kind::Space {
            previous = Some(*token);
        }
    }
    out
}

fn begins_literal(previous: Option<Token<'_>>) -> bool {
    match previous {
        None => true,
        Some(token) => match token.kind {
            Kind::Name => KEYWORDS.contains(&token.text),
            Kind::Number | Kind::Text => false,
            _ => !matches!(token.text, ")" | "]" | "}"),
        },
    }
}

/// `'…' % value` at this place: the call that replaces it, and where to go on.
fn percent(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let format = tokens.get(at).filter(|token| token.kind == Kind::Text)?;
    let sign = skip_space(tokens, at + 1);
    if tokens.get(sign)?.text != "%" {
        return None;
    }
    let start = skip_space(tokens, sign + 1);
    let end = operand_end(tokens, start)?;
    let gap: String = tokens[at + 1..start]
        .iter()
        .map(|token| if token.text == "%" { "," } else { token.text })
        .collect();
    Some((
        format!(
            "__percent({}{gap}{})",
            format.text,
            values(&tokens[start..end])
        ),
        end,
    ))
}

fn skip_space(tokens: &[Token<'_>], at: usize) -> usize {
    at + tokens
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(|token| token.kind == Kind::Space)
        .count()
}

/// The end of one operand: a name, literal or bracket with what hangs on it (`.a`, `[b]`, `(c)`, `|d`).
fn operand_end(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let first = tokens.get(start)?;
    let mut at = match first.text {
        "(" | "[" | "{" => bracket_end(tokens, start)?,
        _ if first.kind == Kind::Operator => return None,
        _ => start + 1,
    };
    loop {
        let next = skip_space(tokens, at);
        at = match tokens.get(next).map(|token| token.text) {
            Some("(" | "[") => bracket_end(tokens, next)?,
            Some("." | "|") => {
                let name = skip_space(tokens, next + 1);
                if tokens
                    .get(name)
                    .is_none_or(|token| !matches!(token.kind, Kind::Name | Kind::Number))
                {
                    return Some(at);
                }
                name + 1
            }
            _ => return Some(at),
        };
    }
}

fn bracket_end(tokens: &[Token<'_>], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let out = rewrite(source);
        assert_eq!(out, expected);
        assert_eq!(
            out.matches('\n').count(),
            source.matches('\n').count(),
            "line breaks must stay"
        );
    }

    #[test]
    fn literals_become_mutable_and_subscripts_stay() {
        check(
            "{% set x = [1, [2]] %}",
            "{% set x = __list([1, __list([2])]) %}",
        );
        check("{{ a['b'][0] }}", "{{ a['b'][0] }}");
        check(
            "{%- for x in ['a', 'b'] -%}",
            "{%- for x in __list(['a', 'b']) -%}",
        );
        check("{{ {'a': {}} }}", "{{ __dict({'a': __dict({})}) }}");
        check("{{ f(x={'a': 1})[0] }}", "{{ f(x=__dict({'a': 1}))[0] }}");
    }

    #[test]
    fn text_comments_and_raw_blocks_stay() {
        check("a: {b: [1]}\n", "a: {b: [1]}\n");
        check("{# {% set x = [1] %} #}", "{# {% set x = [1] %} #}");
        check(
            "{% raw %}{{ [1] }}{% endraw %}{{ [1] }}",
            "{% raw %}{{ [1] }}{% endraw %}{{ __list([1]) }}",
        );
        check("{{ '}}' ~ \"[\" }}", "{{ '}}' ~ \"[\" }}");
        check("{{ never ends", "{{ never ends");
    }

    #[test]
    fn salt_tags_become_set_blocks() {
        check(
            "{% import_yaml 'x.yaml' as x %}",
            "{% set x | __load_yaml %}{% include 'x.yaml' %}{% endset %}",
        );
        check(
            "{%- load_yaml as d -%}\na: 1\n{%- endload %}",
            "{%- set d | __load_yaml -%}\na: 1\n{%- endset %}",
        );
        check(
            "{% import_text 'm' as t %}",
            "{% set t %}{% include 'm' %}{% endset %}",
        );
    }

    #[test]
    fn percent_formatting_becomes_a_call() {
        check(
            "{{ '%s-%d' % (a, b.c[0]) }}",
            "{{ __percent('%s-%d' , (a, b.c[0])) }}",
        );
        check(
            "{{ 'x%s' % n|upper ~ 'y' }}",
            "{{ __percent('x%s' , n|upper) ~ 'y' }}",
        );
        check("{{ 7 % 2 }}", "{{ 7 % 2 }}");
    }
}
