// What a page hears, and what Chromium's statistics say about it.

/** The microphone as it is: no processing that would take a steady tone for noise. */
export function microphone() {
  return navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 },
  });
}

/** Listens for one frequency in a stream: in how many of the moments looked at does it carry the sound? */
export class ToneMeter {
  constructor(frequencyHz) {
    this.frequencyHz = frequencyHz;
    this.looks = 0;
    this.heard = 0;
    this.levelDb = -127;
  }

  listen(stream) {
    // Chromium decodes only what somebody plays; the analyser alone would stay silent.
    this.player = new Audio();
    this.player.srcObject = stream;
    this.player.play();
    this.context = new AudioContext();
    this.analyser = new AnalyserNode(this.context, { fftSize: 4096 });
    new MediaStreamAudioSourceNode(this.context, { mediaStream: stream }).connect(this.analyser);
    this.timer = setInterval(() => this.look(), 100);
  }

  look() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    let real = 0;
    let imaginary = 0;
    samples.forEach((sample, index) => {
      const phase = (2 * Math.PI * this.frequencyHz * index) / this.context.sampleRate;
      real += sample * Math.cos(phase);
      imaginary += sample * Math.sin(phase);
    });
    const tone = (2 * (real * real + imaginary * imaginary)) / (samples.length * samples.length);
    this.levelDb = power > 0 ? 10 * Math.log10(power) : -127;
    this.looks += 1;
    // A sine has all its power at its frequency; the window cuts a little off.
    if (this.levelDb > -50 && tone > power * 0.7) this.heard += 1;
  }

  forget() {
    this.looks = 0;
    this.heard = 0;
  }

  stop() {
    clearInterval(this.timer);
    this.player?.pause();
    this.context?.close();
  }
}

/** The counters of getStats that judge a call, flat. */
export async function counters(connection) {
  const result = { atMs: performance.now(), state: connection.connectionState };
  for (const entry of (await connection.getStats()).values()) {
    if (entry.type === "inbound-rtp" && entry.kind === "audio") {
      result.ssrc = entry.ssrc;
      result.received = entry.packetsReceived;
      result.lost = entry.packetsLost;
      result.jitterS = entry.jitter;
      result.samples = entry.totalSamplesReceived;
      result.concealed = entry.concealedSamples;
      result.silentConcealed = entry.silentConcealedSamples;
      result.concealments = entry.concealmentEvents;
    } else if (entry.type === "outbound-rtp" && entry.kind === "audio") {
      result.sent = entry.packetsSent;
      result.sentSsrc = entry.ssrc;
    } else if (entry.type === "codec") {
      result.codec = entry.mimeType;
    }
  }
  return result;
}

/** Counters over a stretch of time: rates a second, shares from 0 to 1. */
export async function measure(connection, meter, lengthMs) {
  const first = await counters(connection);
  meter.forget();
  await new Promise((resolve) => setTimeout(resolve, lengthMs));
  const last = await counters(connection);
  const seconds = (last.atMs - first.atMs) / 1000;
  const grown = (name) => (last[name] ?? 0) - (first[name] ?? 0);
  return {
    ...last,
    seconds,
    receivedHz: grown("received") / seconds,
    sentHz: grown("sent") / seconds,
    lostMore: grown("lost"),
    concealedShare: grown("samples") > 0 ? (grown("concealed") - grown("silentConcealed")) / grown("samples") : 1,
    silentShare: grown("samples") > 0 ? grown("silentConcealed") / grown("samples") : 1,
    toneShare: meter.looks > 0 ? meter.heard / meter.looks : 0,
    levelDb: meter.levelDb,
  };
}
