// A member of a voice channel on Offhook's own client (web/client), with the means to break it.
import { account, contexts, peers, realGetUserMedia, sockets, takeSoundFrom, tracks } from "./instruments.js";
import { measure, ToneMeter } from "./sound.js";
import { findIssues, VoiceService } from "/modules/offhook-client.js";

/** The microphone as it is: no processing that would take a steady tone for noise. */
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const isPatched = { answer: (sdp) => sdp, offer: (sdp) => sdp, candidates: true };
const events = [];
let voice;

const last = (list) => list[list.length - 1];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const realSend = WebSocket.prototype.send;
WebSocket.prototype.send = function (text) {
  const message = JSON.parse(text);
  if (message.type === "candidate" && !isPatched.candidates) return;
  if (message.type === "offer") message.sdp = isPatched.offer(message.sdp);
  realSend.call(this, JSON.stringify(message));
};
const realSet = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
  return realSet.call(this, { ...description, sdp: await isPatched.answer(description.sdp) });
};

const otherFingerprint = (sdp) =>
  sdp.replace(/^(a=fingerprint:\S+ )(\S\S)/gm, (_, head, first) => head + (first === "00" ? "01" : "00"));

/** What can be broken before joining. */
const breaks = {
  /** A steady tone instead of the microphone. */
  tone: (frequencyHz) =>
    takeSoundFrom(async () => {
      const context = new AudioContext();
      const tone = new OscillatorNode(context, { frequency: frequencyHz });
      const target = new MediaStreamAudioDestinationNode(context);
      tone.connect(new GainNode(context, { gain: 0.3 })).connect(target);
      tone.start();
      // The oscillator ends with its track.
      const [track] = target.stream.getTracks();
      const stop = track.stop.bind(track);
      track.stop = () => {
        stop();
        context.close();
      };
      return target.stream;
    }),
  /** A track that the browser holds for muted: that of a connection nobody sends on. */
  mutedTrack: () =>
    takeSoundFrom(async () => {
      const connection = new RTCPeerConnection();
      return new MediaStream([connection.addTransceiver("audio").receiver.track]);
    }),
  clock: (ms) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
  },
  answerFingerprint: () => {
    isPatched.answer = otherFingerprint;
  },
  offerFingerprint: () => {
    isPatched.offer = otherFingerprint;
  },
  /** The only way to the other end is a bad one: {loss, delayMs, jitterMs}. */
  network: (how) => {
    isPatched.candidates = false;
    isPatched.offer = (sdp) => sdp.replace(/^a=candidate.*\r\n/gm, "");
    isPatched.answer = async (sdp) => {
      const [, address, port] = /^a=candidate:\S+ 1 UDP \d+ (\d+\.\S+) (\d+)/im.exec(sdp);
      const asked = await fetch("/network", { method: "POST", body: JSON.stringify({ to: { address, port: Number(port) }, ...how }) });
      const way = (await asked.json()).port;
      let isFirst = true;
      return sdp.replace(/^a=candidate:(\S+ 1 UDP \d+) (\d+\.\S+) (\d+)(.*)\r\n|^a=candidate.*\r\n/gim, (_, head, at, where, tail) => {
        if (!isFirst || at !== address) return "";
        isFirst = false;
        return `a=candidate:${head} 127.0.0.1 ${way}${tail}\r\n`;
      });
    };
  },
  /** Every address leads to where nobody is, on both sides. */
  addresses: () => {
    isPatched.candidates = false;
    const nowhere = (sdp) => sdp.replace(/^a=candidate:(\S+ \d \S+ \d+) \S+ \d+/gm, "a=candidate:$1 127.0.0.1 65535");
    isPatched.answer = nowhere;
    isPatched.offer = (sdp) => sdp.replace(/^a=candidate.*\r\n/gm, "");
  },
};

/** @param how  {server, rtc, statsIntervalMs, breaks: {tone: 700 ...}} */
window.start = (how) => {
  for (const [name, given] of Object.entries(how.breaks ?? {})) breaks[name](given);
  voice = new VoiceService({
    url: `ws://${how.server}/api/v1/channels/ws`,
    rtc: how.rtc,
    statsIntervalMs: how.statsIntervalMs ?? 500,
  });
  for (const name of ["state", "closed", "elsewhere", "removed", "moved", "error", "blocked", "microphone"]) {
    voice.on(name, (value) => events.push({ name, value: value ?? null }));
  }
};

