//! Who is meant: the target expressions of top files and of `match.*`.

use std::net::IpAddr;

use regex::Regex;

use crate::Value;
use crate::glob;
use crate::lookup::traverse;
use crate::ports::Target;
use crate::yaml::python_str;

/// A kind of target expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Shell pattern on the minion's name.
    Glob,
    /// Regular expression on the minion's name.
    Pcre,
    /// `path:pattern` in grains.
    Grain,
    /// The same with a regular expression.
    GrainPcre,
    /// `path:pattern` in the pillar.
    Pillar,
    /// The same with a regular expression.
    PillarPcre,
    /// `path:value` in the pillar, without wildcards.
    PillarExact,
    /// Names with commas between.
    List,
    /// Address or network.
    IpCidr,
    /// A compound expression under its name in the configuration, `nodegroups`.
    NodeGroup,
    /// Words with `and`, `or`, `not` and brackets.
    Compound,
}

impl Kind {
    /// The kind that stands before `@` in a compound expression.
    pub const fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Kind::Grain,
            'P' => Kind::GrainPcre,
            'I' => Kind::Pillar,
            'J' => Kind::PillarPcre,
            'E' => Kind::Pcre,
            'L' => Kind::List,
            'S' => Kind::IpCidr,
            'N' => Kind::NodeGroup,
            _ => return None,
        })
    }

    /// The kind a top file calls so; `None` for those we do not have (`data`, `range`).
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "glob" => Kind::Glob,
            "pcre" => Kind::Pcre,
            "grain" => Kind::Grain,
            "grain_pcre" => Kind::GrainPcre,
            "pillar" => Kind::Pillar,
            "pillar_pcre" => Kind::PillarPcre,
            "pillar_exact" => Kind::PillarExact,
            "list" => Kind::List,
            "ipcidr" => Kind::IpCidr,
            "nodegroup" => Kind::NodeGroup,
            "compound" => Kind::Compound,
            _ => return None,
        })
    }
}

/// Whether the target is meant. A malformed expression means nobody.
pub fn matches(kind: Kind, pattern: &str, target: &Target) -> bool {
    match_with(kind, pattern, ":", target, &[])
}

/// The same with another character between the parts of a path than a colon.
pub fn matches_with(kind: Kind, pattern: &str, delimiter: &str, target: &Target) -> bool {
    match_with(kind, pattern, delimiter, target, &[])
}

/// `groups` are the node groups around the expression, so that none contains itself.
fn match_with(
    kind: Kind,
    pattern: &str,
    delimiter: &str,
    target: &Target,
    groups: &[&str],
) -> bool {
    let id = target.minion_id.as_str();
    match kind {
        Kind::Glob => glob::matches(pattern, id),
        Kind::Pcre => regex_matches(pattern, id),
        Kind::List => pattern.split(',').any(|name| name.trim() == id),
        Kind::Grain => data(&target.grains, pattern, delimiter, &glob::matches),
        Kind::GrainPcre => data(&target.grains, pattern, delimiter, &regex_matches),
        Kind::Pillar => data(&target.pillar, pattern, delimiter, &glob::matches),
        Kind::PillarPcre => data(&target.pillar, pattern, delimiter, &regex_matches),
        Kind::PillarExact => data(&target.pillar, pattern, delimiter, &|a, b| a == b),
        Kind::IpCidr => address(&target.grains, pattern),
        Kind::NodeGroup => node_group(pattern, target, groups),
        Kind::Compound => compound(pattern, target, groups),
    }
}

/// A group is an expression, or a list of its words. One that is not there or contains itself means nobody.
fn node_group(name: &str, target: &Target, groups: &[&str]) -> bool {
    let expression = match target.opts.get("nodegroups").and_then(|all| all.get(name)) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => {
            let words: Vec<String> = words.iter().map(python_str).collect();
            // Names alone are a list of minions, not one expression.
            match words.iter().any(|word| is_part_of_expression(word)) {
                true => words.join(" "),
                false => format!("L@{}", words.join(",")),
            }
        }
        _ => return false,
    };
    if groups.contains(&name) {
        return false;
    }
    let inner: Vec<&str> = groups.iter().copied().chain([name]).collect();
    compound(&expression, target, &inner)
}

fn is_part_of_expression(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "(" | ")") || word.contains(['@', '*', '?', '['])
}

/// Regular expressions match from the start, not to the end.
fn regex_matches(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})")).is_ok_and(|regex| regex.is_match(text))
}

/// Tries every split of `a:b:c` into a path and a pattern, the longest path first.
fn data(
    tree: &Value,
    expression: &str,
    delimiter: &str,
    test: &dyn Fn(&str, &str) -> bool,
) -> bool {
    let splits = expression.rmatch_indices(delimiter);
    splits.into_iter().any(|(at, _)| {
        let (path, pattern) = (&expression[..at], &expression[at + delimiter.len()..]);
        traverse(tree, path, delimiter).is_some_and(|found| value_matches(found, pattern, test))
    })
}

fn value_matches(value: &Value, pattern: &str, test: &dyn Fn(&str, &str) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| value_matches(item, pattern, test)),
        Value::Object(map) => pattern == "*" || map.contains_key(pattern),
        scalar => {
            let text = python_str(scalar);
            test(pattern, &text) || test(&pattern.to_lowercase(), &text.to_lowercase())
        }
    }
}

