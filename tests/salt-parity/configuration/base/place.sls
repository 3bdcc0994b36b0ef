{{ saltenv }}-{{ pillar.get('images', 'none') }}:
  test.succeed_with_changes:
    - name: {{ saltenv }} of {{ grains['id'] }} with {{ salt['config.get']('virt:images') }} and {{ opts['virt']['tunnel'] }}
