//! Any text as YAML: what is read can be written in both forms and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(value) = sls::yaml::load(text) else {
        return;
    };
    for written in [
        sls::yaml::print_flow(&value),
        sls::yaml::print_block(&value),
    ] {
        let again = sls::yaml::load(&written);
        assert_eq!(again.as_ref(), Ok(&value), "written as {written:?}");
    }
});
