// A way through the network that loses, delays and shuffles packets of sound (RTP and RTCP); ICE and DTLS pass untouched.
import { createSocket } from "node:dgram";

/** First bytes of RTP and RTCP (RFC 7983). */
const isSound = (packet) => packet[0] >= 128 && packet[0] <= 191;

export class BadNetwork {
  #sockets = [];

  /**
   * @param to  {address, port}: where it leads, on this machine
   * @param loss  share of packets, 0 to 1
   * @param delayMs  of each packet; `jitterMs`: and up to so much more
   * @returns the port on 127.0.0.1 where it begins
   */
  async open({ to, loss = 0, delayMs = 0, jitterMs = 0 }) {
    const pass = (packet, send) => {
      if (!isSound(packet)) return send();
      if (Math.random() >= loss) setTimeout(send, delayMs + Math.random() * jitterMs);
    };
    const near = await this.#bind("127.0.0.1");
    const far = new Map(); // who sends -> the socket that does so for it
    near.on("message", async (packet, { address, port }) => {
      const who = `${address} ${port}`;
      if (!far.has(who)) far.set(who, this.#bind(to.address));
      const socket = await far.get(who);
      if (socket.listenerCount("message") === 0) {
        socket.on("message", (answer) => pass(answer, () => near.send(answer, port, address)));
      }
      pass(packet, () => socket.send(packet, to.port, to.address));
    });
    return near.address().port;
  }

  #bind(address) {
    const socket = createSocket("udp4");
    this.#sockets.push(socket);
    // A port that is gone is what a bad network has.
    socket.on("error", () => undefined);
    return new Promise((resolve) => socket.bind(0, address, () => resolve(socket)));
  }
}
