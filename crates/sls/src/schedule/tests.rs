//! The scheduler against scripted outcomes, and its promises as properties.

use std::collections::{HashMap, HashSet};

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Decision, Outcome, Schedule};
use crate::chunk::{Compiled, RequisiteKind};
use crate::testing::compile_one;

const OK: Outcome = Outcome {
    result: Some(true),
    changed: false,
};
const CHANGED: Outcome = Outcome {
    result: Some(true),
    changed: true,
};
const FAILED: Outcome = Outcome {
    result: Some(false),
    changed: false,
};
const WOULD: Outcome = Outcome {
    result: None,
    changed: true,
};

/// Runs everything; each line is what was given out together. IDs without an outcome end `OK`.
fn run(text: &str, outcomes: &[(&str, Outcome)], test: bool) -> String {
    let (compiled, diagnostics) = compile_one(text);
    assert!(!crate::has_errors(&diagnostics), "{diagnostics:#?}");
    let outcomes: HashMap<&str, Outcome> = outcomes.iter().copied().collect();
    let outcome = |idx: usize| {
        outcomes
            .get(compiled.chunks[idx].id.as_str())
            .copied()
            .unwrap_or(OK)
    };
    let name = |idx: &usize| compiled.chunks[*idx].id.clone();
    let mut schedule = Schedule::new(&compiled, test);
    let mut shown = String::new();
    while !schedule.is_done() {
        let decisions = schedule.next();
        assert!(
            !decisions.is_empty() || schedule.is_done(),
            "stuck:\n{shown}"
        );
        let words: Vec<String> = decisions
            .iter()
            .map(|decision| match decision {
                Decision::Run(idx) => format!("run {}", name(idx)),
                Decision::Probe(idx) => format!("probe {}", name(idx)),
                Decision::Skip {
                    idx,
                    result,
                    comment,
                } => format!("skip {} {result:?} {comment}", name(idx)),
            })
            .collect();
        if !words.is_empty() {
            shown.push_str(&format!("{}\n", words.join("; ")));
        }
        for decision in decisions {
            match decision {
                Decision::Run(idx) => schedule.finished(idx, outcome(idx)),
                Decision::Probe(idx) => schedule.probed(idx, outcome(idx)),
                Decision::Skip { .. } => {}
            }
        }
    }
    shown
}

#[track_caller]
fn check(text: &str, outcomes: &[(&str, Outcome)], expected: Expect) {
    expected.assert_eq(&run(text, outcomes, false));
}

/// States with the requisites given, one `id: requisites` per line.
fn states(lines: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (id, arguments) in lines {
        text.push_str(&format!("{id}:\n  test.nop:\n    - x: 1\n"));
        for argument in arguments.split(';').filter(|argument| !argument.is_empty()) {
            text.push_str(&format!("    - {}\n", argument.trim()));
        }
    }
    text
}

