import { useMemo, useRef, useState } from "preact/hooks";
import { durationOf, known, nameOf, percent } from "../format";
import { live, type LiveCall } from "../live";
import { go } from "../router";
import { useStore } from "../store";
import { Badges, CallActions, lampOf, StreamLamp } from "../parts/call-parts";
import { EmptyState } from "../parts/empty-state";
import { Meter, Tape } from "../parts/meter";
import { Table, useNarrow, useNarrower, type Column } from "../parts/table";

const ROW = 44;
const CARD = 104;

function ageOf({ facts }: LiveCall): number {
  return Date.now() + live.value.clockAhead - (facts.answered_ms ?? facts.created_ms);
}

function Meters({ call }: { readonly call: LiveCall }) {
  return (
    <span class="meters">
      <Meter of="in" label="Caller" dbov={call.row?.in_dbov} />
      <Meter of="out" label="To the caller" dbov={call.row?.out_dbov} />
    </span>
  );
}

function toneOf(value: number | null | undefined, warning: number, error: number): string {
  return value === null || value === undefined ? "dim" : value >= error ? "is-error" : value >= warning ? "is-warning" : "";
}

const TAPE = "The last 30 s: the caller above the line, what we sent below it";

const WIDE: readonly Column<LiveCall>[] = [
  { key: "alive", title: "Stream", width: "104px", sort: (call) => lampOf(call).state, cell: (call) => <StreamLamp call={call} />, help: "Green: the last packet left less than 60 ms ago; the word says where its sound came from" },
  { key: "from", title: "Caller", width: "minmax(96px, 1.3fr)", sort: ({ facts }) => nameOf(facts.from), cell: ({ facts }) => <span title={facts.from}>{nameOf(facts.from)}</span> },
  { key: "to", title: "Called", width: "minmax(80px, 1fr)", sort: ({ facts }) => nameOf(facts.to), cell: ({ facts }) => <span title={facts.to}>{nameOf(facts.to)}</span> },
  { key: "age", title: "Age", width: "76px", isNumber: true, sort: ageOf, cell: (call) => durationOf(ageOf(call)) },
  { key: "codec", title: "Codec", width: "76px", sort: ({ facts }) => facts.codec, cell: ({ facts }) => <span class="dim" title={facts.srtp ?? "RTP, not encrypted"}>{facts.codec || "–"}</span> },
  { key: "level", title: "Levels", width: "92px", sort: ({ row }) => row?.in_dbov ?? -127, cell: (call) => <Meters call={call} />, help: "Above the caller, below what we send; -60 to 0 dBov" },
  { key: "tape", title: "Last 30 s", width: "166px", cell: (call) => <Tape strip={call.strip} width={150} height={34} label={TAPE} /> },
  { key: "loss", title: "Loss", width: "66px", isNumber: true, sort: ({ lossShare }) => lossShare ?? -1, cell: ({ lossShare }) => <span class={toneOf(lossShare, 0.01, 0.05)}>{percent(lossShare)}</span>, help: "Of the caller's packets, in the last 10 s" },
  { key: "jitter", title: "Jitter", width: "84px", isNumber: true, sort: ({ row }) => row?.jitter_ms ?? -1, cell: ({ row }) => <span class={toneOf(row?.jitter_ms, 20, 40)}>{known(row?.jitter_ms, " ms", 1)}</span> },
  { key: "rtt", title: "RTT", width: "72px", isNumber: true, sort: ({ row }) => row?.rtt_ms ?? -1, cell: ({ row }) => <span class={toneOf(row?.rtt_ms, 200, 400)}>{known(row?.rtt_ms, " ms")}</span>, help: "Round trip, by the caller's RTCP" },
  { key: "mos", title: "MOS", width: "68px", isNumber: true, sort: ({ row }) => row?.mos ?? 9, cell: ({ row }) => <span class={row?.mos ? toneOf(5 - row.mos, 1.4, 1.9) : "dim"}>{known(row?.mos, "", 1)}</span>, help: "Estimate of G.107, 1 to 4.5; of the way alone" },
  { key: "badges", title: "", width: "minmax(110px, 1.2fr)", cell: (call) => <Badges call={call} /> },
  { key: "actions", title: "", width: "240px", cell: ({ facts }) => <CallActions facts={facts} /> },
];

