import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, download, get } from "../api";
import { durationOf, known, nameOf, percent } from "../format";
import { callRecord, type CallRecord, type RecordPage } from "../records";
import { go } from "../router";
import { Badge } from "../parts/badge";
import { EmptyState } from "../parts/empty-state";
import { Table, useNarrow, type Column } from "../parts/table";

const PAGE = 200;
const DAY = 86_400_000;

/** What an operator looks for, as the API's filters say it. */
const LOOKS: readonly { readonly key: string; readonly title: string; readonly filter: Readonly<Record<string, string>> }[] = [
  { key: "all", title: "All calls", filter: {} },
  { key: "mos", title: "MOS below 3.6", filter: { max_mos: "3.6" } },
  { key: "loss", title: "More than 2 % lost", filter: { min_loss_share: "0.02" } },
  { key: "short", title: "Answered, under 10 s", filter: { min_duration_s: "0", max_duration_s: "10" } },
  { key: "internal", title: "Our fault", filter: { end_class: "internal" } },
  { key: "upstream", title: "The peer's fault", filter: { end_class: "upstream" } },
];
const SPANS: readonly { readonly title: string; readonly ms: number }[] = [
  { title: "Last hour", ms: DAY / 24 },
  { title: "Last day", ms: DAY },
  { title: "Last week", ms: 7 * DAY },
  { title: "Ever", ms: 0 },
];

function whenOf(text: string): string {
  const at = new Date(text);
  const isToday = at.toDateString() === new Date().toDateString();
  const time = at.toLocaleTimeString("en-GB", { hour12: false });
  return isToday ? time : `${at.toLocaleDateString("en-GB", { day: "2-digit", month: "short" })} ${time}`;
}

export function EndBadge({ record }: { readonly record: CallRecord }) {
  if (record.ended === null) return <Badge tone="info">running</Badge>;
  const tone = record.end_class === "success" || record.end_class === "caller" ? "plain" : record.end_class === "internal" ? "error" : "warning";
  return (
    <Badge tone={tone} title={record.end_detail ?? ""}>
      {record.end_reason}
    </Badge>
  );
}

const WIDE: readonly Column<CallRecord>[] = [
  { key: "created", title: "When", width: "132px", sort: ({ created }) => created, cell: ({ created }) => <span title={created}>{whenOf(created)}</span> },
  { key: "direction", title: "", width: "34px", cell: ({ direction }) => <span title={direction} aria-label={direction}>{direction === "outbound" ? "↗" : "↙"}</span> },
  { key: "from", title: "Caller", width: "minmax(96px, 1.2fr)", sort: ({ from }) => nameOf(from), cell: ({ from }) => <span title={from}>{nameOf(from)}</span> },
  { key: "to", title: "Called", width: "minmax(80px, 1fr)", sort: ({ to }) => nameOf(to), cell: ({ to }) => <span title={to}>{nameOf(to)}</span> },
  { key: "duration", title: "Length", width: "84px", isNumber: true, sort: ({ duration_ms }) => duration_ms ?? -1, cell: ({ duration_ms }) => (duration_ms === null ? "–" : durationOf(duration_ms)), help: "From the answer to the end" },
  { key: "ai", title: "AI", width: "minmax(60px, 0.7fr)", sort: ({ ai }) => ai ?? "", cell: ({ ai }) => <span class="dim">{ai || "–"}</span> },
  { key: "codec", title: "Codec", width: "76px", sort: ({ codec }) => codec ?? "", cell: ({ codec, srtp }) => <span class="dim" title={srtp || "RTP, not encrypted"}>{codec || "–"}</span> },
  { key: "mos", title: "MOS", width: "56px", isNumber: true, sort: ({ quality }) => quality.mos ?? 9, cell: ({ quality: { mos } }) => <span class={mos !== null && mos < 3.1 ? "is-error" : mos !== null && mos < 3.6 ? "is-warning" : ""}>{known(mos, "", 1)}</span>, help: "Estimate of G.107, 1 to 4.5; of the way alone" },
  { key: "loss", title: "Loss", width: "66px", isNumber: true, sort: ({ quality }) => quality.loss_share ?? -1, cell: ({ quality: { loss_share } }) => <span class={(loss_share ?? 0) >= 0.05 ? "is-error" : (loss_share ?? 0) >= 0.02 ? "is-warning" : ""}>{percent(loss_share)}</span> },
  { key: "gap", title: "Gap", width: "76px", isNumber: true, sort: ({ quality }) => quality.max_gap_ms ?? -1, cell: ({ quality: { max_gap_ms } }) => <span class={(max_gap_ms ?? 0) > 60 ? "is-error" : ""}>{known(max_gap_ms, " ms")}</span>, help: "Longest time between two packets of ours" },
  { key: "end", title: "End", width: "minmax(110px, 1.1fr)", sort: ({ end_reason }) => end_reason ?? "", cell: (record) => <EndBadge record={record} /> },
];

