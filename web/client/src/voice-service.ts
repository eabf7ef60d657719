import { AudioLog, type AudioLogEntry, type AudioLogOptions } from "./audio-log.js";
import { backoffMs } from "./backoff.js";
import { Cleanup, PAGE } from "./cleanup.js";
import { diagnose, findIssues, type Diagnosis } from "./diagnosis.js";
import { Emitter } from "./emitter.js";
import type { Facts, PeerFacts } from "./facts.js";
import type { Issue } from "./finding.js";
import { LevelMeter, type Level } from "./level-meter.js";
import type { Joined, Member, ServerError, ServerMessage, ServerStats } from "./messages.js";
import { listMicrophones, Microphone, type MicrophoneConstraints } from "./microphone.js";
import { Peer } from "./peer.js";
import { Requests } from "./requests.js";
import { Speaker, type Output } from "./speaker.js";
import { fingerprintsOf, type Flow } from "./stats.js";
import { StatsWatch } from "./stats-watch.js";
import { Refusal, WebSocketService, type Handshake, type SocketEnd, type WebSocketServiceOptions } from "./websocket-service.js";

/**
 * `idle`: not in a channel; `joining`; `joined`: in the channel, sound not yet; `connected`: sound can flow; `away`: the
 * control connection is lost and tried again, sound may go on; `ended`: the server said to stay away, or refused.
 */
export type VoiceState = "idle" | "joining" | "joined" | "connected" | "away" | "ended";

export interface VoiceServiceOptions {
  /** The server's WebSocket of channels: wss://host/api/v1/channels/ws */
  readonly url: string;
  /** More for RTCPeerConnection; the server's own ICE servers are added. */
  readonly rtc?: RTCConfiguration;
  /** How the WebSocket is kept up. */
  readonly socket?: Omit<WebSocketServiceOptions, "url" | "place" | "handshake">;
  /** Between looks at the browser's statistics, ms. Default 1,000. */
  readonly statsIntervalMs?: number;
}

export interface JoinOptions {
  readonly channel: string;
  /** Join token, or what gives a new one: those live for minutes, and a connection that is lost may need another. */
  readonly token?: string | (() => string | Promise<string>);
  /** Who this is, where the server asks for no token. */
  readonly user?: string;
  /** What the others see. */
  readonly name?: string;
  /** false: only listens */
  readonly microphone?: MicrophoneConstraints | false;
}

export interface VoiceEvents {
  state: VoiceState;
  members: readonly Member[];
  /** Ids of those who speak. */
  speaking: readonly string[];
  /** The server's figures for us, every two seconds. */
  stats: ServerStats;
  /** Ours, every second. */
  metrics: AudioMetrics;
  /** Moved to another channel, with the same id. */
  moved: { readonly channel: string };
  /** The server took us out. */
  removed: { readonly why: string };
  /** The connection closed; `final`: for good. 4000: replaced by another tab. */
  closed: SocketEnd & { readonly final: boolean };
  /** Another tab of this browser joined as the same user: it will have the place. */
  elsewhere: undefined;
  /** The server refused something. */
  error: ServerError;
  /** The browser plays nothing until somebody clicks (true), or plays now (false). */
  blocked: boolean;
  /** The track was muted, unmuted or ended by the system, or a device came or went. */
  microphone: string;
}

/** How the sound fares now; undefined: not known. */
export interface AudioMetrics {
  readonly state: VoiceState;
  readonly connection: RTCPeerConnectionState | "none";
  readonly ice: RTCIceConnectionState | "none";
  readonly muted: boolean;
  /** Of the microphone. */
  readonly microphone: Level | undefined;
  /** Since the connection stands. */
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  /** Of the last seconds. */
  readonly flow: Flow | undefined;
  readonly codec: string | undefined;
  readonly path: string | undefined;
  /** Of the WebSocket, ms. */
  readonly signallingRoundTripMs: number | undefined;
  /** The server's figures for us. */
  readonly server: ServerStats | undefined;
}

