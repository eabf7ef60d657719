// A WebPhone on JsSIP: registers over WebSocket, takes or places one call at a time, and says what it hears.
import JsSIP from "/modules/jssip.js";
import { counters, measure, microphone, ToneMeter } from "./sound.js";

let phone;
let session;
let isSilent = false;
const facts = {};
const waiting = new Map();

/** Something happened; `once` gets it, also when it happened before. */
function happened(name, fact = {}) {
  facts[name] = fact;
  waiting.get(name)?.forEach((resolve) => resolve(fact));
  waiting.delete(name);
}

function once(name) {
  if (name in facts) return Promise.resolve(facts[name]);
  return new Promise((resolve) => {
    waiting.set(name, [...(waiting.get(name) ?? []), resolve]);
  });
}

function ending({ originator, cause, message }) {
  return { originator, cause, status: message?.status_code ?? 0, reason: message?.getHeader?.("Reason") ?? "" };
}

function watch(call) {
  session = call;
  for (const name of ["connected", "confirmed", "ended", "track"]) delete facts[name];
  session.on("confirmed", () => happened("confirmed"));
  session.on("ended", (event) => happened("ended", ending(event)));
  session.on("failed", (event) => happened("ended", { ...ending(event), isFailure: true }));
  session.on("newDTMF", ({ originator, dtmf }) => originator === "remote" && happened("digit", { digit: dtmf.tone }));
  session.on("sdp", ({ originator, type, sdp }) => {
    happened(`${originator} ${type}`, { sdp });
    // Before DTLS is up, so that no packet leaves: the line itself stays sendrecv.
    if (originator === "local" && isSilent) {
      for (const sender of session.connection.getSenders()) sender.replaceTrack(null);
    }
  });
  const follow = (connection) => {
    connection.addEventListener("track", () => happened("track"));
    connection.addEventListener("connectionstatechange", () => {
      if (connection.connectionState === "connected") happened("connected");
    });
  };
  if (session.connection) follow(session.connection);
  else session.on("peerconnection", ({ peerconnection }) => follow(peerconnection));
}

/** @param how  {server, uri, password, isSilent, registers}; resolves when the registrar took us */
window.start = (how) => {
  isSilent = how.isSilent ?? false;
  phone = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(how.server)],
    uri: how.uri,
    password: how.password,
    register: how.registers ?? true,
    session_timers: false,
    register_expires: 60,
  });
  const ready = new Promise((resolve, reject) => {
    phone.on(how.registers ?? true ? "registered" : "connected", () => resolve());
    phone.on("registrationFailed", ({ cause }) => reject(new Error(`not registered: ${cause}`)));
    phone.on("disconnected", ({ error, code, reason }) => error && reject(new Error(`no connection: ${code} ${reason}`)));
  });
  phone.on("newRTCSession", async ({ originator, session: call }) => {
    watch(call);
    if (originator === "remote") {
      call.answer({ mediaStream: await microphone(), pcConfig: { iceServers: [] } });
    }
  });
  phone.start();
  return ready;
};

/** Calls; resolves when the call is confirmed, rejects when it fails. */
window.dial = async (target) => {
  const mediaStream = await microphone();
  delete facts.ended;
  phone.call(target, { mediaStream, pcConfig: { iceServers: [] } });
  const first = await Promise.race([once("confirmed"), once("ended")]);
  if (first.isFailure) throw new Error(`the call failed: ${first.status} ${first.cause} ${first.reason}`);
};

/** Resolves when a call is up, ICE and DTLS included. */
window.talking = async () => {
  const over = once("ended").then((why) => {
    throw new Error(`the call ended: ${JSON.stringify(why)}`);
  });
  await Promise.race([Promise.all([once("confirmed"), once("connected")]), over]);
  return counters(session.connection);
};

/** What was heard in the next `lengthMs`, and whether the tone was in it. */
window.listen = async (frequencyHz, lengthMs) => {
  const meter = new ToneMeter(frequencyHz);
  await once("track");
  // Its stream loses the track while we hold; the receiver keeps it.
  meter.listen(new MediaStream([session.connection.getReceivers()[0].track]));
  // The meter's own player starts, and the jitter buffer with it.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const result = await measure(session.connection, meter, lengthMs);
  meter.stop();
  return result;
};

window.stats = () => counters(session.connection);

/** The last description of one end: "local offer", "remote answer" ... */
window.description = (which) => once(which);

window.press = (digit) => session.sendDTMF(digit, { transportType: "RFC2833" });

window.hold = () => new Promise((resolve) => session.hold({}, () => resolve()));
window.resume = () => new Promise((resolve) => session.unhold({}, () => resolve()));
/** A re-INVITE with new ICE credentials; resolves when it was answered. */
window.restartIce = () =>
  new Promise((resolve) => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => resolve()));

window.hangUp = () => session.terminate();

/** Who ended the call and why. */
window.ended = () => once("ended");

/** Leaves the registrar. */
window.stop = () =>
  new Promise((resolve) => {
    phone.on("disconnected", () => resolve());
    phone.stop();
  });
