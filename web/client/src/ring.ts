/** The last `capacity` items; older ones are dropped and counted. */
export class Ring<Item> {
  readonly capacity: number;
  #items: Item[] = [];
  #dropped = 0;

  constructor(capacity: number) {
    this.capacity = Math.max(1, Math.floor(capacity));
  }

  push(item: Item): void {
    this.#items.push(item);
    if (this.#items.length > this.capacity) {
      this.#items.shift();
      this.#dropped += 1;
    }
  }

  /** Oldest first. */
  items(): readonly Item[] {
    return this.#items;
  }

  /** Takes everything out, oldest first. */
  take(): Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  last(): Item | undefined {
    return this.#items[this.#items.length - 1];
  }

  get length(): number {
    return this.#items.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  clear(): void {
    this.#items = [];
    this.#dropped = 0;
  }
}
