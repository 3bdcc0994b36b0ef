//! Layouts as snapshots; the expected texts were compared with what Salt 3007 prints.

use crate::{Format, Returns, StateOutput, StateRun, Style, render, visible_line};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn check(format: Format, style: &Style, returns: Value, expected: Expect) {
    let returns: Returns = serde_json::from_value(returns).expect("a map of returns");
    // Colours are compared as `^[`, so that a snapshot can be read.
    expected.assert_eq(&render(&returns, format, style).replace('\x1b', "^["));
}

fn with(change: impl FnOnce(&mut Style)) -> Style {
    let mut style = Style::default();
    change(&mut style);
    style
}

fn form(word: &str) -> Style {
    with(|s| s.state_output = StateOutput::from_word(word).expect("a known form"))
}

fn color() -> Style {
    with(|s| s.color = true)
}

/// The example of the documentation, in another order than it ran.
fn example() -> Value {
    json!({"kvm1.min-kvm.tf.local": {
        "virt_|-web_|-web01_|-powered_off": {
            "name": "web01", "__id__": "web", "__run_num__": 2, "result": null,
            "comment": "Machine has been powered off", "start_time": "10:54:02.990400", "duration": 21.41,
            "changes": {"unpowered": [{"stop": true, "domain": "web01"}]}},
        "virt_|-pool0_|-pool0_|-pool_running": {
            "name": "pool0", "__id__": "pool0", "__run_num__": 0, "result": true,
            "comment": "Pool pool0 defined, marked for autostart, started",
            "start_time": "10:54:00.730423", "duration": 41.539,
            "changes": {"pool0": "Pool defined, marked for autostart, started"}},
        "virt_|-srv01_|-srv01_|-running": {
            "name": "srv01", "__id__": "srv01", "__run_num__": 1, "result": true,
            "comment": "Domain srv01 defined and started",
            "start_time": "10:54:01.281535", "duration": 937.736,
            "changes": {"srv01": {"started": true, "definition": true}}},
        "virt_|-srv02_|-srv02_|-running": {
            "name": "srv02", "__id__": "srv02", "__run_num__": 3, "result": false,
            "comment": "One or more requisite failed: vm.net0",
            "start_time": "10:54:03.361877", "duration": 0.006, "changes": {}},
    }})
}

/// One clean state, one that could not run, one with a comment of two lines and warnings.
fn mixed() -> Value {
    json!({"kvm1": {
        "virt_|-ok_|-okname_|-running": {
            "result": true, "comment": "fine", "changes": {}, "__run_num__": 0,
            "start_time": "10:54:03.361877", "duration": 1500.5},
        "virt_|-bad_|-bad_|-run": {
            "result": false, "changes": {}, "__run_num__": 1, "name": "bad",
            "comment": "State 'virt.run' was not found in SLS 'vm'\nReason: 'virt.run' is not available."},
        "virt_|-warned_|-warned_|-running": {
            "result": true, "changes": {"a": 1}, "__run_num__": 2, "warnings": ["first", "second"],
            "comment": "one\ntwo\n", "start_time": "10:54:04.361877", "duration": 2.0},
    }})
}

fn nested_values() -> Value {
    json!({
        "kvm2": true,
        "kvm1": {"b": [1, "x", {"k": 1, "a": [1, [2, 3]]}, [], {}], "a": null, "t": true, "s": "x\ny",
                 "e": "", "f": 1.0, "el": [], "ed": {}, "list": ["a\nb", "", null]},
        "k3": "text\nof lines",
        "k4": [["a"], [{"x": 1}]],
    })
}

