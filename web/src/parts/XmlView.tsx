/** XML to read, with colours from our tokens, so that the theme changes without a reload. */
import { xml } from '@codemirror/lang-xml'
import { HighlightStyle, foldGutter, syntaxHighlighting } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import { EditorView, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'react'

const highlight = HighlightStyle.define([
  { tag: tags.tagName, color: 'var(--salar-code-tag)' },
  { tag: tags.attributeName, color: 'var(--salar-code-attribute)' },
  { tag: [tags.attributeValue, tags.string], color: 'var(--salar-code-string)' },
  { tag: [tags.comment, tags.processingInstruction], color: 'var(--salar-code-comment)' },
  { tag: tags.angleBracket, color: 'var(--salar-code-comment)' },
])

const theme = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'inherit' },
  '.cm-scroller': { fontFamily: 'var(--pf-t--global--font--family--mono)', fontSize: '13px' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--salar-code-comment)', border: 'none' },
})

export function XmlView({ text, label }: { text: string; label: string }) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  useEffect(() => {
    if (host.current === null) return undefined
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        extensions: [
          xml(),
          lineNumbers(),
          foldGutter(),
          syntaxHighlighting(highlight),
          theme,
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
        ],
      }),
    })
    view.current = editor
    return () => editor.destroy()
  }, [label])
  useEffect(() => {
    const editor = view.current
    if (editor === undefined || editor.state.doc.toString() === text) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } })
  }, [text, label])
  return <div ref={host} className="xml-view" translate="no" />
}
