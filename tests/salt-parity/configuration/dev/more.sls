{% from 'map.jinja' import size with context %}
more:
  test.nop:
    - name: size {{ size }}
