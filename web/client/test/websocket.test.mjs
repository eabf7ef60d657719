// WebSocketService against a real server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, Refusal } from "../dist/index.js";
import { becomes, closed, withServer } from "./server.mjs";

const options = { timeout: 20_000 };

test("the wait grows, is random, and stays within its bounds", () => {
  assert.equal(backoffMs(0, 0), 250);
  assert.equal(backoffMs(0, 1), 500);
  assert.equal(backoffMs(3, 1), 4000);
  assert.equal(backoffMs(100, 1), 10_000);
  assert.equal(backoffMs(100, 0), 250);
  assert.equal(backoffMs(5, 0.5), 4125 + 1000);
});

test("two calls of connect are one connection", options, () =>
  withServer(async (server, make) => {
    const service = make();
    const first = service.connect();
    assert.equal(service.connect(), first);
    await first;
    assert.equal(service.connect(), first);
    assert.equal(service.state, "live");
    assert.equal(server.connections.length, 1);
    assert.equal(service.getDebugInfo().protocol, "offhook.v1");
  }),
);

test("the handshake goes first, what was sent before it after", options, () =>
  withServer(async (server, make) => {
    server.answer = (connection, { type }) => type === "join" && connection.say({ type: "joined", member: "m-1", members: [] });
    const service = make({
      handshake: async (connection) => {
        connection.send({ type: "join", channel: "lobby" });
        assert.equal((await connection.next("joined", "error")).member, "m-1");
      },
    });
    const live = service.connect();
    service.send({ type: "mute", muted: true });
    await live;
    await server.until(() => server.connections[0].heard.some(({ type }) => type === "mute"));
    assert.deepEqual(
      server.connections[0].heard.map(({ type }) => type).filter((type) => type !== "ping"),
      ["join", "mute"],
    );
  }),
);

for (const code of [4000, 4005, 4006]) {
  test(`closed with ${code} it stays away`, options, () =>
    withServer(async (server, make) => {
      const service = make();
      await service.connect();
      const end = closed(service);
      server.connections[0].socket.close(code, "because");
      assert.deepEqual({ ...(await end), at: 0 }, { code, reason: "because", at: 0, final: true });
      assert.equal(service.state, "stopped");
      // No timer is left that could bring it back.
      assert.equal(service.getDebugInfo().to_clean_up, 0);
      assert.equal(service.send({ type: "leave" }), false);
      assert.equal(service.getDebugInfo().queued, 0);
      // Only the page's own wish does.
      await service.connect();
      assert.equal(server.live, 1);
    }),
  );
}

for (const code of [1001, 1011, 4001, 4002, 4003]) {
  test(`closed with ${code} it comes back`, options, () =>
    withServer(async (server, make) => {
      const service = make();
      await service.connect();
      const end = closed(service);
      server.connections[0].socket.close(code);
      assert.equal((await end).final, false);
      await becomes(service, "live");
      assert.equal(server.connections.length, 2);
      assert.equal(server.live, 1);
      assert.equal(service.getDebugInfo().reconnects, 1);
    }),
  );
}

test("what is sent while away goes out afterwards, in order; the oldest too many are dropped and counted", options, () =>
  withServer(async (server, make) => {
    const service = make({ queueLimit: 3 });
    await service.connect();
    server.connections[0].socket.terminate();
    await becomes(service, "waiting");
    assert.notEqual(service.lostForMs, undefined);
    for (const id of [1, 2, 3, 4, 5]) assert.equal(service.send({ type: "diagnose", id }), false);
    assert.equal(service.send({ type: "stats", report: {} }, "drop"), false);
    assert.equal(service.getDebugInfo().queued, 3);
    await becomes(service, "live");
    await server.until(() => server.connections[1].heard.filter(({ type }) => type === "diagnose").length === 3);
    assert.deepEqual(
      server.connections[1].heard.filter(({ type }) => type !== "ping").map(({ id }) => id),
      [3, 4, 5],
    );
    assert.equal(service.getDebugInfo().dropped_from_queue, 2);
    assert.equal(service.getDebugInfo().notSent, 1);
    assert.equal(service.lostForMs, undefined);
  }),
);

test("a refusal is final", options, () =>
  withServer(async (server, make) => {
    const service = make({
      handshake: async () => {
        throw new Refusal("token-expired", 401, "the token has run out");
      },
    });
    await assert.rejects(service.connect(), { name: "Refusal", code: "token-expired" });
    assert.equal(service.state, "stopped");
    assert.equal(service.getDebugInfo().last_refusal.status, 401);
    await server.until(() => server.live === 0);
    assert.equal(service.getDebugInfo().to_clean_up, 0);
  }),
);

test("a refusal that says when to come again is obeyed", options, () =>
  withServer(async (server, make) => {
    let tries = 0;
    const service = make({
      handshake: async () => {
        tries += 1;
        if (tries === 1) throw new Refusal("busy", 503, "too many", 100);
      },
    });
    const before = performance.now();
    await service.connect();
    assert.ok(performance.now() - before >= 95);
    assert.equal(tries, 2);
    assert.ok(server.connections[1].isFirstGone, "the refused one was closed first");
  }),
);

