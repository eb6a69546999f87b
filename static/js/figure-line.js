// Points in time as a line of 100 by 24. Pure: tested without a browser.

export const SECONDS = 120;
const WIDTH = 100;
const HEIGHT = 24;
const EDGE = 1;

/** The points of the last two minutes before the last one; each is [milliseconds, …values]. */
export function within(points) {
  const end = points.at(-1)?.[0] ?? 0;
  return points.filter(([at]) => at > end - SECONDS * 1000 && at <= end);
}

/** The `points` of a polyline: the last one at the right edge, the greatest value near the top. */
export function line(points, column) {
  const known = points.filter((point) => Number.isFinite(point[column]));
  const end = points.at(-1)?.[0];
  const most = Math.max(...known.map((point) => point[column]), Number.MIN_VALUE);
  const x = (at) => WIDTH - ((end - at) / (SECONDS * 1000)) * WIDTH;
  const y = (value) => HEIGHT - EDGE - (value / most) * (HEIGHT - 2 * EDGE);
  return known.map((point) => `${x(point[0]).toFixed(1)},${y(point[column]).toFixed(1)}`).join(" ");
}
