//! Pillar files merged.

use expect_test::{Expect, expect};

use crate::testing::{files as in_memory, functions, target};

#[track_caller]
fn check(files: &[(&str, &str)], expected: Expect) {
    let (pillar, diagnostics) = crate::render_pillar(&target(), &in_memory(files), &functions());
    let mut shown = format!("{}\n", crate::yaml::print_flow(&pillar));
    for diagnostic in diagnostics {
        shown.push_str(&format!("{diagnostic}\n"));
    }
    expected.assert_eq(&shown);
}

#[test]
fn files_are_merged_and_the_later_wins() {
    check(
        &[
            (
                "top.sls",
                "base:\n  '*': [a, b]\n  'os:SUSE': [{match: grain}, c]\n",
            ),
            ("a.sls", "vms:\n  srv01: {mem: 1, cpu: 1}\nlist: [1]\n"),
            (
                "b.sls",
                "vms:\n  srv01: {mem: 2}\nlist: [2]\nos: {{ grains.os }}\n",
            ),
            ("c.sls", "never: true\n"),
        ],
        expect![[r#"
            {vms: {srv01: {mem: 2, cpu: 1}}, list: [2], os: Debian}
        "#]],
    );
}

#[test]
fn includes_can_be_nested_under_a_key() {
    check(
        &[
            ("top.sls", "base:\n  '*': [a]\n"),
            (
                "a.sls",
                "include:\n  - b\n  - c: {key: 'deep:er', defaults: {x: 1, y: 2}}\nown: 1\n",
            ),
            ("b.sls", "include: [a]\nown: 2\nb: 1\n"),
            ("c.sls", "x: 5\n"),
        ],
        expect![[r#"
            {own: 1, b: 1, deep: {er: {x: 5, 'y': 2}}}
        "#]],
    );
}

#[test]
fn faults_are_reported_and_the_rest_is_read() {
    check(
        &[
            ("top.sls", "base:\n  '*': [a, missing, broken, list]\n"),
            ("a.sls", "a: 1\n"),
            ("broken.sls", "x: {{ nix }}\n"),
            ("list.sls", "- 1\n"),
        ],
        expect![[r#"
            {a: 1}
            error: Specified SLS 'missing' in environment 'base' is not available on the salt master
              remedy: create missing.sls or missing/init.sls under the pillar roots of 'base'
            error: Rendering SLS 'base:broken' failed: Jinja variable 'nix' is undefined; line 1

            ---
            x: {{ nix }}    <======================
            ---
              at: /srv/salt/broken.sls:1:7
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')
            error: SLS 'list' does not render to a dictionary
              at: /srv/salt/list.sls:1:1
              remedy: write each value as 'key: value'
        "#]],
    );
}
