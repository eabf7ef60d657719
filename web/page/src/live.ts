import { bearer, needsToken } from "./api";
import { Store } from "./store";

/** What the daemon says of a call when it changes; docs/http-api.md, "GET /api/v1/live". */
export interface CallFacts {
  readonly n: number;
  readonly id: string;
  readonly state: "incoming" | "dialing" | "ringing" | "answered" | "held" | "ending";
  readonly direction: "inbound" | "outbound";
  readonly from: string;
  readonly to: string;
  readonly peer: string;
  readonly account: string;
  readonly transport: string;
  readonly route: string;
  readonly codec: string;
  readonly leg: "phone" | "web";
  readonly srtp: string | null;
  readonly created_ms: number;
  readonly answered_ms: number | null;
  readonly ai: { readonly name: string; readonly state: string } | null;
  readonly channel: string | null;
  readonly held_by: "us" | "peer" | null;
  readonly oneway: boolean;
  readonly recording?: boolean;
  readonly issue: { readonly code: string; readonly severity: Severity; readonly text: string } | null;
}

export type Severity = "error" | "warning" | "info";

/** The figures that change five times a second. Levels are dBov, -127 is digital silence; null: not known. */
export interface CallRow {
  readonly in_dbov: number;
  readonly out_dbov: number;
  readonly since_sent_ms: number | null;
  readonly since_received_ms: number | null;
  readonly source: "ai" | "fill" | "dtmf" | "none";
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly jitter_ms: number;
  readonly rtt_ms: number | null;
  readonly mos: number | null;
  readonly max_gap_ms: number;
  readonly queued_ms: number;
  /** Samples cut off at full scale within the last second. */
  readonly clipped: 0 | 1;
}

export interface Summary {
  readonly verdict: { readonly level: "ok" | Severity; readonly sentence: string; readonly call: string | null };
  readonly calls: { readonly now: number; readonly alive: number; readonly max: number; readonly total: number };
  readonly accounts: Check & { readonly configured?: number; readonly registered?: number };
  readonly ai: Check & { readonly answer_ms: number | null };
  readonly media: Check & { readonly workers: number; readonly tick_p99_ms: number };
  readonly draining: boolean;
  readonly version: string;
  readonly uptime_s: number;
}

export interface Check {
  readonly status: "ok" | "degraded" | "failed" | "off";
  readonly detail: string;
}

/** 30 s of both levels at 5 Hz; 0 to 255, and whether the line was fed. */
export const STRIP = 150;
export class Strip {
  readonly inbound = new Uint8Array(STRIP);
  readonly outbound = new Uint8Array(STRIP);
  /** 0: nothing left in time, 1: filler, 2: the AI */
  readonly fed = new Uint8Array(STRIP);
  /** How many were ever written; the newest is at `count - 1`, modulo. */
  count = 0;

  add(row: CallRow): void {
    const at = this.count++ % STRIP;
    this.inbound[at] = 255 * shareOf(row.in_dbov);
    this.outbound[at] = 255 * shareOf(row.out_dbov);
    this.fed[at] = row.since_sent_ms === null || row.since_sent_ms > 60 ? 0 : row.source === "ai" ? 2 : 1;
  }
}

/** How far a meter goes: 0 at -60 dBov and below, 1 at 0. */
export function shareOf(dbov: number): number {
  return Math.min(1, Math.max(0, (dbov + 60) / 60));
}

export interface LiveCall {
  facts: CallFacts;
  row: CallRow | undefined;
  readonly strip: Strip;
  /** Of the last 10 s; undefined: nothing came. */
  lossShare: number | undefined;
  /** [received, lost] of the last 50 rows. */
  readonly counts: [number, number][];
}

export type Feed = "connecting" | "live" | "stale" | "lost";

export interface Live {
  readonly feed: Feed;
  /** When the next try is, `performance.now()`; of a lost feed. */
  readonly retryAt: number;
  /** When the last message came, `performance.now()`. */
  readonly heardAt: number;
  readonly summary: Summary | undefined;
  /** Calls of now, in the order of their coming. */
  readonly calls: ReadonlyMap<string, LiveCall>;
  /** What the daemon's clock is ahead of this one, ms. */
  readonly clockAhead: number;
  /** Scopes of whoever looks. */
  readonly may: ReadonlySet<string>;
}

