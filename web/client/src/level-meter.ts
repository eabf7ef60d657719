/** How loud a stream is. dBov: 0 is full scale, -127 is silence. */
export interface Level {
  /** RMS of the last 85 ms (4,096 samples at 48 kHz), dBov */
  readonly rmsDbov: number;
  /** Highest sample of them, dBov */
  readonly peakDbov: number;
  /** Share of the looks of the last 5 s in which samples stood at full scale, 0 to 1 */
  readonly clippedShare: number;
  /** Since when nothing above -75 dBov came, ms */
  readonly silentForMs: number;
  /** Whether anything above that ever came */
  readonly hasSounded: boolean;
}

const SAMPLES = 4096;
const LOOK_MS = 100;
const LOOKS = 50;
const SILENCE_DBOV = -75;
/** A single sample at full scale is no distortion. */
const CLIPPED_SAMPLES = 8;

function dbov(amplitude: number): number {
  return amplitude > 0 ? Math.max(-127, 20 * Math.log10(amplitude)) : -127;
}

/** Measures the microphone ten times a second, by the page's own audio context. */
export class LevelMeter {
  readonly #samples = new Float32Array(SAMPLES);
  #context: AudioContext | undefined;
  #source: MediaStreamAudioSourceNode | undefined;
  #analyser: AnalyserNode | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #clipped: boolean[] = [];
  #rms = 0;
  #peak = 0;
  #lastSoundAt = 0;
  #hasSounded = false;

  /** undefined: there is none */
  get contextState(): AudioContextState | undefined {
    return this.#context?.state;
  }

  /** Listens to another stream; the context stays. */
  listen(stream: MediaStream): void {
    this.#context ??= new AudioContext();
    this.#source?.disconnect();
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: SAMPLES });
    this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    this.#source.connect(this.#analyser);
    this.forget();
    this.#hasSounded = false;
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  /** What was before does not count: the microphone was muted, or is another. */
  forget(): void {
    this.#clipped = [];
    this.#lastSoundAt = performance.now();
  }

  /** undefined while nothing is measured: no stream, or the context sleeps */
  level(): Level | undefined {
    if (this.#source === undefined || this.#context?.state !== "running") return undefined;
    return {
      rmsDbov: dbov(this.#rms),
      peakDbov: dbov(this.#peak),
      clippedShare: this.#clipped.length === 0 ? 0 : this.#clipped.filter(Boolean).length / this.#clipped.length,
      silentForMs: performance.now() - this.#lastSoundAt,
      hasSounded: this.#hasSounded,
    };
  }

  /** On a gesture of the user. @returns whether it runs now */
  async resume(): Promise<boolean> {
    if (this.#context?.state === "suspended") await Promise.race([this.#context.resume(), wait(500)]);
    return this.#context === undefined || this.#context.state === "running";
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#source?.disconnect();
    this.#analyser?.disconnect();
    this.#source = undefined;
    this.#analyser = undefined;
    const context = this.#context;
    this.#context = undefined;
    if (context && context.state !== "closed") await context.close();
  }

  #look(): void {
    if (this.#analyser === undefined || this.#context?.state !== "running") {
      // What was not measured is not silence.
      this.#lastSoundAt = performance.now();
      return;
    }
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let power = 0;
    let peak = 0;
    let full = 0;
    for (const sample of this.#samples) {
      const amplitude = Math.abs(sample);
      power += amplitude * amplitude;
      if (amplitude > peak) peak = amplitude;
      if (amplitude >= 0.99) full += 1;
    }
    this.#rms = Math.sqrt(power / SAMPLES);
    this.#peak = peak;
    this.#clipped.push(full >= CLIPPED_SAMPLES);
    if (this.#clipped.length > LOOKS) this.#clipped.shift();
    if (dbov(peak) > SILENCE_DBOV) {
      this.#lastSoundAt = performance.now();
      this.#hasSounded = true;
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
