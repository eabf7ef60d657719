// A real WebSocket server for the tests: says welcome, keeps what it hears, and does what a test wants it to.
import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";
import { WebSocketService } from "../dist/index.js";

// Node has had one of its own only since 22.
globalThis.WebSocket = WebSocket;

export class Server {
  connections = [];
  #waiting = [];
  /** Overwritten by tests. */
  welcome = () => ({ type: "welcome", version: 1, connection: "c-1", server_time: Date.now(), ping_s: 10, resume_s: 10 });
  answer = (connection, message) => {
    if (message.type === "ping") connection.say({ type: "pong", t: message.t, server_time: Date.now() });
  };

  static async start() {
    const server = new Server();
    server.sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "offhook.v1" });
    server.sockets.on("connection", (socket) => server.#opened(socket));
    await once(server.sockets, "listening");
    server.url = `ws://127.0.0.1:${server.sockets.address().port}/api/v1/channels/ws`;
    return server;
  }

  #opened(socket) {
    const connection = { socket, heard: [], closed: undefined, say: (message) => socket.send(JSON.stringify(message)) };
    connection.isFirstGone = this.connections.every(({ closed }) => closed !== undefined);
    this.connections.push(connection);
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString());
      connection.heard.push(message);
      this.answer(connection, message);
      this.#look();
    });
    socket.on("close", (code, reason) => {
      connection.closed = { code, reason: reason.toString() };
      this.#look();
    });
    const welcome = this.welcome();
    if (welcome) connection.say(welcome);
    this.#look();
  }

  /** Resolves once `isSo`. */
  until(isSo) {
    return new Promise((resolve) => {
      this.#waiting.push({ isSo, resolve });
      this.#look();
    });
  }

  #look() {
    this.#waiting = this.#waiting.filter(({ isSo, resolve }) => {
      if (!isSo()) return true;
      resolve();
      return false;
    });
  }

  get live() {
    return this.connections.filter(({ closed }) => closed === undefined).length;
  }

  async stop() {
    for (const client of this.sockets.clients) client.terminate();
    await new Promise((resolve) => this.sockets.close(resolve));
  }
}

/** Runs `work` with a server and a maker of services; nothing stays, whatever happens. */
export async function withServer(work) {
  const server = await Server.start();
  const services = [];
  const make = (options = {}) => {
    const service = new WebSocketService({ url: server.url, backoff: { minMs: 5, maxMs: 60 }, ...options });
    services.push(service);
    return service;
  };
  try {
    await work(server, make);
  } finally {
    await Promise.all(services.map((service) => service.dispose()));
    await server.stop();
  }
}

export function becomes(service, state) {
  if (service.state === state) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = service.on("state", (now) => {
      if (now !== state) return;
      stop();
      resolve();
    });
  });
}

export const closed = (service) => new Promise((resolve) => service.on("closed", resolve));
