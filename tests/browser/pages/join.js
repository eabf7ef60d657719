// Joins a call by Offhook's own WebSocket signalling (docs/http-api.md).
import { Peer } from "./peer.js";

let socket;
let peer;
let lastId = 0;
const waiting = new Map(); // id of an offer, or "join" -> what to do with its answer
let tellEnd;
const over = new Promise((resolve) => {
  tellEnd = resolve;
});

function send(message) {
  socket.send(JSON.stringify(message));
}

function received(message) {
  if (message.type === "bye") return tellEnd({ reason: message.reason });
  const asked = waiting.get(message.id ?? "join");
  waiting.delete(message.id ?? "join");
  if (message.type === "answer") asked?.resolve(message.sdp);
  if (message.type === "error") asked?.reject(new Error(`${message.status} ${message.code}: ${message.detail}`));
}

function answerTo(id) {
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

/** @param how  {server: "ws://127.0.0.1:5000", to, token}; resolves when media can flow */
window.join = async (how) => {
  peer = new Peer("sendrecv");
  socket = new WebSocket(`${how.server}/api/v1/web/ws?to=${how.to}`);
  const welcome = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(JSON.parse(data));
    socket.onclose = ({ code }) => reject(new Error(`the WebSocket did not open: ${code}`));
  });
  if (welcome.type !== "welcome" || welcome.version !== 1) throw new Error(`unknown: ${JSON.stringify(welcome)}`);
  socket.onmessage = ({ data }) => received(JSON.parse(data));
  socket.onclose = ({ code }) => {
    for (const { reject } of waiting.values()) reject(new Error(`closed: ${code}`));
    tellEnd({ code });
  };
  const answer = answerTo("join");
  send({ type: "join", sdp: await peer.offer(), token: how.token });
  peer.onCandidate = (candidate) => send({ type: "candidate", candidate: candidate?.candidate ?? null });
  for (const candidate of peer.candidates) peer.onCandidate(candidate);
  await peer.take(await answer);
  await peer.connected();
  return peer.stats();
};

/** New ICE credentials for the running call; resolves when it goes on with them. */
window.restartIce = async () => {
  const id = (lastId += 1);
  const answer = answerTo(id);
  send({ type: "offer", id, sdp: await peer.restartOffer() });
  await peer.take(await answer);
  await peer.connected();
  return { ufrag: /a=ice-ufrag:(\S+)/.exec(peer.connection.remoteDescription.sdp)[1] };
};

window.listen = (frequencyHz, lengthMs) => peer.listen(frequencyHz, lengthMs);
window.stats = () => peer.stats();
/** All of getStats, as it is. */
window.getStats = async () => ({ stats: [...(await peer.connection.getStats()).values()] });

/** Hangs up; the peer connection goes once that is known, for its end alone would say that we got lost. */
window.leave = async () => {
  send({ type: "bye" });
  const end = await over;
  peer.close();
  return end;
};

/** Who ended the call and why. */
window.ended = () => over;
