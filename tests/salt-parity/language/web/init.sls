# A folder of its own, with what its templates take from other files
{% import_yaml 'web/map.yaml' as map %}
{% from 'web/macros.jinja' import line with context %}
{% set ns = namespace(total=0) %}
{% for name, size in map.sizes | dictsort %}
{% set ns.total = ns.total + size %}
{{ name }}:
  test.nop:
    - size: {{ size }}
    - where: {{ line(name) }}
{% endfor %}
total:
  test.nop:
    - total: {{ ns.total }}
    - role: {{ pillar['role'] }}
    - deep: {{ salt['pillar.get']('nested:deep', 'none') }}
    - text: {{ '{0}-{1}'.format('a', 2) }} {{ 'a.b'.split('.') | join('+') }}
include:
  - .part
