// Asks the panel what is wrong with a form's text, a moment after the last key. A question that is
// still on its way is dropped for a newer one, so an old answer never marks newer text.

const SETTLE_MS = 250;

/** @param {HTMLTextAreaElement} textarea @param {(problems: object[]) => void} answer */
export function checkLater(textarea, answer) {
  let timer = 0;
  let asking = new AbortController();

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const body = new FormData(textarea.form);
    const request = { method: "POST", body, signal: asking.signal, credentials: "same-origin" };
    try {
      const response = await fetch(textarea.dataset.checkUrl, request);
      if (response.ok) answer((await response.json()).problems);
    } catch (error) {
      // A check that cannot be made now is made with the next key.
      if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    }
  }

  return () => {
    if (!textarea.dataset.checkUrl) return;
    clearTimeout(timer);
    timer = setTimeout(ask, SETTLE_MS);
  };
}
