// <textarea data-editor data-check-url data-file>: a YAML editor over the textarea, which stays the
// field of its form. The form is posted to data-check-url as it is typed; the answer's problems
// (see editor-problems.js) are marked. Ctrl+S and Ctrl+Enter submit.
import * as cm from "../vendor/codemirror.js";
import { checkLater } from "./editor-check.js";
import { showProblems } from "./editor-problems.js";
import { highlighting, theme } from "./editor-theme.js";

function submit(form) {
  form?.requestSubmit();
  return true;
}

function keys(textarea) {
  const run = () => submit(textarea.form);
  return cm.keymap.of([
    { key: "Mod-s", run, preventDefault: true },
    { key: "Mod-Enter", run },
    ...cm.closeBracketsKeymap,
    ...cm.searchKeymap,
    ...cm.historyKeymap,
    ...cm.foldKeymap,
    ...cm.lintKeymap,
    ...cm.defaultKeymap,
    cm.indentWithTab,
  ]);
}

function extensions(textarea, changed) {
  return [
    cm.lineNumbers(),
    cm.foldGutter(),
    cm.lintGutter(),
    cm.history(),
    cm.drawSelection(),
    cm.indentOnInput(),
    cm.bracketMatching(),
    cm.closeBrackets(),
    cm.highlightActiveLine(),
    cm.highlightActiveLineGutter(),
    cm.highlightSelectionMatches(),
    cm.indentUnit.of("  "),
    cm.yaml(),
    highlighting,
    theme,
    cm.EditorView.cspNonce.of(document.documentElement.dataset.cspNonce ?? ""),
    keys(textarea),
    cm.EditorState.readOnly.of(textarea.readOnly),
    cm.EditorView.contentAttributes.of({ "aria-label": textarea.dataset.file ?? "File" }),
    cm.EditorView.updateListener.of((update) => {
      if (update.docChanged) changed(update.state.doc.toString());
    }),
  ];
}

function warnBeforeLeaving(textarea) {
  const first = textarea.value;
  let submitted = false;
  textarea.form?.addEventListener("submit", () => (submitted = true));
  addEventListener("beforeunload", (event) => {
    if (textarea.isConnected && !submitted && textarea.value !== first) event.preventDefault();
  });
}

/** @param {HTMLTextAreaElement} textarea */
export function mountEditor(textarea) {
  const host = document.createElement("div");
  host.className = "editor";
  textarea.after(host);
  textarea.hidden = true;
  warnBeforeLeaving(textarea);
  const check = checkLater(textarea, (problems) => showProblems(view, textarea, problems));
  const changed = (text) => {
    textarea.value = text;
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
    check();
  };
  const view = new cm.EditorView({ doc: textarea.value, extensions: extensions(textarea, changed), parent: host });
  check();
  return view;
}
