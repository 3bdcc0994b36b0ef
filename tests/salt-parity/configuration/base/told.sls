told:
  test.nop:
    - name: {{ salt['grains.get']('rack') }} {{ salt['config.get']('role') }} {{ pillar.get('own', 'none') }}
