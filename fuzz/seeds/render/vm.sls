{% from 'map.jinja' import map with context %}
{% set names = ['srv01'] %}
{% do names.append('srv%02d' % 2) %}
{%- load_yaml as defaults %}
cpu: 2
disks: [{name: system, size: 8192}]
{%- endload %}
include: [other]
{% for name in names if name not in pillar.get('absent', []) %}
{{ name }}:
  virt.running:
    - mem: {{ pillar['vms'][name]['mem'] | default(512) }}
    - cpu: {{ defaults.cpu }}
    - disks: {{ defaults.disks | yaml }}
    - note: {{ 'a-b' | regex_replace('a(-)', 'x\\1') | upper }}
    - require: [{test: other}]
{% endfor %}
{#- done #}
