#!jinja|yaml
# What formulas do in templates
{% set names = [] %}
{% do names.append('b') %}
{%- load_yaml as defaults %}
mem: 512
tags: [x, yes]
{%- endload %}
{% macro state(name, mem=1) -%}
{{ name }}:
  test.nop:
    - mem: {{ mem }}
{%- endmacro %}
{% for name in ['a'] + names %}
{{ state(name, mem=loop.index * defaults.mem) }}
    - at: {{ sls }}/{{ slspath }}/{{ tpldir }}/{{ tplfile }}
    - tags: {{ defaults.tags | yaml }}
    - id: {{ grains['id'] | upper }} {{ salt['pillar.get']('no:such', 'none') }}
{% endfor %}
{{ 'c-%02d' % 7 }}:
  test.nop:
    - hash: {{ 'x' | sha256 }}
    - text: {{ 'it''s: "x"' | yaml_encode }}
    - json: {{ {'b': [1, None], 'a': true} | json }}
