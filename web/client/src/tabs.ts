/**
 * Tells the other tabs of this browser who comes for a place. The server decides who stays; this is a notice, so that a page can
 * say so before it happens. Without BroadcastChannel nothing is told.
 */
export class Tabs {
  readonly #channel: BroadcastChannel | undefined;
  readonly #tab = Math.random().toString(36).slice(2);

  /** @param onOther - another tab comes for the same place */
  constructor(place: string, onOther: () => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.#channel = new BroadcastChannel(`offhook ${place}`);
    // Node would stay alive for it.
    (this.#channel as { unref?: () => void }).unref?.();
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "object" && data !== null && "tab" in data && data.tab !== this.#tab) onOther();
    };
  }

  tellComing(): void {
    this.#channel?.postMessage({ tab: this.#tab });
  }

  close(): void {
    if (this.#channel === undefined) return;
    this.#channel.onmessage = null;
    this.#channel.close();
  }
}
