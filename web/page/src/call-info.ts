import type { Moment } from "./parts/timeline";
import type { SipMessage } from "./parts/sip-ladder";

/** What GET /api/v1/calls/{id} says, as far as this page looks at it. */
export interface CallInfo {
  readonly id: string;
  readonly state: string;
  readonly sip_call_id: string;
  readonly from: string;
  readonly to: string;
  readonly peer: string;
  readonly user_agent: string;
  readonly direction: string;
  readonly account: string;
  readonly transport: string;
  readonly route: string;
  readonly pipeline: string;
  readonly fill: string;
  readonly codec: string;
  readonly srtp: string | null;
  readonly srtp_key_exchange_protected: boolean | null;
  readonly created: string | null;
  readonly answered: string | null;
  readonly ended: string | null;
  readonly answer_ms: number | null;
  readonly duration_ms: number;
  readonly leg: string;
  readonly worker: number | null;
  readonly web: { readonly is_connected: boolean; readonly is_lost: boolean; readonly connect_ms: number | null; readonly restarts: number } | null;
  readonly ai: {
    readonly name: string;
    readonly protocol: string | null;
    readonly state: string;
    readonly since: string | null;
    readonly reason: string | null;
    readonly at: string | null;
    readonly connections: number;
    readonly losses: number;
    readonly latency: { readonly turns: number; readonly turn: { readonly total_ms: number | null } | null };
  } | null;
  readonly end: { readonly class: string; readonly reason: string; readonly detail: string; readonly sip_status: number | null } | null;
  readonly channel: string | null;
  readonly transfer: { readonly by: string; readonly target: string | null; readonly status: number | null } | null;
  readonly stats: { readonly [name: string]: number | string | boolean | null };
}

export interface DaemonEvent {
  readonly seq: number;
  readonly time: string;
  readonly type: string;
  readonly level: "info" | "warning" | "error";
  readonly message: string;
}

const at = (time: string) => Date.parse(time);

/** What is known without events: the call's own times. */
function momentsOfCall(call: CallInfo): Moment[] {
  const list: Moment[] = [];
  if (call.created) list.push({ at: at(call.created), name: call.direction === "outbound" ? "dialled" : "INVITE", text: `${call.from} → ${call.to}`, tone: "info" });
  if (call.answered) {
    list.push({ at: at(call.answered), name: "answered", text: `${call.codec}${call.srtp ? `, ${call.srtp}` : ", plain RTP"}`, tone: "good" });
    const first = call.stats["first_sent_after_answer_ms"];
    if (typeof first === "number") list.push({ at: at(call.answered) + first, name: "first packet out", text: "the line is alive from here on", tone: "good" });
  }
  if (call.ai?.since) {
    list.push({ at: at(call.ai.since), name: `AI ${call.ai.state}`, text: [call.ai.name, call.ai.reason].filter(Boolean).join(": "), tone: call.ai.state === "lost" ? "error" : "plain" });
  }
  if (call.ended) list.push({ at: at(call.ended), name: "ended", text: call.end ? `${call.end.reason}${call.end.detail ? `: ${call.end.detail}` : ""}` : "", tone: call.end?.class === "success" ? "info" : "warning" });
  return list.sort((a, b) => a.at - b.at);
}

/** The story of a call: its events, and the INVITE before them where events begin later. */
export function storyOf(call: CallInfo, events: readonly DaemonEvent[] | undefined): readonly Moment[] {
  const own = momentsOfCall(call);
  if (!events || events.length === 0) return own;
  // That a line goes on is what the lamp says; every few seconds it is no milestone.
  const told = events.filter(({ type }) => type !== "rtp.keepalive").map((event) => ({
    at: at(event.time),
    name: event.type,
    text: event.message,
    tone: event.level === "info" ? ("plain" as const) : event.level,
  }));
  const facts = own.filter(({ name }) => ["INVITE", "dialled", "first packet out"].includes(name));
  return [...facts, ...told].sort((a, b) => a.at - b.at);
}

type Record_ = { readonly [name: string]: unknown };

/** The SIP messages of a dump, whatever else is in it. */
export function sipOf(dump: unknown): readonly SipMessage[] {
  const lists = [(dump as Record_ | undefined)?.["sip"], (dump as Record_ | undefined)?.["messages"]];
  const list = lists.find(Array.isArray) as readonly Record_[] | undefined;
  return (list ?? [])
    .filter((one) => typeof one["text"] === "string")
    .map((one) => {
      const time = one["time"] ?? one["at"] ?? one["timestamp"] ?? 0;
      return {
        at: typeof time === "string" ? at(time) : Number(one["realtime_ns"] ?? 0) / 1e6 || Number(time),
        isInbound: one["is_inbound"] === true || one["direction"] === "in" || one["direction"] === "inbound" || one["direction"] === "received",
        transport: String(one["transport"] ?? ""),
        remote: String(one["remote"] ?? "peer"),
        text: String(one["text"]),
      };
    });
}

export type W3cStat = { readonly id: string; readonly type: string } & Record_;

const show = (value: unknown): string => (typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value));

/** Rows of what carries the sound: candidates, DTLS, SRTP, codec. */
export function transportFacts(stats: readonly W3cStat[]): readonly (readonly [string, string])[] {
  const rows: [string, string][] = [];
  const byId = new Map(stats.map((one) => [one.id, one]));
  const candidate = (id: unknown): string | undefined => {
    const one = byId.get(String(id));
    return one && `${show(one["candidateType"])} ${show(one["address"] ?? one["ip"] ?? "?")}:${show(one["port"])} ${show(one["protocol"] ?? "")}`.trim();
  };
  for (const one of stats) {
    if (one.type === "candidate-pair") {
      const pair = [candidate(one["localCandidateId"]), candidate(one["remoteCandidateId"])].filter(Boolean).join("  ↔  ");
      if (pair) rows.push([`candidate pair${one["nominated"] ? ", nominated" : ""}`, pair]);
    } else if (one.type === "transport") {
      for (const name of ["iceState", "dtlsState", "dtlsRole", "tlsVersion", "dtlsCipher", "srtpCipher"]) {
        if (one[name] !== undefined) rows.push([name, show(one[name])]);
      }
    } else if (one.type === "codec") {
      rows.push(["codec", `${show(one["mimeType"])} ${show(one["clockRate"])}, payload type ${show(one["payloadType"])}`]);
    } else if (one.type === "inbound-rtp" || one.type === "outbound-rtp") {
      rows.push([`${one.type} SSRC`, show(one["ssrc"])]);
    }
  }
  return rows;
}
