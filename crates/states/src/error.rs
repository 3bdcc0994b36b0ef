//! Why a state cannot be planned. The text is the comment of its failed result.

use thiserror::Error;

/// Why a state cannot be planned; nothing has been touched.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StateError {
    /// There is no such state function here.
    #[error("State '{state}.{fun}' was not found{}", .closest.as_ref().map(|c| format!("; the closest is '{c}'")).unwrap_or_default())]
    UnknownFunction {
        /// Its module.
        state: String,
        /// Its name.
        fun: String,
        /// The most similar function there is.
        closest: Option<String>,
    },
    /// A mandatory argument is absent. Salt's words.
    #[error("Missing parameter {argument} for state {state}.{fun}")]
    Missing {
        /// The argument.
        argument: &'static str,
        /// The state's module.
        state: String,
        /// The state's function.
        fun: String,
    },
    /// An argument cannot be used as it is.
    #[error("{}", argument_text(.path, .found, .expected, .remedy))]
    Argument {
        /// Where it is: `disks: system: size`.
        path: String,
        /// The value as it was given.
        found: String,
        /// What is possible, as the end of "… is not".
        expected: String,
        /// What to write instead.
        remedy: Option<String>,
    },
    /// A dictionary has a key that means nothing there.
    #[error("{path}: there is no key {key} here. {remedy}")]
    UnknownKey {
        /// Where the dictionary is.
        path: String,
        /// The key.
        key: String,
        /// The most similar key, or all of them.
        remedy: String,
    },
    /// The host does not allow it.
    #[error("{problem}{}", .remedy.as_ref().map(|r| format!(". {r}")).unwrap_or_default())]
    Host {
        /// What is in the way.
        problem: String,
        /// What to do about it.
        remedy: Option<String>,
    },
    /// The executor did not read what [`needs`](crate::needs) asked for.
    #[error(
        "{what} was not read from the host; this is a fault of the program that runs the states"
    )]
    NotObserved {
        /// What is absent from the observation.
        what: String,
    },
    /// A definition on the host cannot be read or edited.
    #[error("the definition of {object} cannot be used: {message}")]
    Definition {
        /// Whose definition.
        object: String,
        /// What is wrong with it.
        message: String,
    },
}

impl StateError {
    pub(crate) fn host(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Host {
            problem: problem.into(),
            remedy: Some(remedy.into()),
        }
    }

    pub(crate) fn definition(object: impl Into<String>, error: impl ToString) -> Self {
        Self::Definition {
            object: object.into(),
            message: error.to_string(),
        }
    }
}

fn argument_text(path: &str, found: &str, expected: &str, remedy: &Option<String>) -> String {
    let remedy = remedy
        .as_ref()
        .map(|r| format!(". {r}"))
        .unwrap_or_default();
    format!("{path}: {found} is not {expected}{remedy}")
}
