//! High data: what an SLS declares, read from its YAML with the place of every part.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Location};
use crate::render::Origin;
use crate::yaml::{Data, Node};
use crate::{Map, Value};

/// One ID with the states it holds.
#[derive(Debug, Clone)]
pub(crate) struct Declaration {
    pub(crate) id: String,
    pub(crate) sls: String,
    pub(crate) env: String,
    pub(crate) at: Location,
    pub(crate) states: Vec<StateDeclaration>,
}

/// One module under an ID: `virt.running` with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct StateDeclaration {
    pub(crate) module: String,
    /// Empty until a function is found: an `extend` may give a module alone.
    pub(crate) function: String,
    pub(crate) at: Location,
    pub(crate) arguments: Vec<Argument>,
    /// The position that was assigned in order of appearance.
    pub(crate) order: i64,
}

/// One `key: value` of a state.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) key: String,
    pub(crate) value: Node,
    pub(crate) at: Location,
    pub(crate) origin: Arc<Origin>,
}

impl StateDeclaration {
    /// The last value given for `key`.
    pub(crate) fn argument(&self, key: &str) -> Option<&Argument> {
        self.arguments
            .iter()
            .rev()
            .find(|argument| argument.key == key)
    }
}

/// Reads the body of an ID. Faults are reported; what can be read is returned.
pub(crate) fn read(
    id: &Node,
    body: &Node,
    sls: &str,
    env: &str,
    origin: &Arc<Origin>,
    faults: &mut Vec<Diagnostic>,
) -> Option<Declaration> {
    let at = origin.locate(id.mark);
    let Some(name) = id.as_str() else {
        let text = id.scalar_text().unwrap_or_default();
        faults.push(
            Diagnostic::error(format!(
                "ID '{text}' in SLS '{sls}' is not formed as a string, but is type {}. It may need to be quoted.",
                id.type_name()
            ))
            .in_sls(sls)
            .at(at)
            .remedy(format!("write '{text}': with the quotes")),
        );
        return None;
    };
    let mut reader = Reader {
        id: name,
        sls,
        origin,
        faults,
    };
    let states = match &body.data {
        Data::Scalar(Value::String(short)) => reader.short(short, body),
        Data::Map(pairs) => reader.states(pairs),
        _ => {
            reader.fault(
                format!("ID {name} in SLS {sls} is not a dictionary"),
                at.clone(),
                "give it a state, such as\n      virt.running:\n        - name: …",
            );
            return None;
        }
    };
    Some(Declaration {
        id: name.to_owned(),
        sls: sls.to_owned(),
        env: env.to_owned(),
        at,
        states,
    })
}

