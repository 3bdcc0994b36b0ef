/** Every word a person reads stands in `src/text`; this finds those that do not. */
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const src = resolve(import.meta.dirname, '..')
/** Attributes whose value a person sees or hears. */
const spoken = ['title', 'label', 'alt', 'placeholder', 'description', 'content', 'text', 'body', 'summary']
/** Names of keys on a keyboard are the same in every language. */
const exempt = ['pages/vms/console/specialKeys.ts']

function sources(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.tsx') && !path.includes('.test.') && !exempt.includes(path),
  )
}

/** Literals that are shown, each with its line. */
function shownLiterals(path: string, code: string): string[] {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const note = (node: ts.Node, text: string) => {
    if (!/\p{Letter}{2}/u.test(text)) return
    const { line } = file.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${path}:${line + 1}: ${text.trim()}`)
  }
  const visit = (node: ts.Node) => {
    if (ts.isJsxText(node)) note(node, node.text)
    if (ts.isJsxExpression(node) && node.parent !== undefined && !ts.isJsxAttribute(node.parent)) {
      const inner = node.expression
      if (inner !== undefined && ts.isStringLiteralLike(inner)) note(inner, inner.text)
    }
    if (ts.isJsxAttribute(node)) {
      const name = node.name.getText()
      const value = node.initializer
      const isSpoken =
        spoken.includes(name) || /^aria-(label|description|valuetext|roledescription)$/.test(name)
      if (isSpoken && value !== undefined) {
        if (ts.isStringLiteral(value)) note(value, value.text)
        if (
          ts.isJsxExpression(value) &&
          value.expression !== undefined &&
          ts.isStringLiteralLike(value.expression)
        ) {
          note(value, value.expression.text)
        }
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

describe('words', () => {
  it('are nowhere but in the texts', () => {
    const found = sources().flatMap((path) => shownLiterals(path, readFileSync(join(src, path), 'utf8')))
    expect(found).toEqual([])
  })

  it('are found where they do not belong', () => {
    const code =
      'const A = () => <p title="Some words">More words {"and more"} <b aria-label={`Again`} className="not this" /></p>'
    expect(shownLiterals('a.tsx', code)).toHaveLength(4)
  })
})
