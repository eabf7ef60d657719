import type { Level } from "./level-meter.js";
import type { MicrophoneError } from "./microphone.js";
import type { Flow, StatsSample } from "./stats.js";
import type { SocketState } from "./websocket-service.js";

/**
 * What the page knows when it is asked what is wrong: plain values, so that the rules can be tried without a browser.
 * undefined everywhere means: not known, or there is none.
 */
export interface Facts {
  readonly microphone: {
    /** The page wants to be heard. */
    readonly isWanted: boolean;
    readonly error?: { readonly code: MicrophoneError["code"]; readonly detail: string } | undefined;
    readonly track?: { readonly isLive: boolean; readonly isMuted: boolean; readonly label: string } | undefined;
    readonly level?: Level | undefined;
  };
  /** Of the page's sound processing: "running", "suspended" ... */
  readonly context?: string | undefined;
  readonly output?: { readonly isBlocked: boolean; readonly volume: number; readonly isMuted: boolean } | undefined;
  readonly signalling: {
    readonly state: SocketState;
    /** How it closed last: code (RFC 6455) and reason. */
    readonly end?: { readonly code: number; readonly reason: string } | undefined;
    readonly refusal?: { readonly code: string; readonly status: number; readonly detail: string } | undefined;
    readonly lostForMs?: number | undefined;
    /** Server's clock minus ours. */
    readonly clockSkewMs?: number | undefined;
  };
  readonly channel?:
    | {
        readonly name: string;
        readonly isMutedBySelf: boolean;
        readonly isMutedByOperator: boolean;
        readonly others: readonly { readonly name: string; readonly isAway: boolean }[];
      }
    | undefined;
  /** The server took us out, and why. */
  readonly removed?: string | undefined;
  /** The server ended the last connection of sound, and why; undefined again when one stands. */
  readonly legEnded?: { readonly reason: string; readonly detail: string } | undefined;
  readonly peer?: PeerFacts | undefined;
  /** The last seconds, while media could flow all the time. */
  readonly flow?: Flow | undefined;
  /** What the server received from us in the last seconds. */
  readonly arrived?: { readonly lengthMs: number; readonly packets: number } | undefined;
}

export interface PeerFacts {
  readonly state: RTCPeerConnectionState;
  readonly ice: RTCIceConnectionState;
  readonly gathering: RTCIceGatheringState;
  readonly hasAnswer: boolean;
  readonly ageMs: number;
  readonly connectedForMs?: number | undefined;
  readonly restarts: number;
  readonly sample?: StatsSample | undefined;
  /** Announced by the answer, "SHA-256 AB:CD…". */
  readonly announced: readonly string[];
}