/** What does not fit has to be looked up in the call. */
const MEDIUM = WIDE.filter(({ key }) => !["codec", "level", "rtt", "jitter"].includes(key));

/** On a phone a call is a card. */
const NARROW: readonly Column<LiveCall>[] = [
  {
    key: "card",
    title: "Call",
    width: "minmax(0, 1fr)",
    cell: (call) => (
      <div class="card">
        <div class="card-line">
          <StreamLamp call={call} withWord={false} />
          <a class="card-name" href={`#/calls/${call.facts.id}`}>
            {nameOf(call.facts.from)} → {nameOf(call.facts.to)}
          </a>
          <span class="dim">{durationOf(ageOf(call))}</span>
        </div>
        <div class="card-line">
          <Tape strip={call.strip} width={120} height={26} label={TAPE} />
          <span class={toneOf(call.lossShare, 0.01, 0.05)}>{percent(call.lossShare)}</span>
          <span class={toneOf(call.row?.jitter_ms, 20, 40)}>{known(call.row?.jitter_ms, " ms")}</span>
          <Badges call={call} />
        </div>
        <div class="card-line">
          <CallActions facts={call.facts} />
        </div>
      </div>
    ),
  },
];

function matches({ facts }: LiveCall, text: string): boolean {
  if (text === "") return true;
  const all = [facts.from, facts.to, facts.peer, facts.id, facts.codec, facts.account, facts.route, facts.ai?.name ?? "", facts.state].join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

function isWorse(call: LiveCall): boolean {
  return call.facts.issue !== null || call.facts.oneway || ["off", "late"].includes(lampOf(call).state);
}

export function CallsView() {
  const now = useStore(live);
  const isNarrow = useNarrow();
  const isMedium = useNarrower(1240);
  const [text, setText] = useState("");
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const all = [...now.calls.values()];
  const trouble = all.filter(isWorse).length;
  const shown = all.filter((call) => matches(call, text) && (!onlyTrouble || isWorse(call)));
  const columns = isNarrow ? NARROW : isMedium ? MEDIUM : WIDE;
  const empty = useMemo(
    () =>
      text !== "" || onlyTrouble ? (
        <EmptyState title="No call is like that">{onlyTrouble ? "Nothing is wrong with any call." : "Nothing matches the filter."}</EmptyState>
      ) : (
        <EmptyState title="No calls">They appear here the moment they come in.</EmptyState>
      ),
    [text, onlyTrouble],
  );
  return (
    <div class={`calls ${now.feed === "live" ? "" : "stale"}`}>
      <div class="bar">
        <h1>Calls</h1>
        <input
          ref={field}
          type="search"
          placeholder="Filter: caller, called, codec …  ( / )"
          aria-label="Filter"
          data-key="/"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="button" aria-pressed={onlyTrouble} class={onlyTrouble ? "pressed" : ""} onClick={() => setOnlyTrouble(!onlyTrouble)}>
          Trouble only{trouble > 0 && <span class="badge error">{trouble}</span>}
        </button>
        <span class="dim count" aria-live="off">
          {shown.length === all.length ? `${all.length} live` : `${shown.length} of ${all.length}`}
        </span>
        <span class="legend" aria-hidden="true">
          <i class="dot in" /> caller <i class="dot out" /> AI <i class="dot fill" /> filler <i class="dot gap" /> gap
        </span>
      </div>
      <Table
        label="Calls"
        rows={shown}
        columns={columns}
        keyOf={({ facts }) => facts.id}
        rowHeight={isNarrow ? CARD : ROW}
        onOpen={({ facts }) => go("calls", facts.id)}
        classOf={({ facts }) => (facts.issue?.severity === "error" ? "error" : facts.issue ? "warning" : "")}
        empty={empty}
      />
    </div>
  );
}
