//! Targets: which hosts a run is for, in Salt's words.
//!
//! An expression that cannot be read is told, not taken for one that means nobody: who aims at hosts has to know.

use db::HostRecord;
use regex::Regex;
use sls::matcher::{self, Kind};
use sls::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;
use thiserror::Error;

/// Node groups: compound expressions by name.
pub type NodeGroups = BTreeMap<String, String>;

/// Most node groups that one expression may lead through.
const DEEPEST: usize = 20;

/// A target that can be asked.
#[derive(Debug)]
pub struct Target {
    kind: Kind,
    expression: String,
    /// As a minion's configuration has them.
    opts: Value,
    asks_pillar: bool,
}

/// Why a target cannot be read.
#[derive(Debug, Error)]
pub enum BadTarget {
    /// A kind that this server does not know.
    #[error(
        "target_kind {kind:?} is none of glob, pcre, list, grain, grain_pcre, pillar, pillar_pcre, pillar_exact, compound, nodegroup, ipcidr"
    )]
    Kind {
        /// As given.
        kind: String,
    },
    /// Not a regular expression.
    #[error("{expression:?} is not a regular expression: {source}")]
    Pattern {
        /// As given.
        expression: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// A compound expression that does not hang together, or a part that is none.
    #[error("the target {expression:?} cannot be read: {why}")]
    Expression {
        /// As given.
        expression: String,
        /// What is wrong with it.
        why: String,
    },
}

impl BadTarget {
    /// The field of a request that is wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "target_kind",
            _ => "target",
        }
    }
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    /// For an unknown kind or an expression that does not hang together.
    pub fn parse(kind: &str, expression: &str, groups: &NodeGroups) -> Result<Self, BadTarget> {
        let unknown = || BadTarget::Kind {
            kind: kind.to_owned(),
        };
        let kind = Kind::parse(kind).ok_or_else(unknown)?;
        let mut reading = Reading {
            groups,
            asks_pillar: false,
        };
        reading.check(kind, expression, 0)?;
        let nodegroups: Map = groups
            .iter()
            .map(|(name, words)| (name.clone(), Value::from(words.clone())))
            .collect();
        Ok(Self {
            kind,
            expression: expression.to_owned(),
            opts: serde_json::json!({ "nodegroups": nodegroups }),
            asks_pillar: reading.asks_pillar,
        })
    }

    /// Whether the pillar of a host has a say.
    pub const fn asks_pillar(&self) -> bool {
        self.asks_pillar
    }

    /// Whether a host with this pillar is meant.
    pub fn matches(&self, host: &HostRecord, pillar: Value) -> bool {
        let mut target = sls::Target::new(&host.facts.name);
        target.pillar = pillar;
        if let Ok(grains @ Value::Object(_)) = serde_json::from_str(&host.facts.grains) {
            target.grains = grains;
        }
        target.opts = self.opts.clone();
        matcher::matches(self.kind, &self.expression, &target)
    }
}

/// Whether expressions can be read, and what they ask.
struct Reading<'a> {
    groups: &'a NodeGroups,
    asks_pillar: bool,
}

