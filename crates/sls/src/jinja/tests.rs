//! Templates in, text out; and what broken templates say.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::Engine;
use crate::compile::find;
use crate::testing::{files as in_memory, functions, target};

fn render(files: &[(&str, &str)]) -> Result<super::Output, Box<crate::Diagnostic>> {
    let files = in_memory(files);
    let engine = Engine::new(&target(), &files, &functions());
    let file = find(files.as_ref(), "base", "web.vm")
        .expect("files can be read")
        .expect("web/vm.sls is there");
    engine.render(&file)
}

#[track_caller]
fn gives(template: &str, expected: &str) {
    match render(&[("web/vm.sls", template)]) {
        Ok(output) => assert_eq!(output.text, expected, "of {template}"),
        Err(fault) => panic!("{template} failed: {fault}"),
    }
}

#[track_caller]
fn fails(template: &str, expected: Expect) {
    let fault = render(&[("web/vm.sls", template)]).expect_err("the template should fail");
    expected.assert_eq(&fault.to_string());
}

#[test]
fn values_print_as_in_python() {
    gives(
        "{{ True }} {{ None }} {{ 1.0 }} {{ 'a' }}",
        "True None 1.0 a",
    );
    gives("{{ [1, 'a', None, True] }}", "[1, 'a', None, True]");
    gives("{{ {'a': 1, 'b': [2]} }}", "{'a': 1, 'b': [2]}");
    gives("{{ (1, 2) }}", "(1, 2)");
}

#[test]
fn names_of_the_file_are_known() {
    gives(
        "{{ sls }} {{ slspath }} {{ tpldir }} {{ tplfile }} {{ tpldot }}",
        "web.vm web web web/vm.sls web",
    );
    gives(
        "{{ saltenv }} {{ tplpath }} {{ slscolonpath }}",
        "base /srv/salt/web/vm.sls web",
    );
    gives(
        "{{ grains['id'] }} {{ grains.os }} {{ pillar.vms.srv01.mem }} {{ opts['virt']['images'] }}",
        "kvm1 Debian 1024 /vms",
    );
    gives("{{ show_full_context().sls }}", "web.vm");
}

#[test]
fn functions_are_called_in_both_spellings() {
    gives("{{ salt['virt.list_domains']() }}", "['srv01', 'srv02']");
    gives("{{ salt.virt.list_domains()[0] }}", "srv01");
    gives(
        "{{ salt['test.kwargs'](a=1, b={'c': [2]}) }}",
        "{'a': 1, 'b': {'c': [2]}}",
    );
    gives(
        "{{ 'virt.list_domains' in salt }} {{ 'virt.nothing' in salt }}",
        "True False",
    );
    gives(
        "{{ salt['pillar.get']('vms:srv02:mem', 1) }} {{ salt['pillar.get']('no:thing', 7) }}",
        "2048 7",
    );
    gives(
        "{{ salt.pillar.get('no') }}|{{ salt['grains.get']('os') }}",
        "|Debian",
    );
    gives(
        "{{ salt['config.get']('virt:images') }} {{ salt['config.get']('os') }}",
        "/vms Debian",
    );
    gives(
        "{{ salt['pillar.get']('vms:srv01', {'mem': 1, 'cpu': 2}, merge=True) }}",
        "{'mem': 1024, 'cpu': 2}",
    );
    gives(
        "{{ salt['grains.filter_by']({'Debian': {'p': 'a'}, 'default': {'p': 'b'}}) }}",
        "{'p': 'a'}",
    );
    gives(
        "{{ salt['match.glob']('kvm*') }} {{ salt['match.compound']('G@os:SUSE') }}",
        "True False",
    );
}

