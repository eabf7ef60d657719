// Bots that were written for Twilio Media Streams, none of them by us:
//
//   node twilio_bots.mjs --modules FOLDER --log FILE --bot ws|telnyx|jambonz|saver|openai [--wav FILE] [--deaf]
//
// Descriptor 3 gets the line `ready ws://127.0.0.1:PORT`. FILE gets one JSON line for each thing that happened, with
// `at` in ms: {"at", "got": text} for each message of Offhook as it came, {"at", "note": ..., ...} for what the bot did.
//
//   ws      Node's `ws` alone. Answers the caller's first sentence with 5 s of sound: 1 s in one message, the rest in
//           pieces of 7 ms, with a mark behind either; when the caller speaks again it clears.
//           With --deaf it never clears.
//   telnyx, jambonz   the same, as bots for these read and write.
//   saver   `twilio-media-stream-save-audio-file` writes what the caller says to --wav.
//   openai  `@openai/agents-extensions` TwilioRealtimeTransportLayer, before a stand-in of OpenAI's Realtime API that
//           answers the caller's first sentence with 5 s of sound and notices when the caller speaks again.
import { appendFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: { modules: { type: "string" }, log: { type: "string" }, bot: { type: "string" }, wav: { type: "string" }, deaf: { type: "boolean" } },
});
const require = createRequire(resolve(options.modules, "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { WebSocketServer } = require("ws");

const begun = performance.now();
const note = (entry) =>
  appendFileSync(options.log, JSON.stringify({ at: performance.now() - begun, ...entry }) + "\n");

// mu-law: the exponent says how loud a code is.
const isLoud = (payload) => {
  let loud = 0;
  for (const code of payload) if (((~code >> 4) & 7) >= 4) loud += 1;
  return loud > payload.length / 4;
};

/// Calls `spoken` 300 ms after a sentence, `speaking` 100 ms into one.
const listener = ({ speaking, spoken }) => {
  let loud = 0;
  let quiet = 0;
  let isSpeaking = false;
  return (payload) => {
    if (isLoud(payload)) {
      loud += 1;
      quiet = 0;
    } else {
      quiet += 1;
    }
    if (!isSpeaking && loud >= 5) {
      isSpeaking = true;
      speaking();
    }
    if (quiet >= 15) {
      if (isSpeaking) spoken();
      loud = 0;
      isSpeaking = false;
    }
  };
};

/// A tone of 500 Hz: 16 codes again and again.
const tone = (bytes) => {
  const codes = [0xff, 0xa6, 0x98, 0x92, 0x90, 0x92, 0x98, 0xa6, 0xff, 0x26, 0x18, 0x12, 0x10, 0x12, 0x18, 0x26];
  return Buffer.from(Array.from({ length: bytes }, (_, i) => codes[i % codes.length]));
};

const keepLog = (socket) => {
  socket.on("message", (data, isBinary) =>
    note(isBinary ? { bytes: data.toString("base64") } : { got: data.toString() }),
  );
  socket.on("close", (code) => note({ note: "closed", code }));
};

/// Answers the first sentence, clears at the next.
const talker = (say) => {
  let answered = false;
  return listener({
    speaking() {
      if (!answered || options.deaf) return;
      note({ note: "clear" });
      say.clear();
    },
    spoken() {
      if (answered) return;
      answered = true;
      note({ note: "answer" });
      say.media(tone(8000));
      say.mark("first");
      for (let sent = 0; sent < 32000; sent += 56) say.media(tone(56));
      say.mark("second");
    },
  });
};

/// @param named  what every message of the bot has beside its own
const twilioTalker = (socket, streamOf, named) => {
  let stream;
  const send = (message) => socket.send(JSON.stringify({ ...message, ...named(stream) }));
  const hear = talker({
    media: (payload) => send({ event: "media", media: { payload: payload.toString("base64") } }),
    mark: (name) => send({ event: "mark", mark: { name } }),
    clear: () => send({ event: "clear" }),
  });
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.event === "start") stream = streamOf(message);
    if (message.event === "media") hear(Buffer.from(message.media.payload, "base64"));
  });
};

