import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, download } from "../api";
import { sipOf, storyOf, transportFacts, type CallInfo, type DaemonEvent, type W3cStat } from "../call-info";
import { durationOf, known, nameOf, percent } from "../format";
import { useHistory } from "../history";
import { live, type LiveCall } from "../live";
import { usePolled } from "../polled";
import { go, hrefOf } from "../router";
import { useStore } from "../store";
import { Badge } from "../parts/badge";
import { Badges, CallActions, StreamLamp } from "../parts/call-parts";
import { DiagnosisList, type Diagnosis } from "../parts/diagnosis";
import { EmptyState } from "../parts/empty-state";
import { FactList } from "../parts/fact-list";
import { HopChain, type Hops } from "../parts/hop-chain";
import { Icon } from "../parts/icon";
import { Meter, Tape } from "../parts/meter";
import { Plot } from "../parts/plot";
import { Recording } from "../parts/recording";
import { Lack, Section } from "../parts/section";
import { SipLadder } from "../parts/sip-ladder";
import { isTyping } from "../parts/table";
import { Timeline } from "../parts/timeline";

function Head({ info, call }: { readonly info: CallInfo; readonly call: LiveCall | undefined }) {
  const isOver = info.state === "ended";
  const age = call?.facts.answered_ms ? Date.now() + live.value.clockAhead - call.facts.answered_ms : info.duration_ms;
  return (
    <header class="call-head">
      <a class="back" href={hrefOf("calls")}>
        ← Calls
      </a>
      <h1>
        {nameOf(info.from)} <span class="dim">→</span> {nameOf(info.to)}
      </h1>
      <div class="call-state">
        {call && <StreamLamp call={call} />}
        <Badge tone={isOver ? (info.end?.class === "success" ? "plain" : "error") : "good"}>{isOver ? (info.end?.reason ?? "ended") : info.state}</Badge>
        <strong>{durationOf(age)}</strong>
        <span class="dim">{info.codec}</span>
        <span class="dim">{info.srtp ?? "plain RTP"}</span>
        {info.ai && <span class="dim">AI {info.ai.name}</span>}
        {call && <Badges call={call} />}
      </div>
      {call && (
        <div class="call-live">
          <Tape strip={call.strip} width={300} height={44} label="The last 30 s: the caller above the line, what we sent below it" />
          <div class="call-meters">
            <span class="dim">caller</span>
            <Meter of="in" label="Caller" dbov={call.row?.in_dbov} />
            <span class="dim">to caller</span>
            <Meter of="out" label="To the caller" dbov={call.row?.out_dbov} />
          </div>
          <dl class="figures">
            <Fact name="loss, 10 s" value={percent(call.lossShare)} />
            <Fact name="jitter" value={known(call.row?.jitter_ms, " ms", 1)} />
            <Fact name="round trip" value={known(call.row?.rtt_ms, " ms", 1)} />
            <Fact name="MOS" value={known(call.row?.mos, "", 2)} />
            <Fact name="longest gap" value={known(call.row?.max_gap_ms, " ms")} />
            <Fact name="AI waits" value={known(call.row?.queued_ms, " ms")} />
          </dl>
        </div>
      )}
      {call && <CallActions facts={call.facts} isWide />}
    </header>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Digital silence is at the lower edge, not beyond it. */
function floor(values: readonly (number | null)[]): readonly (number | null)[] {
  return values.map((value) => (value === null ? null : Math.max(-90, value)));
}

function Plots({ id }: { readonly id: string }) {
  const { columns, isOwn } = useHistory(id);
  const times = useMemo(() => columns.t.map((ms) => ms / 1000), [columns.t, columns.t.length, columns.t.at(-1)]);
  const panes = useMemo(
    () =>
      [
        { title: "Packets", unit: "a second", lines: [{ name: "sent", colour: "out", values: columns.sent }, { name: "received", colour: "in", values: columns.received }] },
        { title: "Levels", unit: "dBov", range: [-90, 0] as const, lines: [{ name: "to caller", colour: "out", values: floor(columns.sent_level_dbov) }, { name: "caller", colour: "in", values: floor(columns.received_level_dbov) }] },
        { title: "Loss", unit: "packets a second", lines: [{ name: "lost", colour: "error", values: columns.lost }] },
        { title: "Jitter", unit: "ms", lines: [{ name: "jitter", colour: "in", values: columns.jitter_ms }] },
        { title: "Round trip", unit: "ms", lines: [{ name: "RTT", colour: "in", values: columns.round_trip_ms }] },
        { title: isOwn ? "Longest gap" : "Age of the last packet", unit: "ms", lines: [{ name: "gap", colour: "warning", values: columns.max_gap_ms }] },
        { title: "AI's sound that waits", unit: "ms", lines: [{ name: "waits", colour: "out", values: columns.ai_queued_ms }] },
        { title: "MOS", unit: "G.107", range: [1, 5] as const, lines: [{ name: "MOS", colour: "good", values: columns.mos }] },
      ].filter(({ lines }) => lines.some(({ values }) => (values ?? []).some((value) => value !== null))),
    [columns],
  );
  if (times.length < 2) return <p class="dim">The first seconds are still being counted.</p>;
  return (
    <>
      <div class="plots">
        {panes.map((pane) => (
          <Plot key={pane.title} group={id} times={times} {...pane} />
        ))}
      </div>
      {!isOwn && <p class="dim">Since this view was opened; the daemon keeps no history of this call.</p>}
    </>
  );
}

export function CallView({ params }: { readonly params: readonly string[] }) {
  const id = params[0] ?? "";
  const path = `/api/v1/calls/${encodeURIComponent(id)}`;
  const now = useStore(live);
  const call = now.calls.get(id);
  const info = usePolled<CallInfo>(path, 2_000);
  const diagnosis = usePolled<Diagnosis>(`${path}/diagnosis`, 2_000);
  const hops = usePolled<Hops>(`${path}/hops`, 1_000);
  const events = usePolled<{ items: readonly DaemonEvent[] }>(`/api/v1/events?call=${encodeURIComponent(id)}&after=0&limit=500`, 3_000);
  const stats = usePolled<{ stats: readonly W3cStat[] }>(`${path}/webrtc-stats`, 5_000);
  const dump = usePolled<unknown>(`${path}/dump?format=json`, 10_000);
  const [saved, setSaved] = useState("");

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !isTyping(event)) go("calls");
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  if (!info.data) {
    return info.error?.status === 404 ? (
      <EmptyState title="There is no such call">
        It is none of those of now and none of the last 1,000. <a href={hrefOf("calls")}>Calls of now</a>
      </EmptyState>
    ) : (
      <EmptyState title={info.error ? info.error.message : "Asking for the call …"} />
    );
  }
  const facts = info.data;
  const messages = sipOf(dump.data);
  const save = async () => {
    try {
      await download(`${path}/dump`, `${id}.pcapng`);
      setSaved("");
    } catch (error) {
      setSaved(error instanceof ApiError && error.status === 404 ? "There is no dump of this call." : String((error as Error).message));
    }
  };
  return (
    <div class={`call ${now.feed === "live" ? "" : "stale"}`}>
      <Head info={facts} call={call} />
      {facts.end && (
        <p class={`call-end ${facts.end.class}`}>
          Ended: <strong>{facts.end.reason}</strong> {facts.end.detail}
        </p>
      )}
      <Section title="Diagnosis">
        <Lack of={diagnosis} what="The daemon says nothing about this call." />
        {diagnosis.data && <DiagnosisList {...diagnosis.data} />}
      </Section>
      <Section title="Timeline">
        <Timeline moments={storyOf(facts, events.data?.items)} />
      </Section>
      <Section title="The way of the sound" class="wide">
        <Lack of={hops} what="This daemon keeps no hop ledger." />
        {hops.data && <HopChain {...hops.data} />}
      </Section>
      {call && (
        <Section title="The last minutes" class="wide">
          <Plots id={id} />
        </Section>
      )}
      <Section
        title="SIP"
        aside={
          <button type="button" onClick={() => void save()}>
            <Icon name="download" /> Dump
          </button>
        }
      >
        {saved && (
          <p role="alert" class="dim">
            {saved}
          </p>
        )}
        {messages.length > 0 ? <SipLadder messages={messages} /> : <Lack of={{ data: undefined, error: dump.error ?? new ApiError(404, "", "") }} what="The messages of this call were not kept." />}
      </Section>
      <Section title="Transport">
        <FactList
          rows={[
            ["signalling", facts.transport],
            ["leg", facts.leg],
            ["SRTP", facts.srtp ?? "none: plain RTP"],
            ["keys came protected", facts.srtp_key_exchange_protected === null ? null : facts.srtp_key_exchange_protected ? "yes" : "no"],
            ["connected after", facts.web && known(facts.web.connect_ms, " ms")],
            ["ICE restarts", facts.web && String(facts.web.restarts)],
            ...transportFacts(stats.data?.stats ?? []),
          ]}
        />
        <Lack of={stats} what={facts.state === "ended" ? "The call is over; its candidates are not kept." : "This daemon has no W3C statistics."} />
      </Section>
      <Section title="Facts">
        <FactList
          rows={[
            ["from", facts.from],
            ["to", facts.to],
            ["peer", `${facts.peer}${facts.user_agent ? ` (${facts.user_agent})` : ""}`],
            ["Call-ID", facts.sip_call_id],
            ["direction", facts.direction],
            ["account", facts.account],
            ["route", facts.route],
            ["pipeline", facts.pipeline],
            ["filler", facts.fill],
            ["media worker", facts.worker === null ? null : String(facts.worker)],
            ["answered after", known(facts.answer_ms, " ms", 1)],
            ["AI", facts.ai && `${facts.ai.name}, ${facts.ai.state}${facts.ai.reason ? `: ${facts.ai.reason}` : ""}`],
            ["AI connections, losses", facts.ai && `${facts.ai.connections}, ${facts.ai.losses}`],
            ["last answer of the AI", facts.ai?.latency.turn ? known(facts.ai.latency.turn.total_ms, " ms") : null],
            ["channel", facts.channel],
            ["transfer", facts.transfer && `to ${facts.transfer.target ?? "?"} by ${facts.transfer.by}, ${facts.transfer.status ?? "no answer yet"}`],
          ]}
        />
      </Section>
      <Section title="Recording">
        <Recording id={id} />
      </Section>
    </div>
  );
}
