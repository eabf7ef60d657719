import { Ring } from "./ring.js";

/** One line of the log of sound: figures each interval, and what changed when it changed. */
export interface AudioLogEntry {
  /** ms since 1970 */
  readonly at: number;
  readonly kind: "figures" | "state";
  readonly data: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface AudioLogOptions {
  /** Between two lines of figures; at least 100 ms. Default 1,000. */
  readonly intervalMs?: number;
  /** Entries kept; the oldest beyond are dropped and counted. Default 3,600. */
  readonly limit?: number;
  /** Called with each entry, for example `console.log`. */
  readonly sink?: (entry: AudioLogEntry) => void;
}

const STATES_PER_S = 20;

/** Keeps what a bug report needs: bounded in length and in rate, and no sound itself. */
export class AudioLog {
  readonly intervalMs: number;
  readonly #entries: Ring<AudioLogEntry>;
  readonly #sink: ((entry: AudioLogEntry) => void) | undefined;
  readonly #startedAt = Date.now();
  #second = 0;
  #inSecond = 0;
  #suppressed = 0;

  constructor(options: AudioLogOptions) {
    this.intervalMs = Math.max(100, options.intervalMs ?? 1000);
    this.#entries = new Ring(options.limit ?? 3600);
    this.#sink = options.sink;
  }

  figures(data: AudioLogEntry["data"]): void {
    this.#add({ at: Date.now(), kind: "figures", data });
  }

  /** At most 20 in a second; more are counted alone. */
  state(what: string, to: string): void {
    const at = Date.now();
    const second = Math.floor(at / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    if (this.#inSecond > STATES_PER_S) this.#suppressed += 1;
    else this.#add({ at, kind: "state", data: { what, to } });
  }

  /** As JSON can take it. */
  export(): Record<string, unknown> {
    return {
      version: 1,
      started: new Date(this.#startedAt).toISOString(),
      exported: new Date().toISOString(),
      user_agent: typeof navigator === "undefined" ? "" : navigator.userAgent,
      interval_ms: this.intervalMs,
      dropped: this.#entries.dropped,
      suppressed: this.#suppressed,
      entries: [...this.#entries.items()],
    };
  }

  #add(entry: AudioLogEntry): void {
    this.#entries.push(entry);
    this.#sink?.(entry);
  }
}
