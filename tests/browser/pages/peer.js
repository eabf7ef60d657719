// A peer connection with the microphone, for the pages that join without SIP: what joins differ in is their signalling.
import { counters, measure, microphone, ToneMeter } from "./sound.js";

export class Peer {
  /** @param direction  "sendrecv", "sendonly", "recvonly" */
  constructor(direction) {
    this.direction = direction;
    this.candidates = [];
    this.connection = new RTCPeerConnection();
    this.connection.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate) this.candidates.push(candidate);
      this.onCandidate?.(candidate);
    };
    this.track = new Promise((resolve) => {
      this.connection.ontrack = ({ track, streams }) => resolve(streams[0] ?? new MediaStream([track]));
    });
  }

  /** @returns the offer's text, before candidates were gathered */
  async offer() {
    if (this.direction === "recvonly") {
      this.connection.addTransceiver("audio", { direction: "recvonly" });
    } else {
      const voice = await microphone();
      this.connection.addTransceiver(voice.getTracks()[0], { direction: this.direction, streams: [voice] });
    }
    await this.connection.setLocalDescription();
    return this.connection.localDescription.sdp;
  }

  /** @returns an offer with other ICE credentials */
  async restartOffer() {
    this.candidates = [];
    await this.connection.setLocalDescription(await this.connection.createOffer({ iceRestart: true }));
    return this.connection.localDescription.sdp;
  }

  take(sdp) {
    return this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  gathered() {
    return this.until("icegatheringstatechange", () => this.connection.iceGatheringState === "complete");
  }

  connected() {
    return this.until("connectionstatechange", () => {
      if (this.connection.connectionState === "failed") throw new Error("the connection failed");
      return this.connection.connectionState === "connected";
    });
  }

  async until(event, isSo) {
    while (!isSo()) {
      await new Promise((resolve) => this.connection.addEventListener(event, resolve, { once: true }));
    }
  }

  /** What was heard in the next `lengthMs`, and whether the tone was in it. */
  async listen(frequencyHz, lengthMs) {
    const meter = new ToneMeter(frequencyHz);
    meter.listen(await this.track);
    // The meter's own player starts, and the jitter buffer with it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const result = await measure(this.connection, meter, lengthMs);
    meter.stop();
    return result;
  }

  stats() {
    return counters(this.connection);
  }

  close() {
    this.connection.close();
  }
}
