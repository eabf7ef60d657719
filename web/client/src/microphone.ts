import { Cleanup } from "./cleanup.js";

/** Why there is no microphone: the code of the finding, and the browser's own words. */
export class MicrophoneError extends Error {
  override readonly name = "MicrophoneError";
  constructor(
    readonly code: "microphone-denied" | "microphone-missing" | "microphone-busy" | "insecure-page",
    detail: string,
  ) {
    super(detail);
  }
}

/** What the page may ask of the microphone; booleans as in MediaTrackConstraints. */
export interface MicrophoneConstraints {
  /** One of `listMicrophones`; without it the browser's choice. */
  readonly deviceId?: string;
  readonly echoCancellation?: boolean;
  readonly noiseSuppression?: boolean;
  readonly autoGainControl?: boolean;
}

const CODES: Readonly<Record<string, MicrophoneError["code"]>> = {
  NotAllowedError: "microphone-denied",
  SecurityError: "microphone-denied",
  NotFoundError: "microphone-missing",
  // The chosen one is not there any more.
  OverconstrainedError: "microphone-missing",
  NotReadableError: "microphone-busy",
  AbortError: "microphone-busy",
};

/** The microphone of the page: asked for, changed, muted, and let go. */
export class Microphone {
  readonly #cleanup = new Cleanup();
  readonly #changed: (what: string) => void;
  #constraints: MicrophoneConstraints = {};
  #stream: MediaStream | undefined;
  #stopWatching: (() => void)[] = [];
  #isMuted = false;
  /** Counts what was asked and let go: what comes late is not wanted any more. */
  #wish = 0;
  #error: MicrophoneError | undefined;

  /** @param changed - told when the track was muted, unmuted or ended by the system, or a device came or went */
  constructor(changed: (what: string) => void) {
    this.#changed = changed;
  }

  get track(): MediaStreamTrack | undefined {
    return this.#stream?.getAudioTracks()[0];
  }

  get stream(): MediaStream | undefined {
    return this.#stream;
  }

  /** Why the last try gave none. */
  get error(): MicrophoneError | undefined {
    return this.#error;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /**
   * Asks for a microphone. The one before goes only when the new one is there.
   *
   * @throws MicrophoneError
   */
  async open(constraints: MicrophoneConstraints): Promise<MediaStreamTrack> {
    const { deviceId, ...rest } = constraints;
    const wish = (this.#wish += 1);
    try {
      const devices = mediaDevices();
      const stream = await devices.getUserMedia({
        audio: {
          echoCancellation: true,
          noiseSuppression: true,
          autoGainControl: true,
          ...rest,
          channelCount: 1,
          ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
        },
      });
      const track = stream.getAudioTracks()[0];
      if (wish !== this.#wish) {
        track?.stop();
        throw new DOMException("it was let go meanwhile", "AbortError");
      }
      if (track === undefined) throw new MicrophoneError("microphone-missing", "the browser gave a stream without sound");
      this.#letGo();
      if (this.#cleanup.size === 0) this.#cleanup.listen(devices, "devicechange", () => this.#changed("devices"));
      this.#stream = stream;
      this.#constraints = constraints;
      this.#error = undefined;
      track.enabled = !this.#isMuted;
      const watch = (name: string): void => {
        const listener = (): void => this.#changed(`track ${name}`);
        track.addEventListener(name, listener);
        this.#stopWatching.push(() => track.removeEventListener(name, listener));
      };
      for (const name of ["ended", "mute", "unmute"]) watch(name);
      return track;
    } catch (error) {
      const why = asMicrophoneError(error);
      if (wish === this.#wish) this.#error = why;
      throw why;
    }
  }

  /** As `open` with the constraints of before, but another device. */
  change(deviceId: string): Promise<MediaStreamTrack> {
    return this.open({ ...this.#constraints, deviceId });
  }

  /** Muted, the track goes on as silence. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    if (this.track) this.track.enabled = !isMuted;
  }

  /** @param why - kept as the error of the last try */
  close(why?: MicrophoneError): void {
    this.#wish += 1;
    this.#letGo();
    this.#cleanup.run();
    this.#error = why;
  }

  #letGo(): void {
    for (const stop of this.#stopWatching) stop();
    this.#stopWatching = [];
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
  }
}

/** The microphones of this device; their names are empty until the permission was given. */
export async function listMicrophones(): Promise<MediaDeviceInfo[]> {
  const devices = await mediaDevices().enumerateDevices();
  return devices.filter(({ kind }) => kind === "audioinput");
}

function mediaDevices(): MediaDevices {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices !== undefined) return devices;
  throw new MicrophoneError("insecure-page", `${location.origin} is no secure page, so the browser offers no microphone`);
}

function asMicrophoneError(error: unknown): MicrophoneError {
  if (error instanceof MicrophoneError) return error;
  const { name, message } = error as DOMException;
  return new MicrophoneError(CODES[name] ?? "microphone-busy", message ? `${name}: ${message}` : name);
}
