include:
  - base: shared

{{ saltenv }} of {{ sls }}:
  test.succeed_with_changes:
    - name: {{ pillar.get('images', 'none') }} in {{ saltenv }}
    - require:
      - test: shared
