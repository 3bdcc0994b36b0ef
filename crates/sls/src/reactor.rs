//! Files of a reactor: what shall be done because something has happened.
//!
//! Source: Salt 3008, "Reactor System". An entry is `ID: {local.FUN: […]}`; its template sees `tag` and `data` of the event.

use crate::diagnostic::{Diagnostic, Location};
use crate::jinja::Engine;
use crate::ports::{Files, Functions, Target, read_inside};
use crate::render::{Origin, SlsFile, render};
use crate::yaml::Node;
use crate::{Map, Value, closest};
use std::sync::Arc;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The entry's id.
    pub id: String,
    /// Who does it.
    pub to: Client,
    /// `module.function`.
    pub fun: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Named arguments.
    pub kwargs: Map,
}

/// Who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// The hosts that a target matches: `local`.
    Hosts {
        /// `tgt`.
        target: String,
        /// `tgt_type`.
        kind: String,
    },
    /// The server: `runner`.
    Runner,
    /// The server's keys: `wheel`.
    Wheel,
}

/// What may stand in an entry beside the arguments. The others say how long a caller waits and whom else to tell; nobody
/// waits for a reaction.
const OF_HOSTS: [&str; 9] = [
    "tgt",
    "tgt_type",
    "expr_form",
    "args",
    "arg",
    "kwarg",
    "timeout",
    "ret",
    "user",
];

/// Reads a file for an event, by its path under the roots of `env`: what is to be done, in the order in which it is
/// written, and what is wrong with the file. An entry with a fault is left out.
pub fn react(
    target: &Target,
    env: &str,
    path: &str,
    files: &Arc<dyn Files>,
    functions: &Arc<dyn Functions>,
) -> (Vec<Reaction>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let sls = path.strip_suffix(".sls").unwrap_or(path).replace('/', ".");
    let why = match read_inside(files.as_ref(), env, path) {
        Ok(Some(source)) => Ok(SlsFile {
            sls: sls.clone(),
            env: env.to_owned(),
            path: path.to_owned(),
            source,
        }),
        Ok(None) => Err(format!("the reactor's file {path} is not there")),
        Err(fault) => Err(fault.to_string()),
    };
    let file = match why {
        Ok(file) => file,
        Err(message) => {
            let remedy = "create it, or take it out of the reactor's settings";
            let fault = Diagnostic::error(message).in_sls(&sls).remedy(remedy);
            return (Vec::new(), vec![fault]);
        }
    };
    let engine = Engine::new(target, files, functions);
    let Some((root, origin)) = render(&file, &engine, &mut faults) else {
        return (Vec::new(), faults);
    };
    let mut reader = Reader {
        file: &file,
        origin: &origin,
        faults,
    };
    let reactions = reader.file(&root);
    (reactions, reader.faults)
}

