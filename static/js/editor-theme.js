// The editor in the panel's colours: the custom properties of css/tokens.css, so both themes at once.
import { EditorView, HighlightStyle, syntaxHighlighting, tags } from "../vendor/codemirror.js";

export const theme = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "var(--text-md)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--text)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": {
    backgroundColor: "var(--surface)",
    borderRight: "1px solid var(--border)",
    color: "var(--text-faint)",
  },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)",
  },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--accent-soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--neutral-soft)", border: "0", color: "var(--text-muted)" },
  ".cm-panels, .cm-tooltip": {
    backgroundColor: "var(--surface)",
    border: "1px solid var(--border)",
    color: "var(--text)",
  },
  ".cm-tooltip": { borderRadius: "var(--radius-md)", boxShadow: "var(--shadow-md)" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", padding: "0.375rem 0.75rem" },
  ".cm-textfield, .cm-button": {
    background: "var(--surface)",
    border: "1px solid var(--border-strong)",
    borderRadius: "var(--radius-sm)",
    color: "var(--text)",
  },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, var(--warning) 35%, transparent)" },
});

export const highlighting = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent-text)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--success-text)" },
    { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--series-4)" },
    { tag: [tags.comment, tags.lineComment], color: "var(--text-faint)", fontStyle: "italic" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--text-muted)" },
    { tag: [tags.labelName, tags.typeName, tags.meta], color: "var(--series-3)" },
  ]),
);
