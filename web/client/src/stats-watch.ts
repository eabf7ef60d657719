import type { Facts } from "./facts.js";
import type { ServerStats } from "./messages.js";
import { Ring } from "./ring.js";
import { flowBetween, sampleOf, type Flow, type StatsSample } from "./stats.js";

const SAMPLES = 120;
const WINDOW_MS = 6000;

/** What the last two minutes of looks at the peer connection say, and what the server counts for us. */
export class StatsWatch {
  readonly #samples = new Ring<StatsSample>(SAMPLES);
  readonly #server = new Ring<{ atMs: number; stats: ServerStats }>(8);

  /** Looks now. @returns undefined when the browser gives nothing, as for a closed one */
  async look(connection: RTCPeerConnection): Promise<StatsSample | undefined> {
    try {
      const report = await connection.getStats();
      const sample = sampleOf((report as unknown as ReadonlyMap<string, unknown>).values(), performance.now());
      this.#samples.push(sample);
      return sample;
    } catch {
      return undefined;
    }
  }

  heardServer(stats: ServerStats): void {
    this.#server.push({ atMs: performance.now(), stats });
  }

  /** Figures of before are of another connection, or of one that stood still. */
  restart(): void {
    this.#samples.clear();
    this.#server.clear();
  }

  get last(): StatsSample | undefined {
    return this.#samples.last();
  }

  get lastServer(): ServerStats | undefined {
    return this.#server.last()?.stats;
  }

  get length(): number {
    return this.#samples.length;
  }

  /** Over the last six seconds, or less. */
  flow(): Flow | undefined {
    const last = this.#samples.last();
    const first = last && this.#samples.items().find(({ atMs }) => last.atMs - atMs <= WINDOW_MS);
    return first && last && first !== last ? flowBetween(first, last) : undefined;
  }

  arrived(): Facts["arrived"] {
    const entries = this.#server.items().filter(({ stats }) => stats.packets_received !== undefined);
    const last = entries[entries.length - 1];
    const first = last && entries.find(({ atMs }) => last.atMs - atMs <= WINDOW_MS);
    if (first === undefined || last === undefined) return undefined;
    const packets = (last.stats.packets_received ?? 0) - (first.stats.packets_received ?? 0);
    // Fewer than before: it counts another leg.
    return packets < 0 ? undefined : { lengthMs: last.atMs - first.atMs, packets };
  }
}