const ANSWER_MS = 10_000;
const DIAGNOSIS_MS = 3000;
const REPORT_MS = 5000;
const LEG_BACKOFF = { minMs: 500, maxMs: 15_000 };
const GESTURES = ["click", "keydown", "touchend"] as const;

/** A place in a voice channel: microphone out, the others in, and an account of how both fare. */
export class VoiceService {
  readonly #options: VoiceServiceOptions;
  readonly #events = new Emitter<VoiceEvents>();
  readonly #cleanup = new Cleanup();
  readonly #requests = new Requests();
  readonly #watch = new StatsWatch();
  readonly #meter = new LevelMeter();
  readonly #microphone: Microphone;
  readonly #speaker: Speaker;
  #state: VoiceState = "idle";
  #join: JoinOptions | undefined;
  #joining: Promise<Joined> | undefined;
  #socket: WebSocketService | undefined;
  #peer: Peer | undefined;
  #joined: Joined | undefined;
  #channel = "";
  #members: readonly Member[] = [];
  #removed: string | undefined;
  #endedLeg: Facts["legEnded"];
  #legsEnded = 0;
  #log: AudioLog | undefined;
  #stopLog: (() => void) | undefined;
  #releasing: Promise<void> | undefined;
  #stopGestures: (() => void) | undefined;
  #isDisposed = false;

