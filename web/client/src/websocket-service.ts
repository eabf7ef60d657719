import { backoffMs, DEFAULT_BACKOFF, type BackoffLimits } from "./backoff.js";
import { Cleanup, PAGE } from "./cleanup.js";
import { Emitter } from "./emitter.js";
import {
  isFinalClose,
  parseMessage,
  REPLACED,
  type ClientMessage,
  type ServerMessage,
  type ServerMessageOf,
  type ServerMessageType,
  type Welcome,
} from "./messages.js";
import { Ring } from "./ring.js";
import { Tabs } from "./tabs.js";

/**
 * `idle`: never connected; `connecting`: a socket is on its way, up to the end of the handshake; `live`: messages go through;
 * `waiting`: lost, the next try is due; `stopped`: it stays away until `connect` is called again.
 */
export type SocketState = "idle" | "connecting" | "live" | "waiting" | "stopped";

/** Why it stays away: closed by us, by the server with a code that says so, refused by the handshake, or never reached. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  /** ms since 1970 */
  readonly at: number;
}

/** What a handshake may do with a new connection. */
export interface Handshake {
  readonly welcome: Welcome;
  send(message: ClientMessage): void;
  /** The next message of one of these types; rejects when the connection ends or none comes in time. */
  next<Type extends ServerMessageType>(...types: Type[]): Promise<ServerMessageOf<Type>>;
}

/** Thrown by a handshake: the server does not want us. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly code: string,
    readonly status: number,
    detail: string,
    /** Trying again makes sense, after so many ms. Undefined: it does not. */
    readonly retryAfterMs?: number,
  ) {
    super(detail);
  }
}

export interface WebSocketServiceOptions {
  /** ws:// or wss:// */
  readonly url: string;
  /** Whose place this is, for other tabs: they are told when it connects. Empty: they are not. */
  readonly place?: string;
  readonly protocols?: readonly string[];
  readonly backoff?: BackoffLimits;
  /** Messages kept while away; the oldest beyond are dropped and counted. */
  readonly queueLimit?: number;
  /** Until the socket is open and the server said welcome, and again for each answer in the handshake; ms. */
  readonly openTimeoutMs?: number;
  /** Tries before a first connection is given up. */
  readonly firstTries?: number;
  /** Longest time between our pings, ms. When nothing at all came after two of them, the connection is lost. Default 4,000. */
  readonly pingMs?: number;
  /** Longest wait for the other end of an orderly close; ms. */
  readonly closeTimeoutMs?: number;
  /** Runs on each new connection before anything else is sent. It throws `Refusal` when the server does not want us. */
  readonly handshake?: (connection: Handshake) => Promise<void>;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export interface WebSocketEvents {
  state: SocketState;
  message: ServerMessage;
  /** It closed; `final`: it stays away. */
  closed: SocketEnd & { readonly final: boolean };
  /** Another tab of this browser connects for the same place. */
  elsewhere: undefined;
}

interface Attempt {
  readonly socket: WebSocket;
  readonly cleanup: Cleanup;
  readonly heard: Set<(message: ServerMessage) => void>;
  readonly lost: Set<(error: Error) => void>;
}

const MAX_BUFFERED_BYTES = 256 * 1024;
const RESTART = 3000;

/**
 * One WebSocket to the server, kept up: never two at once, opened again with growing, random waits after a loss, and never
 * again after the server said to stay away (`replaced` by another tab, removed, left).
 */
export class WebSocketService {
  readonly #options: WebSocketServiceOptions;
  readonly #events = new Emitter<WebSocketEvents>();
  readonly #cleanup = new Cleanup();
  readonly #queue: Ring<ClientMessage>;
  readonly #history = new Ring<{ at: number; state: SocketState; why: string }>(20);
  #state: SocketState = "idle";
  #attempt: Attempt | undefined;
  #tabs: Tabs | undefined;
  #connecting: Promise<void> | undefined;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #closing: Promise<void> | undefined;
  #cancelWait: (() => void) | undefined;
  #failures = 0;
  #wasLive = false;
  #welcome: Welcome | undefined;
  #end: SocketEnd | undefined;
  #refusal: Refusal | undefined;
  #clockSkewMs: number | undefined;
  #roundTripMs: number | undefined;
  #pingsOpen = 0;
  #counters = { opened: 0, reconnects: 0, sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, notSent: 0 };
  #openedAt: number | undefined;
  #lastHeardAt: number | undefined;
  #lostAt: number | undefined;