struct Reader<'a> {
    id: &'a str,
    sls: &'a str,
    origin: &'a Arc<Origin>,
    faults: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn fault(&mut self, message: String, at: Location, remedy: impl Into<String>) {
        self.faults.push(
            Diagnostic::error(message)
                .in_sls(self.sls)
                .at(at)
                .remedy(remedy),
        );
    }

    /// `id2: virt.running`
    fn short(&mut self, text: &str, body: &Node) -> Vec<StateDeclaration> {
        let at = self.origin.locate(body.mark);
        let Some((module, function)) = text.split_once('.') else {
            self.no_function(at);
            return Vec::new();
        };
        let state = StateDeclaration {
            module: module.to_owned(),
            function: function.to_owned(),
            at,
            arguments: Vec::new(),
            order: 0,
        };
        self.check_blank(&state);
        vec![state]
    }

    fn states(&mut self, pairs: &[(Node, Node)]) -> Vec<StateDeclaration> {
        let mut states: Vec<StateDeclaration> = Vec::new();
        for (key, value) in pairs {
            let Some(name) = key.scalar_text().filter(|name| !name.starts_with("__")) else {
                continue;
            };
            let Some(state) = self.state(&name, key, value) else {
                continue;
            };
            if let Some(first) = states.iter().find(|have| have.module == state.module) {
                let message = format!(
                    "ID '{}' in SLS '{}' contains multiple state declarations of the same type",
                    self.id, self.sls
                );
                self.faults.push(
                    Diagnostic::error(message)
                        .in_sls(self.sls)
                        .at(state.at.clone())
                        .also(first.at.clone())
                        .remedy("give the second one an ID of its own"),
                );
                continue;
            }
            states.push(state);
        }
        states
    }

    fn state(&mut self, name: &str, key: &Node, value: &Node) -> Option<StateDeclaration> {
        let at = self.origin.locate(key.mark);
        let (id, sls) = (self.id, self.sls);
        if value.is_null() {
            self.fault(
                format!(
                    "ID '{id}' in SLS '{sls}' contains a short declaration ({name}) with a trailing colon. When not \
                     passing any arguments to a state, the colon must be omitted."
                ),
                at,
                format!("write '{id}: {name}', or give the arguments below it, indented"),
            );
            return None;
        }
        let Some(items) = value.as_seq() else {
            self.fault(
                format!("State '{id}' in SLS '{sls}' is not formed as a list"),
                at,
                format!("write each argument of {name} on a line of its own that begins with '- '"),
            );
            return None;
        };
        let (module, function) = name.split_once('.').unwrap_or((name, ""));
        let mut state = StateDeclaration {
            module: module.to_owned(),
            function: function.to_owned(),
            at,
            arguments: Vec::new(),
            order: 0,
        };
        let mut functions: Vec<String> = (!function.is_empty())
            .then(|| function.to_owned())
            .into_iter()
            .collect();
        for item in items {
            self.item(item, &mut state, &mut functions);
        }
        self.choose_function(&mut state, &functions);
        self.check_blank(&state);
        Some(state)
    }

    fn item(&mut self, item: &Node, state: &mut StateDeclaration, functions: &mut Vec<String>) {
        match &item.data {
            Data::Scalar(Value::String(function)) => functions.push(function.clone()),
            Data::Map(pairs) => {
                for (key, value) in pairs {
                    state.arguments.push(Argument {
                        key: key.scalar_text().unwrap_or_default(),
                        value: value.clone(),
                        at: self.origin.locate(key.mark),
                        origin: Arc::clone(self.origin),
                    });
                }
            }
            _ => {
                let message = format!(
                    "An argument of state '{}' in SLS '{}' is neither 'key: value' nor a function, but is type {}",
                    self.id,
                    self.sls,
                    item.type_name()
                );
                self.fault(
                    message,
                    self.origin.locate(item.mark),
                    "write it as '- key: value'",
                );
            }
        }
    }

    fn choose_function(&mut self, state: &mut StateDeclaration, functions: &[String]) {
        match functions {
            [one] => state.function = one.clone(),
            [] => self.no_function(state.at.clone()),
            several => {
                let message = format!(
                    "Too many functions declared in state '{}' in SLS '{}'. Please choose one of the following: {}",
                    self.id,
                    self.sls,
                    several.join(", ")
                );
                let blank = several
                    .iter()
                    .find(|word| word.contains(char::is_whitespace));
                let remedy = match blank {
                    Some(word) => format!("'{word}' looks like an argument without its ':'"),
                    None => "keep one function; an argument is written '- key: value'".to_owned(),
                };
                state.function = several[0].clone();
                self.fault(message, state.at.clone(), remedy);
            }
        }
    }

    fn no_function(&mut self, at: Location) {
        let message = format!(
            "No function declared in state '{}' in SLS '{}'",
            self.id, self.sls
        );
        self.fault(
            message,
            at,
            "name the function after the module, as in virt.running",
        );
    }

    fn check_blank(&mut self, state: &StateDeclaration) {
        if state.function.contains(char::is_whitespace) {
            let message = format!(
                "The function \"{}\" in state \"{}\" in SLS \"{}\" has whitespace, a function with whitespace is not \
                 supported, perhaps this is an argument that is missing a \":\"",
                state.function, self.id, self.sls
            );
            self.fault(
                message,
                state.at.clone(),
                "write '- key: value' with a colon and a blank",
            );
        }
    }
}

/// The declarations as `state.show_sls` prints them.
pub(crate) fn show(declarations: &[Declaration]) -> Value {
    let mut high = Map::new();
    for declaration in declarations {
        let mut body = Map::new();
        for state in &declaration.states {
            let mut items: Vec<Value> = state
                .arguments
                .iter()
                .map(|argument| {
                    Value::Object(Map::from_iter([(
                        argument.key.clone(),
                        argument.value.to_value(),
                    )]))
                })
                .collect();
            items.push(Value::String(state.function.clone()));
            if state.argument("order").is_none() {
                items.push(serde_json::json!({ "order": state.order }));
            }
            body.insert(state.module.clone(), Value::Array(items));
        }
        body.insert("__sls__".to_owned(), Value::String(declaration.sls.clone()));
        body.insert("__env__".to_owned(), Value::String(declaration.env.clone()));
        high.insert(declaration.id.clone(), Value::Object(body));
    }
    Value::Object(high)
}
