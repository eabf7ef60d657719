/** How the others are played. */
export interface Output {
  /** 0 to 1 */
  readonly volume?: number;
  readonly muted?: boolean;
  /** One of the browser's outputs, where it lets pages choose. */
  readonly deviceId?: string;
}

/** Plays the channel, and knows whether the browser lets it. */
export class Speaker {
  readonly #blocked: (isBlocked: boolean) => void;
  #player: HTMLAudioElement | undefined;
  #output: Output = {};
  #isBlocked = false;

  /** @param blocked - told when the browser waits for a click before it plays, and when it plays again */
  constructor(blocked: (isBlocked: boolean) => void) {
    this.#blocked = blocked;
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** As the player has it: the page, or a person, may have changed it. */
  get output(): { volume: number; muted: boolean } | undefined {
    return this.#player && { volume: this.#player.volume, muted: this.#player.muted };
  }

  async play(stream: MediaStream): Promise<void> {
    this.#player ??= new Audio();
    this.#player.srcObject = stream;
    // An output that is gone is no reason to be silent: the browser has another.
    await this.setOutput(this.#output).catch(() => undefined);
    await this.unlock();
  }

  /** Tries to play; on a gesture of the user it may. @returns whether it plays, or has nothing to */
  async unlock(): Promise<boolean> {
    if (this.#player === undefined) return true;
    try {
      await this.#player.play();
      this.#tell(false);
    } catch (error) {
      // AbortError: another stream came meanwhile, and its own play() speaks for it.
      if ((error as DOMException).name === "NotAllowedError") this.#tell(true);
    }
    return !this.#isBlocked;
  }

  async setOutput(output: Output): Promise<void> {
    this.#output = { ...this.#output, ...output };
    const player = this.#player;
    if (player === undefined) return;
    player.volume = Math.min(1, Math.max(0, this.#output.volume ?? 1));
    player.muted = this.#output.muted ?? false;
    if (output.deviceId !== undefined && "setSinkId" in player) await player.setSinkId(output.deviceId);
  }

  close(): void {
    this.#player?.pause();
    if (this.#player) this.#player.srcObject = null;
    this.#player = undefined;
    this.#isBlocked = false;
  }

  #tell(isBlocked: boolean): void {
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#blocked(isBlocked);
  }
}
