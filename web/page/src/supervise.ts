import type { VoiceService } from "@offhook/client";
import { ApiError, post } from "./api";
import { Store } from "./store";

export type Mode = "listen" | "whisper" | "barge" | "take-over";

/** What each does, for titles and banners. */
export const MODES: readonly { readonly mode: Mode; readonly verb: string; readonly doing: string; readonly scope: string; readonly says: string }[] = [
  { mode: "listen", verb: "Listen", doing: "Listening to", scope: "listen", says: "You hear both; nobody hears you" },
  { mode: "whisper", verb: "Whisper", doing: "Whispering to the AI of", scope: "barge", says: "You hear both; only our side hears you" },
  { mode: "barge", verb: "Barge in", doing: "Speaking in", scope: "barge", says: "Everybody hears you" },
  { mode: "take-over", verb: "Take over", doing: "You took over", scope: "barge", says: "You speak instead of the AI" },
];

export interface Supervision {
  readonly call: string;
  readonly mode: Mode;
  readonly state: "joining" | "connected" | "failed";
  readonly problem?: string;
  readonly isMuted: boolean;
  /** The browser plays nothing until somebody clicks. */
  readonly isBlocked: boolean;
}

/** The call that this page is in; one at a time. */
export const supervision = new Store<Supervision | undefined>(undefined);

let service: VoiceService | undefined;

function change(what: Partial<Supervision>): void {
  if (supervision.value) supervision.set({ ...supervision.value, ...what });
}

function nameOfThisPage(): string {
  try {
    const known = sessionStorage.getItem("offhook-operator");
    if (known) return known;
    const made = `operator-${Math.random().toString(36).slice(2, 8)}`;
    sessionStorage.setItem("offhook-operator", made);
    return made;
  } catch {
    return "operator";
  }
}

async function leave(): Promise<void> {
  const old = service;
  service = undefined;
  await old?.leave().catch(() => undefined);
  await old?.dispose().catch(() => undefined);
}

/** Ends it. */
export async function stopSupervising(): Promise<void> {
  supervision.set(undefined);
  await leave();
}

/** Enters a call, or changes how one is in it. */
export async function supervise(call: string, mode: Mode): Promise<void> {
  supervision.set({ call, mode, state: "joining", isMuted: false, isBlocked: false });
  try {
    await leave();
    const { VoiceService } = await import("@offhook/client");
    const grant = await post<{ channel: string; token: string; ws: string }>(`/api/v1/calls/${encodeURIComponent(call)}/supervise`, {
      mode,
      user: nameOfThisPage(),
      name: "Operator",
    });
    const url = new URL(grant.ws, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const voice = new VoiceService({ url: url.href });
    service = voice;
    voice.on("blocked", (isBlocked) => service === voice && change({ isBlocked }));
    voice.on("closed", ({ final }) => final && service === voice && stopSupervising());
    voice.on("removed", () => service === voice && stopSupervising());
    await voice.join({ channel: grant.channel, token: grant.token, name: "Operator", microphone: mode === "listen" ? false : {} });
    await voice.connected();
    if (service === voice) change({ state: "connected" });
  } catch (error) {
    await leave();
    const why = error instanceof ApiError && error.hint ? `${error.message} (${error.hint})` : error instanceof Error ? error.message : String(error);
    change({ state: "failed", problem: why });
  }
}

export function muteSupervisor(isMuted: boolean): void {
  service?.setMuted(isMuted);
  change({ isMuted });
}

export function unlockSound(): void {
  void service?.unlock();
}