#[test]
fn highstate_full() {
    check(
        Format::Highstate,
        &Style::default(),
        example(),
        expect![[r#"
            kvm1.min-kvm.tf.local:
            ----------
                      ID: pool0
                Function: virt.pool_running
                  Result: True
                 Comment: Pool pool0 defined, marked for autostart, started
                 Started: 10:54:00.730423
                Duration: 41.539 ms
                 Changes:   
                          ----------
                          pool0:
                              Pool defined, marked for autostart, started
            ----------
                      ID: srv01
                Function: virt.running
                  Result: True
                 Comment: Domain srv01 defined and started
                 Started: 10:54:01.281535
                Duration: 937.736 ms
                 Changes:   
                          ----------
                          srv01:
                              ----------
                              definition:
                                  True
                              started:
                                  True
            ----------
                      ID: web
                Function: virt.powered_off
                    Name: web01
                  Result: None
                 Comment: Machine has been powered off
                 Started: 10:54:02.990400
                Duration: 21.41 ms
                 Changes:   
                          ----------
                          unpowered:
                              |_
                                ----------
                                domain:
                                    web01
                                stop:
                                    True
            ----------
                      ID: srv02
                Function: virt.running
                  Result: False
                 Comment: One or more requisite failed: vm.net0
                 Started: 10:54:03.361877
                Duration: 0.006 ms
                 Changes:   

            Summary for kvm1.min-kvm.tf.local
            ------------
            Succeeded: 3 (unchanged=1, changed=3)
            Failed:    1
            ------------
            Total states run:     4
            Total run time:   1.001 s
        "#]],
    );
}

#[test]
fn highstate_in_colour() {
    check(
        Format::Highstate,
        &color(),
        example(),
        expect![[r#"
        ^[[0;31mkvm1.min-kvm.tf.local:^[[0;0m
        ^[[0;36m----------^[[0;0m
            ^[[0;36m      ID: pool0^[[0;0m
            ^[[0;36mFunction: virt.pool_running^[[0;0m
            ^[[0;36m  Result: True^[[0;0m
            ^[[0;36m Comment: Pool pool0 defined, marked for autostart, started^[[0;0m
            ^[[0;36m Started: 10:54:00.730423^[[0;0m
            ^[[0;36mDuration: 41.539 ms^[[0;0m
        ^[[0;36m     Changes:   
                      ^[[0;36m----------^[[0;0m
                      ^[[0;36mpool0^[[0;0m:
                          ^[[0;32mPool defined, marked for autostart, started^[[0;0m^[[0;0m
        ^[[0;36m----------^[[0;0m
            ^[[0;36m      ID: srv01^[[0;0m
            ^[[0;36mFunction: virt.running^[[0;0m
            ^[[0;36m  Result: True^[[0;0m
            ^[[0;36m Comment: Domain srv01 defined and started^[[0;0m
            ^[[0;36m Started: 10:54:01.281535^[[0;0m
            ^[[0;36mDuration: 937.736 ms^[[0;0m
        ^[[0;36m     Changes:   
                      ^[[0;36m----------^[[0;0m
                      ^[[0;36msrv01^[[0;0m:
                          ^[[0;36m----------^[[0;0m
                          ^[[0;36mdefinition^[[0;0m:
                              ^[[0;1;33mTrue^[[0;0m
                          ^[[0;36mstarted^[[0;0m:
                              ^[[0;1;33mTrue^[[0;0m^[[0;0m
        ^[[0;1;33m----------^[[0;0m
            ^[[0;1;33m      ID: web^[[0;0m
            ^[[0;1;33mFunction: virt.powered_off^[[0;0m
            ^[[0;1;33m    Name: web01^[[0;0m
            ^[[0;1;33m  Result: None^[[0;0m
            ^[[0;1;33m Comment: Machine has been powered off^[[0;0m
            ^[[0;1;33m Started: 10:54:02.990400^[[0;0m
            ^[[0;1;33mDuration: 21.41 ms^[[0;0m
        ^[[0;1;33m     Changes:   
                      ^[[0;36m----------^[[0;0m
                      ^[[0;36munpowered^[[0;0m:
                          ^[[0;32m|_^[[0;0m
                            ^[[0;36m----------^[[0;0m
                            ^[[0;36mdomain^[[0;0m:
                                ^[[0;32mweb01^[[0;0m
                            ^[[0;36mstop^[[0;0m:
                                ^[[0;1;33mTrue^[[0;0m^[[0;0m
        ^[[0;31m----------^[[0;0m
            ^[[0;31m      ID: srv02^[[0;0m
            ^[[0;31mFunction: virt.running^[[0;0m
            ^[[0;31m  Result: False^[[0;0m
            ^[[0;31m Comment: One or more requisite failed: vm.net0^[[0;0m
            ^[[0;31m Started: 10:54:03.361877^[[0;0m
            ^[[0;31mDuration: 0.006 ms^[[0;0m
        ^[[0;31m     Changes:   ^[[0;0m
        ^[[0;36m
        Summary for kvm1.min-kvm.tf.local
        ------------^[[0;0m
        ^[[0;32mSucceeded: 3^[[0;0m (^[[0;1;33munchanged=1^[[0;0m, ^[[0;32mchanged=3^[[0;0m)
        ^[[0;31mFailed:    1^[[0;0m
        ^[[0;36m------------
        Total states run:     4^[[0;0m
        ^[[0;36mTotal run time:   1.001 s^[[0;0m
    "#]],
    );
}

#[test]
fn comments_and_warnings_keep_their_column() {
    check(
        Format::Highstate,
        &Style::default(),
        mixed(),
        expect![[r#"
        kvm1:
        ----------
                  ID: ok
            Function: virt.running
                Name: okname
              Result: True
             Comment: fine
             Started: 10:54:03.361877
            Duration: 1500.5 ms
             Changes:   
        ----------
                  ID: bad
            Function: virt.run
              Result: False
             Comment: State 'virt.run' was not found in SLS 'vm'
                      Reason: 'virt.run' is not available.
             Changes:   
        ----------
                  ID: warned
            Function: virt.running
              Result: True
             Comment: one
                      two
             Started: 10:54:04.361877
            Duration: 2.0 ms
             Changes:   
                      ----------
                      a:
                          1
            Warnings: first
                      second

        Summary for kvm1
        ------------
        Succeeded: 2 (changed=1)
        Failed:    1
        Warnings:  1
        ------------
        Total states run:     3
        Total run time:   1.502 s
    "#]],
    );
}

#[test]
fn terse_lines() {
    check(
        Format::Highstate,
        &form("terse"),
        example(),
        expect![[r#"
        kvm1.min-kvm.tf.local:
          Name: pool0 - Function: virt.pool_running - Result: Changed - Started: 10:54:00.730423 - Duration: 41.539 ms
          Name: srv01 - Function: virt.running - Result: Changed - Started: 10:54:01.281535 - Duration: 937.736 ms
          Name: web01 - Function: virt.powered_off - Result: Differs - Started: 10:54:02.990400 - Duration: 21.41 ms
          Name: srv02 - Function: virt.running - Result: Failed - Started: 10:54:03.361877 - Duration: 0.006 ms

        Summary for kvm1.min-kvm.tf.local
        ------------
        Succeeded: 3 (unchanged=1, changed=3)
        Failed:    1
        ------------
        Total states run:     4
        Total run time:   1.001 s
    "#]],
    );
    check(
        Format::Highstate,
        &form("terse"),
        mixed(),
        expect![[r#"
        kvm1:
          Name: okname - Function: virt.running - Result: Clean - Started: 10:54:03.361877 - Duration: 1500.5 ms
          Name: bad - Function: virt.run - Result: Failed
          Name: warned - Function: virt.running - Result: Changed - Started: 10:54:04.361877 - Duration: 2.0 ms
            Warning: first
            Warning: second

        Summary for kvm1
        ------------
        Succeeded: 2 (changed=1)
        Failed:    1
        Warnings:  1
        ------------
        Total states run:     3
        Total run time:   1.502 s
    "#]],
    );
}

#[test]
fn terse_by_id_in_colour() {
    let style = with(|s| {
        *s = form("terse_id");
        s.color = true;
    });
    check(
        Format::Highstate,
        &style,
        example(),
        expect![[r#"
        ^[[0;31mkvm1.min-kvm.tf.local:^[[0;0m
         ^[[0;36m Name: pool0 - Function: virt.pool_running - Result: Changed - Started: 10:54:00.730423 - Duration: 41.539 ms^[[0;0m
         ^[[0;36m Name: srv01 - Function: virt.running - Result: Changed - Started: 10:54:01.281535 - Duration: 937.736 ms^[[0;0m
         ^[[0;1;33m Name: web - Function: virt.powered_off - Result: Differs - Started: 10:54:02.990400 - Duration: 21.41 ms^[[0;0m
         ^[[0;31m Name: srv02 - Function: virt.running - Result: Failed - Started: 10:54:03.361877 - Duration: 0.006 ms^[[0;0m
        ^[[0;36m
        Summary for kvm1.min-kvm.tf.local
        ------------^[[0;0m
        ^[[0;32mSucceeded: 3^[[0;0m (^[[0;1;33munchanged=1^[[0;0m, ^[[0;32mchanged=3^[[0;0m)
        ^[[0;31mFailed:    1^[[0;0m
        ^[[0;36m------------
        Total states run:     4^[[0;0m
        ^[[0;36mTotal run time:   1.001 s^[[0;0m
    "#]],
    );
}

#[test]
fn mixed_gives_blocks_to_failures_only() {
    check(
        Format::Highstate,
        &form("mixed"),
        mixed(),
        expect![[r#"
        kvm1:
          Name: okname - Function: virt.running - Result: Clean - Started: 10:54:03.361877 - Duration: 1500.5 ms
        ----------
                  ID: bad
            Function: virt.run
              Result: False
             Comment: State 'virt.run' was not found in SLS 'vm'
                      Reason: 'virt.run' is not available.
             Changes:   
          Name: warned - Function: virt.running - Result: Changed - Started: 10:54:04.361877 - Duration: 2.0 ms
            Warning: first
            Warning: second

        Summary for kvm1
        ------------
        Succeeded: 2 (changed=1)
        Failed:    1
        Warnings:  1
        ------------
        Total states run:     3
        Total run time:   1.502 s
    "#]],
    );
}

#[test]
fn changes_gives_lines_to_clean_states_only() {
    check(
        Format::Highstate,
        &form("changes"),
        mixed(),
        expect![[r#"
        kvm1:
          Name: okname - Function: virt.running - Result: Clean - Started: 10:54:03.361877 - Duration: 1500.5 ms
        ----------
                  ID: bad
            Function: virt.run
              Result: False
             Comment: State 'virt.run' was not found in SLS 'vm'
                      Reason: 'virt.run' is not available.
             Changes:   
        ----------
                  ID: warned
            Function: virt.running
              Result: True
             Comment: one
                      two
             Started: 10:54:04.361877
            Duration: 2.0 ms
             Changes:   
                      ----------
                      a:
                          1
            Warnings: first
                      second

        Summary for kvm1
        ------------
        Succeeded: 2 (changed=1)
        Failed:    1
        Warnings:  1
        ------------
        Total states run:     3
        Total run time:   1.502 s
    "#]],
    );
}

#[test]
fn clean_states_can_be_hidden() {
    let quiet = with(|s| s.verbose = false);
    check(
        Format::Highstate,
        &quiet,
        mixed(),
        expect![[r#"
        kvm1:
        ----------
                  ID: bad
            Function: virt.run
              Result: False
             Comment: State 'virt.run' was not found in SLS 'vm'
                      Reason: 'virt.run' is not available.
             Changes:   
        ----------
                  ID: warned
            Function: virt.running
              Result: True
             Comment: one
                      two
             Started: 10:54:04.361877
            Duration: 2.0 ms
             Changes:   
                      ----------
                      a:
                          1
            Warnings: first
                      second

        Summary for kvm1
        ------------
        Succeeded: 2 (changed=1)
        Failed:    1
        Warnings:  1
        ------------
        Total states run:     3
        Total run time:   1.502 s
    "#]],
    );
    let returns: Returns = serde_json::from_value(mixed()).expect("a map of returns");
    let diff = with(|s| s.diff = true);
    assert_eq!(
        render(&returns, Format::Highstate, &quiet),
        render(&returns, Format::Highstate, &diff)
    );
}

#[test]
fn tabular_lines_without_profile_too() {
    let style = with(|s| {
        *s = form("terse");
        s.tabular = true;
        s.percent = true;
    });
    check(
        Format::Highstate,
        &style,
        example(),
        expect![[r#"
        kvm1.min-kvm.tf.local:
        10:54:00.730423 [ 41.539 ms]       virt.pool_running Changed   Name: pool0
        10:54:01.281535 [937.736 ms]       virt.running    Changed   Name: srv01
        10:54:02.990400 [  21.41 ms]       virt.powered_off Differs   Name: web01
        10:54:03.361877 [  0.006 ms]       virt.running    Failed    Name: srv02

        Summary for kvm1.min-kvm.tf.local
        ------------
        Succeeded: 3 (unchanged=1, changed=3)
        Failed:    1
        Success %: 75.0
        Failure %: 25.0
        ------------
        Total states run:     4
        Total run time:   1.001 s
    "#]],
    );
    let style = Style {
        profile: false,
        percent: false,
        ..style
    };
    check(
        Format::Highstate,
        &style,
        example(),
        expect![[r#"
        kvm1.min-kvm.tf.local:
              virt.pool_running Changed   Name: pool0
              virt.running    Changed   Name: srv01
              virt.powered_off Differs   Name: web01
              virt.running    Failed    Name: srv02

        Summary for kvm1.min-kvm.tf.local
        ------------
        Succeeded: 3 (unchanged=1, changed=3)
        Failed:    1
        ------------
        Total states run:     4
    "#]],
    );
}

#[test]
fn two_digit_counts_widen_the_summary() {
    let states: serde_json::Map<_, _> = (0..12)
        .map(|n| {
            let result = json!({"result": true, "comment": "", "changes": {}, "duration": 1.0,
                                "start_time": "10:00:00.000000", "__run_num__": n});
            (format!("m_|-n{n}_|-n{n}_|-f"), result)
        })
        .collect();
    let style = with(|s| s.verbose = false);
    check(
        Format::Highstate,
        &style,
        json!({"h": states}),
        expect![[r#"
            h:

            Summary for h
            -------------
            Succeeded: 12
            Failed:     0
            -------------
            Total states run:     12
            Total run time:   12.000 ms
        "#]],
    );
}

#[test]
fn empty_run() {
    check(
        Format::Highstate,
        &Style::default(),
        json!({"kvm1": {}}),
        expect![[r#"
            kvm1:

            Summary for kvm1
            -----------
            Succeeded: 0
            Failed:   0
            -----------
            Total states run:    0
            Total run time:  0.000 ms
        "#]],
    );
}

#[test]
fn compile_errors_are_listed() {
    let errors = json!({"kvm1": ["Rendering SLS 'base:vm' failed: x\nline two", "second"]});
    check(
        Format::Highstate,
        &Style::default(),
        errors.clone(),
        expect![[r#"
            kvm1:
                Data failed to compile:
            ----------
                Rendering SLS 'base:vm' failed: x
            line two
            ----------
                second
        "#]],
    );
    check(
        Format::Highstate,
        &color(),
        errors,
        expect![[r#"
        ^[[0;1;31mkvm1:^[[0;0m
            ^[[0;1;31mData failed to compile:^[[0;0m
        ^[[0;1;31m----------
            Rendering SLS 'base:vm' failed: x
        line two^[[0;0m
        ^[[0;1;31m----------
            second^[[0;0m
    "#]],
    );
}

#[test]
fn what_is_no_state_run_is_printed_nested() {
    let returns = json!({"a": "one\ntwo", "b": {"srv01": {"cpu": 1}}, "c": null});
    check(
        Format::Highstate,
        &Style::default(),
        returns,
        expect![[r#"
        a:
            one
            two
        b:
            ----------
            srv01:
                ----------
                cpu:
                    1
        c:
            None
    "#]],
    );
}

#[test]
fn nested() {
    check(
        Format::Nested,
        &Style::default(),
        nested_values(),
        expect![[r#"
            kvm2:
                True
            kvm1:
                ----------
                a:
                    None
                b:
                    - 1
                    - x
                    |_
                      ----------
                      a:
                          - 1
                          |_
                            - 2
                            - 3
                      k:
                          1
                    |_
                    |_
                      ----------
                e:
                ed:
                    ----------
                el:
                f:
                    1.0
                list:
                    - a
                      b
                    - None
                s:
                    x
                    y
                t:
                    True
            k3:
                text
                of lines
            k4:
                |_
                  - a
                |_
                  |_
                    ----------
                    x:
                        1
        "#]],
    );
    check(
        Format::Nested,
        &color(),
        json!({"h": {"n": 1, "l": ["x", {"k": "v"}]}}),
        expect![[r#"
            ^[[0;36mh^[[0;0m:
                ^[[0;36m----------^[[0;0m
                ^[[0;36ml^[[0;0m:
                    ^[[0;32m- x^[[0;0m
                    ^[[0;32m|_^[[0;0m
                      ^[[0;36m----------^[[0;0m
                      ^[[0;36mk^[[0;0m:
                          ^[[0;32mv^[[0;0m
                ^[[0;36mn^[[0;0m:
                    ^[[0;1;33m1^[[0;0m
        "#]],
    );
}

#[test]
fn json_keeps_order_and_indents_by_four() {
    check(
        Format::Json,
        &Style::default(),
        json!({"b": {"z": [1, {}]}, "a": []}),
        expect![[r#"
            {
                "b": {
                    "z": [
                        1,
                        {}
                    ]
                },
                "a": []
            }
        "#]],
    );
}

#[test]
fn yaml_has_salts_indentation() {
    check(
        Format::Yaml,
        &Style::default(),
        nested_values(),
        expect![[r#"
            k3: "text\nof lines"
            k4:
            -   - a
            -   -   x: 1
            kvm1:
                a: null
                b:
                - 1
                - x
                -   a:
                    - 1
                    -   - 2
                        - 3
                    k: 1
                - []
                - {}
                e: ''
                ed: {}
                el: []
                f: 1.0
                list:
                - "a\nb"
                - ''
                - null
                s: "x\ny"
                t: true
            kvm2: true
        "#]],
    );
}

#[test]
fn yaml_quotes_what_would_be_misread() {
    let words = json!([
        "yes",
        "y",
        "Null",
        "~",
        "0770",
        "12:30:45",
        "52:54:00:00:00:30",
        "2A:C3:A7:A6:01:04",
        "1.0",
        "1e3",
        "0x1f",
        ".inf",
        "2001-01-01",
        "=",
        "<<",
        "",
        " lead",
        "trail ",
        "a: b",
        "x:",
        "a:b",
        "x #y",
        "# x",
        "- x",
        "-x",
        "-",
        "?",
        "---",
        "{a}",
        "@x",
        "it's",
        "'q'",
        "%x",
        "!x",
        "a\tb",
        "two\nlines",
        "é",
        "a\\b"
    ]);
    check(
        Format::Yaml,
        &Style::default(),
        json!({"true": words}),
        expect![[r#"
            'true':
            - 'yes'
            - 'y'
            - 'Null'
            - '~'
            - '0770'
            - '12:30:45'
            - '52:54:00:00:00:30'
            - '2A:C3:A7:A6:01:04'
            - '1.0'
            - '1e3'
            - '0x1f'
            - '.inf'
            - '2001-01-01'
            - '='
            - '<<'
            - ''
            - ' lead'
            - 'trail '
            - 'a: b'
            - 'x:'
            - a:b
            - 'x #y'
            - '# x'
            - '- x'
            - -x
            - '-'
            - '?'
            - '---'
            - '{a}'
            - '@x'
            - it's
            - '''q'''
            - '%x'
            - '!x'
            - "a\tb"
            - "two\nlines"
            - é
            - a\b
        "#]],
    );
}

#[test]
fn txt_and_quiet() {
    let values = json!({"h": ["it's", 1e100, 1e-7, {"k": null}], "t": "a\nb"});
    check(
        Format::Txt,
        &Style::default(),
        values.clone(),
        expect![[r#"
            h: ["it's", 1e+100, 1e-07, {'k': None}]
            t: a
            t: b
        "#]],
    );
    check(Format::Quiet, &Style::default(), values, expect![[""]]);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{9b}31m\r\u{202e}x";
    let mut states = serde_json::Map::new();
    states.insert(
        format!("virt_|-{evil}_|-{evil}\n_|-running"),
        json!({"result": true, "comment": evil, "changes": {evil: [evil]}, "warnings": [evil],
               "start_time": evil, "duration": evil}),
    );
    let returns = json!({evil: states, "text": evil, "list": [evil]});
    let returns: Returns = serde_json::from_value(returns).expect("a map of returns");
    for format in Format::ALL {
        for word in ["full", "terse"] {
            let out = render(&returns, format, &form(word));
            let bad: Vec<_> = out
                .chars()
                .filter(|c| c.is_control() && *c != '\n')
                .collect();
            assert!(
                bad.is_empty() && !out.contains('\u{202e}'),
                "{format:?} let {bad:?} through:\n{out}"
            );
        }
    }
    assert_eq!(visible_line("a\u{1b}[1m\n\u{202e}"), "a\\x1b[1m\\n\\u202e");
}

#[test]
fn machine_formats_read_back_as_they_were() {
    let evil = json!({"h": {"a": "\u{9b}31m\u{202e}", "b": ["x\n\"y\"\\"]}});
    let returns: Returns = serde_json::from_value(evil.clone()).expect("a map of returns");
    let text = render(&returns, Format::Json, &Style::default());
    assert_eq!(serde_json::from_str::<Value>(&text).expect("is JSON"), evil);
}

#[test]
fn counts_are_honest() {
    let value = example();
    let run = StateRun::read(&value["kvm1.min-kvm.tf.local"]).expect("a state run");
    let counts = run.counts();
    assert_eq!(
        (
            counts.succeeded,
            counts.would_change,
            counts.failed,
            counts.changed
        ),
        (2, 1, 1, 3)
    );
    assert_eq!(StateRun::read(&json!({"srv01": {"cpu": 1}})), None);
}

#[test]
fn a_share_of_no_failures_is_not_red() {
    let style = Style {
        percent: true,
        ..color()
    };
    let returned = json!({"kvm1": {"test_|-a_|-a_|-nop": {
        "result": true, "comment": "", "changes": {}, "name": "a", "__run_num__": 0
    }}});
    check(
        Format::Highstate,
        &style,
        returned,
        expect![[r#"
        ^[[0;32mkvm1:^[[0;0m
        ^[[0;32m----------^[[0;0m
            ^[[0;32m      ID: a^[[0;0m
            ^[[0;32mFunction: test.nop^[[0;0m
            ^[[0;32m  Result: True^[[0;0m
            ^[[0;32m Comment: ^[[0;0m
        ^[[0;32m     Changes:   ^[[0;0m
        ^[[0;36m
        Summary for kvm1
        ------------^[[0;0m
        ^[[0;32mSucceeded: 1^[[0;0m
        ^[[0;36mFailed:    0^[[0;0m
        ^[[0;32mSuccess %: 100.0^[[0;0m
        ^[[0;36mFailure %: 0.0^[[0;0m
        ^[[0;36m------------
        Total states run:     1^[[0;0m
        ^[[0;36mTotal run time:   0.000 ms^[[0;0m
    "#]],
    );
}

#[test]
fn nothing_assigned_is_shown_as_in_salt() {
    check(
        Format::Highstate,
        &Style::default(),
        json!({"kvm1": {"no_|-states_|-states_|-None": {
            "result": false,
            "comment": "No Top file or master_tops data matches found. Please see master log for details.",
            "name": "No States",
            "changes": {},
            "__run_num__": 0
        }}}),
        expect![[r#"
            kvm1:
            ----------
                      ID: states
                Function: no.None
                  Result: False
                 Comment: No Top file or master_tops data matches found. Please see master log for details.
                 Changes:   

            Summary for kvm1
            ------------
            Succeeded: 0
            Failed:    1
            ------------
            Total states run:     1
            Total run time:   0.000 ms
        "#]],
    );
}
