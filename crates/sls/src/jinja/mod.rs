//! Templates: Salt's Jinja on the minijinja engine.
//!
//! Undefined variables are errors when used. Fuel bounds the time and the memory of one render.
//! What the engine lacks is added in three places: [`rewrite`] (Salt's tags, literals that can be
//! changed, `%` formatting), [`mutable`] (lists and dictionaries) and `filters`.

mod context;
mod convert;
mod fault;
mod filters;
mod functions;
mod mutable;
mod rewrite;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, OutputSpan, UndefinedBehavior};

use crate::diagnostic::Diagnostic;
use crate::ports::{Files, Functions, Target, read_inside};
use crate::render::SlsFile;

/// Work one render may do: about as many steps, or 64 bytes of memory for each.
const FUEL: u64 = 2_000_000;
/// Macros, includes and loops that may lie within one another.
const RECURSION_LIMIT: usize = 100;

/// Renders the templates of one run.
pub(crate) struct Engine {
    files: Arc<dyn Files>,
    shared: Arc<context::Shared>,
}

/// A rendered text and where its lines come from.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) text: String,
    /// For each line, the file and the line that produced it, where that is certain.
    pub(crate) lines: Vec<Option<SourceLine>>,
}

/// A line of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceLine {
    /// Path as the loader gave it; `None` for the file being rendered.
    pub(crate) path: Option<Arc<str>>,
    pub(crate) line: usize,
}

impl Output {
    /// A text that no template engine has touched.
    pub(crate) fn unrendered(text: &str) -> Self {
        let lines = (1..=text.lines().count())
            .map(|line| Some(SourceLine { path: None, line }))
            .collect();
        Output {
            text: text.to_owned(),
            lines,
        }
    }
}

/// A template that was loaded, before and after rewriting.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) rewritten: Arc<str>,
}

/// The templates of one render by name.
type Templates = Arc<Mutex<HashMap<String, Loaded>>>;

impl Engine {
    pub(crate) fn new(
        target: &Target,
        files: &Arc<dyn Files>,
        functions: &Arc<dyn Functions>,
    ) -> Self {
        Engine {
            files: Arc::clone(files),
            shared: Arc::new(context::Shared::new(target, functions)),
        }
    }

    /// Renders one SLS.
    pub(crate) fn render(&self, file: &SlsFile) -> Result<Output, Box<Diagnostic>> {
        let text = &file.source.text;
        if !text.contains("{{") && !text.contains("{%") && !text.contains("{#") {
            return Ok(Output::unrendered(text));
        }
        let templates = Templates::default();
        remember(&templates, &file.path, &file.source.path, text);
        let env = self.environment(file, &templates);
        let rendered = env
            .get_template(&file.path)
            .and_then(|template| template.render_with_spans(()));
        let loaded = templates.lock().unwrap_or_else(PoisonError::into_inner);
        match rendered {
            Ok((text, spans)) => {
                let lines = source_lines(&text, &spans, &file.path, &loaded);
                Ok(Output { text, lines })
            }
            Err(error) => Err(Box::new(fault::diagnose(
                &error,
                &file.path,
                &loaded,
                self.shared.functions(),
            ))),
        }
    }

    fn environment(&self, file: &SlsFile, templates: &Templates) -> Environment<'static> {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(RECURSION_LIMIT);
        env.set_debug(true);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_formatter(|out, state, value| {
            mutable::weigh(value)?;
            minijinja::escape_formatter(out, state, value)
        });
        env.set_path_join_callback(|name, parent| join(name, parent).into());
        let (files, saltenv, templates) = (
            Arc::clone(&self.files),
            file.env.clone(),
            Arc::clone(templates),
        );
        env.set_loader(move |name| load(files.as_ref(), &saltenv, &templates, name));
        filters::add(&mut env, self.shared.outside());
        context::add(&mut env, &self.shared, file);
        env
    }
}

/// Finds a template, rewrites it and remembers both texts for messages.
fn load(
    files: &dyn Files,
    env: &str,
    templates: &Templates,
    name: &str,
) -> Result<Option<String>, Error> {
    let known = templates
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(name)
        .cloned();
    if let Some(loaded) = known {
        return Ok(Some(loaded.rewritten.to_string()));
    }
    match read_inside(files, env, name) {
        Ok(Some(source)) => Ok(Some(remember(templates, name, &source.path, &source.text))),
        Ok(None) => Ok(None),
        Err(fault) => Err(Error::new(ErrorKind::BadInclude, fault.message)),
    }
}

fn remember(templates: &Templates, name: &str, path: &str, text: &str) -> String {
    let rewritten = rewrite::rewrite(text);
    let loaded = Loaded {
        path: path.into(),
        text: text.into(),
        rewritten: rewritten.as_str().into(),
    };
    templates
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name.to_owned(), loaded);
    rewritten
}

/// `./x` and `../x` count from the template they stand in, anything else from the file roots.
fn join(name: &str, parent: &str) -> String {
    if !name.starts_with("./") && !name.starts_with("../") {
        return name.strip_prefix("salt://").unwrap_or(name).to_owned();
    }
    let folder = Path::new(parent)
        .parent()
        .and_then(Path::to_str)
        .unwrap_or_default();
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                // Above the roots there is nothing; the name stays as it is and is not found.
                if parts.pop().is_none() {
                    return name.to_owned();
                }
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// For each rendered line, the line that wrote its first visible character.
fn source_lines(
    text: &str,
    spans: &[OutputSpan],
    main: &str,
    templates: &HashMap<String, Loaded>,
) -> Vec<Option<SourceLine>> {
    let mut starts = LineStarts::default();
    let mut spans = spans.iter().peekable();
    let mut lines = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let visible = begin + (line.len() - line.trim_start().len());
        begin += line.len();
        if line.trim().is_empty() {
            lines.push(None);
            continue;
        }
        while spans
            .peek()
            .is_some_and(|span| span.output_range().end <= visible)
        {
            spans.next();
        }
        lines.push(
            spans
                .peek()
                .filter(|span| span.output_range().contains(&visible))
                .and_then(|span| {
                    let loaded = templates.get(span.name())?;
                    let line = match span.kind() {
                        // Raw text was copied byte by byte, so that the place in it is the place in the source.
                        minijinja::OutputSpanKind::Raw => {
                            let offset =
                                span.source_range().start + (visible - span.output_range().start);
                            starts.line(span.name(), &loaded.rewritten, offset)
                        }
                        _ => starts.line(span.name(), &loaded.rewritten, span.source_range().start),
                    };
                    Some(SourceLine {
                        path: (span.name() != main).then(|| Arc::clone(&loaded.path)),
                        line,
                    })
                }),
        );
    }
    lines
}

/// Where the lines of each template begin.
#[derive(Default)]
struct LineStarts(HashMap<String, Vec<usize>>);

impl LineStarts {
    /// The line (from 1) that the byte at `offset` is on.
    fn line(&mut self, name: &str, text: &str, offset: usize) -> usize {
        if !self.0.contains_key(name) {
            let starts = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            self.0.insert(name.to_owned(), starts);
        }
        self.0.get(name).map_or(1, |starts| {
            starts.partition_point(|start| *start <= offset) + 1
        })
    }
}
