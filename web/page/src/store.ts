import { useEffect, useState } from "preact/hooks";

/** A value that views watch. */
export class Store<T> {
  #value: T;
  readonly #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.tell();
  }

  /** For values that change inside. */
  tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Draws the component again whenever the store tells. */
export function useStore<T>(store: Store<T>): T {
  const [, again] = useState(0);
  useEffect(() => store.watch(() => again((count) => count + 1)), [store]);
  return store.value;
}
