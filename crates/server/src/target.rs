//! Targets: which hosts a run is for.

use regex::Regex;
use std::fmt::Write;
use thiserror::Error;

/// A target that can be asked.
#[derive(Debug)]
pub enum Target {
    /// A pattern over names, glob or Perl-like.
    Pattern(Regex),
    /// Names.
    Names(Vec<String>),
}

/// Why a target cannot be read.
#[derive(Debug, Error)]
pub enum BadTarget {
    /// A kind that this server does not know.
    #[error("target_kind {kind:?} is none of glob, pcre, list")]
    Kind {
        /// As given.
        kind: String,
    },
    /// Not a regular expression.
    #[error("the target {target:?} is not a regular expression")]
    Pattern {
        /// As given.
        target: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    /// For an unknown kind or a broken expression.
    pub fn parse(kind: &str, target: &str) -> Result<Self, BadTarget> {
        let pattern = match kind {
            "glob" => glob(target),
            // As in Salt the expression has to match from the beginning and may leave an end.
            "pcre" => format!("^(?:{target})"),
            "list" => {
                let names = target.split(',').map(|name| name.trim().to_owned());
                return Ok(Self::Names(names.filter(|name| !name.is_empty()).collect()));
            }
            _ => {
                return Err(BadTarget::Kind {
                    kind: kind.to_owned(),
                });
            }
        };
        let regex = Regex::new(&pattern).map_err(|source| BadTarget::Pattern {
            target: target.to_owned(),
            source,
        })?;
        Ok(Self::Pattern(regex))
    }

    /// Whether a host of that name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Pattern(regex) => regex.is_match(name),
            Self::Names(names) => names.iter().any(|wanted| wanted == name),
        }
    }
}

/// A shell pattern as a regular expression: `*`, `?`, `[a-c]`, `[!x]`. Anything else means itself.
fn glob(pattern: &str) -> String {
    let mut regex = "^(?s:".to_owned();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match (c, class(rest)) {
            ('*', _) => regex.push_str(".*"),
            ('?', _) => regex.push('.'),
            ('[', Some((members, after))) => {
                push_class(&mut regex, members);
                rest = after;
            }
            _ => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(")$");
    regex
}

/// The members of a class whose bracket has just been read, and what follows it. A closing bracket in first place is
/// a member.
fn class(rest: &str) -> Option<(&str, &str)> {
    let skip = usize::from(rest.starts_with('!'));
    let first = rest[skip..].chars().next()?.len_utf8();
    let end = skip + first + rest[skip + first..].find(']')?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn push_class(regex: &mut String, members: &str) {
    let (negated, members) = match members.strip_prefix('!') {
        Some(members) => ("^", members),
        None => ("", members),
    };
    regex.push('[');
    regex.push_str(negated);
    for c in members.chars() {
        match c {
            '-' => regex.push('-'),
            // Hexadecimal, so that no member is taken for an operator of classes.
            c => write!(regex, "\\x{{{:x}}}", u32::from(c)).expect("a String takes any text"),
        }
    }
    regex.push(']');
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn check(kind: &str, target: &str, yes: &[&str], no: &[&str]) {
        let read = Target::parse(kind, target).expect("a readable target");
        for name in yes {
            assert!(read.matches(name), "{target} should match {name}");
        }
        for name in no {
            assert!(!read.matches(name), "{target} should not match {name}");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        check(
            "glob",
            "*min-kvm*",
            &["a-min-kvm.tf.local", "min-kvm"],
            &["kvm"],
        );
        check("glob", "kvm[0-3]", &["kvm0", "kvm3"], &["kvm4", "kvm01"]);
        check("glob", "[!a]x", &["bx"], &["ax"]);
        check("glob", "[]]", &["]"], &["x"]);
        check("glob", "a.b", &["a.b"], &["axb"]);
        check("glob", "a[", &["a["], &["a"]);
        check("glob", "[&&x]", &["&", "x"], &["y"]);
    }

    #[test]
    fn expressions_match_from_the_beginning() {
        check("pcre", "kvm\\d", &["kvm1", "kvm12"], &["xkvm1"]);
        check("list", "kvm1, kvm2,", &["kvm1", "kvm2"], &["kvm", ""]);
        assert!(Target::parse("pcre", "(").is_err());
        assert!(Target::parse("grain", "os:Debian").is_err());
    }
}
