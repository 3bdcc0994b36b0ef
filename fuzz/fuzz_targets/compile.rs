//! Any high data: what compiles runs to its end, each chunk once, whatever the chunks' results are.
#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};

use libfuzzer_sys::fuzz_target;
use sls::schedule::{Decision, Outcome, Schedule};

fuzz_target!(|text: &str| {
    let mut results = chance(text);
    let test = results & 1 == 0;
    let compiled = fuzz::compile(&format!("#!yaml\n{text}"));
    let mut decided = vec![0; compiled.chunks.len()];
    let mut schedule = Schedule::new(&compiled, test);
    let mut outcome = || {
        results = results.rotate_left(2);
        Outcome {
            result: [Some(true), Some(false), None, Some(true)][(results & 3) as usize],
            changed: results & 4 != 0,
        }
    };
    while !schedule.is_done() {
        let decisions = schedule.next();
        assert!(
            !decisions.is_empty() || schedule.is_done(),
            "the run is stuck"
        );
        for decision in decisions {
            match decision {
                Decision::Run(idx) => {
                    decided[idx] += 1;
                    schedule.finished(idx, outcome());
                }
                Decision::Probe(idx) => schedule.probed(idx, outcome()),
                Decision::Skip { idx, .. } => decided[idx] += 1,
            }
        }
    }
    assert!(
        decided.iter().all(|times| *times <= 1),
        "a chunk was decided twice"
    );
    if !schedule.is_stopped() {
        assert!(
            decided.iter().all(|times| *times == 1),
            "a chunk was never decided"
        );
    }
});

/// The same for the same text, so that a finding can be repeated.
fn chance(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
