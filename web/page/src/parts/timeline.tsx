import { clockOf } from "../format";

export interface Moment {
  /** ms since 1970 */
  readonly at: number;
  readonly name: string;
  readonly text: string;
  readonly tone: "plain" | "info" | "warning" | "error" | "good";
}

function offsetOf(ms: number): string {
  if (Math.abs(ms) < 0.5) return "0";
  return Math.abs(ms) < 10_000 ? `+${Math.round(ms)} ms` : `+${(ms / 1000).toFixed(1)} s`;
}

/** From the INVITE to the BYE. */
export function Timeline({ moments }: { readonly moments: readonly Moment[] }) {
  const began = moments[0]?.at ?? 0;
  return (
    <ol class="timeline">
      {moments.map((moment, index) => (
        <li key={`${moment.at} ${moment.name} ${index}`} class={moment.tone}>
          <time dateTime={new Date(moment.at).toISOString()} title={clockOf(moment.at)}>
            {index === 0 ? clockOf(moment.at, false) : offsetOf(moment.at - began)}
          </time>
          <span class="moment-name">{moment.name}</span>
          <span class="moment-text">{moment.text}</span>
        </li>
      ))}
    </ol>
  );
}