#[test]
fn lists_and_dictionaries_can_be_changed() {
    gives(
        "{% set x = [] %}{% for i in range(3) %}{% do x.append(i) %}{% endfor %}{{ x }}",
        "[0, 1, 2]",
    );
    gives(
        "{% set d = {} %}{% do d.update({'a': []}) %}{% do d.a.append(1) %}{{ d }}",
        "{'a': [1]}",
    );
    gives(
        "{% set d = {'a': 1} %}{% do d.update(b=2) %}{{ d.items()|list }}",
        "[('a', 1), ('b', 2)]",
    );
    gives(
        "{% set d = {'a': 1} %}{% for k, v in d.iteritems() %}{{ k }}={{ v }}{% endfor %}",
        "a=1",
    );
    gives(
        "{% set x = [3, 1] %}{% do x.extend([2]) %}{% do x.sort() %}{{ x }} {{ x.pop() }} {{ x|length }}",
        "[1, 2, 3] 3 2",
    );
    gives(
        "{% set x = salt['pillar.get']('vms') %}{% do x.update({'n': 1}) %}{{ x|length }}",
        "3",
    );
    gives(
        "{% set ns = namespace(x=[], n=0) %}{% for i in [1,2] %}{% set ns.n = ns.n + i %}{% do ns.x.append(i) %}{% endfor %}{{ ns.n }}{{ ns.x }}",
        "3[1, 2]",
    );
    gives(
        "{{ [1] + [2] }} {{ [1] == [1] }} {{ {'a': 1} == dict(a=1) }} {{ 1 in [1] }} {{ 'a' in {'a': 1} }}",
        "[1, 2] True True True True",
    );
    gives(
        "{{ [1,2,3][1:] }} {{ [1,2][-1] }} {{ {'a': 1}.get('b', 5) }} {{ {'a': 1}['a'] }}",
        "[2, 3] 2 5 1",
    );
    gives(
        "{{ {'b': 1, 'a': 2}|dictsort }} {{ [2,1]|sort }} {{ [] is sequence }} {{ {} is mapping }}",
        "[('a', 2), ('b', 1)] [1, 2] True True",
    );
}

#[test]
fn imports_search_the_roots_and_beside_the_file() {
    let files = [
        (
            "web/vm.sls",
            "{% from './map.jinja' import mem with context %}{% import 'lib/m.jinja' as m %}{{ mem }}{{ m.vm('a') }}\
{% include 'web/part.jinja' %}{% import_yaml 'web/d.yaml' as d %}{{ d.a }}{% import_text './t.txt' as t %}{{ t }}{% import_json 'x.json' as j %}{{ j }}",
        ),
        ("web/map.jinja", "{% set mem = grains.mem_total // 4 %}"),
        (
            "lib/m.jinja",
            "{% macro vm(n) %}[{{ n }}/{{ pillar.vms|length }}/{{ sls }}]{% endmacro %}",
        ),
        ("web/part.jinja", "<{{ sls }}>"),
        ("web/d.yaml", "a: {{ grains.os }}\n"),
        ("web/t.txt", "text"),
        ("x.json", "{\"k\": [1, true]}"),
    ];
    let output = render(&files).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(
        output.text,
        "1024[a/2/web.vm]<web.vm>Debiantext{'k': [1, True]}"
    );
}

#[test]
fn with_context_carries_what_was_set() {
    let files = [
        (
            "web/vm.sls",
            "{% set x = 5 %}{% from 'm.jinja' import show with context %}{{ show() }}",
        ),
        ("m.jinja", "{% macro show() %}{{ x }}{% endmacro %}"),
    ];
    let output = render(&files).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(output.text, "5");
}

