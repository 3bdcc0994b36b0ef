//! How long compiling takes, and whether it grows with the files or faster: 1,000 SLS with 10,000 IDs and 30,000
//! requisites, and the same at other sizes. Also walks the schedule to its end.
//!
//! ```text
//! cargo run --release -p sls --example compile_many
//! ```
//! Prints seconds, the memory at the end of each size, and each size's time for a file beside that of the first one.

use sls::schedule::{Decision, Outcome, Schedule};
use sls::{
    Catalog, Compiled, Files, FilesError, FunctionError, Functions, Map, SourceFile, Target, Value,
    compile,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// States of one file, and requisites of each state.
const IDS: usize = 10;
const REQUISITES: usize = 3;
/// The size that the limits are for.
const FILES: usize = 1000;
/// Best of so many.
const ROUNDS: usize = 3;

struct Tree(Vec<String>);

impl Files for Tree {
    fn read(&self, _: &str, path: &str) -> Result<Option<SourceFile>, FilesError> {
        let number = path
            .strip_prefix("app")
            .and_then(|rest| rest.strip_suffix(".sls"));
        let number = number.and_then(|number| number.parse::<usize>().ok());
        Ok(number
            .and_then(|number| self.0.get(number))
            .map(|text| SourceFile {
                path: format!("/srv/salt/{path}"),
                text: text.clone(),
            }))
    }

    fn list(&self, _: &str) -> Vec<String> {
        (0..self.0.len())
            .map(|number| format!("app{number}.sls"))
            .collect()
    }
}

struct NoFunctions;

impl Functions for NoFunctions {
    fn call(&self, name: &str, _: &[Value], _: &Map) -> Result<Value, FunctionError> {
        Err(FunctionError::new(format!("{name} is not needed here")))
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

struct AnyState;

impl Catalog for AnyState {
    fn modules(&self) -> Vec<String> {
        vec!["virt".to_owned()]
    }

    fn functions(&self, module: &str) -> Option<Vec<String>> {
        (module == "virt").then(|| vec!["running".to_owned()])
    }

    fn arguments(&self, _: &str, _: &str) -> Option<Vec<String>> {
        None
    }
}

/// A file as people write them: a loop, arguments, and requisites on states of this file and of the one before.
fn text(file: usize) -> String {
    let mut text = format!("{{% set mem = 512 %}}\n# application {file}\n");
    if file > 0 {
        text.push_str(&format!("include: [app{}]\n", file - 1));
    }
    for id in 0..IDS {
        text.push_str(&format!(
            "vm-{file}-{id}:\n  virt.running:\n    - cpu: 2\n    - mem: {{{{ mem }}}}\n"
        ));
        let number = file * IDS + id;
        let before = (1..=REQUISITES).filter_map(|back| number.checked_sub(back * 3));
        let required: Vec<String> = before
            .map(|other| format!("{{virt: vm-{}-{}}}", other / IDS, other % IDS))
            .collect();
        if !required.is_empty() {
            text.push_str(&format!("    - require: [{}]\n", required.join(", ")));
        }
    }
    text
}

struct Took {
    compile: Duration,
    schedule: Duration,
}

fn measure(files: usize) -> Took {
    let tree: Arc<dyn Files> = Arc::new(Tree((0..files).map(text).collect()));
    let functions: Arc<dyn Functions> = Arc::new(NoFunctions);
    let target = Target::new("kvm1");
    let mods: Vec<String> = (0..files).map(|number| format!("app{number}")).collect();
    let mut best = Took {
        compile: Duration::MAX,
        schedule: Duration::MAX,
    };
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let (compiled, faults) = compile(&mods, &target, &tree, &functions, &AnyState, &[]);
        best.compile = best.compile.min(started.elapsed());
        assert!(!sls::has_errors(&faults), "{}", faults[0]);
        assert_eq!(compiled.chunks.len(), files * IDS);
        let started = Instant::now();
        walk(&compiled);
        best.schedule = best.schedule.min(started.elapsed());
    }
    best
}

/// Every state succeeds without a change.
fn walk(compiled: &Compiled) {
    let mut schedule = Schedule::new(compiled, false);
    let mut done = 0;
    let mut running: Vec<usize> = Vec::new();
    loop {
        for decision in schedule.next() {
            match decision {
                Decision::Run(idx) => running.push(idx),
                other => panic!("nothing is skipped or probed here: {other:?}"),
            }
        }
        let Some(idx) = running.pop() else { break };
        done += 1;
        let outcome = Outcome {
            result: Some(true),
            changed: false,
        };
        schedule.finished(idx, outcome);
    }
    assert_eq!(done, compiled.chunks.len());
}

/// Resident memory now and at most, in MiB.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

fn main() {
    let mut first = None;
    for files in [FILES / 4, FILES / 2, FILES, FILES * 2] {
        let took = measure(files);
        let each = |time: Duration| time.as_secs_f64() / files as f64;
        let (compile, schedule) = (each(took.compile), each(took.schedule));
        let (base_compile, base_schedule) = *first.get_or_insert((compile, schedule));
        let (_, most) = memory();
        println!(
            "{files} SLS, {} IDs, {} requisites: compile {:.3} s ({:.2} of the first size, for a file), schedule {:.3} s ({:.2}), memory at most {most} MiB",
            files * IDS,
            files * IDS * REQUISITES,
            took.compile.as_secs_f64(),
            compile / base_compile,
            took.schedule.as_secs_f64(),
            schedule / base_schedule,
        );
        if files == FILES {
            let verdict = |holds: bool| if holds { "holds" } else { "DOES NOT HOLD" };
            println!(
                "  compile under 1 s: {}",
                verdict(took.compile < Duration::from_secs(1))
            );
            println!("  memory under 300 MiB: {}", verdict(most < 300));
        }
    }
}