const NARROW: readonly Column<CallRecord>[] = [
  {
    key: "card",
    title: "Call",
    width: "minmax(0, 1fr)",
    cell: (record) => (
      <div class="card">
        <div class="card-line">
          <a class="card-name" href={`#/history/${record.id}`}>
            {nameOf(record.from)} → {nameOf(record.to)}
          </a>
          <span class="dim">{record.duration_ms === null ? "–" : durationOf(record.duration_ms)}</span>
        </div>
        <div class="card-line">
          <span class="dim">{whenOf(record.created)}</span>
          <span>MOS {known(record.quality.mos, "", 1)}</span>
          <EndBadge record={record} />
        </div>
      </div>
    ),
  },
];

interface Found {
  readonly records: readonly CallRecord[];
  readonly next: string | null;
  readonly error?: ApiError;
  readonly isAsking: boolean;
}

function queryOf(text: string, look: string, span: number): URLSearchParams {
  const query = new URLSearchParams(LOOKS.find(({ key }) => key === look)?.filter);
  if (text.trim() !== "") query.set("from", text.trim());
  if (span > 0) query.set("since", new Date(Date.now() - span).toISOString());
  return query;
}

export function HistoryView() {
  const isNarrow = useNarrow();
  const [text, setText] = useState("");
  const [look, setLook] = useState("all");
  const [span, setSpan] = useState(DAY);
  const [again, setAgain] = useState(0);
  const [found, setFound] = useState<Found>({ records: [], next: null, isAsking: true });

  const ask = async (cursor: string | null, isGone: () => boolean) => {
    const query = queryOf(text, look, span);
    query.set("limit", String(PAGE));
    if (cursor !== null) query.set("cursor", cursor);
    try {
      const page = await get<RecordPage>(`/api/v1/cdr?${query}`);
      const items = page.items.map(callRecord);
      if (!isGone()) setFound(({ records }) => ({ records: cursor === null ? items : [...records, ...items], next: page.next, isAsking: false }));
    } catch (error) {
      if (!isGone()) setFound({ records: [], next: null, isAsking: false, error: error instanceof ApiError ? error : new ApiError(0, "", String(error)) });
    }
  };
  useEffect(() => {
    let gone = false;
    setFound((before) => ({ ...before, isAsking: true }));
    const timer = window.setTimeout(() => void ask(null, () => gone), text === "" ? 0 : 250);
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [text, look, span, again]);

  const empty = useMemo(() => {
    if (found.isAsking) return <EmptyState title="Asking …" />;
    if (found.error) return <EmptyState title="There are no records to show">{found.error.status === 404 ? "This daemon keeps no call records." : found.error.message}</EmptyState>;
    return <EmptyState title="No call is like that">Choose another span or filter.</EmptyState>;
  }, [found]);
  const save = (format: string) => {
    const query = queryOf(text, look, span);
    query.set("limit", format === "csv" ? "10000" : "500");
    if (format === "csv") query.set("format", "csv");
    void download(`/api/v1/cdr?${query}`, `calls.${format}`).catch((error: ApiError) => setFound((before) => ({ ...before, error })));
  };
  return (
    <div class="calls history">
      <div class="bar">
        <h1>History</h1>
        <input type="search" placeholder="Caller …  ( / )" aria-label="Caller" data-key="/" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <select aria-label="Which calls" value={look} onChange={(event) => setLook(event.currentTarget.value)}>
          {LOOKS.map(({ key, title }) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
        <select aria-label="Of which time" value={String(span)} onChange={(event) => setSpan(Number(event.currentTarget.value))}>
          {SPANS.map(({ title, ms }) => (
            <option key={ms} value={String(ms)}>
              {title}
            </option>
          ))}
        </select>
        <button type="button" onClick={() => setAgain(again + 1)}>
          Refresh
        </button>
        <button type="button" onClick={() => save("csv")} disabled={found.records.length === 0}>
          Save CSV
        </button>
        <button type="button" onClick={() => save("json")} disabled={found.records.length === 0}>
          Save JSON
        </button>
        <span class="dim count" role="status">
          {found.isAsking ? "" : `${found.records.length}${found.next ? "+" : ""} records`}
        </span>
      </div>
      <Table
        label="Call records"
        rows={found.records}
        columns={isNarrow ? NARROW : WIDE}
        keyOf={({ id }) => id}
        rowHeight={isNarrow ? 72 : 36}
        onOpen={({ id }) => go("history", id)}
        empty={empty}
      />
      {found.next && (
        <div class="bar">
          <button type="button" onClick={() => void ask(found.next, () => false)}>
            Older ones
          </button>
        </div>
      )}
    </div>
  );
}
