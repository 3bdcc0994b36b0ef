//! Requisites as they are written: keywords, items, and what may be wrong with them.

use super::declaration::{Argument, Declaration};
use crate::chunk::RequisiteKind;
use crate::diagnostic::{Diagnostic, Location};
use crate::yaml::{Data, Node};

/// One item of a requisite list: `{virt: pool0}`.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// The word it stands under, `require_in` and the like included.
    pub(crate) keyword: String,
    /// A state module, `sls` or `id`.
    pub(crate) module: String,
    /// An ID, a name or a shell pattern.
    pub(crate) target: String,
    pub(crate) at: Location,
}

/// A requisite keyword split into kind and direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    /// `require`: this state waits.
    From(RequisiteKind),
    /// `require_in`: the other state waits.
    In(RequisiteKind),
    /// `use`, `use_in`: dealt with before there are chunks.
    Use,
}

impl Keyword {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if matches!(word, "use" | "use_in") {
            return Some(Keyword::Use);
        }
        match word.strip_suffix("_in") {
            Some(word) => RequisiteKind::from_keyword(word).map(Keyword::In),
            None => RequisiteKind::from_keyword(word).map(Keyword::From),
        }
    }
}

/// Whether a word is a requisite in any form.
pub(crate) fn is_requisite(word: &str) -> bool {
    Keyword::parse(word).is_some()
}

/// Reads the items of a requisite argument.
pub(crate) fn items(
    declaration: &Declaration,
    argument: &Argument,
    faults: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    let (id, sls, keyword) = (&declaration.id, &declaration.sls, &argument.key);
    let mut fault = |message: String, at: Location, remedy: String| {
        faults.push(Diagnostic::error(message).in_sls(sls).at(at).remedy(remedy));
    };
    let Some(list) = argument.value.as_seq() else {
        let message = format!(
            "The {keyword} statement in state '{id}' in SLS '{sls}' needs to be formed as a list"
        );
        fault(
            message,
            argument.at.clone(),
            format!("write\n    - {keyword}:\n      - MODULE: ID"),
        );
        return Vec::new();
    };
    let mut items = Vec::new();
    for node in list {
        let at = argument.origin.locate(node.mark);
        let Some((module, target)) = module_and_target(node) else {
            let shown = crate::yaml::print_flow(&node.to_value());
            let message = format!(
                "Requisite declaration {shown} in state {id} in SLS {sls} is not formed as a single key dictionary"
            );
            fault(
                message,
                at,
                "write one 'MODULE: ID' behind each '- '".to_owned(),
            );
            continue;
        };
        if let Some((bare, _)) = module.split_once('.') {
            let message = format!(
                "Invalid requisite type '{module}' in state '{id}', in SLS '{sls}'. Requisite types must not contain \
                 dots, did you mean '{bare}'?"
            );
            fault(message, at, format!("write '{bare}: {target}'"));
            continue;
        }
        items.push(Item {
            keyword: keyword.clone(),
            module,
            target,
            at,
        });
    }
    items
}

fn module_and_target(node: &Node) -> Option<(String, String)> {
    match &node.data {
        Data::Scalar(_) => Some(("id".to_owned(), node.scalar_text()?)),
        Data::Map(pairs) => match pairs.as_slice() {
            [(module, target)] => Some((module.scalar_text()?, target.scalar_text()?)),
            _ => None,
        },
        Data::Seq(_) => None,
    }
}

/// A requisite that names nothing in the run.
pub(crate) fn missing(item: &Item, name: &str, sls: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "Referenced state does not exist for requisite [{}: ({}: {})] in state [{name}] in SLS [{sls}]",
        item.keyword, item.module, item.target
    ))
    .in_sls(sls)
    .at(item.at.clone())
    .rule("a requisite names a state of the run: its module, then its ID or name")
    .remedy("declare it, or include the SLS that does")
}
