import { act, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { showToast } from '../parts/toasts'
import { Toasts } from './Toasts'

describe('messages', () => {
  it('show in the document, each of several, until they are closed', async () => {
    render(<Toasts />)
    act(() => showToast({ variant: 'danger', title: 'Pause of web-01 was refused', body: 'No answer' }))
    expect(await screen.findByText(/Pause of web-01 was refused/)).toBeInTheDocument()
    act(() => showToast({ variant: 'danger', title: 'Start of web-02 was refused' }))
    expect(await screen.findByText(/Start of web-02 was refused/)).toBeInTheDocument()
    expect(screen.getByText('No answer')).toBeInTheDocument()
    const [first] = screen.getAllByRole('button', { name: /close/i })
    if (first !== undefined) await userEvent.click(first)
    expect(screen.queryByText(/Pause of web-01 was refused/)).not.toBeInTheDocument()
    expect(screen.getByText(/Start of web-02 was refused/)).toBeInTheDocument()
  })
})