impl Reading<'_> {
    fn check(&mut self, kind: Kind, expression: &str, depth: usize) -> Result<(), BadTarget> {
        let wrong = |why: String| BadTarget::Expression {
            expression: expression.to_owned(),
            why,
        };
        match kind {
            Kind::Glob | Kind::List => Ok(()),
            Kind::Pcre => check_regex(expression),
            Kind::Grain | Kind::GrainPcre => check_data(kind, expression),
            Kind::Pillar | Kind::PillarPcre | Kind::PillarExact => {
                self.asks_pillar = true;
                check_data(kind, expression)
            }
            Kind::IpCidr => {
                let address = expression.split('/').next().unwrap_or_default();
                match address.parse::<IpAddr>() {
                    Ok(_) => Ok(()),
                    Err(_) => Err(wrong("it is no address and no network".to_owned())),
                }
            }
            Kind::NodeGroup if depth > DEEPEST => Err(wrong("it leads in a circle".to_owned())),
            Kind::NodeGroup => match self.groups.get(expression) {
                Some(words) => self.check(Kind::Compound, words, depth + 1),
                None => {
                    let known: Vec<_> = self.groups.keys().map(String::as_str).collect();
                    let known = match known.is_empty() {
                        true => "none".to_owned(),
                        false => known.join(", "),
                    };
                    Err(wrong(format!(
                        "there is no such node group; there are: {known}"
                    )))
                }
            },
            Kind::Compound => self.check_compound(expression, depth),
        }
    }

    /// Brackets in pairs, a term on each side of `and` and `or`, and every term one that can be read.
    fn check_compound(&mut self, expression: &str, depth: usize) -> Result<(), BadTarget> {
        let wrong = |why: &str| BadTarget::Expression {
            expression: expression.to_owned(),
            why: why.to_owned(),
        };
        let (mut open, mut wants_term) = (0_usize, true);
        for word in expression.split_whitespace() {
            match word {
                "and" | "or" if wants_term => {
                    return Err(wrong("a term is missing before 'and' or 'or'"));
                }
                "and" | "or" => wants_term = true,
                "not" => wants_term = true,
                "(" if !wants_term => return Err(wrong("'and' or 'or' is missing before '('")),
                "(" => open += 1,
                ")" if open == 0 || wants_term => {
                    return Err(wrong("')' is not where it can be"));
                }
                ")" => open -= 1,
                _ if !wants_term => {
                    return Err(wrong(
                        "'and' or 'or' is missing between two terms; brackets are words of their own",
                    ));
                }
                term => {
                    self.check_term(term, depth)?;
                    wants_term = false;
                }
            }
        }
        if open > 0 {
            return Err(wrong("a '(' is not closed"));
        }
        if wants_term {
            return Err(wrong("a term is missing at its end"));
        }
        Ok(())
    }

    fn check_term(&mut self, term: &str, depth: usize) -> Result<(), BadTarget> {
        let Some((head, pattern)) = term.split_once('@') else {
            return match term.contains(['(', ')']) {
                true => Err(BadTarget::Expression {
                    expression: term.to_owned(),
                    why: "brackets are words of their own, with blanks around".to_owned(),
                }),
                false => Ok(()),
            };
        };
        let mut letters = head.chars();
        // Another character between the parts of a path stands behind the letter: its expression is read when it is asked.
        let (letter, delimiter) = (letters.next(), letters.as_str());
        let Some(kind) = letter.and_then(Kind::of_letter) else {
            return Err(BadTarget::Expression {
                expression: term.to_owned(),
                why: "the letter before @ is none of G, P, I, J, E, L, S, N".to_owned(),
            });
        };
        match kind {
            Kind::Grain | Kind::GrainPcre if !delimiter.is_empty() => Ok(()),
            Kind::Pillar | Kind::PillarPcre if !delimiter.is_empty() => {
                self.asks_pillar = true;
                Ok(())
            }
            _ => self.check(kind, pattern, depth),
        }
    }
}

/// A path into grains or pillar, and what its value has to be.
fn check_data(kind: Kind, expression: &str) -> Result<(), BadTarget> {
    let by_regex = matches!(kind, Kind::GrainPcre | Kind::PillarPcre);
    match expression.split_once(':') {
        None => Err(BadTarget::Expression {
            expression: expression.to_owned(),
            why: match kind {
                Kind::Grain | Kind::GrainPcre => "a grain and its value have a colon between",
                _ => "a key of the pillar and its value have a colon between",
            }
            .to_owned(),
        }),
        Some((_, pattern)) if by_regex => check_regex(pattern),
        Some(_) => Ok(()),
    }
}

