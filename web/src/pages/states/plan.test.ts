import { describe, expect, it } from 'vitest'
import { differingLines } from './lines'
import { graveSteps, readFaults, readOutcomes, readPlan, slsNames, worstOf } from './plan'

const step = (change: Record<string, unknown> = {}) => ({
  do: 'define VM srv01',
  with: { xml: '<domain/>' },
  summary: 'Define VM srv01',
  consequence: 'none',
  undo: 'undefine VM srv01',
  diff: { before: '', after: '<domain/>' },
  ...change,
})

const plan = (steps: unknown[]) => ({
  format: 1,
  host: 'kvm-01',
  hash: 'abc',
  consequence: 'none',
  states: [
    {
      key: 'virt_|-srv01_|-srv01_|-running',
      id: 'srv01',
      state: 'virt.running',
      result: null,
      comment: 'Domain srv01 defined and started',
      steps,
      pending: ['memory'],
      notes: [],
    },
  ],
})

describe('a plan', () => {
  it('is read with its steps', () => {
    const [state] = readPlan(plan([step()]))?.states ?? []
    expect(state).toMatchObject({ id: 'srv01', fun: 'virt.running', result: null, pending: ['memory'] })
    expect(state?.steps).toEqual([
      { summary: 'Define VM srv01', consequence: 'none', diff: { before: '', after: '<domain/>' } },
    ])
  })

  it('goes back as it came, but for the differences', () => {
    const whole = plan([step(), step({ diff: null })])
    const expected = plan([step({ diff: null }), step({ diff: null })])
    expect(readPlan(whole)?.agreed).toEqual(expected)
  })

  it('takes a consequence it does not know for the worst', () => {
    const read = readPlan(plan([step({ consequence: 'live' }), step({ consequence: 'apocalypse' })]))
    expect(read && worstOf(read)).toBe('loss of data')
    expect(read && graveSteps(read)).toHaveLength(1)
  })

  it('is not what else a function may return', () => {
    for (const value of [null, true, 'text', [], ['error'], {}, { states: 1, hash: 'x' }]) {
      expect(readPlan(value)).toBeUndefined()
    }
    expect(readFaults(['No matching sls found', 7])).toEqual(['No matching sls found'])
    expect(readFaults({})).toBeUndefined()
  })
})

it('results come in the order of the run', () => {
  const result = (number: number) => ({ result: true, comment: '', changes: {}, __run_num__: number })
  const outcomes = readOutcomes({
    'virt_|-b_|-b_|-running': { ...result(1), changes: { b: 1 } },
    'virt_|-a_|-a_|-pool_running': result(0),
  })
  expect(outcomes?.map(({ id, fun, changed }) => [id, fun, changed])).toEqual([
    ['a', 'virt.pool_running', false],
    ['b', 'virt.running', true],
  ])
})

it('names are separated as people separate them', () => {
  expect(slsNames(' vm, web.db  net ')).toEqual(['vm', 'web.db', 'net'])
  expect(slsNames('')).toEqual([])
})

describe('differing lines', () => {
  it('show what changed with the lines around it', () => {
    const before = Array.from({ length: 12 }, (_, index) => `line ${index}`)
    const after = before.with(6, 'other')
    expect(
      differingLines(before.join('\n'), after.join('\n')).map(({ kind, text }) => `${kind} ${text}`),
    ).toEqual([
      'skipped 4',
      'same line 4',
      'same line 5',
      'removed line 6',
      'added other',
      'same line 7',
      'same line 8',
      'skipped 3',
    ])
  })

  it('are none when nothing changed', () => {
    expect(differingLines('a\nb', 'a\nb')).toEqual([])
  })

  it('are all of something new', () => {
    expect(differingLines('', 'a\nb\n')).toEqual([
      { kind: 'added', text: 'a' },
      { kind: 'added', text: 'b' },
    ])
  })
})
