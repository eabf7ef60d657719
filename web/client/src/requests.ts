import { Refusal } from "./websocket-service.js";
import type { ServerError } from "./messages.js";

interface Open {
  readonly ask: () => void;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** Questions to the server that are answered with their number. */
export class Requests {
  #lastId = 0;
  readonly #open = new Map<number, Open>();

  /**
   * @param ask - sends the question with its number
   * @throws Refusal when the server answers with an error; Error when nothing came in time
   */
  ask<Answer>(ask: (id: number) => void, timeoutMs: number): Promise<Answer> {
    const id = (this.#lastId += 1);
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id)?.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      this.#open.set(id, {
        ask: () => ask(id),
        resolve: (value: Answer) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      ask(id);
    });
  }

  answered(id: number, answer: unknown): void {
    this.#settle(id)?.resolve(answer as never);
  }

  failed({ id, code, status, detail }: ServerError): boolean {
    const open = id === undefined ? undefined : this.#settle(id);
    open?.reject(new Refusal(code, status, detail));
    return open !== undefined;
  }

  /** Asks again what waits: nobody knows whether it was heard before the connection was lost. */
  again(): void {
    for (const { ask } of [...this.#open.values()]) ask();
  }

  /** Nobody will answer any more. */
  abandon(why: string): void {
    for (const id of [...this.#open.keys()]) this.#settle(id)?.reject(new Error(why));
  }

  get size(): number {
    return this.#open.size;
  }

  #settle(id: number): Open | undefined {
    const open = this.#open.get(id);
    this.#open.delete(id);
    return open;
  }
}
