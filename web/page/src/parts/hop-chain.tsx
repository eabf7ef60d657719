import { known } from "../format";

export interface Hop {
  readonly name: string;
  readonly packets: number;
  readonly ms: number;
  readonly since_last_ms: number | null;
  readonly state: "ok" | "idle" | "broken" | "unknown";
  readonly detail: string | null;
}
export interface Hops {
  readonly hops: readonly Hop[];
  readonly broken: string | null;
}

const TITLES: Record<string, string> = {
  "caller-rtp-in": "Caller's RTP",
  accepted: "Accepted",
  decoded: "Decoded",
  "handed-to-ai": "Handed to AI",
  "taken-from-ai": "Taken from AI",
  queued: "Queued",
  encoded: "Encoded",
  sent: "Sent",
  acknowledged: "Acknowledged",
};
const STATES = { ok: "flows", idle: "idle", broken: "broken", unknown: "not known" };

function ageOf(ms: number | null): string {
  if (ms === null) return "never";
  return ms < 1000 ? `${Math.round(ms)} ms ago` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s ago`;
}

/** The way of the sound, from the caller to the AI and back; where it stops, the link before is broken. */
export function HopChain({ hops, broken }: Hops) {
  return (
    <ol class="chain">
      {hops.map((hop) => (
        <li key={hop.name} class={`hop ${hop.state} ${hop.name === broken ? "first-broken" : ""}`} title={hop.detail ?? undefined}>
          <span class="link" aria-hidden="true" />
          <span class="hop-box">
            <span class="hop-name">{TITLES[hop.name] ?? hop.name}</span>
            <span class="hop-count">{hop.packets.toLocaleString("en-US")}</span>
            <span class="hop-age">{hop.packets > 0 ? ageOf(hop.since_last_ms) : "none"}</span>
            <span class="unseen">
              {STATES[hop.state]}, {known(hop.ms / 1000, " s")} of sound
            </span>
            {hop.detail && hop.state !== "ok" && <span class="hop-detail">{hop.detail}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}