fn address(grains: &Value, pattern: &str) -> bool {
    let own = ["ipv4", "ipv6"]
        .iter()
        .filter_map(|key| grains.get(key)?.as_array())
        .flatten();
    let mut addresses = own.filter_map(|text| text.as_str()?.parse::<IpAddr>().ok());
    let (network, prefix) = match pattern.split_once('/') {
        Some((network, prefix)) => (network, prefix.parse::<u32>().ok()),
        None => (pattern, Some(128)),
    };
    let (Ok(network), Some(prefix)) = (network.parse::<IpAddr>(), prefix) else {
        return false;
    };
    addresses.any(|address| in_network(address, network, prefix))
}

/// Whether an address is one of a network, given by one of its addresses and the length of their common prefix.
pub fn in_network(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32_u32.saturating_sub(prefix);
            let bits = |ip: std::net::Ipv4Addr| u64::from(u32::from(ip)) >> shift;
            bits(address) == bits(network)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128_u32.saturating_sub(prefix);
            let bits = |ip: std::net::Ipv6Addr| u128::from(ip).checked_shr(shift).unwrap_or(0);
            bits(address) == bits(network)
        }
        _ => false,
    }
}

/// Words with `and`, `or`, `not` and brackets, in Python's precedence.
fn compound(expression: &str, target: &Target, groups: &[&str]) -> bool {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        at: 0,
        depth: 0,
        target,
        groups,
    };
    let result = parser.any();
    result.filter(|_| parser.at == words.len()).unwrap_or(false)
}

struct Parser<'a> {
    words: &'a [&'a str],
    at: usize,
    depth: usize,
    target: &'a Target,
    groups: &'a [&'a str],
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let found = self.words.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Option<bool> {
        let mut result = self.all()?;
        while self.take("or") {
            result |= self.all()?;
        }
        Some(result)
    }

    fn all(&mut self) -> Option<bool> {
        let mut result = self.inverted()?;
        // `not` behind a term means `and not`.
        while self.take("and") || self.words.get(self.at) == Some(&"not") {
            result &= self.inverted()?;
        }
        Some(result)
    }

    fn inverted(&mut self) -> Option<bool> {
        let mut negated = false;
        while self.take("not") {
            negated = !negated;
        }
        self.term().map(|found| found != negated)
    }

    fn term(&mut self) -> Option<bool> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > 50 {
                return None;
            }
            let inner = self.any()?;
            self.depth -= 1;
            return self.take(")").then_some(inner);
        }
        let word = *self.words.get(self.at)?;
        if matches!(word, "and" | "or" | ")") {
            return None;
        }
        self.at += 1;
        Some(one(word, self.target, self.groups))
    }
}

/// `G@os:Debian`, `L@a,b`, or a shell pattern on the name.
fn one(word: &str, target: &Target, groups: &[&str]) -> bool {
    let Some((head, pattern)) = word.split_once('@') else {
        return glob::matches(word, &target.minion_id);
    };
    let mut letters = head.chars();
    let (letter, delimiter) = (letters.next(), letters.as_str());
    let delimiter = if delimiter.is_empty() { ":" } else { delimiter };
    let Some(kind) = letter.and_then(Kind::of_letter) else {
        return glob::matches(word, &target.minion_id);
    };
    match_with(kind, pattern, delimiter, target, groups)
}

#[cfg(test)]
mod tests {
    use super::{Kind, matches};
    use crate::Target;
    use serde_json::json;

    fn target() -> Target {
        Target {
            grains: json!({"os": "Debian", "roles": ["hypervisor", "nfs"], "ipv4": ["10.0.0.5"], "a": {"b": "c"}}),
            pillar: json!({"tier": "gold", "deep": {"er": 3}}),
            opts: json!({"nodegroups": {
                "hypervisors": "G@roles:hypervisor or x",
                "named": ["a", "kvm1.example"],
                "words": ["N@hypervisors", "and", "kvm*"],
                "ring": "N@round",
                "round": "N@ring or kvm*",
                "alone": "N@alone",
            }}),
            ..Target::new("kvm1.example")
        }
    }

    #[test]
    fn every_kind_matches_what_it_should() {
        let yes = [
            (Kind::Glob, "kvm*"),
            (Kind::Pcre, "kvm[0-9]"),
            (Kind::List, "a,kvm1.example"),
            (Kind::Grain, "roles:hyper*"),
            (Kind::Grain, "a:b:c"),
            (Kind::GrainPcre, "os:(Deb|Ubu)"),
            (Kind::Pillar, "deep:er:3"),
            (Kind::PillarExact, "tier:gold"),
            (Kind::IpCidr, "10.0.0.0/24"),
            (Kind::IpCidr, "10.0.0.5"),
            (
                Kind::Compound,
                "G@os:Debian and not ( L@x,y or I@tier:silver )",
            ),
            (Kind::Compound, "G|@a|b|c"),
            (Kind::Compound, "kvm* not G@os:SUSE"),
            (Kind::Compound, "x or kvm1* and S@10.0.0.0/8"),
            (Kind::NodeGroup, "hypervisors"),
            (Kind::NodeGroup, "named"),
            (Kind::NodeGroup, "ring"),
            (Kind::Compound, "N@words and not N@absent"),
        ];
        for (kind, pattern) in yes {
            assert!(matches(kind, pattern, &target()), "{kind:?} {pattern}");
        }
        let no = [
            (Kind::Glob, "kvm"),
            (Kind::Grain, "roles:web"),
            (Kind::PillarExact, "tier:*"),
            (Kind::IpCidr, "10.1.0.0/16"),
            (Kind::Compound, "kvm* and"),
            (Kind::Compound, "( kvm*"),
            (Kind::Compound, "and"),
            (Kind::Pcre, "[broken"),
            (Kind::NodeGroup, "absent"),
            (Kind::NodeGroup, "alone"),
        ];
        for (kind, pattern) in no {
            assert!(!matches(kind, pattern, &target()), "{kind:?} {pattern}");
        }
    }
}
