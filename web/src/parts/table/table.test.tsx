import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { collections } from '../../live/live'
import { vmRow } from '../../test/fleet'
import { HeadCell } from './HeadCell'
import { LiveRow } from './LiveRow'
import { rowHeights, shownColumns, type Column } from './columns'
import type { Vm } from '../../api/types'

const columns: Column<Vm>[] = [
  { key: 'name', label: 'Name', width: 200, sort: 'name', cell: (vm) => vm.name },
  { key: 'status', label: 'State', width: 100, cell: (vm) => vm.status },
  { key: 'memory', label: 'Memory', width: 100, from: 800, cell: () => 'x' },
  { key: 'type', label: 'Type', width: 100, optional: true, cell: () => 'x' },
]

describe('rows', () => {
  it('have the height in the style sheet that the virtualiser counts on', () => {
    const css = (name: string) => readFileSync(resolve(import.meta.dirname, '../../styles', name), 'utf8')
    expect(css('tokens.css')).toContain(`--salar-row: ${rowHeights.compact}px`)
    expect(css('tokens.css')).toContain(`--salar-row: ${rowHeights.comfortable}px`)
    expect(css('table.css')).toContain(`block-size: ${rowHeights.card}px`)
  })

  it('name their controls by their object and show markup as text', async () => {
    const name = '<script>alert(1)</script>'
    collections.vms.hold('vm-9')
    collections.vms.put([vmRow({ id: 'vm-9', name })], undefined)
    const onSelect = vi.fn<(id: string, on: boolean) => void>()
    const onMenu = vi.fn<(id: string, anchor: HTMLElement) => void>()
    const onOpen = vi.fn<(id: string) => void>()
    render(
      <table>
        <tbody>
          <LiveRow
            index={3}
            id="vm-9"
            name="vms"
            columns={columns}
            actions={{ label: (vm) => vm.name, href: (id) => `/vms/${id}`, onOpen, onSelect, onMenu }}
            isPhone={false}
            titleLetters={40}
            isSelected={false}
            isMenuOpen={false}
          />
        </tbody>
      </table>,
    )
    expect(screen.getByRole('row')).toHaveAttribute('aria-rowindex', '5')
    await userEvent.click(screen.getByRole('link', { name }))
    await userEvent.click(screen.getByRole('checkbox', { name: `Select ${name}` }))
    await userEvent.click(screen.getByRole('button', { name: `Actions on ${name}` }))
    expect(onOpen).toHaveBeenCalledWith('vm-9')
    expect(onSelect).toHaveBeenCalledWith('vm-9', true)
    expect(onMenu).toHaveBeenCalledWith('vm-9', expect.any(HTMLElement))
  })

  it('say that they are the last known of a host that cannot be read', () => {
    collections.vms.hold('vm-8')
    const host = { id: 'h', name: 'kvm-06', freshness: 'unreachable' }
    collections.vms.put([vmRow({ id: 'vm-8', host })], undefined)
    render(
      <table>
        <tbody>
          <LiveRow
            index={0}
            id="vm-8"
            name="vms"
            columns={columns}
            actions={{ label: (vm) => vm.name }}
            isPhone={false}
            titleLetters={40}
            isSelected={undefined}
            isMenuOpen={false}
          />
        </tbody>
      </table>,
    )
    expect(screen.getByRole('row')).toHaveTextContent(/last known/)
  })
})

describe('columns', () => {
  it('fall away where they do not fit, unless they are chosen', () => {
    expect(shownColumns(columns, [], () => false).map((column) => column.key)).toEqual(['name', 'status'])
    expect(shownColumns(columns, [], () => true).map((column) => column.key)).toEqual([
      'name',
      'status',
      'memory',
    ])
    expect(shownColumns(columns, ['type'], () => false).map((column) => column.key)).toEqual(['name', 'type'])
  })

  it('sort by click and get wider by keys', async () => {
    const onSort = vi.fn<(word: string) => void>()
    const onWidth = vi.fn<(key: string, width: number | undefined) => void>()
    const column = columns[0]!
    render(
      <table>
        <thead>
          <tr>
            <HeadCell column={column} sort="-name" width={200} onSort={onSort} onWidth={onWidth} />
          </tr>
        </thead>
      </table>,
    )
    expect(screen.getByRole('columnheader')).toHaveAttribute('aria-sort', 'descending')
    await userEvent.click(screen.getByRole('button', { name: 'Name' }))
    expect(onSort).toHaveBeenCalledWith('name')
    screen.getByRole('separator', { name: 'Width of Name' }).focus()
    await userEvent.keyboard('{ArrowRight}')
    expect(onWidth).toHaveBeenCalledWith('name', 216)
  })
})
