#!/usr/bin/env node
// A bot on one page that speaks Twilio Media Streams, as a server for Twilio itself would: it greets, says how long the
// caller spoke, stops when the caller speaks into it, names keys, and ends the call after the key #.
//
//     cd examples/twilio-bot && npm ci && node bot.js 9092     # needs espeak-ng
//     then url = "ws://127.0.0.1:9092" in [[ai]], protocol = "twilio"
//
// Sound is G.711 mu-law at 8 kHz in base64; write as much as you like at once, the other end paces it.
"use strict";
const { execFileSync } = require("node:child_process");
const { WebSocketServer } = require("ws");

const LOUD = 1000; // of 32767
const PAUSE_MS = 600;

/** ITU-T G.711: one byte of mu-law as a 16-bit sample, and the nearest byte of a sample. */
function decode(byte) {
  const b = ~byte & 0xff;
  const magnitude = (((b & 0x0f) << 3) + 0x84 << (b >> 4 & 7)) - 0x84;
  return b & 0x80 ? -magnitude : magnitude;
}
function encode(sample) {
  const magnitude = Math.min(Math.abs(sample), 32635) + 0x84;
  const exponent = Math.floor(Math.log2(magnitude)) - 7;
  return ~((sample < 0 ? 0x80 : 0) | exponent << 4 | magnitude >> exponent + 3 & 0x0f) & 0xff;
}

/** Mu-law of espeak-ng's words; its WAV has a header of 44 bytes and 22050 Hz. */
function speak(words) {
  const wav = execFileSync("espeak-ng", ["--stdout", words], { maxBuffer: 2 ** 24 });
  const said = Array.from({ length: Math.floor((wav.length - 44) / 2) }, (_, i) => wav.readInt16LE(44 + 2 * i));
  const step = 22050 / 8000;
  return Buffer.from(Array.from({ length: Math.floor(said.length / step) }, (_, i) => {
    // The mean of what a sample stands for is low-pass enough for a telephone.
    const from = Math.floor(i * step), some = said.slice(from, from + 3);
    return encode(Math.round(some.reduce((sum, sample) => sum + sample, 0) / some.length));
  }));
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2] ?? 9092) });
server.on("listening", () => console.log(`listens on ws://127.0.0.1:${server.address().port}`));
server.on("connection", (socket) => {
  let streamSid = "", spokenMs = 0, quietMs = 0, marks = 0;
  const playing = new Set(); // marks that have not come back
  const send = (event, more) => socket.send(JSON.stringify({ event, streamSid, ...more }));
  const say = (words, name) => {
    console.log(`says: ${words}`);
    const mark = `${name}-${++marks}`;
    playing.add(mark);
    send("media", { media: { payload: speak(words).toString("base64") } });
    send("mark", { mark: { name: mark } });
  };
  const hear = (bytes) => {
    if (bytes.some((byte) => Math.abs(decode(byte)) > LOUD)) {
      if (playing.size > 0) { // barge-in: be quiet at once
        playing.clear();
        send("clear");
      }
      spokenMs += bytes.length / 8 + quietMs;
      quietMs = 0;
    } else if (spokenMs > 0 && (quietMs += bytes.length / 8) >= PAUSE_MS) {
      if (spokenMs > 200) say(`You spoke for ${(spokenMs / 1000).toFixed(1)} seconds.`, "answer");
      spokenMs = quietMs = 0;
    }
  };
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    switch (message.event) {
      case "start":
        streamSid = message.streamSid;
        console.log(`${message.start.callSid}: a call`, message.start.customParameters);
        say("Hello. Say something, or press a key.", "greeting");
        break;
      case "media":
        hear(Buffer.from(message.media.payload, "base64"));
        break;
      case "dtmf":
        say(message.dtmf.digit === "#" ? "Goodbye." : `You pressed ${message.dtmf.digit}.`,
          message.dtmf.digit === "#" ? "goodbye" : "key");
        break;
      case "mark": // has played, or was cleared
        console.log(`mark: ${message.mark.name}`);
        playing.delete(message.mark.name);
        if (message.mark.name.startsWith("goodbye")) socket.close(1000);
        break;
      case "stop":
        console.log("the call ended");
        break;
    }
  });
  socket.on("error", (error) => console.log(`socket: ${error.message}`));
});
