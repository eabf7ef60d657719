import { hrefOf } from "../router";
import { live, type Summary } from "../live";
import { useStore } from "../store";
import { durationOf, round } from "../format";

function Figure({ name, value, tone }: { readonly name: string; readonly value: string; readonly tone?: string | undefined }) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function toneOf(status: string): string {
  return status === "failed" ? "error" : status === "degraded" ? "warning" : "";
}

function Figures({ of }: { readonly of: Summary }) {
  const { accounts, calls, ai, media } = of;
  return (
    <dl class="figures">
      <Figure name="calls" value={calls.max > 0 ? `${calls.now}/${calls.max}` : String(calls.now)} />
      {accounts.status !== "off" && (
        <Figure name="registered" value={`${accounts.registered ?? 0}/${accounts.configured ?? 0}`} tone={toneOf(accounts.status)} />
      )}
      {ai.answer_ms !== null && <Figure name="answer p95" value={`${round(ai.answer_ms)} ms`} tone={toneOf(ai.status)} />}
      <Figure name="tick p99" value={`${round(media.tick_p99_ms, 1)} ms`} tone={toneOf(media.status)} />
      <Figure name="up" value={durationOf(of.uptime_s * 1000)} />
      <Figure name="build" value={of.version} />
    </dl>
  );
}

/** The one sentence on top, and the figures beside it. */
export function VerdictLine() {
  const { summary, feed } = useStore(live);
  const verdict = summary?.verdict;
  const isOld = feed !== "live";
  return (
    <section class={`verdict ${verdict?.level ?? "none"}${isOld ? " old" : ""}`} aria-label="Verdict">
      <p class="sentence" role="status" aria-live="polite">
        <span class="mark" aria-hidden="true" />
        {verdict === undefined ? "Waiting for the daemon …" : verdict.call ? <a href={hrefOf("calls", verdict.call)}>{verdict.sentence}</a> : verdict.sentence}
        {summary?.draining && <span class="badge warning">draining</span>}
      </p>
      {summary && <Figures of={summary} />}
    </section>
  );
}
