part:
  test.nop:
    - sls: {{ sls }} {{ slspath }} {{ tpldot }} {{ tplfile }}
