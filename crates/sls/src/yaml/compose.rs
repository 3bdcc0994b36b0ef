//! From parser events to nodes: anchors, merge keys, equal keys, tags, budgets.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::node::python_str;
use super::scalar;
use super::{Data, Mark, Node};
use crate::Value;

/// Nodes a document may have, aliases counted as often as they are used.
const NODE_BUDGET: usize = 200_000;
/// Lists and dictionaries that may lie within one another.
const DEPTH_LIMIT: usize = 120;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; line {}", at.line)]
pub struct YamlError {
    /// What is wrong, without the place.
    pub message: String,
    /// Where it is.
    pub at: Mark,
    /// The first of two equal keys.
    pub also: Option<Mark>,
    /// The rule that was broken.
    pub rule: &'static str,
    /// What to do.
    pub remedy: String,
}

/// Something that was read, but perhaps not as its author meant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What was read how.
    pub message: String,
    /// Where.
    pub at: Mark,
    /// How to write it unmistakably.
    pub remedy: String,
}

/// Reads one document. An empty text is null.
///
/// # Errors
/// See [`super::load`].
pub fn parse(text: &str) -> Result<(Node, Vec<Warning>), YamlError> {
    // The parser wants its byte order mark gone and takes CR LF as it comes.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        text,
        anchors: HashMap::new(),
        nodes: 0,
        warnings: Vec::new(),
    };
    let root = composer.document()?;
    Ok((root, composer.warnings))
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    /// Finished anchored nodes with the number of nodes in them.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    warnings: Vec<Warning>,
}

