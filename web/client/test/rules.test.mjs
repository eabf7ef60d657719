// Every rule over plain facts: what it finds, and that healthy facts give nothing. The same faults in a real browser:
// tests/browser/client_faults_test.cpp.
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, findIssues, FINDINGS, joinIssues, RULES } from "../dist/index.js";

const flow = {
  lengthMs: 5000,
  sent: 250,
  received: 250,
  lost: 0,
  lostShare: 0,
  sentPerS: 50,
  receivedPerS: 50,
  concealedShare: 0,
  jitterMs: 2,
  roundTripMs: 20,
  remoteLostShare: 0,
  receivedDbov: -30,
};
const sample = { atMs: 0, localCandidates: 2, remoteCandidates: 2, pairs: 4, triedPairs: 4, dtls: "connected", remoteFingerprint: "SHA-256 AA:BB" };
const healthy = {
  microphone: {
    isWanted: true,
    track: { isLive: true, isMuted: false, label: "headset" },
    level: { rmsDbov: -30, peakDbov: -20, clippedShare: 0, silentForMs: 0, hasSounded: true },
  },
  context: "running",
  output: { isBlocked: false, volume: 1, isMuted: false },
  signalling: { state: "live", clockSkewMs: 3 },
  channel: { name: "lobby", isMutedBySelf: false, isMutedByOperator: false, others: [{ name: "Ann", isAway: false }] },
  peer: {
    state: "connected",
    ice: "connected",
    gathering: "complete",
    hasAnswer: true,
    ageMs: 9000,
    connectedForMs: 8000,
    restarts: 0,
    sample,
    announced: ["SHA-256 AA:BB"],
  },
  flow,
  arrived: { lengthMs: 4000, packets: 200 },
};
const withMicrophone = (more) => ({ ...healthy, microphone: { ...healthy.microphone, ...more } });
const withTrack = (more) => withMicrophone({ track: { ...healthy.microphone.track, ...more } });
const withLevel = (more) => withMicrophone({ level: { ...healthy.microphone.level, ...more } });
const withError = (code) => withMicrophone({ error: { code, detail: "it said so" }, track: undefined, level: undefined });
const withSignalling = (more) => ({ ...healthy, signalling: { ...healthy.signalling, ...more } });
const withChannel = (more) => ({ ...healthy, channel: { ...healthy.channel, ...more } });
const withPeer = (more, ofSample = {}) => ({ ...healthy, peer: { ...healthy.peer, ...more, sample: { ...sample, ...ofSample } } });
const withFlow = (more) => ({ ...healthy, flow: { ...flow, ...more } });
const unconnected = { state: "connecting", ice: "checking", connectedForMs: undefined };

/** code -> facts in which it is found, and the codes found besides */
const cases = {
  "insecure-page": [withError("insecure-page")],
  "microphone-denied": [withError("microphone-denied")],
  "microphone-missing": [withError("microphone-missing")],
  "microphone-busy": [withError("microphone-busy")],
  "track-ended": [withTrack({ isLive: false })],
  "track-muted": [withTrack({ isMuted: true })],
  "muted-by-self": [withChannel({ isMutedBySelf: true })],
  "muted-by-operator": [withChannel({ isMutedByOperator: true })],
  "source-silent": [withLevel({ silentForMs: 6000, hasSounded: false })],
  clipping: [withLevel({ clippedShare: 0.5, peakDbov: 0 })],
  "context-suspended": [{ ...healthy, context: "suspended" }],
  "autoplay-blocked": [{ ...healthy, output: { ...healthy.output, isBlocked: true } }],
  "output-muted": [{ ...healthy, output: { ...healthy.output, volume: 0 } }],
  "not-joined": [{ ...healthy, channel: undefined }],
  "join-refused": [withSignalling({ refusal: { code: "token-expired", status: 401, detail: "too late" } })],
  "signalling-lost": [withSignalling({ state: "waiting", lostForMs: 1500, end: { code: 1006, reason: "" } })],
  replaced: [{ ...withSignalling({ state: "stopped", end: { code: 4000, reason: "replaced" } }) }],
  removed: [{ ...healthy, removed: "removed" }],
  "clock-skew": [withSignalling({ clockSkewMs: -9000 })],
  "no-candidate-pair": [withPeer(unconnected, { localCandidates: 0, pairs: 0 })],
  "ice-failed": [withPeer({ ...unconnected, ice: "failed", state: "failed" })],
  "dtls-failed": [withPeer({ ...unconnected, ice: "connected", state: "failed" }, { dtls: "failed" })],
  "fingerprint-mismatch": [withPeer({}, { remoteFingerprint: "SHA-256 CC:DD" })],
  "nothing-sent": [withFlow({ sent: 0 }), "one-way"],
  "nothing-received": [withFlow({ received: 0 }), "one-way"],
  "one-way": [{ ...healthy, arrived: { lengthMs: 4000, packets: 0 } }],
  loss: [withFlow({ lost: 20, lostShare: 0.07 })],
  jitter: [withFlow({ jitterMs: 80 })],
  "round-trip-high": [withFlow({ roundTripMs: 900 })],
  concealment: [withFlow({ concealedShare: 0.1 })],
  "silence-received": [withFlow({ receivedDbov: -127 })],
  alone: [withChannel({ others: [] })],
  "peer-lost": [withChannel({ others: [{ name: "Ann", isAway: true }] })],
};

