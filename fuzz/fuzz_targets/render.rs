//! Any text as a template: an answer or a diagnostic, within the limits of time and memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    fuzz::compile(text);
});