test("a server that answers no ping is left", options, () =>
  withServer(async (server, make) => {
    server.welcome = () => ({ type: "welcome", version: 1, connection: "c-1", server_time: 0, ping_s: 0.02 });
    server.answer = (connection, message) => {
      if (connection !== server.connections[0]) connection.say({ type: "pong", t: message.t, server_time: 0 });
    };
    const service = make();
    await service.connect();
    assert.match((await closed(service)).reason, /no ping/);
    assert.equal(server.connections[0].heard.length, 2);
    await becomes(service, "live");
    assert.equal(service.getDebugInfo().reconnects, 1);
  }),
);

test("a server that says no welcome is tried again, and given up in the end", options, () =>
  withServer(async (server, make) => {
    server.welcome = () => undefined;
    const service = make({ openTimeoutMs: 200, firstTries: 3 });
    await assert.rejects(service.connect(), /no welcome within 200 ms/);
    assert.equal(server.connections.length, 3);
    assert.equal(service.getDebugInfo().to_clean_up, 0);
  }),
);

test("nobody there: given up after a few tries", options, () =>
  withServer(async (server, make) => {
    const service = make({ firstTries: 2 });
    await server.stop();
    await assert.rejects(service.connect(), /1006/);
    assert.equal(service.state, "stopped");
    server.sockets = { clients: [], close: (done) => done() };
  }),
);

test("no URL: refused at once", options, () =>
  withServer(async (_server, make) => {
    await assert.rejects(make({ url: "nonsense" }).connect());
  }),
);

test("an orderly reconnect closes before it opens", options, () =>
  withServer(async (server, make) => {
    const service = make();
    await service.connect();
    await service.reconnect();
    await becomes(service, "live");
    assert.equal(server.connections[0].closed.code, 3000);
    assert.ok(server.connections[1].isFirstGone);
    assert.equal(server.live, 1);
  }),
);

test("connect after disconnect waits for the old socket to be gone", options, () =>
  withServer(async (server, make) => {
    const service = make();
    await service.connect();
    const gone = service.disconnect();
    await service.connect();
    await gone;
    assert.ok(server.connections[1].isFirstGone);
    assert.equal(server.live, 1);
  }),
);

test("the clock of the server is compared with ours", options, () =>
  withServer(async (server, make) => {
    const late = () => Date.now() + 9000;
    server.answer = (connection, message) => connection.say({ type: "pong", t: message.t, server_time: late() });
    const service = make();
    await service.connect();
    await server.until(() => service.roundTripMs !== undefined || server.connections[0].heard.length > 0);
    while (service.roundTripMs === undefined) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(Math.abs(service.clockSkewMs - 9000) < 500, String(service.clockSkewMs));
  }),
);

test("what is no message is ignored", options, () =>
  withServer(async (server, make) => {
    const service = make();
    const heard = [];
    service.on("message", ({ type }) => heard.push(type));
    await service.connect();
    const { socket } = server.connections[0];
    for (const text of ["{", "null", "7", '"x"', "[]", '{"type":1}', '{"no":"type"}']) socket.send(text);
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(JSON.stringify({ type: "of-the-future", more: 1 }));
    while (!heard.includes("of-the-future")) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(heard.filter((type) => type !== "pong"), ["welcome", "of-the-future"]);
    assert.equal(service.state, "live");
  }),
);

test("a listener that throws keeps nobody from hearing", options, () =>
  withServer(async (_server, make) => {
    const service = make();
    const reported = [];
    globalThis.reportError = (error) => reported.push(error.message);
    let heard = 0;
    const stop = service.on("state", () => {
      throw new Error("of a listener");
    });
    service.on("state", () => (heard += 1));
    await service.connect();
    delete globalThis.reportError;
    assert.ok(heard > 0);
    assert.equal(reported.length, heard);
    stop();
  }),
);

test("other tabs are told who comes for the same place", options, () =>
  withServer(async (_server, make) => {
    const first = make({ place: "lobby ann" });
    const stranger = make({ place: "lobby ben" });
    await Promise.all([first.connect(), stranger.connect()]);
    let strangers = 0;
    stranger.on("elsewhere", () => (strangers += 1));
    const told = new Promise((resolve) => first.on("elsewhere", () => resolve()));
    await make({ place: "lobby ann" }).connect();
    await told;
    assert.equal(strangers, 0);
  }),
);

test("disposed, nothing is left", options, () =>
  withServer(async (server, make) => {
    const service = make({ place: "lobby ann" });
    await service.connect();
    await service.dispose();
    assert.equal(server.connections[0].closed.code, 1000);
    const { state, to_clean_up, queued, buffered_bytes } = service.getDebugInfo();
    assert.deepEqual({ state, to_clean_up, queued, buffered_bytes }, { state: "stopped", to_clean_up: 0, queued: 0, buffered_bytes: 0 });
  }),
);