struct Reader<'a> {
    file: &'a SlsFile,
    origin: &'a Origin,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn fault(&mut self, at: &Node, message: impl Into<String>, remedy: impl Into<String>) {
        let at: Location = self.origin.locate(at.mark);
        let fault = Diagnostic::error(message).in_sls(&self.file.sls).at(at);
        self.faults.push(fault.remedy(remedy));
    }

    fn file(&mut self, root: &Node) -> Vec<Reaction> {
        // A template may decide that there is nothing to do.
        if root.is_null() {
            return Vec::new();
        }
        let Some(entries) = root.as_map() else {
            self.fault(
                root,
                "the file is no dictionary",
                "write 'ID:' and below it 'local.FUN:'",
            );
            return Vec::new();
        };
        let mut reactions = Vec::new();
        for (id, body) in entries {
            let name = id.scalar_text().unwrap_or_default();
            let Some(calls) = body.as_map() else {
                self.fault(
                    body,
                    format!("{name} says nothing to do"),
                    "write 'local.FUN:' below it",
                );
                continue;
            };
            for (word, arguments) in calls {
                reactions.extend(self.call(&name, word, arguments));
            }
        }
        reactions
    }

    fn call(&mut self, id: &str, word: &Node, arguments: &Node) -> Option<Reaction> {
        let text = word.scalar_text().unwrap_or_default();
        let (client, fun) = text.split_once('.').unwrap_or((&text, ""));
        // The name before 2018: cmd.
        let clients = ["local", "cmd", "runner", "wheel", "caller"];
        if fun.is_empty() || !clients.contains(&client) {
            let remedy = match closest(client, clients) {
                Some(near) => format!("did you mean {near}.FUN?"),
                None => "there are local.FUN, runner.FUN and wheel.FUN".to_owned(),
            };
            self.fault(
                word,
                format!("{id}: '{text}' is not something to do"),
                remedy,
            );
            return None;
        }
        if client == "caller" {
            let remedy = "aim at the host by its name: local.FUN with tgt";
            self.fault(
                word,
                format!("{id}: '{text}' is for an agent's own reactor"),
                remedy,
            );
            return None;
        }
        let given = self.options(id, arguments)?;
        let to = match client {
            "runner" => Client::Runner,
            "wheel" => Client::Wheel,
            _ => self.hosts(id, word, &given)?,
        };
        let (mut args, mut kwargs) = (Vec::new(), Map::new());
        for (key, value) in &given {
            match (key.as_str(), value) {
                ("args" | "arg", Value::Array(items)) => {
                    for item in items {
                        match item {
                            // `- name: zsh` is an argument with a name.
                            Value::Object(one) if one.len() == 1 => kwargs.extend(one.clone()),
                            item => args.push(item.clone()),
                        }
                    }
                }
                ("args" | "kwarg", Value::Object(named)) => kwargs.extend(named.clone()),
                ("args" | "arg", Value::Null) | ("kwarg", Value::Null) => {}
                ("args" | "arg", one) => args.push(one.clone()),
                // Runners and wheels have their arguments side by side with these words, too.
                (key, value) if !matches!(to, Client::Hosts { .. }) => {
                    kwargs.insert(key.to_owned(), value.clone());
                }
                _ => {}
            }
        }
        Some(Reaction {
            id: id.to_owned(),
            to,
            fun: fun.to_owned(),
            args,
            kwargs,
        })
    }

    /// `[{tgt: …}, {args: …}]`, or the same as one dictionary.
    fn options(&mut self, id: &str, node: &Node) -> Option<Map> {
        let mut given = Map::new();
        let one = |given: &mut Map, node: &Node| match node.to_value() {
            Value::Object(map) => {
                given.extend(map);
                true
            }
            Value::Null => true,
            _ => false,
        };
        let fits = match node.as_seq() {
            Some(items) => items.iter().all(|item| one(&mut given, item)),
            None => one(&mut given, node),
        };
        if !fits {
            let remedy = "write each on a line of its own: '- tgt: HOSTS', '- args: […]'";
            self.fault(node, format!("{id}: its options have no names"), remedy);
            return None;
        }
        Some(given)
    }

    fn hosts(&mut self, id: &str, at: &Node, given: &Map) -> Option<Client> {
        if let Some(unknown) = given.keys().find(|key| !OF_HOSTS.contains(&key.as_str())) {
            let remedy = match closest(unknown, OF_HOSTS) {
                Some(near) => {
                    format!("did you mean {near}? Arguments of the function stand below 'args:'")
                }
                None => "arguments of the function stand below 'args:'".to_owned(),
            };
            self.fault(at, format!("{id}: there is no option {unknown}"), remedy);
            return None;
        }
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(names) => {
                let names = names.iter().map(|name| name.as_str());
                names
                    .collect::<Option<Vec<_>>>()
                    .map(|names| names.join(","))
            }
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let target = given
            .get("tgt")
            .and_then(text)
            .filter(|target| !target.is_empty());
        let Some(target) = target else {
            self.fault(
                at,
                format!("{id}: it names no hosts"),
                "write '- tgt: HOSTS'",
            );
            return None;
        };
        let kind = given.get("tgt_type").or_else(|| given.get("expr_form"));
        let kind = kind.and_then(Value::as_str).unwrap_or(match given["tgt"] {
            Value::Array(_) => "list",
            _ => "glob",
        });
        Some(Client::Hosts {
            target,
            kind: kind.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{files, functions};
    use serde_json::json;

    fn read(text: &str) -> (Vec<Reaction>, Vec<String>) {
        let mut target = Target::new("reactor");
        target.names = json!({
            "tag": "salt/minion/kvm1/start",
            "data": {"id": "kvm1", "data": {"domain": {"name": "a: b"}}},
        })
        .as_object()
        .cloned()
        .expect("a dictionary");
        let files = files(&[("reactor/start.sls", text)]);
        let (reactions, faults) = react(&target, "base", "reactor/start.sls", &files, &functions());
        (reactions, faults.iter().map(Diagnostic::text).collect())
    }

    fn hosts(target: &str, kind: &str) -> Client {
        Client::Hosts {
            target: target.to_owned(),
            kind: kind.to_owned(),
        }
    }

    #[test]
    fn entries_of_every_form_are_read() {
        let (reactions, faults) = read(
            "apply:
  local.state.apply:
    - tgt: {{ data['id'] }}
    - args:
      - vm
      - pillar: {name: {{ data.data.domain.name | yaml_dquote }}}
zsh:
  cmd.state.single:
    - tgt: 'os:Debian'
    - expr_form: grain
    - arg: [pkg.installed]
    - kwarg: {name: zsh}
{% if tag.endswith('/start') %}
tell:
  runner.event.send:
    - args: {tag: seen, data: {from: {{ tag }}}}
{% endif %}
key:
  wheel.key.accept:
    - match: kvm1
two:
  local.test.ping: {tgt: [kvm1, kvm2]}
",
        );
        assert_eq!(faults, Vec::<String>::new());
        let shown: Vec<_> = reactions
            .iter()
            .map(|one| {
                (
                    one.id.as_str(),
                    &one.to,
                    one.fun.as_str(),
                    json!(one.args),
                    json!(one.kwargs),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (
                    "apply",
                    &hosts("kvm1", "glob"),
                    "state.apply",
                    json!(["vm"]),
                    json!({"pillar": {"name": "a: b"}})
                ),
                (
                    "zsh",
                    &hosts("os:Debian", "grain"),
                    "state.single",
                    json!(["pkg.installed"]),
                    json!({"name": "zsh"})
                ),
                (
                    "tell",
                    &Client::Runner,
                    "event.send",
                    json!([]),
                    json!({"tag": "seen", "data": {"from": "salt/minion/kvm1/start"}}),
                ),
                (
                    "key",
                    &Client::Wheel,
                    "key.accept",
                    json!([]),
                    json!({"match": "kvm1"})
                ),
                (
                    "two",
                    &hosts("kvm1,kvm2", "list"),
                    "test.ping",
                    json!([]),
                    json!({})
                ),
            ]
        );
    }

    #[test]
    fn a_fault_has_its_line_and_keeps_out_its_own_entry_alone() {
        let (reactions, faults) = read(
            "a:
  locl.test.ping:
    - tgt: '*'
b:
  local.test.ping: []
c:
  local.test.ping:
    - tgt: '*'
    - argz: [1]
d: nothing
e:
  local.test.ping:
    - tgt: kvm1
f:
  caller.test.ping: []
",
        );
        let ids: Vec<&str> = reactions.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["e"]);
        for (fault, (words, place)) in faults.iter().zip([
            ("a: 'locl.test.ping'", ":2:3"),
            ("b: it names no hosts", ":5:3"),
            ("c: there is no option argz", ":7:3"),
            ("d says nothing to do", ":10:4"),
            ("f: 'caller.test.ping'", ":15:3"),
        ]) {
            assert!(fault.contains(words) && fault.contains(place), "{fault}");
        }
        assert_eq!(faults.len(), 5);
        let (none, faults) = read("- a\n");
        assert_eq!((none.len(), faults.len()), (0, 1));
        let (none, faults) = read("{% if false %}a: b{% endif %}\n");
        assert_eq!((none.len(), faults.len()), (0, 0));
    }
}
