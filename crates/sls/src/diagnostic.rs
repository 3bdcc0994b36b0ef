//! What is wrong with a state file, where, by which rule, and what to do about it.
//!
//! Compiling never stops at the first fault: every function of this crate returns its result
//! together with all the [`Diagnostic`]s it found.

use std::fmt;

/// Which text the line of a [`Location`] counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LineOf {
    /// The file as it was written.
    #[default]
    Source,
    /// The YAML text that Jinja made of the file. Used where no source line is known for certain:
    /// text that came out of a macro, an included template or an expression with line breaks.
    Rendered,
}

/// A place in a state file. Lines and columns start at 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location {
    /// The path as the loader gave it, usually absolute.
    pub file: String,
    /// Line, counted in the text that `of` names.
    pub line: usize,
    /// Column in characters; 0 when only the line is known.
    pub column: usize,
    /// Whether `line` is a line of the file or of the rendered text.
    pub of: LineOf,
}

impl Location {
    /// A place in the file as it was written.
    pub fn source(file: impl Into<String>, line: usize, column: usize) -> Self {
        Location {
            file: file.into(),
            line,
            column,
            of: LineOf::Source,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.of, self.column) {
            (LineOf::Source, 0) => write!(f, "{}:{}", self.file, self.line),
            (LineOf::Source, column) => write!(f, "{}:{}:{column}", self.file, self.line),
            (LineOf::Rendered, 0) => {
                write!(f, "{}, line {} after Jinja", self.file, self.line)
            }
            (LineOf::Rendered, column) => {
                write!(
                    f,
                    "{}, line {} column {column} after Jinja",
                    self.file, self.line
                )
            }
        }
    }
}

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing may run.
    Error,
    /// The run goes on; the author should look.
    Warning,
}

/// One finding about a state file, a template, a top file or a pillar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The SLS in dotted form (`web.vm`), where the finding belongs to one.
    pub sls: Option<String>,
    /// Where it is.
    pub at: Option<Location>,
    /// The second place of a finding that has two, such as the first of two equal IDs.
    pub also: Option<Location>,
    /// What is wrong, in Salt's own words where Salt has words for it.
    pub message: String,
    /// The rule that was broken.
    pub rule: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// Whether the run may go on.
    pub severity: Severity,
    /// The lines around the fault, the faulty one marked, between two `---` lines.
    pub excerpt: Option<String>,
}

impl Diagnostic {
    /// An error with nothing but its message.
    pub fn error(message: impl Into<String>) -> Self {
        Diagnostic {
            sls: None,
            at: None,
            also: None,
            message: message.into(),
            rule: None,
            remedy: None,
            severity: Severity::Error,
            excerpt: None,
        }
    }

    /// A warning with nothing but its message.
    pub fn warning(message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(message)
        }
    }

    /// Sets the SLS it belongs to.
    #[must_use]
    pub fn in_sls(mut self, sls: &str) -> Self {
        self.sls = Some(sls.to_owned());
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, at: Location) -> Self {
        self.at = Some(at);
        self
    }

    /// Sets the second place.
    #[must_use]
    pub fn also(mut self, also: Location) -> Self {
        self.also = Some(also);
        self
    }

    /// Sets the rule that was broken.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What it says, without the word for how grave it is.
    pub fn text(&self) -> String {
        self.to_string().trim_start_matches("error: ").to_owned()
    }

    /// Whether this finding forbids the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The string Salt puts in the list that replaces the results: the message, then the excerpt.
    pub fn salt_text(&self) -> String {
        match &self.excerpt {
            Some(excerpt) => format!("{}\n\n{excerpt}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Message, excerpt, places, rule and remedy, each on lines of their own.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        f.write_str(&self.salt_text())?;
        let lines = [
            ("at", self.at.as_ref().map(ToString::to_string)),
            ("also", self.also.as_ref().map(ToString::to_string)),
            ("rule", self.rule.clone()),
            ("remedy", self.remedy.clone()),
        ];
        for (label, text) in lines {
            if let Some(text) = text {
                write!(f, "\n  {label}: {text}")?;
            }
        }
        Ok(())
    }
}

/// Whether any of the findings forbids the run.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// The lines around `line` (1-based) of `text`, five on each side, in Salt's layout.
pub(crate) fn excerpt(text: &str, line: usize) -> Option<String> {
    const AROUND: usize = 5;
    let lines: Vec<&str> = text.lines().collect();
    if line == 0 || line > lines.len() {
        return None;
    }
    let start = line.saturating_sub(AROUND + 1);
    let end = (line + AROUND).min(lines.len());
    let mut out = vec!["---".to_owned()];
    if start > 0 {
        out.push("[...]".to_owned());
    }
    for (index, text) in lines[start..end].iter().enumerate() {
        let marker = if start + index + 1 == line {
            "    <======================"
        } else {
            ""
        };
        out.push(format!("{text}{marker}"));
    }
    if end < lines.len() {
        out.push("[...]".to_owned());
    }
    out.push("---".to_owned());
    Some(out.join("\n"))
}
