// Statistics as Chromium gives them, made flat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { flowBetween, sampleOf } from "../dist/index.js";

const report = (received, sent) => [
  { id: "T1", type: "transport", dtlsState: "connected", selectedCandidatePairId: "P1", remoteCertificateId: "C1" },
  { id: "C1", type: "certificate", fingerprint: "aa:bb", fingerprintAlgorithm: "sha-256" },
  { id: "P1", type: "candidate-pair", localCandidateId: "L1", remoteCandidateId: "R1", state: "succeeded", currentRoundTripTime: 0.004 },
  { id: "P2", type: "candidate-pair", localCandidateId: "L1", remoteCandidateId: "R1", state: "frozen", requestsSent: 0 },
  { id: "L1", type: "local-candidate", candidateType: "host", protocol: "udp" },
  { id: "R1", type: "remote-candidate", candidateType: "host", address: "127.0.0.1", port: 40000 },
  { id: "O1", type: "outbound-rtp", kind: "audio", packetsSent: sent, codecId: "K1" },
  { id: "I0", type: "inbound-rtp", kind: "video", packetsReceived: 9999 },
  { id: "I1", type: "inbound-rtp", kind: "audio", packetsReceived: received, packetsLost: -1, jitter: 0.003, codecId: "K1", totalSamplesReceived: received * 960, concealedSamples: received * 96, silentConcealedSamples: 0, totalAudioEnergy: received * 0.02 * 0.01 },
  { id: "K1", type: "codec", mimeType: "audio/opus" },
  { id: "M1", type: "remote-inbound-rtp", kind: "audio", fractionLost: 0.25, roundTripTime: 0.1, jitter: 0.002 },
];

test("a report becomes one flat sample", () => {
  const sample = sampleOf(report(100, 120), 5);
  assert.equal(sample.received, 100);
  assert.equal(sample.sent, 120);
  assert.equal(sample.lost, -1);
  assert.equal(sample.jitterMs, 3);
  assert.equal(sample.roundTripMs, 100);
  assert.equal(sample.remoteLostShare, 0.25);
  assert.equal(sample.codec, "audio/opus");
  assert.equal(sample.remoteFingerprint, "SHA-256 AA:BB");
  assert.equal(sample.path, "host udp -> host 127.0.0.1:40000");
  assert.equal(sample.pairs, 2);
  assert.equal(sample.triedPairs, 1);
});

test("an empty report is a sample that knows nothing", () => {
  assert.deepEqual(sampleOf([], 5), { atMs: 5, localCandidates: 0, remoteCandidates: 0, pairs: 0, triedPairs: 0 });
});

test("between two samples there is a flow", () => {
  const flow = flowBetween(sampleOf(report(100, 100), 1000), sampleOf(report(200, 150), 3000));
  assert.equal(flow.received, 100);
  assert.equal(flow.receivedPerS, 50);
  assert.equal(flow.sentPerS, 25);
  assert.equal(flow.lostShare, 0);
  assert.ok(Math.abs(flow.concealedShare - 0.1) < 1e-9);
  assert.ok(Math.abs(flow.receivedDbov + 20) < 0.1, String(flow.receivedDbov));
});