impl<'t> Composer<'t> {
    fn document(&mut self) -> Result<Node, YamlError> {
        let mut root = None;
        loop {
            let (event, mark) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(error(
                        "expected a single document in the stream, but found another document",
                        mark,
                        "a file holds one document",
                        "remove the second '---' and what follows it",
                    ));
                }
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                event => root = Some(self.node(event, mark, 0)?),
            }
        }
        let empty = Node {
            data: Data::Scalar(Value::Null),
            mark: Mark { line: 1, column: 1 },
        };
        Ok(root.unwrap_or(empty))
    }

    fn next(&mut self) -> Result<(Event<'t>, Mark), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, mark(span.start))),
            Some(Err(fault)) => Err(self.syntax(&fault)),
            None => Ok((Event::StreamEnd, Mark { line: 1, column: 1 })),
        }
    }

    fn node(&mut self, event: Event<'t>, at: Mark, depth: usize) -> Result<Node, YamlError> {
        self.spend(1, at)?;
        if depth > DEPTH_LIMIT {
            return Err(error(
                format!("lists and dictionaries lie more than {DEPTH_LIMIT} deep in one another"),
                at,
                "the size of a document is bounded",
                "flatten the data",
            ));
        }
        let before = self.nodes;
        let (data, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), at)?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                check_collection_tag(tag.as_deref(), "seq", at)?;
                (Data::Seq(self.sequence(depth)?), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                check_collection_tag(tag.as_deref(), "map", at)?;
                (Data::Map(self.mapping(at, depth)?), anchor)
            }
            _ => {
                return Err(error(
                    "the document ends in the middle of a value",
                    at,
                    "every list and dictionary that is opened must be closed",
                    "complete it",
                ));
            }
        };
        let node = Node { data, mark: at };
        if anchor != 0 {
            self.anchors
                .insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn spend(&mut self, nodes: usize, at: Mark) -> Result<(), YamlError> {
        self.nodes += nodes;
        if self.nodes <= NODE_BUDGET {
            return Ok(());
        }
        Err(error(
            format!("the document has more than {NODE_BUDGET} values, aliases counted each time"),
            at,
            "the size of a document is bounded",
            "use fewer aliases, or split the file",
        ))
    }

    fn alias(&mut self, anchor: usize, at: Mark) -> Result<Node, YamlError> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(error(
                "found a recursive or undefined alias",
                at,
                "an alias repeats a value that stands before it",
                "name an anchor that is complete",
            ));
        };
        let (node, size) = (node.data.clone(), *size);
        self.spend(size, at)?;
        Ok(Node {
            data: node,
            mark: at,
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(items);
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    /// A dictionary. Merged keys come first, own keys override them in place, as PyYAML orders them.
    fn mapping(&mut self, start: Mark, depth: usize) -> Result<Vec<(Node, Node)>, YamlError> {
        let mut merged: Vec<(Node, Node)> = Vec::new();
        let mut own: Vec<(Node, Node)> = Vec::new();
        let mut seen: HashMap<String, Mark> = HashMap::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = is_merge_key(&event);
            let key = self.node(event, at, depth + 1)?;
            let (event, value_at) = self.next()?;
            let value = self.node(event, value_at, depth + 1)?;
            if merge {
                merge_into(&mut merged, value)?;
                continue;
            }
            let Some(text) = key_text(&key) else {
                return Err(error(
                    format!(
                        "while constructing a mapping, found an unacceptable key ({})",
                        key.type_name()
                    ),
                    at,
                    "a key is text or a number",
                    "put quotes around text that contains braces or brackets",
                ));
            };
            if let Some(first) = seen.insert(text, at) {
                return Err(conflict(&key, start, at, first));
            }
            own.push((key, value));
        }
        Ok(join(merged, own))
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: Mark,
    ) -> Result<Data, YamlError> {
        let value = match tag {
            Some(tag) => tagged(text, tag, at)?,
            None if style != ScalarStyle::Plain => Value::String(text.to_owned()),
            None => {
                let resolved = scalar::resolve(text);
                if let Some(number) = resolved.base60 {
                    self.warnings.push(Warning {
                        message: format!(
                            "'{text}' without quotes is the number {number} in YAML 1.1; it is kept as text here, \
                             Salt would pass the number on"
                        ),
                        at,
                        remedy: format!("put it in quotes: '{text}'"),
                    });
                }
                resolved.value
            }
        };
        Ok(Data::Scalar(value))
    }

    /// Words a scanner error as PyYAML and Salt do where they have a word for it.
    fn syntax(&self, fault: &ScanError) -> YamlError {
        let at = mark(*fault.marker());
        let tab = [at.line, at.line.saturating_sub(1)]
            .into_iter()
            .find(|line| {
                let text = self
                    .text
                    .lines()
                    .nth(line.wrapping_sub(1))
                    .unwrap_or_default();
                text.trim_start_matches(' ').starts_with('\t')
            });
        if let Some(line) = tab {
            return error(
                "found character '\\t' that cannot start any token",
                Mark { line, column: 1 },
                "YAML does not allow tabs in indentation",
                "indent with spaces",
            );
        }
        let line = self
            .text
            .lines()
            .nth(at.line.wrapping_sub(1))
            .unwrap_or_default();
        let (rule, remedy) = if line.contains("{%") || line.contains("{{") {
            (
                "a brace begins a dictionary",
                "put quotes around a value that begins with '{{'",
            )
        } else if fault.info().contains("mapping values are not allowed") {
            (
                "': ' separates a key from its value, once on a line",
                "put quotes around text that contains ': ', or check the indentation of this line",
            )
        } else {
            (
                "indentation, quotes and brackets give a file its shape",
                "check those of this line and the one above it",
            )
        };
        error(fault.info(), at, rule, remedy)
    }
}

fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

fn error(message: impl Into<String>, at: Mark, rule: &'static str, remedy: &str) -> YamlError {
    YamlError {
        message: message.into(),
        at,
        also: None,
        rule,
        remedy: remedy.to_owned(),
    }
}

fn conflict(key: &Node, start: Mark, at: Mark, first: Mark) -> YamlError {
    let id = key.scalar_text().unwrap_or_default();
    YamlError {
        message: format!(
            "while constructing a mapping\n  in line {}, column {}\nfound conflicting ID '{id}'\n  in line {}, column {}",
            start.line, start.column, at.line, at.column
        ),
        at,
        also: Some(first),
        rule: "a key stands once in a dictionary",
        remedy: format!("'{id}' is there already; rename or remove one of the two"),
    }
}

