//! One file through its renderers: shebang, Jinja, YAML; and from rendered lines back to source lines.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, LineOf, Location, excerpt};
use crate::jinja::{Engine, Output, SourceLine};
use crate::ports::SourceFile;
use crate::yaml::{self, Mark, Node};

/// Where a rendered text comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    path: String,
    /// For each rendered line, the line that produced it, where that is certain.
    lines: Vec<Option<SourceLine>>,
    /// For each rendered line, whether that line has the very same text, so that columns agree.
    same: Vec<bool>,
}

impl Origin {
    pub(crate) fn new(path: &str, source: &str, output: &Output) -> Self {
        let source: Vec<&str> = source.lines().collect();
        let is_same = |text: &str, line: &Option<SourceLine>| {
            let own = line.as_ref().filter(|line| line.path.is_none());
            own.is_some_and(|own| source.get(own.line - 1) == Some(&text))
        };
        let same = output
            .text
            .lines()
            .zip(&output.lines)
            .map(|(text, line)| is_same(text, line))
            .collect();
        Origin {
            path: path.to_owned(),
            lines: output.lines.clone(),
            same,
        }
    }

    /// Whether both are the rendering of the same file.
    pub(crate) fn is(&self, other: &Origin) -> bool {
        std::ptr::eq(self, other)
    }

    /// The place in the source where it is known, else in the rendered text.
    pub(crate) fn locate(&self, mark: Mark) -> Location {
        match self.lines.get(mark.line - 1).and_then(Option::as_ref) {
            Some(source) => {
                let same = self.same.get(mark.line - 1).copied().unwrap_or(false);
                let path = source.path.as_deref().unwrap_or(&self.path);
                Location::source(path, source.line, if same { mark.column } else { 0 })
            }
            None => Location {
                file: self.path.clone(),
                line: mark.line,
                column: mark.column,
                of: LineOf::Rendered,
            },
        }
    }
}

/// What an SLS name, its file and its rendered content belong to.
#[derive(Debug, Clone)]
pub(crate) struct SlsFile {
    /// Dotted form.
    pub(crate) sls: String,
    pub(crate) env: String,
    /// Relative to the file roots.
    pub(crate) path: String,
    pub(crate) source: SourceFile,
}

/// Renders a file to YAML nodes.
///
/// Faults are prefixed with Salt's `Rendering SLS 'env:sls' failed: `.
pub(crate) fn render(
    file: &SlsFile,
    engine: &Engine,
    faults: &mut Vec<Diagnostic>,
) -> Option<(Node, Arc<Origin>)> {
    let output = match pipeline(&file.source.text) {
        Ok(Pipeline::Yaml) => Output::unrendered(&file.source.text),
        Ok(Pipeline::JinjaYaml) => match engine.render(file) {
            Ok(output) => output,
            Err(fault) => {
                faults.push(prefix(*fault, file));
                return None;
            }
        },
        Err(fault) => {
            let at = Location::source(&file.source.path, 1, 1);
            faults.push(prefix(fault.at(at), file));
            return None;
        }
    };
    let origin = Arc::new(Origin::new(&file.source.path, &file.source.text, &output));
    match yaml::parse(&output.text) {
        Ok((root, warnings)) => {
            for warning in warnings {
                let at = origin.locate(warning.at);
                faults.push(
                    Diagnostic::warning(warning.message)
                        .in_sls(&file.sls)
                        .at(at)
                        .remedy(warning.remedy),
                );
            }
            Some((root, origin))
        }
        Err(fault) => {
            faults.push(prefix(yaml_fault(&fault, &output.text, &origin), file));
            None
        }
    }
}

fn prefix(mut fault: Diagnostic, file: &SlsFile) -> Diagnostic {
    fault.message = format!(
        "Rendering SLS '{}:{}' failed: {}",
        file.env, file.sls, fault.message
    );
    fault.in_sls(&file.sls)
}

fn yaml_fault(fault: &yaml::YamlError, rendered: &str, origin: &Origin) -> Diagnostic {
    let message = match fault.also {
        // Salt prints the two marks of a conflict in the message itself.
        Some(_) => fault.message.clone(),
        None => fault.to_string(),
    };
    let at = origin.locate(fault.at);
    let moved = at.of == LineOf::Rendered || at.line != fault.at.line;
    let mut diagnostic = Diagnostic::error(message).at(at);
    diagnostic.also = fault.also.map(|mark| origin.locate(mark));
    diagnostic.remedy = Some(fault.remedy.clone());
    let where_lines_count = if moved {
        " (message and excerpt count the lines of the text after Jinja)"
    } else {
        ""
    };
    diagnostic.rule = Some(format!("{}{where_lines_count}", fault.rule));
    if fault.also.is_some() && diagnostic.also == diagnostic.at {
        let remedy = "a loop writes this key more than once; let it depend on the loop's variable";
        diagnostic.remedy = Some(remedy.to_owned());
    }
    diagnostic.excerpt = excerpt(rendered, fault.at.line);
    diagnostic
}

enum Pipeline {
    JinjaYaml,
    Yaml,
}

/// Reads the first line's `#!a|b`.
fn pipeline(text: &str) -> Result<Pipeline, Box<Diagnostic>> {
    let first = text.lines().next().unwrap_or_default();
    let Some(names) = first
        .strip_prefix("#!")
        .filter(|rest| !rest.trim_start().starts_with('/'))
    else {
        return Ok(Pipeline::JinjaYaml);
    };
    let names: Vec<&str> = names.split('|').map(str::trim).collect();
    match names.as_slice() {
        ["jinja", "yaml"] => Ok(Pipeline::JinjaYaml),
        ["yaml"] => Ok(Pipeline::Yaml),
        _ => {
            let what = format!(
                "the renderer pipeline '{}' is not available",
                names.join("|")
            );
            let fault = Diagnostic::error(what)
                .rule("the first line may say '#!jinja|yaml' (the default) or '#!yaml'")
                .remedy("write the file in YAML with Jinja and remove the first line");
            Err(Box::new(fault))
        }
    }
}
