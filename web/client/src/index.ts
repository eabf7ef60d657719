export type { AudioLogEntry, AudioLogOptions } from "./audio-log.js";
export { backoffMs, DEFAULT_BACKOFF, type BackoffLimits } from "./backoff.js";
export { diagnose, findIssues, joinIssues, type Diagnosis } from "./diagnosis.js";
export type { Facts, PeerFacts } from "./facts.js";
export type { Finding, Issue, Severity } from "./finding.js";
export { FINDINGS } from "./findings.js";
export type { Level } from "./level-meter.js";
export type * from "./messages.js";
export { MicrophoneError, type MicrophoneConstraints } from "./microphone.js";
export { LIMITS, RULES, type Code } from "./rules.js";
export type { Output } from "./speaker.js";
export { flowBetween, sampleOf, type Flow, type StatsSample } from "./stats.js";
export {
  VoiceService,
  type AudioMetrics,
  type JoinOptions,
  type VoiceEvents,
  type VoiceServiceOptions,
  type VoiceState,
} from "./voice-service.js";
export {
  Refusal,
  WebSocketService,
  type Handshake,
  type SocketEnd,
  type SocketState,
  type WebSocketEvents,
  type WebSocketServiceOptions,
} from "./websocket-service.js";