#[test]
fn independent_chunks_run_together_and_dependents_wait() {
    let text = states(&[
        ("pool", ""),
        ("net", ""),
        ("vm", "require: [{test: pool}, {test: net}]"),
    ]);
    check(
        &text,
        &[],
        expect![[r#"
        run pool; run net
        run vm
    "#]],
    );
    check(
        &text,
        &[("net", FAILED)],
        expect![[r#"
        run pool; run net
        skip vm Some(false) One or more requisite failed: vm.net
    "#]],
    );
    check(
        &text,
        &[("net", FAILED), ("pool", FAILED)],
        expect![[r#"
        run pool; run net
        skip vm Some(false) One or more requisite failed: vm.pool, vm.net
    "#]],
    );
}

#[test]
fn failure_is_passed_on() {
    let text = states(&[
        ("a", ""),
        ("b", "require: [{test: a}]"),
        ("c", "watch: [{test: b}]"),
        ("d", ""),
    ]);
    check(
        &text,
        &[("a", FAILED)],
        expect![[r#"
        run a; run d
        skip b Some(false) One or more requisite failed: vm.a; skip c Some(false) One or more requisite failed: vm.b
    "#]],
    );
}

#[test]
fn one_of_several_is_enough_for_any() {
    let text = states(&[
        ("a", ""),
        ("b", ""),
        ("c", "require_any: [{test: a}, {test: b}]"),
    ]);
    check(
        &text,
        &[("a", FAILED)],
        expect![[r#"
        run a; run b
        run c
    "#]],
    );
    check(
        &text,
        &[("a", FAILED), ("b", FAILED)],
        expect![[r#"
        run a; run b
        skip c Some(false) One or more requisite failed: vm.a, vm.b
    "#]],
    );
}

#[test]
fn onchanges_needs_a_change() {
    let text = states(&[
        ("a", ""),
        ("b", ""),
        ("c", "onchanges: [{test: a}, {test: b}]"),
        ("d", "require: [{test: c}]"),
    ]);
    check(
        &text,
        &[],
        expect![[r#"
        run a; run b
        skip c Some(true) State was not run because none of the onchanges reqs changed; run d
    "#]],
    );
    check(
        &text,
        &[("b", CHANGED)],
        expect![[r#"
        run a; run b
        run c
        run d
    "#]],
    );
    check(
        &text,
        &[("a", FAILED)],
        expect![[r#"
        run a; run b
        skip c Some(true) State was not run because none of the onchanges reqs changed; run d
    "#]],
    );
    expect![[r#"
        run a; run b
        run c
        run d
    "#]]
    .assert_eq(&run(&text, &[("a", WOULD)], true));
}

#[test]
fn onfail_needs_a_failure() {
    let text = states(&[
        ("a", ""),
        ("b", ""),
        ("any", "onfail: [{test: a}, {test: b}]"),
        ("all", "onfail_all: [{test: a}, {test: b}]"),
    ]);
    check(
        &text,
        &[],
        expect![[r#"
        run a; run b
        skip any Some(true) State was not run because onfail req did not change; skip all Some(true) State was not run because onfail req did not change
    "#]],
    );
    check(
        &text,
        &[("a", FAILED)],
        expect![[r#"
        run a; run b
        run any; skip all Some(true) State was not run because onfail req did not change
    "#]],
    );
    check(
        &text,
        &[("a", FAILED), ("b", FAILED)],
        expect![[r#"
        run a; run b
        run any; run all
    "#]],
    );
}

#[test]
fn prereq_asks_first_and_runs_before() {
    let text = states(&[("change", ""), ("before", "prereq: [{test: change}]")]);
    check(
        &text,
        &[("change", CHANGED)],
        expect![[r#"
        probe change
        run before
        run change
    "#]],
    );
    check(
        &text,
        &[("change", WOULD)],
        expect![[r#"
        probe change
        run before
        run change
    "#]],
    );
    check(
        &text,
        &[],
        expect![[r#"
        probe change
        skip before Some(true) No changes detected; run change
    "#]],
    );
    check(
        &text,
        &[("change", WOULD), ("before", FAILED)],
        expect![[r#"
        probe change
        run before
        skip change Some(false) One or more requisite failed: vm.before
    "#]],
    );
}

#[test]
fn failhard_stops_the_run_but_not_the_plan() {
    let text = states(&[
        ("a", "failhard: true; order: 1"),
        ("b", ""),
        ("c", "require: [{test: a}]"),
    ]);
    check(
        &text,
        &[("a", FAILED)],
        expect![[r#"
        run a
    "#]],
    );
    expect![[r#"
        run a
        run b; skip c Some(false) One or more requisite failed: vm.a
    "#]]
    .assert_eq(&run(&text, &[("a", FAILED)], true));
}

#[test]
fn failhard_lets_all_before_it_run_and_none_after_it() {
    let text = states(&[("a", ""), ("b", "failhard: true"), ("c", ""), ("d", "")]);
    check(
        &text,
        &[("b", FAILED)],
        expect![[r#"
            run a
            run b
        "#]],
    );
    check(
        &text,
        &[],
        expect![[r#"
            run a
            run b
            run c; run d
        "#]],
    );
}

#[test]
fn a_pattern_keeps_its_place_among_the_names_that_it_fits() {
    let text = states(&[
        ("srv01", ""),
        ("all", "name: 'srv0*'"),
        ("other", ""),
        ("one", "name: srv01"),
        ("odd", "name: 's*1'"),
    ]);
    check(
        &text,
        &[],
        expect![[r#"
            run srv01; run other
            run all
            run one
            run odd
        "#]],
    );
}

#[test]
fn a_written_order_holds() {
    let text = states(&[
        ("last", "order: last"),
        ("a", ""),
        ("b", ""),
        ("first", "order: first"),
        ("one", "order: 0"),
    ]);
    check(
        &text,
        &[],
        expect![[r#"
        run first; run one
        run a; run b
        run last
    "#]],
    );
}

#[test]
fn what_names_another_state_waits_for_it_without_a_requisite() {
    check(
        "net0:\n  virt.network_running: [{bridge: b}]\npool0: virt.pool_running\nsrv:\n  virt.running:\n    - interfaces: [{source: net0}]\nother: virt.running\nsrv2:\n  virt.defined:\n    - name: srv\n",
        &[("net0", FAILED)],
        expect![[r#"
            run net0; run pool0; run other
            run srv
            run srv2
        "#]],
    );
}

#[test]
fn reports_about_unknown_chunks_are_ignored() {
    let mut schedule = Schedule::new(&Compiled::default(), false);
    schedule.finished(7, OK);
    schedule.probed(7, OK);
    assert!(schedule.is_done() && schedule.next().is_empty());
}

fn any_run() -> impl Strategy<Value = Compiled> {
    let kinds = [
        "require",
        "require_any",
        "watch",
        "onchanges",
        "onfail",
        "onfail_all",
        "prereq",
        "require_in",
        "onchanges_in",
    ];
    let edge = (0..9usize, 0..9usize, 0..kinds.len());
    let flags = proptest::collection::vec(0..8usize, 9);
    (proptest::collection::vec(edge, 0..9), flags).prop_map(move |(edges, flags)| {
        let mut text = String::new();
        for (id, flag) in flags.iter().enumerate() {
            text.push_str(&format!(
                "s{id}:\n  test.nop:\n    - x: {}\n",
                if *flag == 1 { "s0" } else { "y" }
            ));
            match flag {
                2 => text.push_str("    - failhard: True\n"),
                3 => text.push_str("    - order: 20000\n"),
                4 => text.push_str("    - order: first\n"),
                _ => {}
            }
            for (kind, word) in kinds.iter().enumerate() {
                // Edges mostly point back, so that most runs have no circle.
                let targets: Vec<String> = edges
                    .iter()
                    .filter(|edge| edge.0.max(edge.1) == id && edge.0 != edge.1 && edge.2 == kind)
                    .map(|edge| format!("{{test: s{}}}", edge.0.min(edge.1)))
                    .collect();
                if !targets.is_empty() {
                    text.push_str(&format!("    - {word}: [{}]\n", targets.join(", ")));
                }
            }
        }
        compile_one(&text).0
    })
}

proptest! {
    #[test]
    fn every_order_it_allows_respects_every_requisite(
        compiled in any_run(),
        outcomes in proptest::collection::vec(0..4usize, 9),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 64),
        test in any::<bool>(),
    ) {
        let outcome = |idx: usize| [OK, CHANGED, FAILED, WOULD][outcomes[idx]];
        let mut schedule = Schedule::new(&compiled, test);
        let mut ended: HashMap<usize, Outcome> = HashMap::new();
        let mut given: HashSet<usize> = HashSet::new();
        let mut probed: HashMap<usize, Outcome> = HashMap::new();
        let mut busy: Vec<Decision> = Vec::new();
        let mut picks = picks.iter();
        while !schedule.is_done() {
            for decision in schedule.next() {
                match &decision {
                    Decision::Run(idx) => {
                        prop_assert!(given.insert(*idx), "{idx} was given out twice");
                        respects(&compiled, *idx, &ended, &probed)?;
                        busy.push(decision);
                    }
                    Decision::Probe(_) => busy.push(decision),
                    Decision::Skip { idx, result, .. } => {
                        prop_assert!(given.insert(*idx), "{idx} was given out twice");
                        ended.insert(*idx, Outcome { result: *result, changed: false });
                    }
                }
            }
            if busy.is_empty() {
                prop_assert!(schedule.is_done(), "nothing runs and it is not done");
                break;
            }
            // Whatever is running may end next.
            let at = picks.next().map_or(0, |pick| pick.index(busy.len()));
            match busy.swap_remove(at) {
                Decision::Run(idx) => {
                    ended.insert(idx, outcome(idx));
                    schedule.finished(idx, outcome(idx));
                }
                Decision::Probe(idx) => {
                    probed.insert(idx, outcome(idx));
                    schedule.probed(idx, outcome(idx));
                }
                Decision::Skip { .. } => {}
            }
        }
        if !schedule.is_stopped() {
            prop_assert_eq!(given.len(), compiled.chunks.len());
        }
    }
}

/// Checks that a chunk which is given out to run may run.
fn respects(
    compiled: &Compiled,
    idx: usize,
    ended: &HashMap<usize, Outcome>,
    probed: &HashMap<usize, Outcome>,
) -> Result<(), TestCaseError> {
    let failed = |target: &usize| ended[target].result == Some(false);
    for requisite in &compiled.chunks[idx].requisites {
        let targets = &requisite.targets;
        if requisite.kind == RequisiteKind::Prereq {
            prop_assert!(
                targets.iter().all(|target| !ended.contains_key(target)),
                "{idx} comes too late"
            );
            let would = |target: &usize| {
                probed
                    .get(target)
                    .is_some_and(|end| end.changed || end.result.is_none())
            };
            prop_assert!(targets.iter().any(would));
            continue;
        }
        prop_assert!(
            targets.iter().all(|target| ended.contains_key(target)),
            "{idx} comes too early"
        );
        match requisite.kind {
            RequisiteKind::Require | RequisiteKind::Watch => {
                prop_assert!(!targets.iter().any(failed))
            }
            RequisiteKind::RequireAny => prop_assert!(!targets.iter().all(failed)),
            RequisiteKind::Onchanges => prop_assert!(
                targets
                    .iter()
                    .any(|target| ended[target].changed && !failed(target))
            ),
            RequisiteKind::Onfail => prop_assert!(targets.iter().any(failed)),
            RequisiteKind::OnfailAll => prop_assert!(targets.iter().all(failed)),
            _ => {}
        }
    }
    for (other, chunk) in compiled.chunks.iter().enumerate() {
        let before = chunk
            .requisites
            .iter()
            .any(|r| r.kind == RequisiteKind::Prereq && r.targets.contains(&idx));
        prop_assert!(
            !before || ended.contains_key(&other),
            "{other} has to come before {idx}"
        );
        prop_assert!(
            !before || !failed(&other),
            "{idx} runs though {other} failed"
        );
    }
    Ok(())
}

/// Runs everything and returns who listens to something that changed, by ID.
fn listeners(text: &str, outcomes: &[(&str, Outcome)]) -> Vec<String> {
    let (compiled, diagnostics) = compile_one(text);
    assert!(!crate::has_errors(&diagnostics), "{diagnostics:#?}");
    let mut schedule = Schedule::new(&compiled, false);
    while !schedule.is_done() {
        for decision in schedule.next() {
            if let Decision::Run(idx) = decision {
                let id = &compiled.chunks[idx].id;
                let scripted = outcomes.iter().find(|(known, _)| known == id);
                schedule.finished(idx, scripted.map_or(OK, |(_, outcome)| *outcome));
            }
        }
    }
    let listeners = schedule.listeners();
    listeners
        .into_iter()
        .map(|idx| compiled.chunks[idx].id.clone())
        .collect()
}

#[test]
fn who_listens_is_called_once_when_something_changed() {
    let text = states(&[
        ("a", "listen_in: [{test: d}]"),
        ("b", "listen: [{test: a}, {test: c}]"),
        ("c", ""),
        ("d", "listen: [c]"),
        ("e", "listen: [{test: f}]"),
        ("f", "failhard: True"),
        ("g", ""),
    ]);
    for (changed, expected) in [
        (&[][..], &[][..]),
        (&["a"], &["b", "d"]),
        (&["c"], &["b", "d"]),
        (&["a", "c"], &["b", "d"]),
        (&["f"], &["e"]),
        (&["g"], &[]),
    ] {
        let outcomes: Vec<(&str, Outcome)> = changed.iter().map(|id| (*id, CHANGED)).collect();
        assert_eq!(listeners(&text, &outcomes), expected, "{changed:?}");
    }
    let failed = Outcome {
        result: Some(false),
        changed: true,
    };
    let after_stop = listeners(&text, &[("a", CHANGED), ("f", failed)]);
    assert_eq!(
        after_stop,
        ["b", "d", "e"],
        "a failhard stop does not silence them"
    );
}

#[test]
fn a_listener_comes_where_it_is_written() {
    let text = states(&[
        ("late", ""),
        ("first", "listen_in: [{test: late}]"),
        ("second", "listen: [{test: first}]"),
        ("zeroth", "listen_in: [{test: early}]"),
        ("early", ""),
    ]);
    assert_eq!(
        listeners(&text, &[("first", CHANGED), ("zeroth", CHANGED)]),
        ["late", "second", "early"]
    );
}
