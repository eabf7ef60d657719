/** The page, for its events; undefined where there is none. */
export const PAGE: EventTarget | undefined = typeof window === "undefined" ? undefined : window;

/** What has to be undone: timers and listeners, all at once and only once. */
export class Cleanup {
  readonly #undo = new Set<() => void>();

  /** @returns undoes it now */
  add(undo: () => void): () => void {
    const once = (): void => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    return once;
  }

  /** Calls `work` every `ms` until undone. */
  every(ms: number, work: () => void): () => void {
    const timer = setInterval(work, ms);
    return this.add(() => clearInterval(timer));
  }

  /** Calls `work` once, after `ms`, unless undone. */
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(() => {
      cancel();
      work();
    }, ms);
    const cancel = this.add(() => clearTimeout(timer));
    return cancel;
  }

  listen(target: EventTarget | undefined, name: string, listener: (event: Event) => void): () => void {
    target?.addEventListener(name, listener);
    return this.add(() => target?.removeEventListener(name, listener));
  }

  run(): void {
    for (const undo of [...this.#undo]) undo();
  }

  /** How much waits to be undone. */
  get size(): number {
    return this.#undo.size;
  }
}