/// mu-law of S16, and back by the table of the tone's 16 codes and silence.
const toUlaw = (pcm) => {
  const codes = Buffer.alloc(pcm.length / 2);
  for (let i = 0; i < codes.length; i += 1) codes[i] = Math.abs(pcm.readInt16LE(2 * i)) > 1000 ? 0x90 : 0xff;
  return codes;
};
const fromUlaw = (codes) => {
  const pcm = Buffer.alloc(codes.length * 2);
  codes.forEach((code, i) => {
    const bits = ~code & 0xff;
    const magnitude = ((((bits & 0xf) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    pcm.writeInt16LE(bits & 0x80 ? -magnitude : magnitude, 2 * i);
  });
  return pcm;
};

const bots = {
  ws(socket) {
    twilioTalker(socket, (message) => message.start.streamSid, (streamSid) => ({ streamSid }));
  },

  telnyx(socket) {
    twilioTalker(socket, (message) => message.stream_id, (stream_id) => ({ stream_id }));
  },

  jambonz(socket) {
    const send = (message) => socket.send(JSON.stringify(message));
    const hear = talker({
      media: (codes) => socket.send(fromUlaw(codes)),
      mark: (name) => send({ type: "mark", data: { name } }),
      clear: () => send({ type: "killAudio" }),
    });
    socket.on("message", (data, isBinary) => {
      if (isBinary) hear(toUlaw(data));
    });
  },

  saver(socket) {
    const Saver = require("twilio-media-stream-save-audio-file");
    const saver = new Saver({
      saveLocation: dirname(options.wav),
      saveFilename: basename(options.wav, ".wav"),
      onSaved: () => note({ note: "saved" }),
    });
    saver.setWebsocket(socket);
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.event === "start") saver.twilioStreamStart();
      if (message.event === "media") saver.twilioStreamMedia(message.media.payload);
      if (message.event === "stop") saver.twilioStreamStop();
    });
  },

  async openai(socket, { TwilioRealtimeTransportLayer }, service) {
    const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket: socket });
    transport.on("error", (error) => note({ note: "error", text: String(error?.error?.message ?? error?.error) }));
    transport.on("audio_interrupted", () => note({ note: "interrupted" }));
    socket.on("message", (data) => {
      // Twilio's `start` comes before the transport listens for it; it is the application that waits, not the library.
      if (JSON.parse(data).event === "mark") note({ note: "mark" });
    });
    await transport.connect({ apiKey: "of-nobody", url: service, initialSessionConfig: {} });
  },
};

/// What the transport believes to be OpenAI.
const openaiStandIn = async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((done) => server.once("listening", done));
  server.on("connection", (socket) => {
    let answered = 0;
    const send = (message) => socket.send(JSON.stringify({ event_id: "e", ...message }));
    const item = { response_id: "r1", item_id: "item1", output_index: 0, content_index: 0 };
    const hear = listener({
      speaking() {
        if (answered === 0) return;
        note({ note: "speech_started", since_answer: performance.now() - answered });
        send({ type: "input_audio_buffer.speech_started", item_id: "u2", audio_start_ms: 0 });
      },
      spoken() {
        if (answered !== 0) return;
        answered = performance.now();
        note({ note: "answer" });
        send({ type: "response.created", response: { id: "r1" } });
        for (let i = 0; i < 50; i += 1)
          send({ type: "response.output_audio.delta", ...item, delta: tone(800).toString("base64") });
        // No response.output_audio.done: to the package that is the end of what can be interrupted.
      },
    });
    let rest = Buffer.alloc(0);
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      if (message.type === "input_audio_buffer.append") {
        note({ note: "append", audio: message.audio });
        rest = Buffer.concat([rest, Buffer.from(message.audio, "base64")]);
        for (; rest.length >= 160; rest = rest.subarray(160)) hear(rest.subarray(0, 160));
      } else if (message.type === "conversation.item.truncate") {
        note({ note: "truncate", audio_end_ms: message.audio_end_ms, item: message.item_id });
      } else if (message.type === "session.update") {
        note({ note: "session", session: message.session });
        send({ type: "session.updated", session: message.session });
      }
    });
    send({ type: "session.created", session: { id: "s1" } });
  });
  return `ws://127.0.0.1:${server.address().port}`;
};

const library = options.bot === "openai" ? await load("@openai/agents-extensions") : undefined;
const service = options.bot === "openai" ? await openaiStandIn() : undefined;
const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  handleProtocols: (offered) => (offered.has("audio.jambonz.org") ? "audio.jambonz.org" : false),
});
server.on("connection", (socket, request) => {
  note({ note: "connected", signature: request.headers["x-twilio-signature"], host: request.headers.host, path: request.url });
  keepLog(socket);
  Promise.resolve(bots[options.bot](socket, library, service)).catch((error) => {
    note({ note: "error", text: String(error) });
    socket.terminate();
  });
});
server.on("listening", () => writeSync(3, `ready ws://127.0.0.1:${server.address().port}\n`));
process.on("SIGTERM", () => process.exit(0));
