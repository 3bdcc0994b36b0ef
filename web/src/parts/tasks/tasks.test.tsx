import { render, screen } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'
import { actionRow } from '../../test/fleet'
import { Smoother, secondsLeft } from './progress'
import { TaskCard } from './TaskCard'

vi.mock('../AppLink', () => ({
  AppLink: ({ to, children }: { to: string; children: string }) => <a href={to}>{children}</a>,
}))

describe('TaskCard', () => {
  it('gives cause and remedy of a failure, and a way to try again', () => {
    const error = { message: "storage pool 'pool0' is not active", hint: 'Start the pool first' }
    render(<TaskCard action={actionRow({ status: 'failed', error })} />)
    expect(screen.getByRole('article', { name: 'Start srv01' })).toHaveTextContent(/Failed/)
    expect(screen.getByText(error.message)).toBeInTheDocument()
    expect(screen.getByText(error.hint)).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Retry “Start srv01”' })).toBeInTheDocument()
    expect(screen.getByRole('link')).toHaveAttribute('href', '/vms/vm-1')
  })

  it('says whom a queued task waits for, and lets it be cancelled', () => {
    render(<TaskCard action={actionRow({ waits_for: 'Waits for kvm-07 to come back' })} />)
    expect(screen.getByText('Waits for kvm-07 to come back')).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Cancel “Start srv01”' })).toBeInTheDocument()
  })

  it('shows how far a task is', () => {
    const progress = { step: 'Download image', done: 430, total: 1000, rate: 118_000_000 }
    render(<TaskCard action={actionRow({ status: 'running', progress })} />)
    expect(screen.getByRole('progressbar')).toHaveAttribute(
      'aria-valuetext',
      expect.stringMatching(/^43 % · 118 MB\/s/),
    )
  })
})

describe('Smoother', () => {
  it('gives the rate of the last ten seconds', () => {
    const smoother = new Smoother()
    expect(smoother.rate(0, 0)).toBeUndefined()
    for (let second = 1; second <= 20; second += 1)
      smoother.rate(second < 10 ? second : 9 + (second - 9) * 5, second * 1000)
    expect(smoother.rate(64 + 5, 21_000)).toBeCloseTo(5, 0)
    expect(secondsLeft({ step: '', done: 50, total: 100 }, 5)).toBe(10)
    expect(secondsLeft({ step: '', done: 50 }, 5)).toBeUndefined()
  })
})
