// The browser's statistics (W3C webrtc-stats), flat and in the units of this project.

/** One look at a peer connection. Counters only grow; undefined: the browser has not said. */
export interface StatsSample {
  /** ms, of the page's own clock */
  readonly atMs: number;
  readonly sent?: number;
  readonly sentBytes?: number;
  readonly received?: number;
  readonly receivedBytes?: number;
  /** May shrink, when what was thought lost came late. */
  readonly lost?: number;
  readonly jitterMs?: number;
  /** Samples played, made up, and made up as silence. */
  readonly samples?: number;
  readonly concealed?: number;
  readonly silentConcealed?: number;
  readonly jitterBufferS?: number;
  readonly jitterBufferSamples?: number;
  /** Of what we hear, 0 to 1. */
  readonly receivedLevel?: number;
  /** Of what we hear, summed. */
  readonly receivedEnergy?: number;
  /** Of the microphone, 0 to 1. */
  readonly microphoneLevel?: number;
  readonly roundTripMs?: number;
  /** Of what we sent, as the other end reports it, 0 to 1, since its last report. */
  readonly remoteLostShare?: number;
  readonly remoteJitterMs?: number;
  readonly codec?: string;
  readonly localCandidates: number;
  readonly remoteCandidates: number;
  readonly pairs: number;
  readonly triedPairs: number;
  readonly dtls?: string;
  /** "SHA-256 AB:CD…", of the certificate that the other end showed */
  readonly remoteFingerprint?: string;
  /** "host udp -> host 192.0.2.1:5000" */
  readonly path?: string;
}

type Entry = Record<string, unknown> & { id: string; type: string };

const number = (value: unknown): number | undefined => (typeof value === "number" && Number.isFinite(value) ? value : undefined);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const milli = (value: unknown): number | undefined => {
  const seconds = number(value);
  return seconds === undefined ? undefined : seconds * 1000;
};

/** Leaves out what is undefined. */
function known<Shape extends object>(shape: { [Key in keyof Shape]: Shape[Key] | undefined }): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape;
}

/** @param report - of RTCPeerConnection.getStats, or its values */
export function sampleOf(report: Iterable<unknown>, atMs: number): StatsSample {
  const entries = [...report] as Entry[];
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const of = (type: string): Entry[] => entries.filter((entry) => entry.type === type && (entry["kind"] ?? "audio") === "audio");
  const inbound = of("inbound-rtp").sort((a, b) => (number(b["packetsReceived"]) ?? 0) - (number(a["packetsReceived"]) ?? 0))[0];
  const outbound = of("outbound-rtp")[0];
  const remoteInbound = of("remote-inbound-rtp")[0];
  const source = of("media-source")[0];
  const transport = of("transport")[0];
  const pairs = of("candidate-pair");
  const selected = byId.get(text(transport?.["selectedCandidatePairId"]) ?? "");
  const certificate = byId.get(text(transport?.["remoteCertificateId"]) ?? "");
  const codec = byId.get(text(inbound?.["codecId"]) ?? text(outbound?.["codecId"]) ?? "");
  return known<StatsSample>({
    atMs,
    sent: number(outbound?.["packetsSent"]),
    sentBytes: number(outbound?.["bytesSent"]),
    received: number(inbound?.["packetsReceived"]),
    receivedBytes: number(inbound?.["bytesReceived"]),
    lost: number(inbound?.["packetsLost"]),
    jitterMs: milli(inbound?.["jitter"]),
    samples: number(inbound?.["totalSamplesReceived"]),
    concealed: number(inbound?.["concealedSamples"]),
    silentConcealed: number(inbound?.["silentConcealedSamples"]),
    jitterBufferS: number(inbound?.["jitterBufferDelay"]),
    jitterBufferSamples: number(inbound?.["jitterBufferEmittedCount"]),
    receivedLevel: number(inbound?.["audioLevel"]),
    receivedEnergy: number(inbound?.["totalAudioEnergy"]),
    microphoneLevel: number(source?.["audioLevel"]),
    roundTripMs: milli(remoteInbound?.["roundTripTime"]) ?? milli(selected?.["currentRoundTripTime"]),
    remoteLostShare: number(remoteInbound?.["fractionLost"]),
    remoteJitterMs: milli(remoteInbound?.["jitter"]),
    codec: text(codec?.["mimeType"]),
    localCandidates: of("local-candidate").length,
    remoteCandidates: of("remote-candidate").length,
    pairs: pairs.length,
    triedPairs: pairs.filter((pair) => (number(pair["requestsSent"]) ?? 0) > 0 || pair["state"] !== "frozen").length,
    dtls: text(transport?.["dtlsState"]),
    remoteFingerprint:
      certificate && `${String(certificate["fingerprintAlgorithm"])} ${String(certificate["fingerprint"])}`.toUpperCase(),
    path: selected && pathOf(selected, byId),
  });
}