fn check_regex(expression: &str) -> Result<(), BadTarget> {
    // As in Salt the expression has to match from the beginning and may leave an end.
    match Regex::new(&format!("^(?:{expression})")) {
        Ok(_) => Ok(()),
        Err(source) => Err(BadTarget::Pattern {
            expression: expression.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use model::{Bytes, Freshness, HostFacts, HostId};

    fn host(name: &str, grains: &str) -> HostRecord {
        HostRecord {
            id: HostId(uuid::Uuid::nil()),
            r#gen: 1,
            facts: HostFacts {
                name: name.to_owned(),
                uri: String::new(),
                hypervisor: String::new(),
                hypervisor_version: String::new(),
                libvirt_version: String::new(),
                cpus: 1,
                cpu_model: String::new(),
                arch: String::new(),
                memory: Bytes(0),
                accelerated: false,
                domain_types: Vec::new(),
                grains: grains.to_owned(),
            },
            freshness: Freshness::Live,
            problem: String::new(),
            vms_total: 0,
            vms_running: 0,
            last_seen: Timestamp::UNIX_EPOCH,
            agentless: false,
        }
    }

    fn groups() -> NodeGroups {
        [
            ("kvm", "kvm* and not N@old"),
            ("old", "L@kvm1,kvm2"),
            ("round", "N@round or kvm1"),
            ("golden", "xen* and I@tier:gold"),
        ]
        .map(|(name, words)| (name.to_owned(), words.to_owned()))
        .into()
    }

    fn check(kind: &str, target: &str, yes: &[&str], no: &[&str]) {
        let read = Target::parse(kind, target, &groups()).expect("a readable target");
        let grains = |name: &str| match name.strip_prefix("xen") {
            Some(_) => {
                r#"{"os": "SUSE", "virtual": "xen", "ipv4": ["10.0.1.7"], "cpu": {"flags": ["svm"]}}"#
            }
            None => {
                r#"{"os": "Debian", "virtual": "physical", "ipv4": ["10.0.0.7"], "roles": ["web", "db"]}"#
            }
        };
        // Hosts with Xen are golden.
        let pillar = |name: &str| serde_json::json!({ "tier": if name.starts_with("xen") { "gold" } else { "tin" } });
        for name in yes {
            assert!(
                read.matches(&host(name, grains(name)), pillar(name)),
                "{target} should match {name}"
            );
        }
        for name in no {
            assert!(
                !read.matches(&host(name, grains(name)), pillar(name)),
                "{target} should not match {name}"
            );
        }
    }

    #[test]
    fn names_are_matched_as_by_salt() {
        check(
            "glob",
            "*min-kvm*",
            &["a-min-kvm.tf.local", "min-kvm"],
            &["kvm"],
        );
        check("glob", "kvm[0-3]", &["kvm0", "kvm3"], &["kvm4", "kvm01"]);
        check("glob", "kvm.", &["kvm."], &["kvm1"]);
        check(
            "pcre",
            "kvm[12]",
            &["kvm1", "kvm2.tf.local"],
            &["kvm3", "a-kvm1"],
        );
        check("list", "kvm1, kvm2", &["kvm1", "kvm2"], &["kvm3", "kvm"]);
    }

    #[test]
    fn grains_are_matched_as_by_salt() {
        check("grain", "os:Deb*", &["kvm1"], &["xen1"]);
        check("grain", "roles:web", &["kvm1"], &["xen1"]);
        check("grain", "cpu:flags:svm", &["xen1"], &["kvm1"]);
        check("grain_pcre", "os:(SUSE|RedHat)", &["xen1"], &["kvm1"]);
        check("ipcidr", "10.0.0.0/24", &["kvm1"], &["xen1"]);
        check(
            "compound",
            "G@os:Debian and not kvm2",
            &["kvm1"],
            &["kvm2", "xen1"],
        );
        check(
            "compound",
            "( xen* or E@kvm[12] ) and not S@10.0.1.7",
            &["kvm1"],
            &["kvm3", "xen1"],
        );
        check("compound", "G|@os|Debian", &["kvm1"], &["xen1"]);
        check("nodegroup", "kvm", &["kvm3"], &["kvm1", "kvm2", "xen1"]);
        // An agent that has not told its grains.
        let target = Target::parse("grain", "os:*", &groups()).expect("is read");
        assert!(!target.matches(&host("kvm1", ""), Value::Null));
    }

    #[test]
    fn the_pillar_is_matched_as_by_salt_and_asked_only_where_it_has_a_say() {
        check("pillar", "tier:g*", &["xen1"], &["kvm1"]);
        check("pillar_exact", "tier:gold", &["xen1"], &["kvm1"]);
        check("pillar_exact", "tier:g*", &[], &["xen1", "kvm1"]);
        check("pillar_pcre", "tier:(tin|iron)", &["kvm1"], &["xen1"]);
        check(
            "compound",
            "J@tier:t.n or I|@tier|gold",
            &["kvm1", "xen1"],
            &[],
        );
        check("nodegroup", "golden", &["xen1"], &["kvm1"]);
        for (kind, target, asks) in [
            ("pillar", "tier:gold", true),
            ("compound", "kvm* and not I@tier:gold", true),
            ("compound", "not I|@tier|gold", true),
            ("nodegroup", "golden", true),
            ("compound", "kvm* and G@os:Debian", false),
            ("glob", "I@tier:gold", false),
        ] {
            let read = Target::parse(kind, target, &groups()).expect("is read");
            assert_eq!(read.asks_pillar(), asks, "{kind} {target}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (kind, target, wanted) in [
            ("pcre", "kvm[", "not a regular expression"),
            ("range", "%x", "is none of"),
            ("pillar", "role", "have a colon between"),
            ("pillar_pcre", "role:(", "not a regular expression"),
            ("grain", "os", "have a colon between"),
            ("grain_pcre", "os:(", "not a regular expression"),
            ("ipcidr", "10.0.0", "no address"),
            ("nodegroup", "nobody", "there are: golden, kvm, old, round"),
            ("nodegroup", "round", "in a circle"),
            ("compound", "kvm1 kvm2", "is missing between two terms"),
            ("compound", "(kvm1 or kvm2)", "words of their own"),
            ("compound", "( kvm1", "is not closed"),
            ("compound", "kvm1 )", "not where it can be"),
            ("compound", "kvm1 and", "missing at its end"),
            ("compound", "or kvm1", "missing before"),
            ("compound", "", "missing at its end"),
            ("compound", "kvm1 and J@role:(", "not a regular expression"),
            ("compound", "X@a", "is none of G, P, I, J, E, L, S, N"),
            ("compound", "E@(", "not a regular expression"),
        ] {
            let error = Target::parse(kind, target, &groups()).expect_err(target);
            assert!(error.to_string().contains(wanted), "{target}: {error}");
        }
    }
}
