import { act, render, screen } from '@testing-library/react'
import { Component, Suspense, type ReactNode } from 'react'
import { describe, expect, it, vi } from 'vitest'
import { forgetFailedParts, lazyPart, type LazyPart } from './lazyPart'

class Caught extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    return this.state.error === undefined ? this.props.children : this.state.error.message
  }
}

const shown = (Part: LazyPart<object>, key: number) => (
  <Caught key={key}>
    <Suspense fallback="loading">
      <Part />
    </Suspense>
  </Caught>
)

describe('a part that could not be loaded', () => {
  it('fails once, asks no more by itself, and can be tried again', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const load = vi.fn<() => Promise<() => ReactNode>>()
    load.mockRejectedValueOnce(new TypeError('no answer'))
    load.mockResolvedValueOnce(() => 'the page')
    const Part = lazyPart(load)

    const { rerender } = await act(async () => render(shown(Part, 1)))
    expect(await screen.findByText('no answer')).toBeInTheDocument()
    await act(async () => rerender(shown(Part, 2)))
    expect(load).toHaveBeenCalledTimes(1)

    forgetFailedParts()
    await act(async () => rerender(shown(Part, 3)))
    expect(await screen.findByText('the page')).toBeInTheDocument()
    expect(load).toHaveBeenCalledTimes(2)
    vi.restoreAllMocks()
  })

  it('is no error of a preload', async () => {
    const Part = lazyPart(() => Promise.reject(new TypeError('no answer')))
    await expect(Part.preload()).resolves.toBeUndefined()
  })
})
