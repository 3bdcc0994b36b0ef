//! Top files: who gets what, in which order, and what is wrong with them.

use expect_test::{Expect, expect};

use crate::testing::{TestCatalog, files as in_memory, functions, show, target};

#[track_caller]
fn check(files: &[(&str, &str)], expected: Expect) {
    let (top, diagnostics) = crate::top(&target(), &in_memory(files), &functions());
    let mut shown = String::new();
    for (env, names) in top {
        shown.push_str(&format!("{env}: {}\n", names.join(", ")));
    }
    for diagnostic in diagnostics {
        shown.push_str(&format!("{diagnostic}\n"));
    }
    expected.assert_eq(&shown);
}

#[test]
fn targets_of_every_kind_assign_their_files() {
    check(
        &[
            (
                "top.sls",
                "\
base:
  '*': [common]
  'kvm*':
    - match: glob
    - virt.host
    - common
  'os:Debian':
    - match: grain
    - debian
  'G@os:SUSE or kvm1':
    - compound
    - web.*
  'vms:srv01:mem:1024':
    - match: pillar
    - pillar
  nobody: [never]
",
            ),
            ("web/a.sls", ""),
            ("web/b/init.sls", ""),
        ],
        expect![[r#"
            base: common, virt.host, debian, compound, web.a, web.b, pillar
        "#]],
    );
}

#[test]
fn base_decides_for_the_environments_it_names() {
    check(
        &[
            (
                "top.sls",
                "base:\n  '*': [a, {dev: from_base}]\ndev:\n  '*': [b]\n",
            ),
            (
                "dev:top.sls",
                "dev:\n  '*': [ignored]\nbase:\n  '*': [ignored]\n",
            ),
            (
                "test:top.sls",
                "test:\n  '*': [t]\ndev:\n  '*': [ignored]\n",
            ),
        ],
        expect![[r#"
            base: a
            dev: from_base, b
            test: t
        "#]],
    );
}

#[test]
fn malformed_top_files_are_explained() {
    check(
        &[(
            "top.sls",
            "base:\n  '*': common\n  'x*':\n    - match: telepathy\n    - a\ndev: [1]\n",
        )],
        expect![[r#"
            error: Malformed topfile: state declarations for matcher '*' in saltenv 'base' are not formed as a list (got str)
              at: /srv/salt/top.sls:2:8
              remedy: write each SLS on its own line as '- name'
            error: Malformed topfile: there is no matcher 'telepathy' (for 'x*')
              at: /srv/salt/top.sls:4:14
              remedy: use glob, pcre, grain, pillar, list, ipcidr or compound
            error: Malformed topfile: the section 'dev' is not formed as a dictionary (got list)
              at: /srv/salt/top.sls:6:6
              remedy: write a target and below it the list of SLS
        "#]],
    );
    check(
        &[("top.sls", "- base\n")],
        expect![[r#"
        error: SLS top does not render to a dictionary
          at: /srv/salt/top.sls:1:1
          remedy: begin with 'base:'
    "#]],
    );
    check(
        &[("top.sls", "base:\n  '*': [{{ nix }}]\n")],
        expect![[r#"
            error: Rendering SLS 'base:top' failed: Jinja variable 'nix' is undefined; line 2

            ---
            base:
              '*': [{{ nix }}]    <======================
            ---
              at: /srv/salt/top.sls:2:12
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')
        "#]],
    );
}

#[test]
fn highstate_compiles_what_is_assigned() {
    let files = [
        ("top.sls", "base:\n  '*': [a]\ndev:\n  'kvm1': [b]\n"),
        ("a.sls", "a: test.nop\n"),
        ("dev:b.sls", "b:\n  test.nop:\n    - require: [{test: a}]\n"),
    ];
    let (compiled, diagnostics) = crate::highstate(
        &target(),
        &in_memory(&files),
        &functions(),
        &TestCatalog,
        &[],
    );
    expect![[r#"
        0 test_|-a_|-a_|-nop order=10000 {} [/srv/salt/a.sls:1:4]
        1 test_|-b_|-b_|-nop order=10001 {} [/srv/dev/b.sls:2:3]
            require [0]
    "#]]
    .assert_eq(&show(&compiled, &diagnostics));
    let (compiled, diagnostics) =
        crate::highstate(&target(), &in_memory(&[]), &functions(), &TestCatalog, &[]);
    expect![[r#"
        error: No Top file or master_tops data matches found. Please see master log for details.
          remedy: write a top.sls that assigns SLS to 'kvm1', or name the SLS
    "#]]
    .assert_eq(&show(&compiled, &diagnostics));
}