  constructor(options: WebSocketServiceOptions) {
    this.#options = options;
    this.#queue = new Ring(options.queueLimit ?? 64);
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Clock of the server minus ours, ms; undefined until it was measured. */
  get clockSkewMs(): number | undefined {
    return this.#clockSkewMs;
  }

  /** Of the last ping, ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** How it closed last. */
  get lastEnd(): SocketEnd | undefined {
    return this.#end;
  }

  get lastRefusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** ms since the connection was lost; undefined while it is live or was never. */
  get lostForMs(): number | undefined {
    return this.#lostAt === undefined ? undefined : Date.now() - this.#lostAt;
  }

  on<Name extends keyof WebSocketEvents>(name: Name, listener: (value: WebSocketEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Resolves when the connection is live, its handshake done. Called again, it gives the same promise: there is never a
   * second socket.
   *
   * @throws Refusal when the handshake was refused; Error when the server could not be reached in `firstTries`, or said to stay away
   */
  connect(): Promise<void> {
    if (this.#connecting !== undefined) return this.#connecting;
    this.#connecting = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever does not wait for it hears of the failure by `closed`.
    this.#connecting.catch(() => undefined);
    this.#failures = 0;
    this.#wasLive = false;
    this.#refusal = undefined;
    this.#end = undefined;
    this.#tabs ??= this.#options.place ? new Tabs(this.#options.place, () => this.#events.emit("elsewhere", undefined)) : undefined;
    this.#cleanup.listen(PAGE, "online", () => this.#retryNow());
    void (this.#closing ?? Promise.resolve()).then(() => this.#open());
    return this.#connecting;
  }

  /**
   * Sends, or keeps the message until the connection is back.
   *
   * @param whenAway - "keep": in the queue; "drop": worthless later
   * @returns whether it was sent at once
   */
  send(message: ClientMessage, whenAway: "keep" | "drop" = "keep"): boolean {
    if (this.#state === "live" && this.#attempt && this.#attempt.socket.bufferedAmount < MAX_BUFFERED_BYTES) {
      this.#write(this.#attempt.socket, message);
      return true;
    }
    if (whenAway === "keep" && this.#state !== "stopped") this.#queue.push(message);
    else this.#counters.notSent += 1;
    return false;
  }

  /** Closes in good order, then opens anew. */
  async reconnect(): Promise<void> {
    if (this.#connecting === undefined) return this.connect();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#become("waiting", "reconnect");
    if (attempt) await this.#closeInOrder(attempt, RESTART, "reconnect");
    this.#retryNow();
    return this.#connecting;
  }

  /** Closes in good order and stays away. Resolves when the socket is gone. */
  async disconnect(reason = "disconnected by the page"): Promise<void> {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#stop({ code: 1000, reason, at: Date.now() }, new Error(reason));
    if (attempt) this.#closing = this.#closeInOrder(attempt, 1000, reason);
    await this.#closing;
    this.#closing = undefined;
  }

  /** As `disconnect`; afterwards nobody is told anything. */
  async dispose(): Promise<void> {
    await this.disconnect("disposed");
    this.#events.removeAll();
  }

  /** Everything that is known about the connection; plain values only, nothing secret. */
  getDebugInfo(): Record<string, unknown> {
    const now = Date.now();
    return {
      url: this.#options.url.replace(/\?.*/, ""),
      state: this.#state,
      connection: this.#welcome?.connection,
      protocol: this.#attempt?.socket.protocol,
      version: this.#welcome?.version,
      failures_in_a_row: this.#failures,
      ...this.#counters,
      opened_ms_ago: this.#openedAt === undefined ? undefined : now - this.#openedAt,
      last_heard_ms_ago: this.#lastHeardAt === undefined ? undefined : now - this.#lastHeardAt,
      round_trip_ms: this.#roundTripMs,
      clock_skew_ms: this.#clockSkewMs,
      pings_unanswered: this.#pingsOpen,
      queued: this.#queue.length,
      dropped_from_queue: this.#queue.dropped,
      buffered_bytes: this.#attempt?.socket.bufferedAmount ?? 0,
      last_close: this.#end,
      last_refusal: this.#refusal && { code: this.#refusal.code, status: this.#refusal.status, detail: this.#refusal.message },
      to_clean_up: this.#cleanup.size + (this.#attempt?.cleanup.size ?? 0),
      history: [...this.#history.items()],
    };
  }

  #become(state: SocketState, why: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#history.push({ at: Date.now(), state, why });
    this.#events.emit("state", state);
  }

  #open(): void {
    if (this.#connecting === undefined || this.#attempt !== undefined) return;
    this.#cancelWait?.();
    this.#become("connecting", this.#failures > 0 ? `try ${this.#failures + 1}` : "connect");
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.#options.url, [...(this.#options.protocols ?? ["offhook.v1"])]);
    } catch (error) {
      // A URL that is none, or ws:// in a page of https://: trying again changes nothing.
      this.#stop({ code: 1006, reason: String(error), at: Date.now() }, error as Error);
      return;
    }
    // Before the server tells the other one, which then hears nothing more.
    this.#tabs?.tellComing();
    const attempt: Attempt = { socket, cleanup: new Cleanup(), heard: new Set(), lost: new Set() };
    this.#attempt = attempt;
    attempt.cleanup.listen(socket, "message", (event) => this.#received(attempt, (event as MessageEvent<unknown>).data));
    attempt.cleanup.listen(socket, "close", (event) => {
      const { code, reason } = event as CloseEvent;
      this.#lost(attempt, code, reason);
    });
    // `close` follows; without a listener Node's client would throw, also when it was given up.
    socket.addEventListener("error", () => undefined);
    void this.#shake(attempt);
  }

  async #shake(attempt: Attempt): Promise<void> {
    try {
      const welcome = await this.#next(attempt, ["welcome"]);
      this.#welcome = welcome;
      this.#learnClock(welcome.server_time, 0);
      await this.#options.handshake?.({
        welcome,
        send: (message) => this.#write(attempt.socket, message),
        next: (...types) => this.#next(attempt, types),
      });
      if (this.#attempt === attempt) this.#live(attempt, welcome);
    } catch (error) {
      if (this.#attempt !== attempt) return;
      if (!(error instanceof Refusal)) {
        this.#abandon(attempt, 1006, String((error as Error).message));
        return;
      }
      this.#refusal = error;
      this.#attempt = undefined;
      this.#closing = this.#closeInOrder(attempt, 1000, error.code);
      const end = { code: 1000, reason: error.message, at: Date.now() };
      if (error.retryAfterMs === undefined) this.#stop(end, error);
      else this.#retry(end, error.retryAfterMs);
    }
  }

  #next<Type extends ServerMessageType>(attempt: Attempt, types: readonly Type[]): Promise<ServerMessageOf<Type>> {
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#options.openTimeoutMs ?? 10_000;
      const done = (): void => {
        cancel();
        attempt.heard.delete(hear);
        attempt.lost.delete(fail);
      };
      const hear = (message: ServerMessage): void => {
        if (!(types as readonly string[]).includes(message.type)) return;
        done();
        resolve(message as ServerMessageOf<Type>);
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      const cancel = attempt.cleanup.after(timeoutMs, () => fail(new Error(`no ${types.join(" or ")} within ${timeoutMs} ms`)));
      attempt.heard.add(hear);
      attempt.lost.add(fail);
    });
  }

  #live(attempt: Attempt, welcome: Welcome): void {
    if (this.#wasLive) this.#counters.reconnects += 1;
    this.#counters.opened += 1;
    this.#wasLive = true;
    this.#openedAt = Date.now();
    this.#lostAt = undefined;
    this.#pingsOpen = 0;
    const pingMs = Math.min(this.#options.pingMs ?? 4000, (welcome.ping_s ?? Infinity) * 1000);
    attempt.cleanup.every(pingMs, () => this.#ping(attempt));
    // Only a connection that lasts makes the next wait short again: one that is let in and thrown out is not a success.
    attempt.cleanup.after((this.#options.backoff ?? DEFAULT_BACKOFF).maxMs / 2, () => {
      this.#failures = 0;
    });
    this.#become("live", "welcome");
    this.#ping(attempt);
    for (const message of this.#queue.take()) this.send(message);
    this.#settle?.resolve();
    this.#settle = undefined;
  }

  #ping(attempt: Attempt): void {
    if (this.#pingsOpen >= 2) {
      this.#abandon(attempt, 1006, "the server answers no ping");
      return;
    }
    this.#pingsOpen += 1;
    this.#write(attempt.socket, { type: "ping", t: performance.now() });
  }

  #received(attempt: Attempt, data: unknown): void {
    if (this.#attempt !== attempt) return;
    this.#lastHeardAt = Date.now();
    this.#pingsOpen = 0;
    this.#counters.received += 1;
    this.#counters.receivedBytes += typeof data === "string" ? data.length : 0;
    const message = parseMessage(data);
    if (message === undefined) return;
    if (message.type === "pong" && typeof message.t === "number") {
      this.#roundTripMs = Math.max(0, performance.now() - message.t);
      this.#learnClock(message.server_time, this.#roundTripMs);
    }
    for (const hear of [...attempt.heard]) hear(message);
    this.#events.emit("message", message);
  }

  #learnClock(serverMs: number, roundTripMs: number): void {
    if (Number.isFinite(serverMs)) this.#clockSkewMs = Math.round(serverMs + roundTripMs / 2 - Date.now());
  }

  #write(socket: WebSocket, message: ClientMessage): void {
    if (socket.readyState !== 1) return;
    const text = JSON.stringify(message);
    this.#counters.sent += 1;
    this.#counters.sentBytes += text.length;
    socket.send(text);
  }

  /** The server is silent: its close frame is not waited for. */
  #abandon(attempt: Attempt, code: number, reason: string): void {
    attempt.cleanup.run();
    attempt.socket.close();
    this.#lost(attempt, code, reason);
  }

  #lost(attempt: Attempt, code: number, reason: string): void {
    attempt.cleanup.run();
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    for (const fail of [...attempt.lost]) fail(new Error(`closed: ${code} ${reason}`.trim()));
    const end = { code, reason, at: Date.now() };
    const error = new Error(code === REPLACED ? "replaced by another tab or device" : `the connection closed: ${code} ${reason}`.trim());
    const isUnreachable = !this.#wasLive && this.#failures + 1 >= (this.#options.firstTries ?? 5);
    if (isFinalClose(code) || isUnreachable) this.#stop(end, error);
    else this.#retry(end, 0);
  }

  #retry(end: SocketEnd, atLeastMs: number): void {
    this.#end = end;
    this.#lostAt ??= this.#wasLive ? end.at : undefined;
    const waitMs = Math.max(atLeastMs, backoffMs(this.#failures, (this.#options.random ?? Math.random)(), this.#options.backoff));
    this.#failures += 1;
    this.#become("waiting", `${end.code} ${end.reason}`.trim());
    this.#cancelWait = this.#cleanup.after(waitMs, () => void (this.#closing ?? Promise.resolve()).then(() => this.#open()));
    this.#events.emit("closed", { ...end, final: false });
  }

  #retryNow(): void {
    if (this.#state === "waiting") void (this.#closing ?? Promise.resolve()).then(() => this.#open());
  }

  #stop(end: SocketEnd, error: Error): void {
    // How it ended first is what is remembered.
    if (this.#connecting === undefined) return;
    this.#connecting = undefined;
    this.#end = end;
    this.#lostAt = undefined;
    this.#cleanup.run();
    this.#tabs?.close();
    this.#tabs = undefined;
    this.#queue.clear();
    this.#become("stopped", `${end.code} ${end.reason}`.trim());
    this.#settle?.reject(error);
    this.#settle = undefined;
    this.#events.emit("closed", { ...end, final: true });
  }

  async #closeInOrder(attempt: Attempt, code: number, reason: string): Promise<void> {
    for (const fail of [...attempt.lost]) fail(new Error(reason));
    attempt.cleanup.run();
    const { socket } = attempt;
    if (socket.readyState === 3) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.closeTimeoutMs ?? 1000);
      socket.addEventListener("close", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close(code, reason.slice(0, 120));
    });
  }
}
