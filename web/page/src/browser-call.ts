import { bearer } from "./api";

/** How far a call of this browser is. */
export type CallState = "asking" | "connecting" | "talking" | "over";

type FromDaemon =
  | { readonly type: "welcome"; readonly ice_servers?: RTCIceServer[] }
  | { readonly type: "answer"; readonly sdp: string }
  | { readonly type: "error"; readonly detail?: string; readonly code?: string }
  | { readonly type: "bye"; readonly reason?: string };

/** One call of this browser by Offhook's own WebSocket (docs/http-api.md, "GET /api/v1/web/ws"): microphone out, loudspeaker in. */
export class BrowserCall {
  state: CallState = "asking";
  /** Why it is over, as a sentence. */
  reason = "";
  isMuted = false;
  /** What is heard; for whoever plays or measures it. */
  readonly heard = new MediaStream();
  readonly #told: () => void;
  readonly #player = new Audio();
  #socket: WebSocket | undefined;
  #peer: RTCPeerConnection | undefined;
  #microphone: MediaStream | undefined;

  /** @param told  after every change */
  constructor(endpoint: string, told: () => void) {
    this.#told = told;
    this.#player.autoplay = true;
    this.#player.srcObject = this.heard;
    void this.#begin(endpoint);
  }

  async #begin(endpoint: string): Promise<void> {
    try {
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    } catch (error) {
      return this.#end(
        (error as DOMException).name === "NotAllowedError"
          ? "The browser did not let the page use the microphone."
          : "There is no microphone that the browser could open.",
      );
    }
    if (this.state === "over") return this.#end(this.reason);
    this.#change("connecting");
    const address = new URL(`/api/v1/web/ws?to=${encodeURIComponent(endpoint)}`, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => void this.#take(JSON.parse(data as string) as FromDaemon);
    socket.onclose = () => this.#end(this.reason || "The connection to the daemon was lost.");
    return undefined;
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  async #take(message: FromDaemon): Promise<void> {
    if (message.type === "welcome") await this.#offer(message.ice_servers ?? []);
    if (message.type === "answer") await this.#peer?.setRemoteDescription({ type: "answer", sdp: message.sdp });
    if (message.type === "error") this.#end(message.detail ?? message.code ?? "The daemon refused the call.");
    if (message.type === "bye") this.#end(message.reason === undefined ? "The call is over." : `The call is over: ${message.reason}.`);
  }

  async #offer(iceServers: RTCIceServer[]): Promise<void> {
    const peer = new RTCPeerConnection({ iceServers });
    this.#peer = peer;
    const early: (string | null)[] = [];
    let hasJoined = false;
    peer.onicecandidate = ({ candidate }) => {
      const text = candidate?.candidate || null;
      if (hasJoined) this.#send({ type: "candidate", candidate: text });
      else early.push(text);
    };
    peer.ontrack = ({ track }) => {
      this.heard.addTrack(track);
      void this.#player.play().catch(() => undefined);
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "connected") this.#change("talking");
      if (peer.connectionState === "failed") this.#end("The sound found no way between browser and daemon.");
    };
    for (const track of this.#microphone?.getAudioTracks() ?? []) peer.addTransceiver(track, { direction: "sendrecv" });
    await peer.setLocalDescription();
    const token = bearer();
    this.#send({ type: "join", sdp: peer.localDescription?.sdp ?? "", ...(token === undefined ? {} : { token }) });
    hasJoined = true;
    for (const candidate of early) this.#send({ type: "candidate", candidate });
  }

  /** Loss that this browser sees in what it hears, 0 to 1; undefined: not known. */
  async stats(): Promise<{ received: number; lost: number } | undefined> {
    for (const stat of (await this.#peer?.getStats())?.values() ?? []) {
      if (stat.type === "inbound-rtp") return { received: stat.packetsReceived ?? 0, lost: stat.packetsLost ?? 0 };
    }
    return undefined;
  }

  mute(isMuted: boolean): void {
    this.isMuted = isMuted;
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !isMuted;
    this.#told();
  }

  hangUp(): void {
    this.#send({ type: "bye" });
    this.#end("You hung up.");
  }

  #end(reason: string): void {
    if (this.state !== "over") this.reason = reason;
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    this.#peer?.close();
    this.#peer = undefined;
    this.#player.srcObject = null;
    const socket = this.#socket;
    this.#socket = undefined;
    // The last message leaves before the close.
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
    this.#change("over");
  }

  #change(state: CallState): void {
    if (this.state === "over") return;
    this.state = state;
    this.#told();
  }
}