/** Resolves when sound can flow, unless `how.waits` is false. */
window.join = async (how) => {
  const { waits = true, microphone, ...rest } = how;
  const joined = await voice.join({ ...rest, microphone: microphone === false ? false : { ...PLAIN, ...microphone } });
  if (waits) await voice.connected();
  return { member: joined.member, channel: joined.channel };
};
window.joinTwice = async (how) => {
  const [first, second] = await Promise.all([window.join(how), window.join(how)]);
  return { same: first.member === second.member, sockets: sockets.length };
};
/** For joins that are to fail. */
window.tryJoin = async (how) => {
  try {
    return await window.join(how);
  } catch (error) {
    return { failed: error.name, code: error.code ?? "", detail: error.message };
  }
};
window.leave = () => voice.leave();
window.dispose = () => voice.dispose();
window.mute = (isMuted) => voice.setMuted(isMuted);
window.output = (output) => voice.setOutput(output);
window.account = () => account();
window.metrics = () => voice.getAudioMetrics();
window.debug = () => voice.getDebugInfo();
window.stopTrack = () => last(tracks).stop();
window.suspend = () => Promise.all(contexts.filter(({ state }) => state !== "closed").map((context) => context.suspend()));
window.sendNothing = () => last(peers).getSenders()[0].replaceTrack(null);
window.state = () => ({ state: voice.state, member: voice.member ?? "", events, sockets: sockets.length });
/** The socket breaks; what follows is the client's doing. */
window.breakSocket = (code = 4999) => last(sockets).close(code);

/** The network takes the signalling away, and it does not come back. */
window.vanish = () => {
  window.WebSocket = class extends WebSocket {
    constructor() {
      super("ws://127.0.0.1:65535/");
    }
  };
  last(sockets).close(4999);
};

window.members = () => ({ members: voice.members, others: voice.members.filter(({ id }) => id !== voice.member).length });

/** Resolves once the client is in this state, or said this event. */
window.becomes = async (state) => {
  while (voice.state !== state) await wait(20);
  return { state };
};
window.heardOf = async (name) => {
  while (!events.some((event) => event.name === name)) await wait(20);
  return events.find((event) => event.name === name);
};

/** Diagnoses until `code` is found, by the browser's own rules too; what is found in the end when it is not in time. */
window.diagnose = async (code, limitMs = 15000) => {
  const until = performance.now() + limitMs;
  for (;;) {
    const { healthy, issues, recommendations, server } = await voice.diagnoseAudioIssues();
    const isOurs = findIssues(voice.facts()).some((issue) => issue.code === code);
    const found = isOurs ? issues.find((issue) => issue.code === code) : undefined;
    if (found || performance.now() > until) {
      return { healthy, server, found: found ?? {}, codes: issues.map((issue) => issue.code).join(" "), recommendations };
    }
    await wait(200);
  }
};
/** Diagnoses until nothing is wrong. */
window.healthy = async (limitMs = 15000) => {
  const until = performance.now() + limitMs;
  for (;;) {
    const { healthy, issues, server } = await voice.diagnoseAudioIssues();
    if (healthy || performance.now() > until) return { healthy: healthy ? "yes" : "no", server, codes: issues.map((issue) => issue.code).join(" ") };
    await wait(200);
  }
};

/** What was heard in the next `lengthMs`, and whether the tone was in it. */
window.listen = async (frequencyHz, lengthMs) => {
  const meter = new ToneMeter(frequencyHz);
  const connection = last(peers);
  meter.listen(new MediaStream([connection.getReceivers()[0].track]));
  // The meter's own player starts, and the jitter buffer with it.
  await wait(1000);
  const result = await measure(connection, meter, lengthMs);
  meter.stop();
  return result;
};

/** How loud each of the frequencies is in what is heard, dBov: the median of the looks in `lengthMs`. */
window.hear = async (frequenciesHz, lengthMs) => {
  const stream = new MediaStream([last(peers).getReceivers()[0].track]);
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const looks = frequenciesHz.map(() => []);
  await wait(1000);
  for (const until = performance.now() + lengthMs; performance.now() < until; await wait(100)) {
    analyser.getFloatTimeDomainData(samples);
    frequenciesHz.forEach((frequencyHz, which) => {
      let real = 0;
      let imaginary = 0;
      samples.forEach((sample, index) => {
        // Hann's window, whose sum is half the length: neighbours stay apart.
        const weighed = sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length));
        const phase = (2 * Math.PI * frequencyHz * index) / context.sampleRate;
        real += weighed * Math.cos(phase);
        imaginary += weighed * Math.sin(phase);
      });
      const amplitude = (4 * Math.hypot(real, imaginary)) / samples.length;
      looks[which].push(amplitude > 0 ? Math.max(-127, 20 * Math.log10(amplitude) - 3.01) : -127);
    });
  }
  await context.close();
  const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? -127;
  return { levels: Object.fromEntries(frequenciesHz.map((frequencyHz, which) => [frequencyHz, median(looks[which])])) };
};

/** Changes to the microphone after the first of the list. */
window.changeMicrophone = async () => {
  const microphones = await voice.listMicrophones();
  const before = last(tracks);
  await voice.useMicrophone(microphones[1].deviceId);
  return { count: microphones.length, before: before.readyState, label: last(tracks).label, expected: microphones[1].label };
};

/** Logs for `lengthMs` and gives the log. */
window.log = async (lengthMs, options) => {
  voice.enableAudioDataLogging(true, options);
  await wait(lengthMs);
  voice.enableAudioDataLogging(false);
  return JSON.parse(voice.exportAudioLog());
};

window.hasMicrophone = () => ({ has: realGetUserMedia !== undefined });
