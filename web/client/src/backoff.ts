/** The shortest and the longest wait before a connection is tried again, in ms. */
export interface BackoffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: BackoffLimits = { minMs: 250, maxMs: 10_000 };

/**
 * How long to wait before the next try: somewhere between the shortest wait and a bound that doubles with each failure,
 * so that a thousand pages that lost the same server do not come back in the same moment.
 *
 * @param failures - tries that failed in a row, from 0
 * @param random - from 0 to 1
 * @returns ms, within `limits`
 */
export function backoffMs(failures: number, random: number, limits: BackoffLimits = DEFAULT_BACKOFF): number {
  const bound = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(failures + 1, 30));
  return Math.round(limits.minMs + random * Math.max(0, bound - limits.minMs));
}