  constructor(options: VoiceServiceOptions) {
    this.#options = options;
    this.#microphone = new Microphone((what) => {
      this.#log?.state("microphone", what);
      this.#events.emit("microphone", what);
    });
    this.#speaker = new Speaker((isBlocked) => {
      this.#log?.state("playing", isBlocked ? "blocked" : "allowed");
      if (isBlocked) this.#waitForGesture();
      this.#events.emit("blocked", isBlocked);
    });
  }

  get state(): VoiceState {
    return this.#state;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Our own id among the members. */
  get member(): string | undefined {
    return this.#joined?.member;
  }

  get isMuted(): boolean {
    return this.#microphone.isMuted;
  }

  on<Name extends keyof VoiceEvents>(name: Name, listener: (value: VoiceEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Takes a place in a channel; from another channel it leaves first. Called again for the same one it gives the same
   * promise. Resolves when the server has answered our offer: `connected` waits for the sound.
   *
   * @throws MicrophoneError without a microphone; Refusal when the server does not want us; Error when it cannot be reached
   */
  join(options: JoinOptions): Promise<Joined> {
    if (this.#isDisposed) return Promise.reject(new Error("this VoiceService was disposed; make another one"));
    if (this.#joining && this.#join?.channel === options.channel && this.#join.user === options.user) return this.#joining;
    const before = this.#joining ? this.leave() : this.#releasing;
    this.#join = options;
    this.#channel = options.channel;
    this.#removed = undefined;
    this.#joined = undefined;
    this.#endedLeg = undefined;
    this.#legsEnded = 0;
    this.#become("joining");
    const joining = (async () => {
      await before;
      return this.#enter(options);
    })();
    this.#joining = joining;
    joining.catch(() => {
      if (this.#joining === joining) this.#end("ended");
    });
    return joining;
  }

  /**
   * Resolves when sound can flow.
   *
   * @throws Error when it cannot within `limitMs`, or the place is lost; `diagnoseAudioIssues` then says why
   */
  connected(limitMs = 20_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        stop();
      };
      const look = (): void => {
        if (this.#state === "connected") {
          done();
          resolve();
        } else if (this.#state === "idle" || this.#state === "ended") {
          done();
          reject(new Error(`the place in the channel is lost: ${this.#state}`));
        }
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`no sound within ${limitMs} ms: ${this.#peer?.connection.connectionState ?? "no connection"}`));
      }, limitMs);
      const stop = this.on("state", look);
      look();
    });
  }

  /** Gives the place back and lets everything go. Resolves when the socket is closed. */
  async leave(): Promise<void> {
    this.#socket?.send({ type: "leave" }, "drop");
    // At once, not after a wait: a page that goes away has no later.
    const gone = this.#socket?.disconnect("left");
    this.#end("idle");
    this.#socket = undefined;
    this.#joined = undefined;
    await Promise.all([gone, this.#releasing]);
  }

  /** Muted, others hear silence of us, and see it. It stays so over changes of microphone and connection. */
  setMuted(isMuted: boolean): void {
    this.#microphone.setMuted(isMuted);
    this.#meter.forget();
    this.#log?.state("muted", String(isMuted));
    this.#socket?.send({ type: "mute", muted: isMuted });
  }

  listMicrophones(): Promise<MediaDeviceInfo[]> {
    return listMicrophones();
  }

  /**
   * Another microphone, without a new negotiation.
   *
   * @throws MicrophoneError; the one before stays in use then
   */
  async useMicrophone(deviceId: string): Promise<void> {
    const track = await this.#microphone.change(deviceId);
    await this.#peer?.replaceTrack(track);
    if (this.#microphone.stream) this.#meter.listen(this.#microphone.stream);
    this.#log?.state("microphone", track.label);
  }

  setOutput(output: Output): Promise<void> {
    return this.#speaker.setOutput(output);
  }

  /** To be called on a click where the browser wants one before it plays. @returns whether it plays now */
  async unlock(): Promise<boolean> {
    const [isPlaying, isMeasuring] = await Promise.all([this.#speaker.unlock(), this.#meter.resume()]);
    if (isPlaying && isMeasuring) this.#stopGestures?.();
    return isPlaying && isMeasuring;
  }

  /** Begins or ends a log of levels, packets, jitter and changes of state. Beginning anew drops the one before. */
  enableAudioDataLogging(isOn: boolean, options: AudioLogOptions = {}): void {
    this.#stopLog?.();
    this.#stopLog = undefined;
    if (!isOn) return;
    const log = new AudioLog(options);
    this.#log = log;
    const timer = setInterval(() => log.figures(this.#figures()), log.intervalMs);
    this.#stopLog = () => clearInterval(timer);
    log.state("state", this.#state);
  }

  /** The log as JSON; it stays until the next begins. */
  exportAudioLog(): string {
    return JSON.stringify({ ...this.#log?.export(), channel: this.#channel });
  }

  getAudioMetrics(): AudioMetrics {
    const sample = this.#watch.last;
    return {
      state: this.#state,
      connection: this.#peer?.connection.connectionState ?? "none",
      ice: this.#peer?.connection.iceConnectionState ?? "none",
      muted: this.#microphone.isMuted,
      microphone: this.#meter.level(),
      packetsSent: sample?.sent ?? 0,
      packetsReceived: sample?.received ?? 0,
      packetsLost: sample?.lost ?? 0,
      flow: this.#watch.flow(),
      codec: sample?.codec,
      path: sample?.path,
      signallingRoundTripMs: this.#socket?.roundTripMs,
      server: this.#watch.lastServer,
    };
  }

  /** What is wrong, seen from here and from the server. Faults of flow are judged from some 3 s of sound on. */
  async diagnoseAudioIssues(): Promise<Diagnosis> {
    const [server] = await Promise.all([this.#askServer(), this.#look()]);
    return diagnose(findIssues(this.facts()), server.issues, server.asked);
  }

  /** What the rules judge, as of the last look. */
  facts(): Facts {
    const { track, error } = this.#microphone;
    const end = this.#socket?.lastEnd;
    const refusal = this.#socket?.lastRefusal;
    const self = this.#members.find(({ id }) => id === this.member);
    return {
      microphone: {
        isWanted: this.#join !== undefined && this.#join.microphone !== false,
        error: error && { code: error.code, detail: error.message },
        track: track && { isLive: track.readyState === "live", isMuted: track.muted, label: track.label },
        level: this.#meter.level(),
      },
      context: this.#meter.contextState,
      output: this.#speaker.output && {
        isBlocked: this.#speaker.isBlocked,
        volume: this.#speaker.output.volume,
        isMuted: this.#speaker.output.muted,
      },
      signalling: {
        state: this.#socket?.state ?? "idle",
        end: end && { code: end.code, reason: end.reason },
        refusal: refusal && { code: refusal.code, status: refusal.status, detail: refusal.message },
        lostForMs: this.#socket?.lostForMs,
        clockSkewMs: this.#socket?.clockSkewMs,
      },
      channel:
        this.#joined && this.#state !== "ended"
          ? {
              name: this.#channel,
              isMutedBySelf: this.#microphone.isMuted,
              isMutedByOperator: self?.muted_by_operator ?? false,
              others: this.#members
                .filter(({ id }) => id !== this.member)
                .map(({ name, user, id, state }) => ({ name: name || user || id, isAway: state === "away" })),
            }
          : undefined,
      removed: this.#removed,
      legEnded: this.#endedLeg,
      peer: this.#peerFacts(),
      flow: this.#watch.flow(),
      arrived: this.#watch.arrived(),
    };
  }

  /** Everything that is known, for a bug report; plain values only, nothing secret. */
  getDebugInfo(): Record<string, unknown> {
    return {
      state: this.#state,
      channel: this.#channel,
      member: this.member,
      members: this.#members.length,
      socket: this.#socket?.getDebugInfo(),
      facts: this.facts(),
      metrics: this.getAudioMetrics(),
      requests_open: this.#requests.size,
      samples: this.#watch.length,
      to_clean_up: this.#cleanup.size,
      is_logging: this.#stopLog !== undefined,
    };
  }

  /** Leaves, and lets go of everything: no track, connection, node, timer, listener or socket stays. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.leave();
    this.enableAudioDataLogging(false);
    this.#events.removeAll();
  }

  async #enter(options: JoinOptions): Promise<Joined> {
    const isWanted = (): boolean => this.#join === options;
    if (options.microphone !== false) await this.#microphone.open(options.microphone ?? {});
    if (!isWanted()) throw new Error("left while joining");
    if (this.#microphone.stream) this.#meter.listen(this.#microphone.stream);
    if (this.#meter.contextState === "suspended") this.#waitForGesture();
    const socket = new WebSocketService({
      ...this.#options.socket,
      url: this.#options.url,
      place: `${this.#options.url} ${options.channel} ${options.user ?? ""}`,
      handshake: (connection) => this.#introduce(connection, options),
    });
    this.#socket = socket;
    socket.on("message", (message) => this.#received(message));
    socket.on("closed", (end) => this.#closed(end));
    socket.on("elsewhere", () => this.#events.emit("elsewhere", undefined));
    this.#cleanup.every(this.#options.statsIntervalMs ?? 1000, () => void this.#tick());
    this.#cleanup.every(REPORT_MS, () => socket.send({ type: "stats", report: this.#report() }, "drop"));
    this.#cleanup.listen(PAGE, "pagehide", () => void this.leave());
    this.#cleanup.listen(PAGE, "online", () => void this.#peer?.revive());
    await socket.connect();
    // From now on every new connection finds its sound by itself; the first one is waited for.
    socket.on("state", (state) => state === "live" && void this.#restore());
    try {
      await this.#talk();
    } catch (error) {
      // Sound that the server ended comes again by itself; the place is there.
      if (this.#endedLeg === undefined) throw error;
    }
    if (this.#joined === undefined) throw new Error("left while joining");
    return this.#joined;
  }

  async #introduce(connection: Handshake, { token, user, name }: JoinOptions): Promise<void> {
    const resume = this.#joined?.resume;
    connection.send({
      type: "join",
      channel: this.#channel,
      ...(token === undefined ? {} : { token: typeof token === "function" ? await token() : token }),
      ...(user === undefined ? {} : { user }),
      ...(name === undefined ? {} : { name }),
      ...(resume === undefined ? {} : { resume }),
    });
    const reply = await connection.next("joined", "error");
    if (reply.type === "error") {
      const isPassing = reply.status === 408 || reply.status === 429 || reply.status >= 500;
      const retryAfterMs = reply.retry_after_s !== undefined ? reply.retry_after_s * 1000 : isPassing ? 1000 : undefined;
      throw new Refusal(reply.code, reply.status, reply.detail, retryAfterMs);
    }
    this.#joined = reply;
    this.#channel = reply.channel;
    this.#setMembers(reply.members);
    if (this.#microphone.isMuted) connection.send({ type: "mute", muted: true });
  }

  /** A new peer connection; the one before goes. */
  async #talk(): Promise<void> {
    this.#peer?.close();
    this.#watch.restart();
    const iceServers = [...(this.#options.rtc?.iceServers ?? []), ...(this.#joined?.ice_servers ?? [])];
    const peer = new Peer(
      { ...this.#options.rtc, iceServers },
      {
        exchange: (sdp) =>
          this.#requests.ask<string>((id) => this.#socket?.send({ type: "offer", sdp, id }), ANSWER_MS),
        candidate: (candidate) => this.#socket?.send({ type: "candidate", candidate }),
        heard: (stream) => void this.#speaker.play(stream),
        changed: (what) => this.#peerChanged(what),
      },
    );
    this.#peer = peer;
    this.#become("joined");
    await peer.start(this.#microphone.track);
  }

  /** The control connection is back. */
  async #restore(): Promise<void> {
    try {
      if (this.#joined?.resumed && this.#peer && !this.#peer.isClosed) {
        this.#requests.again();
        this.#peerChanged("signalling live");
        await this.#peer?.revive();
      } else {
        this.#requests.abandon("the place was lost");
        await this.#talk();
      }
    } catch (error) {
      this.#log?.state("restore", (error as Error).message);
      this.#talkLater();
    }
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case "answer":
        this.#requests.answered(message.id, message.sdp);
        break;
      case "diagnosis":
        this.#requests.answered(message.id, message.issues);
        break;
      case "error":
        if (message.code === "leg-ended") this.#legEnded(message);
        if (!this.#requests.failed(message)) this.#events.emit("error", message);
        break;
      case "members":
        this.#setMembers(message.members);
        break;
      case "speaking":
        this.#events.emit("speaking", message.members);
        break;
      case "stats":
        this.#watch.heardServer(message);
        this.#events.emit("stats", message);
        break;
      case "moved":
        this.#channel = message.channel;
        this.#setMembers(message.members);
        this.#events.emit("moved", { channel: message.channel });
        break;
      case "removed":
        this.#removed = message.why;
        this.#events.emit("removed", { why: message.why });
        break;
      default:
    }
  }

  #closed(end: SocketEnd & { readonly final: boolean }): void {
    this.#log?.state("signalling", `${end.code} ${end.reason}`.trim());
    if (end.final) {
      if (this.#state !== "idle") this.#end("ended");
    } else if (this.#joined) {
      this.#become("away");
    }
    this.#events.emit("closed", end);
  }

  /** The server gave our sound up: we offer anew, less and less often. */
  #legEnded({ reason, detail }: ServerError): void {
    this.#endedLeg = { reason: reason ?? "unknown", detail };
    this.#log?.state("leg", `${reason ?? ""} ${detail}`.trim());
    this.#peer?.close();
    this.#become("joined");
    this.#talkLater();
  }

  #talkLater(): void {
    if (this.#state === "idle" || this.#state === "ended") return;
    this.#cleanup.after(backoffMs(this.#legsEnded, 1, LEG_BACKOFF), () => void this.#talk().catch(() => this.#talkLater()));
    this.#legsEnded += 1;
  }

  #peerChanged(what: string): void {
    this.#log?.state("peer", what);
    const isConnected = this.#peer?.connection.connectionState === "connected";
    if (what === "connection connected") {
      this.#watch.restart();
      this.#endedLeg = undefined;
      this.#legsEnded = 0;
    }
    if (this.#socket?.state === "live" && (this.#state === "joined" || this.#state === "connected" || this.#state === "away")) {
      this.#become(isConnected ? "connected" : "joined");
    }
  }

  #setMembers(members: readonly Member[]): void {
    this.#members = members;
    this.#events.emit("members", members);
  }

  #become(state: VoiceState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#log?.state("state", state);
    this.#events.emit("state", state);
  }

  /** Media goes, what is known about the end stays. */
  #end(state: "idle" | "ended"): void {
    this.#join = state === "idle" ? undefined : this.#join;
    this.#joining = undefined;
    this.#cleanup.run();
    this.#stopGestures = undefined;
    this.#requests.abandon("left");
    this.#peer?.close();
    this.#peer = undefined;
    this.#watch.restart();
    this.#speaker.close();
    const why = this.#microphone.error;
    this.#microphone.close(state === "ended" ? why : undefined);
    this.#releasing = this.#meter.close();
    this.#members = [];
    this.#become(state);
    if (state === "ended") void this.#socket?.disconnect("ended");
  }

  async #look(): Promise<void> {
    if (this.#peer && !this.#peer.isClosed) await this.#watch.look(this.#peer.connection);
  }

  async #tick(): Promise<void> {
    await this.#look();
    this.#events.emit("metrics", this.getAudioMetrics());
  }

  async #askServer(): Promise<{ issues: readonly Issue[]; asked: Diagnosis["server"] }> {
    const socket = this.#socket;
    if (socket?.state !== "live") return { issues: [], asked: "not connected" };
    try {
      const issues = await this.#requests.ask<readonly Issue[]>(
        (id) => void socket.send({ type: "diagnose", id }, "drop"),
        DIAGNOSIS_MS,
      );
      return { issues: Array.isArray(issues) ? issues : [], asked: "asked" };
    } catch {
      return { issues: [], asked: "no answer" };
    }
  }

  #peerFacts(): PeerFacts | undefined {
    if (this.#peer === undefined) return undefined;
    const { connection } = this.#peer;
    const answer = connection.remoteDescription?.sdp;
    return {
      state: connection.connectionState,
      ice: connection.iceConnectionState,
      gathering: connection.iceGatheringState,
      hasAnswer: answer !== undefined,
      ageMs: this.#peer.ageMs,
      connectedForMs: this.#peer.connectedForMs,
      restarts: this.#peer.restarts,
      sample: this.#watch.last,
      announced: fingerprintsOf(answer ?? ""),
    };
  }

  /** Flat and small: what the server keeps as our own figures. */
  #report(): Record<string, number | string | boolean> {
    const entries = Object.entries(this.#figures()).filter(([, value]) => value !== undefined);
    return Object.fromEntries(entries) as Record<string, number | string | boolean>;
  }

  #figures(): AudioLogEntry["data"] {
    const { connection, ice, flow, microphone, packetsSent, packetsReceived, packetsLost, signallingRoundTripMs } = this.getAudioMetrics();
    const round = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value * 100) / 100);
    return {
      connection,
      ice,
      muted: this.#microphone.isMuted,
      level_dbov: round(microphone?.rmsDbov),
      peak_dbov: round(microphone?.peakDbov),
      received_dbov: round(flow?.receivedDbov),
      packets_sent: packetsSent,
      packets_received: packetsReceived,
      packets_lost: packetsLost,
      jitter_ms: round(flow?.jitterMs),
      jitter_buffer_ms: round(flow?.jitterBufferMs),
      concealed_percent: round(flow && flow.concealedShare * 100),
      round_trip_ms: round(flow?.roundTripMs),
      signalling_round_trip_ms: round(signallingRoundTripMs),
    };
  }

  #waitForGesture(): void {
    if (this.#stopGestures !== undefined) return;
    const stops = GESTURES.map((name) => this.#cleanup.listen(document, name, () => void this.unlock()));
    this.#stopGestures = () => {
      for (const stop of stops) stop();
      this.#stopGestures = undefined;
    };
  }
}
