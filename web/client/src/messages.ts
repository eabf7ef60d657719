// The messages of the WebSocket of a channel, version 1: JSON objects with a `type`.
import type { Issue } from "./finding.js";

export type MemberKind = "browser" | "phone" | "ai";
export type MemberState = "joining" | "connected" | "away";

/** One member of the channel as everybody sees it. */
export interface Member {
  readonly id: string;
  readonly kind: MemberKind;
  /** "speaker", "caller", "ai", "listen", "whisper", "barge", "take-over" */
  readonly role: string;
  readonly state: MemberState;
  readonly user: string;
  readonly name: string;
  /** By itself or by an operator. */
  readonly muted: boolean;
  readonly muted_by_operator: boolean;
  readonly gain_db: number;
  /** RMS, 0 is full scale. */
  readonly level_dbov: number;
  readonly speaking: boolean;
  readonly joined: string;
}

export interface Welcome {
  readonly type: "welcome";
  readonly version: number;
  readonly connection: string;
  /** ms since 1970 */
  readonly server_time: number;
  /** Seconds between pings that the server wants. */
  readonly ping_s?: number;
  /** For so many seconds a lost place may be taken again. */
  readonly resume_s?: number;
}

export interface Joined {
  readonly type: "joined";
  readonly channel: string;
  readonly policy: string;
  /** Our own id in the list of members. */
  readonly member: string;
  readonly role: string;
  /** Secret: takes this place again after the connection was lost. */
  readonly resume: string;
  readonly resumed: boolean;
  readonly ice_servers?: readonly RTCIceServer[];
  readonly members: readonly Member[];
}

/** What the server counts for us, every two seconds. More fields than these come; null: not known. */
export interface ServerStats {
  readonly type: "stats";
  readonly packets_received?: number;
  readonly packets_lost?: number;
  readonly jitter_ms?: number;
  readonly level_dbov?: number;
  readonly is_speaking?: boolean;
  readonly packets_sent?: number;
  readonly round_trip_ms?: number | null;
  readonly missing_frames?: number;
  readonly unheard_frames?: number;
}

export interface ServerError {
  readonly type: "error";
  readonly code: string;
  /** As in HTTP. */
  readonly status: number;
  readonly detail: string;
  readonly id?: number;
  readonly retry_after_s?: number;
  /** With "leg-ended": why, in a word: "ice-failed", "dtls-failed", "fingerprint-mismatch", "peer-vanished" ... */
  readonly reason?: string;
}

export type ServerMessage =
  | Welcome
  | Joined
  | ServerStats
  | ServerError
  | { readonly type: "answer"; readonly sdp: string; readonly id: number }
  | { readonly type: "members"; readonly channel: string; readonly members: readonly Member[] }
  | { readonly type: "speaking"; readonly members: readonly string[] }
  | { readonly type: "moved"; readonly channel: string; readonly policy: string; readonly members: readonly Member[] }
  | { readonly type: "pong"; readonly t: number | null; readonly server_time: number }
  | { readonly type: "diagnosis"; readonly id: number; readonly issues: readonly Issue[] }
  | { readonly type: "removed"; readonly why: string };

export type ServerMessageType = ServerMessage["type"];
export type ServerMessageOf<Type extends ServerMessageType> = Extract<ServerMessage, { readonly type: Type }>;

export type ClientMessage =
  | {
      readonly type: "join";
      readonly channel: string;
      readonly token?: string;
      readonly user?: string;
      readonly name?: string;
      readonly resume?: string;
    }
  | { readonly type: "offer"; readonly sdp: string; readonly id: number }
  | { readonly type: "candidate"; readonly candidate: string | null }
  | { readonly type: "mute"; readonly muted: boolean }
  | { readonly type: "leave" }
  | { readonly type: "ping"; readonly t: number }
  | { readonly type: "diagnose"; readonly id: number }
  | { readonly type: "stats"; readonly report: Readonly<Record<string, number | string | boolean>> };

/** @returns undefined for what is no object with a type: such a thing is ignored, as types are that are not known */
export function parseMessage(text: unknown): ServerMessage | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const message: unknown = JSON.parse(text);
    const isMessage = typeof message === "object" && message !== null && "type" in message;
    return isMessage && typeof message.type === "string" ? (message as ServerMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** The close code of the server's that say: do not come back (replaced, removed, left; and a normal end). */
const FINAL_CODES: ReadonlySet<number> = new Set([1000, 4000, 4005, 4006]);

export const REPLACED = 4000;
export const REMOVED = 4005;

export function isFinalClose(code: number): boolean {
  return FINAL_CODES.has(code);
}
