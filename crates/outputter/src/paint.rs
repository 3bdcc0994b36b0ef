//! ANSI colours, written as Salt writes them.

/// A colour of a terminal layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Failed.
    Red,
    /// Could not even be tried; warnings.
    BrightRed,
    /// As it should be.
    Green,
    /// Would change; numbers and booleans.
    BrightYellow,
    /// Changed; keys and frames.
    Cyan,
}

impl Color {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "\x1b[0;31m",
            Self::BrightRed => "\x1b[0;1;31m",
            Self::Green => "\x1b[0;32m",
            Self::BrightYellow => "\x1b[0;1;33m",
            Self::Cyan => "\x1b[0;36m",
        }
    }
}

const RESET: &str = "\x1b[0;0m";

/// Puts text into a colour, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painter {
    /// Colours are wanted.
    pub(crate) color: bool,
}

impl Painter {
    /// `text` in `color`.
    pub(crate) fn paint(self, color: Color, text: &str) -> String {
        if self.color {
            format!("{}{text}{RESET}", color.code())
        } else {
            text.to_owned()
        }
    }
}