test("healthy facts give nothing", () => {
  assert.deepEqual(findIssues(healthy), []);
  const diagnosis = diagnose([], [], "asked");
  assert.equal(diagnosis.healthy, true);
  assert.deepEqual(diagnosis.recommendations, []);
});

for (const [code, [facts, ...besides]] of Object.entries(cases)) {
  test(`finds ${code}`, () => {
    const found = findIssues(facts);
    assert.deepEqual(found.map((issue) => issue.code).sort(), [code, ...besides].sort());
    for (const { severity, cause, evidence, fix } of found) {
      assert.match(severity, /^(error|warning|info)$/);
      for (const sentence of [cause, evidence, fix]) assert.ok(sentence.length > 3, sentence);
      assert.doesNotMatch(evidence, /undefined|NaN|\[object/);
    }
  });
}

test("every code that a browser sees has a rule and a case, and no other has", () => {
  const seen = FINDINGS.filter((finding) => finding.seen_by.includes("browser")).map(({ code }) => code).sort();
  assert.deepEqual(Object.keys(RULES).sort(), seen);
  assert.deepEqual(Object.keys(cases).sort(), seen);
});

test("the table is complete, its codes differ, its sentences end", () => {
  assert.equal(new Set(FINDINGS.map(({ code }) => code)).size, FINDINGS.length);
  for (const { code, severity, seen_by, cause, fix } of FINDINGS) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(["error", "warning", "info"].includes(severity), code);
    assert.ok(seen_by.length > 0 && seen_by.every((who) => who === "browser" || who === "daemon"), code);
    assert.match(cause, /^[A-Z].*\.$/, code);
    assert.match(fix, /^[A-Z].*\.$/, code);
  }
});

test("who was replaced while joining is told so, and no more", () => {
  const facts = { ...withSignalling({ state: "stopped", refusal: { code: "replaced", status: 409, detail: "came again" } }), channel: undefined };
  assert.deepEqual(findIssues(facts).map(({ code }) => code), ["replaced"]);
  assert.deepEqual(findIssues({ ...healthy, removed: "replaced" }).map(({ code }) => code), ["replaced"]);
});

for (const reason of ["ice-failed", "dtls-failed", "fingerprint-mismatch"]) {
  test(`the server's word for the end of the sound is taken: ${reason}`, () => {
    const facts = { ...healthy, peer: undefined, flow: undefined, legEnded: { reason, detail: "seen there" } };
    const found = findIssues(facts);
    assert.deepEqual(found.map(({ code }) => code), [reason]);
    assert.match(found[0].evidence, /seen there/);
  });
}

test("nothing is said of flow before it had time", () => {
  const facts = { ...withFlow({ received: 0, lengthMs: 1000 }), peer: { ...healthy.peer, connectedForMs: 1000 } };
  assert.deepEqual(findIssues(facts), []);
});

test("a microphone that is muted is not called silent", () => {
  const silent = { ...healthy.microphone.level, silentForMs: 60_000 };
  const facts = { ...withChannel({ isMutedBySelf: true }), microphone: { ...healthy.microphone, level: silent } };
  assert.deepEqual(findIssues(facts).map(({ code }) => code), ["muted-by-self"]);
});

test("who listens for a while is not called silent, who says nothing for long is", () => {
  assert.deepEqual(findIssues(withLevel({ silentForMs: 20_000 })), []);
  assert.deepEqual(findIssues(withLevel({ silentForMs: 31_000 })).map(({ code }) => code), ["source-silent"]);
});

test("who only listens is not told to speak", () => {
  const facts = { ...withFlow({ sent: 0 }), microphone: { isWanted: false } };
  assert.deepEqual(findIssues(facts), []);
});

test("both views are one list: each code once, the worst first, evidence of both", () => {
  const ours = findIssues({ ...withFlow({ lost: 20, lostShare: 0.07 }), removed: "removed" });
  const theirs = [
    { code: "loss", severity: "warning", cause: "c", evidence: "12 of 100 packets", fix: "f" },
    { code: "ai-not-connected", severity: "error", cause: "c", evidence: "ws://bot refused", fix: "start it" },
    { code: "loss-of-the-future", severity: "info", cause: "c", evidence: { packets: 3 }, fix: "f" },
  ];
  const joined = joinIssues(ours, theirs);
  assert.deepEqual(joined.map(({ code }) => code), ["removed", "ai-not-connected", "loss", "loss-of-the-future"]);
  const loss = joined.find(({ code }) => code === "loss");
  assert.match(loss.evidence, /^browser: .*7\.0 %.*; server: 12 of 100 packets$/);
  assert.equal(joined[3].evidence, '{"packets":3}');
  const diagnosis = diagnose(ours, theirs, "asked");
  assert.equal(diagnosis.healthy, false);
  assert.equal(diagnosis.recommendations.length, 3);
  assert.equal(diagnosis.recommendations[1], "start it");
});