interface Message {
  readonly type: "hello" | "tick" | "error";
  readonly at_ms: number;
  readonly may?: readonly string[];
  readonly row?: readonly string[];
  readonly rows?: readonly (readonly (number | string | null)[])[];
  readonly calls?: readonly CallFacts[];
  readonly gone?: readonly string[];
  readonly summary?: Summary;
}

const LOSS_ROWS = 50;
const STALE_MS = 3_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;

const calls = new Map<string, LiveCall>();
const byNumber = new Map<number, LiveCall>();

/** All that is known of now. Told at most once a frame. */
export const live = new Store<Live>({
  feed: "connecting",
  retryAt: 0,
  heardAt: 0,
  summary: undefined,
  calls,
  clockAhead: 0,
  may: new Set(),
});

let socket: WebSocket | undefined;
let columns: readonly string[] = [];
let tries = 0;
let retryTimer = 0;

function change(what: Partial<Live>): void {
  live.set({ ...live.value, ...what });
}

function take(message: Message): void {
  if (message.type === "error") return;
  if (message.type === "hello") {
    columns = message.row ?? [];
    calls.clear();
    byNumber.clear();
    tries = 0;
  }
  for (const facts of message.calls ?? []) {
    const known = calls.get(facts.id);
    if (known) known.facts = facts;
    else {
      const call: LiveCall = { facts, row: undefined, strip: new Strip(), lossShare: undefined, counts: [] };
      calls.set(facts.id, call);
      byNumber.set(facts.n, call);
    }
  }
  for (const id of message.gone ?? []) {
    const call = calls.get(id);
    if (call) byNumber.delete(call.facts.n);
    calls.delete(id);
  }
  for (const values of message.rows ?? []) {
    const call = byNumber.get(values[0] as number);
    if (!call) continue;
    const row = Object.fromEntries(columns.map((name, at) => [name, values[at]])) as unknown as CallRow;
    call.row = row;
    call.counts.push([row.received, row.lost]);
    const [received, lost] = call.counts.length > LOSS_ROWS ? call.counts.shift()! : call.counts[0]!;
    const all = row.received - received + row.lost - lost;
    call.lossShare = all > 0 ? Math.max(0, row.lost - lost) / all : undefined;
    call.strip.add(row);
  }
  change({
    feed: "live",
    heardAt: performance.now(),
    clockAhead: message.at_ms - Date.now(),
    ...(message.summary ? { summary: message.summary } : {}),
    ...(message.may ? { may: new Set(message.may) } : {}),
  });
}

function connect(): void {
  window.clearTimeout(retryTimer);
  const address = new URL("/api/v1/live", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(address);
  socket = opened;
  opened.onopen = () => opened.send(JSON.stringify({ type: "watch", ...(bearer() ? { token: bearer() } : {}) }));
  opened.onmessage = ({ data }) => {
    if (socket === opened) take(JSON.parse(data as string) as Message);
  };
  opened.onclose = ({ code }) => {
    if (socket !== opened) return;
    socket = undefined;
    if (code === 1008) needsToken.set(true);
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** tries++) * (0.75 + 0.5 * Math.random());
    change({ feed: "lost", retryAt: performance.now() + wait });
    retryTimer = window.setTimeout(connect, wait);
  };
}

/** Tries at once, as after a new token or a click of an impatient person. */
export function reconnect(): void {
  const old = socket;
  socket = undefined;
  old?.close();
  tries = 0;
  connect();
}

/** Begins; once. */
export function startLive(): void {
  connect();
  window.addEventListener("online", reconnect);
  needsToken.watch(() => {
    if (!needsToken.value) reconnect();
  });
  window.setInterval(() => {
    const { feed, heardAt } = live.value;
    if (feed === "live" && performance.now() - heardAt > STALE_MS) change({ feed: "stale" });
    // The countdown of the banner.
    else if (feed !== "live") live.tell();
  }, 500);
}
