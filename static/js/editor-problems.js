// The problems of a file: marked in the editor, and listed in the element that the textarea's
// data-problems names by id. A problem is {file, line, column, path, message, hint, severity};
// lines and columns begin at 1.
import { setDiagnostics } from "../vendor/codemirror.js";

const SEVERITIES = new Set(["error", "warning", "info"]);
const severityOf = (problem) => (SEVERITIES.has(problem.severity) ? problem.severity : "error");
const atMost = (value, most) => Math.min(Math.max(value, 0), most);

function place(doc, { line, column }) {
  const at = doc.line(atMost((line || 1) - 1, doc.lines - 1) + 1);
  const from = at.from + atMost((column || 1) - 1, at.length);
  const word = /^[^\s:,#]+/.exec(doc.sliceString(from, at.to))?.[0].length ?? 0;
  return column && word ? { from, to: from + word } : { from: at.from, to: at.to };
}

function diagnostic(doc, problem) {
  const message = [problem.message, problem.hint].filter(Boolean).join("\n");
  return { ...place(doc, problem), severity: severityOf(problem), message };
}

function row(view, problem) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `problem problem-${severityOf(problem)}`;
  const where = [problem.file, problem.line, problem.path].filter(Boolean).join(":");
  for (const [name, text] of [["where", where], ["message", problem.message], ["hint", problem.hint]]) {
    if (!text) continue;
    const span = document.createElement("span");
    span.className = `problem-${name}`;
    span.textContent = text;
    button.append(span);
  }
  button.addEventListener("click", () => {
    view.dispatch({ selection: { anchor: place(view.state.doc, problem).from }, scrollIntoView: true });
    view.focus();
  });
  return button;
}

/** @param {HTMLTextAreaElement} textarea @param {object[]} problems */
export function showProblems(view, textarea, problems) {
  const { doc } = view.state;
  const here = problems.filter(({ file }) => !file || !textarea.dataset.file || file === textarea.dataset.file);
  const marks = here.map((problem) => diagnostic(doc, problem)).sort((a, b) => a.from - b.from);
  view.dispatch(setDiagnostics(view.state, marks));
  const list = document.getElementById(textarea.dataset.problems);
  if (!list) return;
  list.replaceChildren(...problems.map((problem) => row(view, problem)));
  list.hidden = problems.length === 0;
}
