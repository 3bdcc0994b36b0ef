//! A plan for people: state by state, step by step, what changes in the XML, and what it means for those who use it.

use crate::diff;
use crate::{visible, visible_line};
use serde_json::Value;
use std::fmt::Write as _;

/// The whole plan, as `state.plan` returned it.
pub fn plan_page(plan: &Value) -> String {
    let mut page = String::new();
    let states = list(&plan["states"]);
    for state in states.iter().filter(|state| is_worth_telling(state)) {
        tell(&mut page, state);
    }
    let steps: usize = states.iter().map(|state| list(&state["steps"]).len()).sum();
    let unchanged = states
        .iter()
        .filter(|state| !is_worth_telling(state))
        .count();
    put(
        &mut page,
        format_args!(
            "Plan for {}: {steps} {}, {unchanged} of {} states with nothing to do",
            visible_line(text(&plan["host"])),
            if steps == 1 { "step" } else { "steps" },
            states.len(),
        ),
    );
    put(
        &mut page,
        format_args!("Worst consequence: {}", text(&plan["consequence"])),
    );
    put(&mut page, format_args!("Hash: {}", text(&plan["hash"])));
    page
}

fn is_worth_telling(state: &Value) -> bool {
    let has = |key: &str| !list(&state[key]).is_empty();
    state["result"] != Value::Bool(true) || has("steps") || has("pending") || has("notes")
}

fn tell(page: &mut String, state: &Value) {
    let [id, fun, sls] = ["id", "state", "sls"].map(|key| visible_line(text(&state[key])));
    put(page, format_args!("{id}: {fun} ({sls})"));
    if state["result"] == Value::Bool(false) {
        indented(page, "    Fails: ", text(&state["comment"]));
    }
    for (number, step) in list(&state["steps"]).iter().enumerate() {
        let summary = visible_line(text(&step["summary"]));
        let consequence = text(&step["consequence"]);
        put(
            page,
            format_args!("  {}. {summary} [{consequence}]", number + 1),
        );
        let diff = &step["diff"];
        if diff.is_object() {
            for line in diff::unified(text(&diff["before"]), text(&diff["after"])) {
                put(page, format_args!("       {}", visible_line(&line)));
            }
        }
    }
    for (key, word) in [("pending", "Waits for the next start"), ("notes", "Note")] {
        for item in list(&state[key]) {
            indented(page, &format!("    {word}: "), text(item));
        }
    }
    page.push('\n');
}

/// A text of several lines under its first one.
fn indented(page: &mut String, before: &str, text: &str) {
    let text = visible(text);
    let rest = format!("\n{}", " ".repeat(before.chars().count()));
    put(page, format_args!("{before}{}", text.replace('\n', &rest)));
}

fn put(page: &mut String, line: std::fmt::Arguments) {
    writeln!(page, "{line}").expect("a text can be written to");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_plan_is_told_with_its_consequences() {
        let diff = json!({"before": "<a>\n  <memory>1</memory>\n</a>", "after": "<a>\n  <memory>2</memory>\n</a>"});
        let step = json!({"summary": "Change the definition of VM srv01", "consequence": "next boot", "diff": diff});
        let plan = json!({
            "host": "kvm1", "consequence": "next boot", "hash": "abc",
            "states": [
                {"id": "pool0", "state": "virt.pool_running", "sls": "vm", "result": true, "steps": [], "pending": [], "notes": []},
                {"id": "srv01", "state": "virt.running", "sls": "vm", "result": null, "steps": [step], "pending": ["memory 2"], "notes": []},
                {"id": "bad", "state": "virt.running", "sls": "vm", "result": false, "comment": "no\nHint: yes", "steps": [], "pending": [], "notes": []},
            ],
        });
        expect_test::expect![[r"
            srv01: virt.running (vm)
              1. Change the definition of VM srv01 [next boot]
                     <a>
                   -   <memory>1</memory>
                   +   <memory>2</memory>
                     </a>
                Waits for the next start: memory 2

            bad: virt.running (vm)
                Fails: no
                       Hint: yes

            Plan for kvm1: 1 step, 1 of 3 states with nothing to do
            Worst consequence: next boot
            Hash: abc
        "]]
        .assert_eq(&plan_page(&plan));
    }
}