fn is_merge_key(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<")
}

/// A key's identity; `None` for lists and dictionaries. `1` and `'1'` are different keys to Python, but
/// would be the same one to us, so they conflict.
fn key_text(key: &Node) -> Option<String> {
    match &key.data {
        Data::Scalar(value) => Some(python_str(value)),
        _ => None,
    }
}

/// Adds what `<<` names to the merged pairs; what came earlier wins.
fn merge_into(merged: &mut Vec<(Node, Node)>, value: Node) -> Result<(), YamlError> {
    let sources = match value.data {
        Data::Map(pairs) => vec![pairs],
        Data::Seq(items) => {
            let mut sources = Vec::new();
            for item in items {
                match item.data {
                    Data::Map(pairs) => sources.push(pairs),
                    _ => return Err(not_mergeable(item.mark)),
                }
            }
            sources
        }
        Data::Scalar(_) => return Err(not_mergeable(value.mark)),
    };
    for (key, value) in sources.into_iter().flatten() {
        if !merged.iter().any(|(have, _)| have.data == key.data) {
            merged.push((key, value));
        }
    }
    Ok(())
}

fn not_mergeable(at: Mark) -> YamlError {
    error(
        "expected a mapping or list of mappings for merging",
        at,
        "'<<' merges dictionaries",
        "'<<' takes an alias of a dictionary",
    )
}

fn join(mut merged: Vec<(Node, Node)>, own: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    if merged.is_empty() {
        return own;
    }
    for (key, value) in own {
        match merged.iter_mut().find(|(have, _)| have.data == key.data) {
            Some(pair) => *pair = (key, value),
            None => merged.push((key, value)),
        }
    }
    merged
}

/// The basic tags of YAML; a date stays text as in Salt.
fn tagged(text: &str, tag: &Tag, at: Mark) -> Result<Value, YamlError> {
    let wrong = || {
        error(
            format!("'{text}' is not of the type that its tag says"),
            at,
            "a tagged value must be of the type of its tag",
            "correct the value or remove the tag",
        )
    };
    match core_tag(tag) {
        Some("str" | "timestamp") => Ok(Value::String(text.to_owned())),
        Some("null") => Ok(Value::Null),
        Some("bool") => match scalar::resolve(text).value {
            value @ Value::Bool(_) => Ok(value),
            _ => Err(wrong()),
        },
        Some("int") => scalar::int(text).ok_or_else(wrong),
        Some("float") => match scalar::int(text).and_then(|value| value.as_f64()) {
            Some(number) => Ok(Value::from(number)),
            None => scalar::float(text).ok_or_else(wrong),
        },
        _ if format!("{}{}", tag.handle, tag.suffix) == "!" => Ok(Value::String(text.to_owned())),
        _ => Err(refused(tag, at)),
    }
}

fn check_collection_tag(tag: Option<&Tag>, expected: &str, at: Mark) -> Result<(), YamlError> {
    match tag {
        Some(tag) if core_tag(tag) != Some(expected) => Err(refused(tag, at)),
        _ => Ok(()),
    }
}

fn core_tag(tag: &Tag) -> Option<&str> {
    match tag.handle.as_str() {
        "tag:yaml.org,2002:" | "!!" => Some(tag.suffix.as_str()),
        _ => tag.suffix.strip_prefix("tag:yaml.org,2002:"),
    }
}

fn refused(tag: &Tag, at: Mark) -> YamlError {
    error(
        format!(
            "could not determine a constructor for the tag '{}{}'",
            tag.handle, tag.suffix
        ),
        at,
        "only !!str, !!int, !!float, !!bool, !!null, !!seq, !!map and !!timestamp are read",
        "remove the tag",
    )
}
