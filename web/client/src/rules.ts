import type { Facts } from "./facts.js";
import { REMOVED, REPLACED } from "./messages.js";
import { FINDINGS } from "./findings.js";

/** A code of the table whose fault a browser can see. */
export type Code = (typeof FINDINGS)[number]["code"];

/** From which values on something is wrong. */
export const LIMITS = {
  /** Shares, 0 to 1. */
  lossShare: 0.02,
  concealedShare: 0.03,
  clippedShare: 0.2,
  /** ms */
  jitterMs: 40,
  roundTripMs: 400,
  clockSkewMs: 2000,
  silentMs: 5000,
  /** Of a microphone that worked before: people listen. */
  quietMs: 30_000,
  /** Without a pair of addresses. */
  pairMs: 5000,
  /** For the first packet to get through. */
  connectMs: 5000,
  /** Sound may take so long to begin, or pause for so long. */
  flowMs: 2500,
  /** Sound quieter than this is silence, dBov. */
  silenceDbov: -75,
  /** Packets are not judged by fewer than these. */
  packets: 50,
} as const;

/** @returns what was seen when the fault is there, else undefined */
type Rule = (facts: Facts) => string | undefined;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const ms = (value: number): string => `${Math.round(value)} ms`;
const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`;

/** Media can flow, and did so long enough that what is missing is missing. */
function flowOf(facts: Facts): NonNullable<Facts["flow"]> | undefined {
  const isSteady = facts.peer?.state === "connected" && (facts.peer.connectedForMs ?? 0) >= LIMITS.flowMs;
  return isSteady && facts.flow && facts.flow.lengthMs >= LIMITS.flowMs ? facts.flow : undefined;
}

const isHeard = (facts: Facts): boolean => facts.microphone.isWanted && facts.microphone.track?.isLive === true;
const sendsNothing = (facts: Facts): boolean => isHeard(facts) && flowOf(facts)?.sent === 0;
const receivesNothing = (facts: Facts): boolean => flowOf(facts)?.received === 0;

function isForeign(facts: Facts): boolean {
  const shown = facts.peer?.sample?.remoteFingerprint;
  const announced = facts.peer?.announced ?? [];
  return shown !== undefined && announced.length > 0 && !announced.includes(shown);
}

function hasNoWay(facts: Facts): boolean {
  const { peer } = facts;
  if (peer === undefined || peer.state === "connected" || peer.sample === undefined) return false;
  const isTooLate = peer.ageMs > LIMITS.pairMs && peer.hasAnswer;
  return (peer.gathering === "complete" && peer.sample.localCandidates === 0) || (isTooLate && peer.sample.pairs === 0);
}

function endedBy({ legEnded }: Facts, reason: string): string | undefined {
  return legEnded?.reason === reason ? `the server says: ${legEnded.detail}` : undefined;
}

function microphoneError(code: string): Rule {
  return ({ microphone }) => (microphone.error?.code === code ? microphone.error.detail : undefined);
}

/**
 * What a browser can see. A rule looks at the facts alone, and a fault that explains another one leaves that other one out
 * only where it could not be judged at all: no level is known of a microphone that is off.
 */
export const RULES: { readonly [Found in Code]?: Rule } = {
  "insecure-page": microphoneError("insecure-page"),
  "microphone-denied": microphoneError("microphone-denied"),
  "microphone-missing": microphoneError("microphone-missing"),
  "microphone-busy": microphoneError("microphone-busy"),
  "track-ended": ({ microphone: { isWanted, track } }) =>
    isWanted && track && !track.isLive ? `the track of "${track.label}" has ended` : undefined,
  "track-muted": ({ microphone: { isWanted, track } }) =>
    isWanted && track?.isLive && track.isMuted ? `the browser says that "${track.label}" is muted outside the page` : undefined,
  "muted-by-self": ({ channel }) => (channel?.isMutedBySelf ? "this page has muted itself" : undefined),
  "muted-by-operator": ({ channel }) => (channel?.isMutedByOperator ? "the list of members says so" : undefined),
  "source-silent": ({ microphone: { track, level }, channel }) =>
    track?.isLive && !track.isMuted && !channel?.isMutedBySelf && level && level.silentForMs >= (level.hasSounded ? LIMITS.quietMs : LIMITS.silentMs)
      ? `nothing above ${LIMITS.silenceDbov} dBov for ${seconds(level.silentForMs)}`
      : undefined,
  clipping: ({ microphone: { level } }) =>
    level && level.clippedShare >= LIMITS.clippedShare
      ? `samples at full scale in ${percent(level.clippedShare)} of the looks of 5 s, peak ${level.peakDbov.toFixed(1)} dBov`
      : undefined,
  "context-suspended": ({ context }) =>
    context === "suspended" || context === "interrupted" ? `the audio context is ${context}` : undefined,
  "autoplay-blocked": ({ output }) => (output?.isBlocked ? "the browser refused to play without a click" : undefined),
  "output-muted": ({ output }) =>
    output && (output.isMuted || output.volume === 0) ? (output.isMuted ? "the player is muted" : "the volume is 0") : undefined,
  "not-joined": ({ channel, removed, microphone, signalling: { state, refusal, end } }) => {
    const isExplained = removed !== undefined || refusal !== undefined || microphone.error !== undefined || (end?.code ?? 0) >= REPLACED;
    return channel || isExplained ? undefined : `no place in a channel; the connection is ${state}`;
  },
  "join-refused": ({ signalling: { refusal } }) =>
    refusal && refusal.code !== "replaced" ? `${refusal.status} ${refusal.code}: ${refusal.detail}` : undefined,
  "signalling-lost": ({ signalling: { state, end, lostForMs } }) =>
    (state === "waiting" || state === "connecting") && lostForMs !== undefined
      ? `lost for ${seconds(lostForMs)}${end ? `, closed with ${end.code} ${end.reason}`.trimEnd() : ""}`
      : undefined,
  replaced: ({ signalling: { state, end, refusal }, removed }) => {
    if (removed === "replaced" || refusal?.code === "replaced") return "the server says: replaced";
    return state === "stopped" && end?.code === REPLACED ? `closed with ${REPLACED} ${end.reason}`.trimEnd() : undefined;
  },
  removed: ({ signalling: { state, end }, removed }) => {
    if (removed === "replaced") return undefined;
    if (removed !== undefined) return `the server says: ${removed}`;
    return state === "stopped" && end?.code === REMOVED ? `closed with ${REMOVED} ${end.reason}`.trimEnd() : undefined;
  },
  "clock-skew": ({ signalling: { clockSkewMs } }) =>
    clockSkewMs !== undefined && Math.abs(clockSkewMs) > LIMITS.clockSkewMs
      ? `this device is ${seconds(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? "behind" : "ahead of"} the server`
      : undefined,
  "no-candidate-pair": (facts) =>
    hasNoWay(facts)
      ? `${facts.peer?.sample?.localCandidates ?? 0} addresses here, ${facts.peer?.sample?.remoteCandidates ?? 0} of the server, no pair of them`
      : undefined,
  "ice-failed": (facts) => {
    if (hasNoWay(facts)) return undefined;
    const { peer } = facts;
    const isTrying = peer !== undefined && peer.ice !== "connected" && peer.ice !== "completed";
    const isLate = isTrying && peer.hasAnswer && peer.ageMs > LIMITS.connectMs;
    return isTrying && (peer.ice === "failed" || peer.restarts > 0 || isLate)
      ? `ICE is ${peer.ice} after ${seconds(peer.ageMs)}, ${peer.sample?.pairs ?? 0} pairs of addresses, ${peer.restarts} new attempts`
      : endedBy(facts, "ice-failed");
  },
  "dtls-failed": (facts) =>
    facts.peer?.sample?.dtls === "failed" ? `ICE is ${facts.peer.ice}, DTLS is failed` : endedBy(facts, "dtls-failed"),
  "fingerprint-mismatch": (facts) =>
    isForeign(facts)
      ? `shown ${facts.peer?.sample?.remoteFingerprint}, announced ${facts.peer?.announced.join(", ")}`
      : endedBy(facts, "fingerprint-mismatch"),
  "nothing-sent": (facts) =>
    sendsNothing(facts) ? `0 packets sent in ${seconds(flowOf(facts)?.lengthMs ?? 0)}` : undefined,
  "nothing-received": (facts) =>
    receivesNothing(facts) ? `0 packets received in ${seconds(flowOf(facts)?.lengthMs ?? 0)}` : undefined,
  "one-way": (facts) => {
    const flow = flowOf(facts);
    if (flow === undefined || !isHeard(facts)) return undefined;
    const isLostThere = flow.sent > 0 && facts.arrived !== undefined && facts.arrived.lengthMs >= LIMITS.flowMs && facts.arrived.packets === 0;
    if (isLostThere) return `${flow.sent} packets sent, of which the server received none`;
    return sendsNothing(facts) !== receivesNothing(facts)
      ? `${flow.sent} packets sent and ${flow.received} received in ${seconds(flow.lengthMs)}`
      : undefined;
  },
  loss: (facts) => {
    const flow = flowOf(facts);
    if (flow === undefined) return undefined;
    const isHere = flow.received + flow.lost >= LIMITS.packets && flow.lostShare > LIMITS.lossShare;
    const isThere = (flow.remoteLostShare ?? 0) > LIMITS.lossShare;
    if (!isHere && !isThere) return undefined;
    return `lost towards here ${percent(flow.lostShare)}, towards the server ${percent(flow.remoteLostShare ?? 0)}`;
  },
  jitter: (facts) => {
    const flow = flowOf(facts);
    const worst = Math.max(flow?.jitterMs ?? 0, flow?.remoteJitterMs ?? 0);
    return worst > LIMITS.jitterMs ? `${ms(flow?.jitterMs ?? 0)} towards here, ${ms(flow?.remoteJitterMs ?? 0)} towards the server` : undefined;
  },
  "round-trip-high": (facts) => {
    const roundTripMs = flowOf(facts)?.roundTripMs ?? 0;
    return roundTripMs > LIMITS.roundTripMs ? `${ms(roundTripMs)} to the server and back` : undefined;
  },
  concealment: (facts) => {
    const flow = flowOf(facts);
    return flow && flow.received > 0 && flow.concealedShare > LIMITS.concealedShare
      ? `${percent(flow.concealedShare)} of what was played was made up`
      : undefined;
  },
  "silence-received": (facts) => {
    const flow = flowOf(facts);
    const others = facts.channel?.others.length ?? 0;
    return flow && others > 0 && flow.received > 0 && flow.receivedDbov !== undefined && flow.receivedDbov < LIMITS.silenceDbov
      ? `${flow.received} packets in ${seconds(flow.lengthMs)}, louder than ${LIMITS.silenceDbov} dBov in none`
      : undefined;
  },
  alone: ({ channel }) => (channel?.others.length === 0 ? `no other member in "${channel.name}"` : undefined),
  "peer-lost": ({ channel }) => {
    const away = channel?.others.filter(({ isAway }) => isAway).map(({ name }) => name) ?? [];
    return away.length > 0 ? `away: ${away.join(", ")}` : undefined;
  },
};
