import { Cleanup } from "./cleanup.js";

/** How a peer reaches the server's signalling, and tells what happens to it. */
export interface PeerPort {
  /** Sends an offer and gives the answer to it. */
  exchange(sdp: string): Promise<string>;
  /** Ours; null: there are no more. */
  candidate(candidate: string | null): void;
  /** The sound of the channel. */
  heard(stream: MediaStream): void;
  /** One of its states is another now. */
  changed(what: string): void;
}

const RESTART_MS = 5000;
const MAX_RESTARTS = 10;
/** "disconnected" mends itself, most often. */
const DISCONNECTED_MS = 4000;

/** The peer connection with the server: one microphone out, the mix of the channel in. */
export class Peer {
  readonly #port: PeerPort;
  readonly #connection: RTCPeerConnection;
  readonly #cleanup = new Cleanup();
  #work: Promise<void> = Promise.resolve();
  #isRestarting = false;
  #restarts = 0;
  #connectedAt: number | undefined;
  #startedAt = performance.now();
  /** What waits for the connection would wait for ever once it is closed. */
  readonly #gone: Promise<never>;
  #tellGone: (error: Error) => void = () => undefined;

  constructor(configuration: RTCConfiguration, port: PeerPort) {
    this.#port = port;
    this.#gone = new Promise((_, reject) => {
      this.#tellGone = reject;
    });
    this.#gone.catch(() => undefined);
    this.#connection = new RTCPeerConnection(configuration);
    const on = (name: string, listener: (event: Event) => void): void => {
      this.#cleanup.listen(this.#connection, name, listener);
    };
    on("icecandidate", (event) => port.candidate((event as RTCPeerConnectionIceEvent).candidate?.candidate || null));
    on("track", (event) => {
      const { track, streams } = event as RTCTrackEvent;
      port.heard(streams[0] ?? new MediaStream([track]));
    });
    on("connectionstatechange", () => this.#changed());
    on("iceconnectionstatechange", () => port.changed(`ice ${this.#connection.iceConnectionState}`));
    on("icegatheringstatechange", () => port.changed(`gathering ${this.#connection.iceGatheringState}`));
  }

  get connection(): RTCPeerConnection {
    return this.#connection;
  }

  get isClosed(): boolean {
    return this.#connection.connectionState === "closed";
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** ms since media could flow for the first time without a break; undefined: it cannot */
  get connectedForMs(): number | undefined {
    return this.#connectedAt === undefined ? undefined : performance.now() - this.#connectedAt;
  }

  /** ms since the first offer */
  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Offers the microphone (or only to listen) and takes the answer. */
  start(track: MediaStreamTrack | undefined): Promise<void> {
    this.#startedAt = performance.now();
    if (track) this.#connection.addTransceiver(track, { direction: "sendrecv", streams: [new MediaStream([track])] });
    else this.#connection.addTransceiver("audio", { direction: "recvonly" });
    return this.#negotiate(false);
  }

  /** Another microphone, without the others hearing more than a moment of silence. */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.#connection.getSenders()[0]?.replaceTrack(track);
  }

  /** New ways through the network, while the call goes on. At most one at a time. */
  async restartIce(): Promise<void> {
    if (this.#isRestarting || this.isClosed || this.#restarts >= MAX_RESTARTS) return;
    this.#isRestarting = true;
    this.#restarts += 1;
    this.#cleanup.after(RESTART_MS, () => {
      this.#isRestarting = false;
      if (this.#connection.connectionState === "failed" && !this.#isDtlsFailed()) void this.restartIce();
    });
    try {
      await this.#negotiate(true);
    } catch (error) {
      this.#port.changed(`restart of ICE failed: ${(error as Error).message}`);
    }
  }

  /** The network or the signalling came back: look whether the way still holds. */
  async revive(): Promise<void> {
    const state = this.#connection.connectionState;
    if ((state === "failed" && !this.#isDtlsFailed()) || state === "disconnected") await this.restartIce();
  }

  close(): void {
    this.#cleanup.run();
    this.#connection.close();
    this.#tellGone(new Error("the connection of sound was closed"));
  }

  /** One after the other: a second offer waits for the answer to the first. */
  #negotiate(iceRestart: boolean): Promise<void> {
    const exchange = async (): Promise<void> => {
      if (this.isClosed) return;
      await this.#connection.setLocalDescription(await this.#connection.createOffer({ iceRestart }));
      let sdp: string;
      try {
        sdp = await this.#port.exchange(this.#connection.localDescription?.sdp ?? "");
      } catch (error) {
        if (!this.isClosed && this.#connection.currentRemoteDescription) {
          await this.#connection.setLocalDescription({ type: "rollback" });
        }
        throw error;
      }
      if (!this.isClosed) await this.#connection.setRemoteDescription({ type: "answer", sdp });
    };
    const work = this.#work.then(() => Promise.race([exchange(), this.#gone]));
    this.#work = work.catch(() => undefined);
    return work;
  }

  #isDtlsFailed(): boolean {
    return this.#connection.getSenders()[0]?.transport?.state === "failed";
  }

  #changed(): void {
    const state = this.#connection.connectionState;
    this.#connectedAt = state === "connected" ? (this.#connectedAt ?? performance.now()) : undefined;
    this.#port.changed(`connection ${state}`);
    // With other keys in the answer every restart would fail alike.
    if (state === "failed" && !this.#isDtlsFailed()) void this.restartIce();
    if (state === "disconnected") {
      this.#cleanup.after(DISCONNECTED_MS, () => {
        if (this.#connection.connectionState === "disconnected") void this.restartIce();
      });
    }
  }
}
