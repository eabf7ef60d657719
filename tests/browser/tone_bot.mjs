// A bot of npm's ws in the plain protocol: says 700 Hz for as long as somebody is there, and keeps what it hears.
//
//   node tone_bot.mjs --modules FOLDER --heard FILE
//
// Descriptor 3 gets the line `ready ws://127.0.0.1:PORT`. FILE is S16LE, mono, 16 kHz.
import { openSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({ options: { modules: { type: "string" }, heard: { type: "string" } } });
const { WebSocketServer } = createRequire(join(options.modules, "package.json"))("ws");
const file = openSync(options.heard, "w");
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "offhook.plain.v1" });

server.on("listening", () => writeSync(3, `ready ws://127.0.0.1:${server.address().port}\n`));
server.on("connection", (socket) => {
  let at = 0;
  const say = (samples) => {
    const said = Buffer.alloc(samples * 2);
    for (let i = 0; i < samples; i += 1, at += 1) said.writeInt16LE(Math.round(5000 * Math.sin((2 * Math.PI * 700 * at) / 16000)), i * 2);
    socket.send(said);
  };
  socket.on("message", (data, isBinary) => {
    if (!isBinary) return;
    writeSync(file, data);
    // A little ahead, then at the pace of what comes.
    if (at === 0) say(3200);
    say(data.length / 2);
  });
});
process.on("SIGTERM", () => process.exit(0));
