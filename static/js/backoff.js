// How long to wait before connecting again. Pure: tested without a browser.

const FIRST_MS = 250;
const LAST_MS = 15_000;

/**
 * Milliseconds before the given attempt (0 is the first), doubled each time up to 15 s, of which
 * half is random so that many pages do not return to a restarted panel at the same moment.
 */
export function backoff(attempt, random = Math.random) {
  const whole = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return whole / 2 + (whole / 2) * random();
}
