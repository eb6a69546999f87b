// The state, the progress and the error of an operation, put into its markup.

/** @param {{label: string, tone: string, progress: number|null, message?: string}} state */
export function showState(parts, { label, tone, progress, message = "" }) {
  parts.message.textContent = message;
  parts.state.className = `badge tone-${tone}`;
  if (parts.state.textContent !== label) parts.state.textContent = label;
  const known = progress !== null && progress !== undefined;
  if (known) parts.bar.value = progress;
  else parts.bar.removeAttribute("value");
  parts.progress.className = tone === "busy" ? "progress" : `progress progress-${tone}`;
}

/** What happened, where, and what to do. @param {object|null} error */
export function showError(parts, error) {
  parts.error.hidden = !error;
  if (!error) return;
  const place = [error.file, error.line, error.field].filter(Boolean).join(":");
  parts["error-title"].textContent = error.message;
  parts["error-where"].textContent = place;
  parts["error-where"].hidden = !place;
  parts["error-hint"].textContent = error.hint ?? "";
  parts["error-hint"].hidden = !error.hint;
}
