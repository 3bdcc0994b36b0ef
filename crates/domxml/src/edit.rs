//! Editing XML in place: a list of byte ranges and their replacements over the text as it was written.
