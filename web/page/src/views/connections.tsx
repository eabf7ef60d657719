import { useState } from "preact/hooks";
import { ApiError, post, remove } from "../api";
import { bytesOf, clockOf, durationOf, known } from "../format";
import { Badge, type Tone } from "../parts/badge";
import { Confirm } from "../parts/dialog";
import { EmptyState } from "../parts/empty-state";
import { Table, type Column } from "../parts/table";
import { usePoll } from "../poll";
import "./places.css";

export interface Connection {
  readonly id: string;
  readonly kind: "browser" | "channel" | "monitor" | "ai";
  readonly user: string | null;
  readonly channel: string | null;
  readonly address: string | null;
  readonly forwarded_for: string | null;
  readonly user_agent: string | null;
  readonly state: "connecting" | "live" | "closing" | "broken" | "ended";
  readonly opened: string;
  readonly age_s: number;
  readonly last_heard_s: number;
  readonly last_pong_s: number | null;
  readonly rtt_ms: number | null;
  readonly queue_bytes: number;
  readonly ended: string | null;
  readonly end_reason: string | null;
  readonly end_detail: string | null;
}

interface Page {
  readonly items: Connection[];
  readonly total: number;
}

const KINDS: Readonly<Record<Connection["kind"], string>> = { browser: "Call of a browser", channel: "Channel", monitor: "Reader", ai: "AI" };
const ROW_PX = 34;

function toneOf(state: Connection["state"]): Tone {
  if (state === "live") return "good";
  return state === "broken" ? "error" : state === "ended" ? "plain" : "warning";
}

const text = (value: string | null) => value ?? "–";

function columns(isHistory: boolean, close: (connection: Connection) => void): Column<Connection>[] {
  const all: Column<Connection>[] = [
    { key: "kind", title: "Kind", width: "9rem", cell: (row) => KINDS[row.kind] ?? row.kind, sort: (row) => row.kind },
    { key: "user", title: "User", width: "minmax(6rem, 1fr)", cell: (row) => text(row.user), sort: (row) => row.user ?? "" },
    { key: "channel", title: "Channel", width: "minmax(6rem, 1fr)", cell: (row) => text(row.channel), sort: (row) => row.channel ?? "" },
    {
      key: "address",
      title: "Address",
      width: "minmax(9rem, 1.2fr)",
      cell: (row) => <span title={row.user_agent ?? undefined}>{row.forwarded_for ?? text(row.address)}</span>,
      sort: (row) => row.forwarded_for ?? row.address ?? "",
    },
  ];
  if (isHistory)
    return [
      ...all,
      { key: "ended", title: "Ended", width: "7rem", cell: (row) => (row.ended ? clockOf(Date.parse(row.ended), false) : "–"), sort: (row) => row.ended ?? "" },
      { key: "age", title: "Lived", width: "6rem", isNumber: true, cell: (row) => durationOf(row.age_s * 1000), sort: (row) => row.age_s },
      {
        key: "why",
        title: "Why",
        width: "minmax(10rem, 2fr)",
        cell: (row) => <span title={row.end_detail ?? undefined}>{[row.end_reason, row.end_detail].filter(Boolean).join(": ") || "–"}</span>,
        sort: (row) => row.end_reason ?? "",
      },
    ];
  return [
    ...all,
    { key: "age", title: "Age", width: "6rem", isNumber: true, cell: (row) => durationOf(row.age_s * 1000), sort: (row) => row.age_s },
    { key: "pong", title: "Last pong", width: "6rem", isNumber: true, help: "Since it answered a ping", cell: (row) => known(row.last_pong_s, " s", 1), sort: (row) => row.last_pong_s ?? -1 },
    { key: "rtt", title: "RTT", width: "6rem", isNumber: true, cell: (row) => known(row.rtt_ms, " ms", 1), sort: (row) => row.rtt_ms ?? -1 },
    { key: "queue", title: "Queue", width: "6rem", isNumber: true, help: "What waits to be sent to it", cell: (row) => bytesOf(row.queue_bytes), sort: (row) => row.queue_bytes },
    { key: "state", title: "State", width: "6rem", cell: (row) => <Badge tone={toneOf(row.state)}>{row.state}</Badge>, sort: (row) => row.state },
    {
      key: "close",
      title: "",
      width: "5.5rem",
      cell: (row) => (
        <button type="button" class="danger" aria-label={`Close the connection of ${row.user ?? row.address ?? row.id}`} onClick={() => close(row)}>
          Close
        </button>
      ),
    },
  ];
}

export function ConnectionsView() {
  const [isHistory, setHistory] = useState(false);
  const now = usePoll<Page>("/api/v1/connections?limit=1000");
  const ended = usePoll<Page>(isHistory ? "/api/v1/connections?ended=true&limit=1000" : undefined);
  const [closing, setClosing] = useState<Connection | undefined>();
  const [said, setSaid] = useState("");

  const act = async (what: () => Promise<string>) => {
    try {
      setSaid(await what());
    } catch (problem) {
      setSaid(problem instanceof ApiError ? problem.message : String(problem));
    }
    now.again();
  };
  const close = (connection: Connection) => {
    setClosing(undefined);
    void act(async () => {
      await remove(`/api/v1/connections/${connection.id}`);
      return "It was told to go.";
    });
  };
  const clean = () =>
    act(async () => {
      const done = await post<{ removed: number; kept: number }>("/api/debug/cleanup-connections");
      return done.removed === 0 ? "Nothing was heard of everybody lately enough: all stay." : `${done.removed} went, ${done.kept} stay.`;
    });
  const shown = isHistory ? (ended.value?.items ?? []).filter(({ ended: at }) => at !== null) : now.value?.items ?? [];

  return (
    <div class="place">
      <div class="place-bar">
        <div class="tabs" role="group" aria-label="Which connections">
          <button type="button" aria-pressed={!isHistory} onClick={() => setHistory(false)}>
            Of now{now.value && ` (${now.value.total})`}
          </button>
          <button type="button" aria-pressed={isHistory} onClick={() => setHistory(true)}>
            Ended, and why
          </button>
        </div>
        <span class="place-said" role="status" aria-live="polite">
          {now.error?.message ?? said}
        </span>
        <button type="button" onClick={() => void clean()} title="Those that nothing is heard of go now">
          Clean
        </button>
      </div>
      <Table
        key={isHistory ? "ended" : "now"}
        label={isHistory ? "Connections that ended" : "Connections of now"}
        rows={shown}
        columns={columns(isHistory, setClosing)}
        keyOf={({ id }) => id}
        rowHeight={ROW_PX}
        sortedBy={isHistory ? "-ended" : "-age"}
        empty={<EmptyState title={isHistory ? "None ended" : "No WebSockets"}>{isHistory ? "The last 1,000 that end are kept here." : "Browsers, readers of events and bots appear here."}</EmptyState>}
      />
      {closing && (
        <Confirm title="Close this connection?" verb="Close it" onYes={() => close(closing)} onNo={() => setClosing(undefined)}>
          {KINDS[closing.kind] ?? closing.kind} of {closing.user ?? closing.address ?? "somebody"}
          {closing.kind === "ai" ? ". The bot comes back by its own rules, and its call goes on." : ". A client may come again."}
        </Confirm>
      )}
    </div>
  );
}