function pathOf(pair: Entry, byId: ReadonlyMap<string, Entry>): string {
  const local = byId.get(String(pair["localCandidateId"]));
  const remote = byId.get(String(pair["remoteCandidateId"]));
  const where = `${String(remote?.["address"] ?? "?")}:${String(remote?.["port"] ?? "?")}`;
  return `${String(local?.["candidateType"])} ${String(local?.["protocol"])} -> ${String(remote?.["candidateType"])} ${where}`;
}

/** What happened between two looks. Shares are 0 to 1; undefined: cannot be said. */
export interface Flow {
  readonly lengthMs: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly lostShare: number;
  readonly sentPerS: number;
  readonly receivedPerS: number;
  /** Of what was played, made up for want of packets; what was made up as silence in a pause does not count. */
  readonly concealedShare: number;
  readonly jitterMs?: number;
  readonly roundTripMs?: number;
  readonly remoteLostShare?: number;
  readonly remoteJitterMs?: number;
  readonly jitterBufferMs?: number;
  /** Of what we hear, RMS, dBov */
  readonly receivedDbov?: number;
}

export function flowBetween(first: StatsSample, last: StatsSample): Flow {
  const grown = (name: "sent" | "received" | "lost" | "samples" | "concealed" | "silentConcealed" | "jitterBufferS" | "jitterBufferSamples" | "receivedEnergy"): number =>
    (last[name] ?? 0) - (first[name] ?? 0);
  const lengthMs = last.atMs - first.atMs;
  const lengthS = Math.max(0.001, lengthMs / 1000);
  const lost = Math.max(0, grown("lost"));
  const samples = grown("samples");
  const emitted = grown("jitterBufferSamples");
  const power = grown("receivedEnergy") / lengthS;
  return known<Flow>({
    lengthMs,
    sent: grown("sent"),
    received: grown("received"),
    lost,
    lostShare: lost + grown("received") > 0 ? lost / (lost + grown("received")) : 0,
    sentPerS: grown("sent") / lengthS,
    receivedPerS: grown("received") / lengthS,
    concealedShare: samples > 0 ? Math.max(0, grown("concealed") - grown("silentConcealed")) / samples : 0,
    jitterMs: last.jitterMs,
    roundTripMs: last.roundTripMs,
    remoteLostShare: last.remoteLostShare,
    remoteJitterMs: last.remoteJitterMs,
    jitterBufferMs: emitted > 0 ? (grown("jitterBufferS") / emitted) * 1000 : undefined,
    receivedDbov: last.receivedEnergy === undefined ? undefined : power > 0 ? Math.max(-127, 10 * Math.log10(power)) : -127,
  });
}

/** The fingerprints that a session description announces, as "SHA-256 AB:CD…". */
export function fingerprintsOf(sdp: string): string[] {
  return [...sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm)].map(([, hash, value]) => `${hash} ${value}`.toUpperCase());
}