/// The way formulas lay their files out: defaults, a map by grain, the pillar over both.
#[test]
fn a_formula_finds_its_settings() {
    let files = [
        (
            "web/vm.sls",
            "\
{%- set tplroot = tpldir.split('/')[0] %}
{%- from tplroot ~ '/map.jinja' import settings as s with context %}
{%- for name, vm in s.vms | dictsort %}
{{ name }}:
  virt.running:
    - mem: {{ vm.get('mem', s.mem) }}
    - disks: {{ vm.disks | default([]) | yaml }}
{%- endfor %}
{{ s | yaml(False) }}
",
        ),
        (
            "web/map.jinja",
            "\
{%- import_yaml tplroot | default('web') ~ '/defaults.yaml' as defaults %}
{%- set by_os = salt['grains.filter_by']({'Debian': {'pkg': 'libvirt-daemon'}, 'Suse': {}}) or {} %}
{%- do defaults.update(by_os) %}
{%- do salt['defaults.merge'](defaults, {'net': {'b': 2}}) %}
{%- set settings = salt['pillar.get']('none', default=defaults, merge=True) %}
{%- do settings.update({'vms': salt['pillar.get']('vms', {})}) %}
",
        ),
        ("web/defaults.yaml", "mem: 512\nnet:\n  a: 1\n"),
    ];
    let output = render(&files).unwrap_or_else(|fault| panic!("{fault}"));
    expect![[r#"

        srv01:
          virt.running:
            - mem: 1024
            - disks: []
        srv02:
          virt.running:
            - mem: 2048
            - disks: []
        mem: 512
        net:
          a: 1
          b: 2
        pkg: libvirt-daemon
        vms:
          srv01:
            mem: 1024
          srv02:
            mem: 2048"#]]
    .assert_eq(&output.text);
}

#[test]
fn blocks_are_loaded() {
    gives(
        "{% load_yaml as d %}\na: [yes, 0770]\n{% endload %}{{ d.a }}",
        "[True, 770]",
    );
    gives(
        "{% load_json as d %}{\"a\": 1}{% endload %}{{ d }}",
        "{'a': 1}",
    );
    gives("{% load_text as d %}x{% endload %}{{ d }}", "x");
    gives("{% profile as 'p' %}x{% endprofile %}", "x");
}

#[test]
fn filters_do_as_in_salt() {
    gives(
        "{{ {'a': [1, 'yes', None]}|yaml }} {{ 'x: y'|yaml }}",
        "{a: [1, 'yes', null]} 'x: y'",
    );
    gives(
        "{{ {'a': {'b': [1, {'c': 2}]}}|yaml(False) }}",
        "a:\n  b:\n  - 1\n  - c: 2",
    );
    gives(
        "{{ {'b': 1, 'a': [True]}|json }} {{ {'a': 1}|tojson }}",
        "{\"a\": [true], \"b\": 1} {\"a\": 1}",
    );
    gives(
        "{{ 'a\"b'|yaml_encode }} {{ 5|yaml_encode }} {{ 'it'|yaml_dquote }} {{ \"it's\"|yaml_squote }}",
        "\"a\\\"b\" 5 \"it\" 'it''s'",
    );
    gives(
        "{{ 'vm12'|regex_match('vm([0-9]+)') }} {{ 'xvm12'|regex_match('vm') }} {{ 'xvm12'|regex_search('(vm)') }}",
        "('12',) None ('vm',)",
    );
    gives(
        "{{ 'a-b'|regex_replace('(a)-(b)', '\\\\2-\\\\1') }} {{ 'abc' is match('ab') }}",
        "b-a True",
    );
    gives(
        "{{ 'yes'|to_bool }} {{ 'no'|to_bool }} {{ '5'|to_num + 1 }} {{ [1,1,2]|unique }}",
        "True False 6 [1, 2]",
    );
    gives(
        "{{ 5|sequence }} {{ [1,[2,[3]]]|flatten }} {{ [1,2]|union([2,3]) }} {{ [1,2]|difference([2]) }}",
        "[5] [1, 2, 3] [1, 2, 3] [1]",
    );
    gives(
        "{{ {'a': {'b': 1}}|traverse('a:b') }} {{ 'a b'|quote }} {{ '1.5G'|human_to_bytes }} {{ '10.0.0.1'|is_ip }}",
        "1 'a b' 1610612736 True",
    );
    gives(
        "{{ none|default('x', true) }} {{ nothing|default('y') }} {{ 'a,b'.split(',') }} {{ 'x'|indent(2, true) }}",
        "x y ['a', 'b']   x",
    );
    gives(
        "{{ '%s-%03d-%(x)' % ('a', 7) if false else '%s-%03d' % ('a', 7) }} {{ '%(n)s' % {'n': 1} }} {{ '{}-{}'.format(1, 2) }}",
        "a-007 1 1-2",
    );
    gives(
        "{{ 'a'.encode('utf-8') }} {{ '7'.zfill(3) }} {{ 'a.b.c'.rsplit('.', 1) }}",
        "a 007 ['a.b', 'c']",
    );
    gives(
        "{{ ifelse(false, 1, true, 2, 3) }} {{ ['a'] is list }} {{ 'a' is equalto('a') }}",
        "2 True True",
    );
}

#[test]
fn network_and_collection_filters_do_as_in_salt() {
    let cases = [
        (
            "'192.168.44.0/30'|network_hosts",
            "['192.168.44.1', '192.168.44.2']",
        ),
        ("'192.168.44.7/24'|network_size", "256"),
        ("'::/0'|network_size > 5", "True"),
        (
            "['10.0.0.1', 'x', '::1', '10.0.0.0/33']|ipaddr",
            "['10.0.0.1', '::1']",
        ),
        ("['10.0.0.1', '::1']|ipv4", "['10.0.0.1']"),
        ("'x'|ipv6", "None"),
        ("'::1'|ipwrap", "[::1]"),
        ("'10.0.0.1'|ip_host", "10.0.0.1/32"),
        ("'10.0.0.0/8'|is_ip", "True"),
        ("'hello wörld'|base64_encode", "aGVsbG8gd8O2cmxk"),
        ("'aGVsbG8gd8O2cmxk'|base64_decode", "hello wörld"),
        ("'a'|base64_encode ~ ('ab'|base64_encode)", "YQ==YWI="),
        ("{'a': [1]}|append_dict_key_value('a', 2)", "{'a': [1, 2]}"),
        ("{}|extend_dict_key_value('a:b', [1])", "{'a': {'b': [1]}}"),
        (
            "{'a': 1}|set_dict_key_value('b:c', 2)",
            "{'a': 1, 'b': {'c': 2}}",
        ),
        ("[1, 2, 3]|combinations(2)", "[(1, 2), (1, 3), (2, 3)]"),
        ("[1, 2]|product([3])", "[(1, 3), (2, 3)]"),
        ("{'a': 1}|to_entries|from_entries", "{'a': 1}"),
    ];
    for (expression, expected) in cases {
        gives(&format!("{{{{ {expression} }}}}"), expected);
    }
}

#[test]
fn loops_can_be_controlled() {
    gives(
        "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i > 2 %}{% break %}{% endif %}{{ i }}{% endfor %}",
        "02",
    );
    gives(
        "{% for i in [1,2] %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}",
        "1,2",
    );
    gives(
        "{% with a=1 %}{{ a }}{% endwith %}{% filter upper %}x{% endfilter %}",
        "1X",
    );
}

#[test]
fn undefined_names_are_errors_with_line_and_excerpt() {
    fails(
        "a:\n  b: {{ nothing }}\n  c: 1\n",
        expect![[r#"
            error: Jinja variable 'nothing' is undefined; line 2

            ---
            a:
              b: {{ nothing }}    <======================
              c: 1
            ---
              at: /srv/salt/web/vm.sls:2:9
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]],
    );
    fails(
        "{{ pillar.vms.srv9.mem }}",
        expect![[r#"
            error: Jinja variable 'dict object' has no attribute 'mem'; line 1

            ---
            {{ pillar.vms.srv9.mem }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:14
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]],
    );
    fails(
        "{{ pillar['nix'] }}",
        expect![[r#"
            error: Jinja variable 'dict object' has no attribute 'nix'; line 1

            ---
            {{ pillar['nix'] }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:4
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]],
    );
    fails(
        "{% if nothing %}x{% endif %}",
        expect![[r#"
            error: Jinja variable 'nothing' is undefined; line 1

            ---
            {% if nothing %}x{% endif %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:7
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]],
    );
    fails(
        "{% for x in grains.nix %}x{% endfor %}",
        expect![[r#"
            error: Jinja variable 'dict object' has no attribute 'nix'; line 1

            ---
            {% for x in grains.nix %}x{% endfor %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:13
              rule: a name must have a value before it is used
              remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]],
    );
}

#[test]
fn broken_templates_say_where() {
    fails(
        "a\n{% if x %}\n",
        expect![[r#"
            error: Jinja syntax error: unexpected end of input, expected end of block; line 2

            ---
            a
            {% if x %}    <======================
            ---
              at: /srv/salt/web/vm.sls:2:9
              rule: every '{%' has its '%}', and every if, for, set and macro its end tag
              remedy: complete or remove the tag"#]],
    );
    fails(
        "a\nb\nc\nd\ne\nf\ng\n{{ 1 + }}\nh\n",
        expect![[r#"
            error: Jinja syntax error: unexpected end of variable block; line 8

            ---
            [...]
            c
            d
            e
            f
            g
            {{ 1 + }}    <======================
            h
            ---
              at: /srv/salt/web/vm.sls:8:8
              rule: every '{%' has its '%}', and every if, for, set and macro its end tag
              remedy: complete or remove the tag"#]],
    );
    fails(
        "{{ x",
        expect![[r#"
            error: Jinja syntax error: unexpected end of input, expected end of variable block; line 1

            ---
            {{ x    <======================
            ---
              at: /srv/salt/web/vm.sls:1:4
              rule: every '{%' has its '%}', and every if, for, set and macro its end tag
              remedy: complete or remove the tag"#]],
    );
    fails(
        "{% include 'nothing.jinja' %}",
        expect![[r#"
            error: Jinja error: tried to include non-existing template 'nothing.jinja'; line 1

            ---
            {% include 'nothing.jinja' %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:4
              rule: a template is named by its path from the file roots, or from this file with './'
              remedy: correct the path, or put the file there"#]],
    );
    fails(
        "{{ salt['test.fail']() }}",
        expect![[r#"
            error: Jinja error: test.fail: libvirt is down; line 1

            ---
            {{ salt['test.fail']() }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:8
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
    fails(
        "{{ salt['virt.list_domain']() }}",
        expect![[r#"
            error: Jinja error: the function 'virt.list_domain' is not available; line 1

            ---
            {{ salt['virt.list_domain']() }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:8
              rule: a template can call the functions of this agent
              remedy: did you mean salt['virt.list_domains']?"#]],
    );
    fails(
        "{{ salt.virt.nothing() }}",
        expect![[r#"
            error: Jinja error: the function 'virt.nothing' is not available; line 1

            ---
            {{ salt.virt.nothing() }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:13
              rule: a template can call the functions of this agent
              remedy: take the value from the pillar instead"#]],
    );
    fails(
        "{{ 'a'|nofilter }}",
        expect![[r#"
            error: Jinja error: unknown filter: filter nofilter is unknown; line 1

            ---
            {{ 'a'|nofilter }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:8
              rule: filters, tests, functions and methods must exist
              remedy: check the spelling; not all of Salt's exist here"#]],
    );
    fails(
        "{{ raise('stop here') }}",
        expect![[r#"
            error: Jinja error: stop here; line 1

            ---
            {{ raise('stop here') }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:4
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
    fails(
        "{% load_yaml as x %}\na: [\n{% endload %}",
        expect![[r#"
            error: Jinja error: Unable to load YAML: while parsing a node, did not find expected node content; line 3 of the loaded text; line 1

            ---
            {% load_yaml as x %}    <======================
            a: [
            {% endload %}
            ---
              at: /srv/salt/web/vm.sls:1
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
    fails(
        "{% set x = [] %}{% do x.append(x) %}",
        expect![[r#"
            error: Jinja error: a list or dictionary cannot be put into itself; line 1

            ---
            {% set x = [] %}{% do x.append(x) %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
}

#[test]
fn templates_stay_within_the_roots() {
    for path in ["/etc/passwd", "../../etc/passwd", "a/../../b", "./../../x"] {
        let text = format!("{{% include '{path}' %}}");
        let fault = render(&[("web/vm.sls", &text), ("../b", "x"), (path, "x")])
            .expect_err("there is no such template");
        assert!(fault.message.contains("non-existing template"), "{fault}");
    }
}

#[test]
fn a_fault_in_an_included_template_names_both_files() {
    let files = [
        ("web/vm.sls", "a: 1\n{% include './part.jinja' %}\n"),
        ("web/part.jinja", "b: 2\nc: {{ nothing }}\n"),
    ];
    let fault = render(&files).expect_err("the included template is broken");
    expect![[r#"
        error: Jinja variable 'nothing' is undefined; line 2

        ---
        b: 2
        c: {{ nothing }}    <======================
        ---
          at: /srv/salt/web/part.jinja:2:7
          also: /srv/salt/web/vm.sls:2
          rule: a name must have a value before it is used
          remedy: define it, or give a default, as in {{ name | default('value') }} and salt['pillar.get']('key', 'value')"#]].assert_eq(&fault.to_string());
}

#[test]
fn untrusted_templates_end() {
    fails(
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        expect![[r#"
            error: Jinja error: the template does more work than is allowed; line 1

            ---
            {% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:40
              rule: a template may take about two million steps or make 128 MB of text
              remedy: shorten its loops"#]],
    );
    fails(
        "{% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        expect![[r#"
            error: Jinja error: the template does more work than is allowed; line 1

            ---
            {% set ns = namespace(x='x') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:70
              rule: a template may take about two million steps or make 128 MB of text
              remedy: shorten its loops"#]],
    );
    fails(
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        expect![[r#"
            error: Jinja error: recursion limit exceeded; line 1

            ---
            {% macro m() %}{{ m() }}{% endmacro %}{{ m() }}    <======================
            ---
              at: /srv/salt/web/vm.sls:1:19
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
    fails(
        "{% import_yaml 'web/vm.sls' as x %}",
        expect![[r#"
            error: Jinja error: recursion limit exceeded; line 1

            ---
            {% import_yaml 'web/vm.sls' as x %}    <======================
            ---
              at: /srv/salt/web/vm.sls:1
              rule: a template must run through without an error
              remedy: correct the marked line"#]],
    );
}

#[test]
fn values_that_multiply_are_refused() {
    let grow = |start: &str, step: &str, end: &str| {
        let text = format!(
            "{{% set ns = namespace(x={start}) %}}{{% for i in range(40) %}}{step}{{% endfor %}}{end}"
        );
        let fault = render(&[("web/vm.sls", &text)]).expect_err("should be refused");
        assert!(
            fault.message.contains("too many") || fault.message.contains("more work"),
            "{fault}"
        );
    };
    grow("(1,)", "{% set ns.x = (ns.x, ns.x) %}", "{{ ns.x }}");
    grow("(1,)", "{% set ns.x = (ns.x, ns.x) %}", "{{ ns.x | yaml }}");
    grow("[1]", "{% set ns.x = [ns.x, ns.x] %}", "");
    grow("[1]", "{% do ns.x.extend(ns.x) %}", "");
    grow(
        "[1]",
        "{% set y = [] %}{% do y.append(ns.x) %}{% do y.append(ns.x) %}{% set ns.x = y %}",
        "",
    );
}

#[test]
fn rendered_lines_lead_back_to_their_source() {
    let files = [
        (
            "web/vm.sls",
            "{% set x = 1 %}\na: {{ x }}\n{% for i in [1, 2] -%}\nb{{ i }}:\n  - c\n{% endfor %}\n{% include 'part' %}\n{%- macro m() %}\nq: 1\nr: 2\n{% endmacro %}\n{{ m() }}z: 1\n",
        ),
        ("part", "p: 1\nq: 2\n"),
    ];
    let output = render(&files).unwrap_or_else(|fault| panic!("{fault}"));
    let mut shown = String::new();
    for (text, line) in output.text.lines().zip(&output.lines) {
        let place = match line {
            Some(line) => format!("{}:{}", line.path.as_deref().unwrap_or(""), line.line),
            None => "-".to_owned(),
        };
        shown.push_str(&format!("{place:18} |{text}\n"));
    }
    expect![[r#"
        -                  |
        :2                 |a: 1
        :4                 |b1:
        :5                 |  - c
        :4                 |b2:
        :5                 |  - c
        -                  |
        /srv/salt/part:1   |p: 1
        /srv/salt/part:2   |q: 2
        -                  |
        :12                |q: 1
        :12                |r: 2
        :12                |z: 1
    "#]]
    .assert_eq(&shown);
}

proptest! {
    #[test]
    fn rendering_is_total(parts in proptest::collection::vec(
        "(\\{\\{|\\}\\}|\\{%-? |-? %\\}|if x|endif|for i in|endfor|set x =|do |x|\\[|\\]|\\{|\\}|\\(|\\)|'|\"|%|\\|yaml|\n|load_yaml as|endload|import_yaml 'a' as|raw|endraw|#|salt\\.virt|\u{e4}|\\.append)",
        0..20,
    )) {
        let text = parts.concat();
        let rewritten = super::rewrite::rewrite(&text);
        prop_assert_eq!(rewritten.matches('\n').count(), text.matches('\n').count());
        let _ = render(&[("web/vm.sls", &text), ("a", "b: 1")]);
    }
}

#[test]
fn an_import_needs_a_name() {
    for name in ["m % [1]", "1", "true", "[1]", "'m'", ""] {
        let template = format!("{{% import 'map.jinja' as {name} %}}");
        let fault = render(&[("web/vm.sls", &template), ("map.jinja", "")]);
        let fault = fault.expect_err("no name to import as").to_string();
        assert!(fault.contains("Jinja syntax error"), "{name}: {fault}");
    }
    let files = [
        (
            "web/vm.sls",
            "{%- import 'map.jinja' as m with context -%} {{ m.x }}",
        ),
        ("map.jinja", "{% set x = 1 %}"),
    ];
    assert_eq!(render(&files).expect("sound").text, "1");
}

#[test]
fn a_query_finds_what_jmespath_says() {
    let hosts = "{% set hosts = [{'name': 'kvm1', 'cpus': 8}, {'name': 'kvm2', 'cpus': 2, 'nets': ['a']}] %}";
    let asked = |query: &str| format!("{hosts}{{{{ hosts | json_query(\"{query}\") }}}}");
    let is = |query: &str, wanted: &str| gives(&asked(query), wanted);
    is("[?cpus > `4`].name | [0]", "kvm1");
    is("[].nets[]", "['a']");
    is("length(@)", "2");
    is("sum([].cpus)", "10");
    is("[0].nothing", "None");
    is(&format!("[0]{}", ".a".repeat(63)), "None");
    is(&format!("[0].cpus{}", " || cpus".repeat(30)), "8");
    for bad in [
        "[?",
        "no_such(@)",
        "sum(@)",
        &"(".repeat(64),
        &"!".repeat(64),
        &"(".repeat(5000),
    ] {
        let fault = render(&[("web/vm.sls", &asked(bad))]).expect_err("the query is refused");
        assert!(fault.message.contains("the query"), "{fault}");
    }
}

// The expected values below are what Salt 3007 renders.

#[test]
fn digests_and_codes_are_those_of_python() {
    gives("{{ 'vm' | md5 }}", "686c821a80914aef822465b48019cd34");
    gives(
        "{{ 'vm' | sha1 }}",
        "0a7c9cdf87fa59e075a6e67be0b6a9e983ecc375",
    );
    gives(
        "{{ 'vm' | sha256 }}",
        "5bce98f73f3ed0c837f2729ed9509b38ea66a156db7f653356cb6fe37b366e85",
    );
    gives("{{ (12 | sha512)[:20] }}", "5aadb45520dcd8726b28");
    gives(
        "{{ 'msg' | hmac_compute('key') }}",
        "2d93cbc1be167bcb1637a4a23cbff01a7878f0c50ee833954ea5221bb1b8c628",
    );
    gives(
        "{{ 'msg' | hmac('key', 'LZPLwb4We8sWN6SiPL/wGnh48MUO6DOVTqUiG7G4xig=') }} {{ 'msg' | hmac('key', 'x') }}",
        "True False",
    );
    gives(
        "{{ 'example' | uuid }}",
        "9ade8beb-355a-50d8-9011-1c99848a7719",
    );
}

#[test]
fn arguments_of_filters_may_be_named() {
    gives(
        "{{ '1MB' | human_to_bytes(handle_metric=True) }}",
        "1000000",
    );
    gives(
        "{{ '20' | human_to_bytes(default_unit='M') }} {{ '512MB' | human_to_bytes }}",
        "20971520 536870912",
    );
    gives(
        "{{ [1, none, [2, [3]]] | flatten(preserve_nulls=True, levels=1) }}",
        "[1, None, 2, [3]]",
    );
    gives(
        "{{ 'abc_def' | to_camelcase(uppercamel=True) }} {{ 'AbcDefGHI' | to_snake_case }}",
        "AbcDef abc_def_ghi",
    );
    gives(
        "{{ {'a.b': 1} | set_dict_key_value('x/y', 2, delimiter='/') }}",
        "{'a.b': 1, 'x': {'y': 2}}",
    );
    gives(
        "{{ ['8.8.8.8', '10.0.0.1', 'fe80::1'] | ipaddr(options='public') }}",
        "['8.8.8.8']",
    );
    gives(
        "{{ 'aXbxc' | regex_replace('x', '-', ignorecase=True) }}",
        "a-b-c",
    );
    fails(
        "{{ 'a' | to_camelcase(upper=True) }}",
        expect![[r#"
        error: Jinja error: to_camelcase has no argument 'upper'; it takes: uppercamel; line 1

        ---
        {{ 'a' | to_camelcase(upper=True) }}    <======================
        ---
          at: /srv/salt/web/vm.sls:1:10
          rule: a template must run through without an error
          remedy: correct the marked line"#]],
    );
}

#[test]
fn lists_and_dictionaries_are_compared_and_combined() {
    gives(
        "{{ [1, 2, 3] | compare_lists([1, 2, 4]) }}",
        "{'new': [4], 'old': [3]}",
    );
    gives(
        "{{ {'a': 'b'} | compare_dicts({'a': 'c'}) }}",
        "{'a': {'old': 'b', 'new': 'c'}}",
    );
    gives(
        "{{ 'AB' | permutations | list }}",
        "[('A', 'B'), ('B', 'A')]",
    );
    gives(
        "{{ 'ABC' | zip_longest('x', fillvalue='-') | list }}",
        "[('A', 'x'), ('B', '-'), ('C', '-')]",
    );
    gives(
        "{{ 'AB' | product(repeat=2) | list }}",
        "[('A', 'A'), ('A', 'B'), ('B', 'A'), ('B', 'B')]",
    );
    gives(
        "{{ 'web1' | check_whitelist_blacklist(blacklist=['web*']) }}",
        "False",
    );
    gives(
        "{{ 'web1' | check_whitelist_blacklist(whitelist='web[0-9]', blacklist='x') }}",
        "True",
    );
    gives(
        "{{ 'a b' | method_call('split') }} {{ 'ab' | method_call('nope') }}",
        "['a', 'b'] None",
    );
}

#[test]
fn addresses_are_filtered() {
    gives(
        "{{ ['192.168.0.1', '10.0.0.1', 'fe80::1'] | filter_by_networks(['192.168.0.0/24', 'fe80::/64']) }}",
        "['192.168.0.1', 'fe80::1']",
    );
    gives(
        "{{ {'eth0': ['192.168.0.1', '10.0.0.1']} | filter_by_networks(['10.0.0.0/8']) }}",
        "{'eth0': ['10.0.0.1']}",
    );
    gives(
        "{{ ['::1', '1.2.3.4'] | ipwrap }} {{ 'fe80::1%eth0' | is_ip }}",
        "['[::1]', '1.2.3.4'] True",
    );
    gives(
        "{{ '001122334455' | mac_str_to_bytes | base64_encode }}",
        "ABEiM0RV",
    );
}

#[test]
fn text_is_laid_out_as_in_jinja() {
    gives(
        "{{ 'ab' | center(7) }}|{{ 'abc' | center(6) }}|",
        "   ab  | abc  |",
    );
    gives(
        "{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, True) }}",
        "foo... foo ba...",
    );
    gives(
        "{{ 'the quick brown fox jumps' | wordwrap(10) }}",
        "the quick\nbrown fox\njumps",
    );
    gives(
        "{{ 'a b  c-d' | wordcount }} {{ 13000 | filesizeformat }}",
        "4 13.0 kB",
    );
    gives(
        "{{ '<\"x\">' | escape }}{{ {'id': 'l-1', 'n': none} | xmlattr }}",
        "&lt;&#34;x&#34;&gt; id=\"l-1\"",
    );
    gives(
        "{{ {'root': {'a': 1, 'b': {'c': 'x&y'}, 'd': [{'e': 1}, 'f']}} | xml }}",
        "<?xml version=\"1.0\" ?>\n<root a=\"1\">\n <b c=\"x&amp;y\"/>\n <d e=\"1\"/>\n <d>f</d>\n</root>\n",
    );
    gives(
        "{{ '/a' | path_join('b', '/c') }} {{ 'abc'.index('b') }} {{ 'Ab'.swapcase() }}",
        "/a/b/c 1 aB",
    );
    gives(
        "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}",
        "aba",
    );
}

#[test]
fn chance_with_a_seed_is_none() {
    gives(
        "{{ [1, 2, 3, 4] | random_shuffle(seed='s') == [1, 2, 3, 4] | random_shuffle('s') }}",
        "True",
    );
    gives(
        "{{ [1, 2, 3, 4] | random_shuffle('s') | sort }} {{ 'abc' | random_sample(2, seed=1) | length }}",
        "[1, 2, 3, 4] 2",
    );
    gives(
        "{{ 'AC:DE:48' | gen_mac is match('AC:DE:48(:[0-9A-F]{2}){3}$') }} {{ 8 | random_str | length }}",
        "True 8",
    );
    gives(
        "{{ 100 | random_hash('sha1') | length }} {{ [7] | random }}",
        "40 7",
    );
    fails(
        "{{ [1] | random_sample(2) }}",
        expect![[r#"
        error: Jinja error: a sample of 2 is larger than the 1 items there are; line 1

        ---
        {{ [1] | random_sample(2) }}    <======================
        ---
          at: /srv/salt/web/vm.sls:1
          rule: a template must run through without an error
          remedy: correct the marked line"#]],
    );
}

#[test]
fn ifelse_matches_the_target() {
    gives(
        "{{ ifelse('web*', 'a', 'kvm* and G@os:Debian', 'b', 'c') }} {{ ifelse('x*', 'a', 'c') }}",
        "b c",
    );
}

#[test]
fn dates_are_written_and_the_host_is_asked() {
    gives(
        "{{ 1040814000 | strftime }} {{ '1040814000' | date_format('%Y %H') }}",
        "2002-12-25 2002 11",
    );
    gives(
        "{{ '2002/12/25' | strftime('%d.%m.%y') }} {{ '2026-01-31 12:30:00' | strftime(format='%H:%M') }}",
        "25.12.02 12:30",
    );
    gives("{{ 'virsh' | which }}", "/usr/bin/virsh");
    for template in [
        "{{ 'soon' | strftime }}",
        "{{ 'root' | get_uid }}",
        "{{ none | strftime }}",
        "{{ 1e300 | strftime('%Q') }}",
    ] {
        assert!(render(&[("web/vm.sls", template)]).is_err(), "{template}");
    }
}
