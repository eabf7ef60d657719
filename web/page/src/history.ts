import { useEffect, useRef, useState } from "preact/hooks";
import { live, type CallRow } from "./live";
import { usePolled } from "./polled";

type Values = readonly (number | null)[];

/** A call's last minutes by the second: what docs/stats.md calls columns. */
export interface Columns {
  readonly t: readonly number[];
  readonly sent: Values;
  readonly received: Values;
  readonly lost: Values;
  readonly jitter_ms: Values;
  readonly round_trip_ms: Values;
  readonly received_level_dbov: Values;
  readonly sent_level_dbov: Values;
  readonly max_gap_ms: Values;
  readonly ai_queued_ms: Values;
  readonly mos: Values;
}

const NAMES = ["t", "sent", "received", "lost", "jitter_ms", "round_trip_ms", "received_level_dbov", "sent_level_dbov", "max_gap_ms", "ai_queued_ms", "mos"] as const;
const KEPT = 300;

function empty(): Record<(typeof NAMES)[number], (number | null)[]> {
  return Object.fromEntries(NAMES.map((name) => [name, []])) as unknown as Record<(typeof NAMES)[number], (number | null)[]>;
}

function add(to: ReturnType<typeof empty>, before: CallRow, row: CallRow): void {
  const values = {
    t: Date.now() + live.value.clockAhead,
    sent: row.sent - before.sent,
    received: row.received - before.received,
    lost: Math.max(0, row.lost - before.lost),
    jitter_ms: row.jitter_ms,
    round_trip_ms: row.rtt_ms,
    received_level_dbov: row.in_dbov,
    sent_level_dbov: row.out_dbov,
    max_gap_ms: row.since_sent_ms,
    ai_queued_ms: row.queued_ms,
    mos: row.mos,
  };
  for (const name of NAMES) {
    to[name].push(values[name]);
    if (to[name].length > KEPT) to[name].shift();
  }
}

/** The daemon's own history; where it keeps none, what came by the live feed since the view was opened. */
export function useHistory(id: string): { readonly columns: Columns; readonly isOwn: boolean } {
  const kept = usePolled<{ columns: Columns }>(`/api/v1/calls/${encodeURIComponent(id)}/history`, 2_000);
  const collected = useRef(empty());
  const [columns, setColumns] = useState<Columns>(() => collected.current as Columns);
  useEffect(() => {
    collected.current = empty();
    let before: CallRow | undefined;
    const timer = window.setInterval(() => {
      const row = live.value.feed === "live" ? live.value.calls.get(id)?.row : undefined;
      if (row && before && row !== before) add(collected.current, before, row);
      before = row ?? before;
      setColumns({ ...collected.current } as Columns);
    }, 1_000);
    return () => window.clearInterval(timer);
  }, [id]);
  return kept.data?.columns ? { columns: kept.data.columns, isOwn: true } : { columns, isOwn: false };
}
