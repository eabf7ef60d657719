import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, post } from "../api";
import { BrowserCall } from "../browser-call";
import { clockOf, durationOf, nameOf, percent } from "../format";
import { live, type LiveCall } from "../live";
import { EmptyState } from "../parts/empty-state";
import { Lamp, type LampState } from "../parts/lamp";
import { Meter } from "../parts/meter";
import { PbxForm } from "../parts/pbx-form";
import { usePoll } from "../poll";
import { hrefOf } from "../router";
import { useStore } from "../store";
import "./start.css";

interface DemoStatus {
  readonly bot: { readonly configured: boolean; readonly running: boolean; readonly restarts: number; readonly next_start_ms: number };
  readonly caller: { readonly calling: boolean; readonly repeats: boolean; readonly calls: number; readonly next_call_ms: number };
  readonly drop: { readonly share: number; readonly left_ms: number };
  readonly endpoint: string;
  readonly setup: boolean;
}

interface Line {
  readonly number: number;
  readonly time: string;
  readonly call: string;
  readonly event: string;
  readonly words: string;
}

interface Happening {
  readonly at: number;
  readonly text: string;
}

const KEPT_LINES = 60;
const KEPT_HAPPENINGS = 30;
const DROP_SECONDS = 20;
const ALIVE_MS = 60;

const isOfBrowser = (call: LiveCall) => call.facts.from.startsWith("browser:");

/** The one that the view is about: this browser's own, else the newest that is answered, else the newest. */
function shownCall(calls: Iterable<LiveCall>, wantsOwn: boolean): LiveCall | undefined {
  const all = [...calls].reverse();
  return (wantsOwn ? all.find(isOfBrowser) : undefined) ?? all.find(({ facts }) => facts.answered_ms !== null) ?? all[0];
}

function lampOf(call: LiveCall | undefined): { state: LampState; label: string } {
  const since = call?.row?.since_sent_ms;
  if (call === undefined) return { state: "idle", label: "No call" };
  if (since === undefined || since === null) return { state: "idle", label: "Nothing was sent yet" };
  if (since <= ALIVE_MS) return { state: "on", label: "The line is alive" };
  return { state: "off", label: `Nothing was sent for ${Math.round(since)} ms` };
}

function sourceOf(call: LiveCall): string {
  const ai = call.facts.ai;
  if (call.row?.source === "ai") return "The caller hears the AI.";
  if (call.row?.source === "dtmf") return "Digits are sent.";
  if (ai && ai.state === "lost") return "The AI is gone: the filler keeps the line alive until it is back.";
  return "The AI is silent: the filler keeps the line alive.";
}

/** What became of calls, bot and network since the view was opened, in sentences. */
function useHappenings(call: LiveCall | undefined, demo: DemoStatus | undefined): readonly Happening[] {
  const [all, setAll] = useState<readonly Happening[]>([]);
  const before = useRef<{ call?: string; state?: string; ai?: string | undefined; running?: boolean; dropping?: boolean }>({});
  const facts = call?.facts;
  const isDropping = demo === undefined ? undefined : demo.drop.share > 0;
  useEffect(() => {
    const was = before.current;
    const said: string[] = [];
    if (facts?.id !== was.call) {
      if (was.call !== undefined) said.push("The call ended.");
      if (facts) said.push(`${isOfBrowser(call!) ? "This browser" : nameOf(facts.from)} calls.`);
    }
    if (facts && facts.state === "answered" && !(was.call === facts.id && was.state === "answered")) said.push("Offhook answered; from now on one packet leaves every 20 ms.");
    const ai = facts?.ai?.state;
    if (facts && ai !== was.ai) {
      if (ai === "live" && was.ai === "lost") said.push("The AI is back and hears the caller again.");
      else if (ai === "live") said.push("The AI hears the caller.");
      if (ai === "lost") said.push("The AI's connection is lost. The line lives on: the filler plays.");
    }
    if (demo && was.running !== undefined && demo.bot.running !== was.running)
      said.push(demo.bot.running ? "The bot was started again." : "The bot died. It is started again in 3 s.");
    if (isDropping !== undefined && was.dropping !== undefined && isDropping !== was.dropping)
      said.push(isDropping ? `${percent(demo!.drop.share)} of what callers send is dropped from now on.` : "All packets of callers are let through again.");
    before.current = {
      ...(facts ? { call: facts.id, state: facts.state, ai } : {}),
      ...(demo ? { running: demo.bot.running, dropping: isDropping! } : {}),
    };
    const at = Date.now();
    if (said.length > 0) setAll((old) => [...said.reverse().map((text) => ({ at, text })), ...old].slice(0, KEPT_HAPPENINGS));
  }, [facts?.id, facts?.state, facts?.ai?.state, demo?.bot.running, isDropping]);
  return all;
}

/** Share that was lost of what came in the last seconds. */
function useRecentLoss(call: LiveCall | undefined): number | undefined {
  const past = useRef<{ id: string; seen: { at: number; received: number; lost: number }[] }>({ id: "", seen: [] });
  const row = call?.row;
  if (!call || !row) return undefined;
  if (past.current.id !== call.facts.id) past.current = { id: call.facts.id, seen: [] };
  const { seen } = past.current;
  const now = performance.now();
  if (seen.at(-1)?.received !== row.received) seen.push({ at: now, received: row.received, lost: row.lost });
  while (seen.length > 2 && now - seen[0]!.at > 5000) seen.shift();
  const received = row.received - seen[0]!.received;
  const lost = Math.max(0, row.lost - seen[0]!.lost);
  return received + lost > 0 ? lost / (received + lost) : undefined;
}

function useTranscript(): readonly Line[] {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [after, setAfter] = useState(0);
  const { value } = usePoll<{ items: Line[]; last: number }>(`/api/v1/demo/transcript?after=${after}`);
  useEffect(() => {
    if (!value) return;
    const fresh = value.items.filter(({ number }) => number > after);
    if (fresh.length === 0) return;
    setLines((old) => [...old, ...fresh].slice(-KEPT_LINES));
    setAfter(value.last);
  }, [value]);
  return lines;
}

function Conversation({ lines }: { readonly lines: readonly Line[] }) {
  const box = useRef<HTMLOListElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const spoken = lines.filter(({ event }) => event === "heard" || event === "says" || event === "unclear" || event === "interrupted");
  return (
    <section class="card conversation" aria-label="Conversation">
      <h2>Conversation</h2>
      {spoken.length === 0 ? (
        <p class="dim">What bot and caller say stands here.</p>
      ) : (
        <ol ref={box} tabIndex={0}>
          {spoken.map(({ number, event, words, time }) => (
            <li key={number} class={event === "heard" || event === "unclear" ? "caller" : "bot"} title={time}>
              <span class="who">{event === "heard" || event === "unclear" ? "Caller" : "Bot"}</span>
              <span>{event === "interrupted" ? `${words} (interrupted)` : words || "(not understood)"}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function LiveLine({ call, loss }: { readonly call: LiveCall | undefined; readonly loss: number | undefined }) {
  const lamp = lampOf(call);
  const answered = call?.facts.answered_ms;
  return (
    <div class="line" data-call={call?.facts.id ?? ""}>
      <div class="line-head">
        <Lamp state={lamp.state} label={lamp.label} word={lamp.label} />
        {call && (
          <a href={hrefOf("calls", call.facts.id)}>
            {isOfBrowser(call) ? "This browser" : nameOf(call.facts.from)} → {nameOf(call.facts.to)}
          </a>
        )}
        {answered && <span class="dim">{durationOf(Date.now() + live.value.clockAhead - answered)}</span>}
      </div>
      {call && (
        <>
          <div class="line-meters">
            <span>Caller</span>
            <Meter dbov={call.row?.in_dbov} label="Level of the caller" of="in" />
            <span>Offhook</span>
            <Meter dbov={call.row?.out_dbov} label="Level of what is sent" of="out" />
          </div>
          <p class="dim">
            {sourceOf(call)} {call.facts.codec} · {call.row?.sent ?? 0} packets sent, longest gap {Math.round(call.row?.max_gap_ms ?? 0)} ms ·{" "}
            <span data-figure="loss">loss {percent(loss)}</span>
          </p>
        </>
      )}
    </div>
  );
}

export function StartView() {
  const { calls } = useStore(live);
  const { value: demo, error, again } = usePoll<DemoStatus>("/api/v1/demo");
  const lines = useTranscript();
  const [own, setOwn] = useState<BrowserCall | undefined>();
  const [, redraw] = useState(0);
  const [said, setSaid] = useState("");
  const isOwn = own !== undefined && own.state !== "over";
  const call = shownCall(calls.values(), isOwn);
  const loss = useRecentLoss(call);
  const happenings = useHappenings(call, demo);
  const ownNow = useRef<BrowserCall | undefined>();
  ownNow.current = own;
  useEffect(() => () => ownNow.current?.hangUp(), []);

  if (error?.status === 404)
    return (
      <EmptyState title="This daemon is at work">
        The first run is not switched on here. <code>scripts/run</code> starts it, or <code>[demo] enabled = true</code>.
      </EmptyState>
    );
  if (!demo) return <EmptyState title={error ? "The daemon does not answer" : "Start"}>{error?.message ?? "Asking the daemon …"}</EmptyState>;

  const act = async (what: () => Promise<unknown>) => {
    setSaid("");
    try {
      await what();
    } catch (problem) {
      setSaid(problem instanceof ApiError ? problem.message : String(problem));
    }
    again();
  };
  const callMe = () => {
    const next: BrowserCall = new BrowserCall(demo.endpoint, () => redraw((count) => count + 1));
    setOwn(next);
  };
  const hangUp = () => (isOwn && own ? own.hangUp() : call && void act(() => post(`/api/v1/calls/${call.facts.id}/hangup`)));
  const isDropping = demo.drop.share > 0;

  return (
    <div class="start">
      <section class="card" aria-label="Live call">
        <h1>A live call</h1>
        <LiveLine call={call} loss={loss} />
        {!call && <p class="dim">{demo.caller.next_call_ms > 0 ? "The built-in caller calls again in a moment." : "Nobody calls. Call yourself, or let the built-in caller call."}</p>}
        <div class="start-buttons">
          <button type="button" class="primary" disabled={isOwn} onClick={callMe}>
            Call me
          </button>
          <button type="button" disabled={!demo.bot.running} title={demo.bot.configured ? "SIGKILL, as a crash would end it" : "No local bot runs here: an echo answers"} onClick={() => void act(() => post("/api/v1/demo/kill-ai"))}>
            Kill the AI
          </button>
          <button type="button" disabled={isDropping} onClick={() => void act(() => post("/api/v1/demo/drop", { share: 0.1, seconds: DROP_SECONDS }))}>
            {isDropping ? `Dropping, ${Math.ceil(demo.drop.left_ms / 1000)} s` : "Drop 10 %"}
          </button>
          <button type="button" class="danger" disabled={!call && !isOwn} onClick={hangUp}>
            Hang up
          </button>
          {isOwn && (
            <button type="button" aria-pressed={own.isMuted} onClick={() => own.mute(!own.isMuted)}>
              {own.isMuted ? "Unmute" : "Mute me"}
            </button>
          )}
          {!demo.caller.calling && (
            <button type="button" class="quiet" onClick={() => void act(() => post("/api/v1/demo/calls", { repeats: true }))}>
              Let the built-in caller call
            </button>
          )}
        </div>
        <p class="start-said" role="status" aria-live="polite">
          {said || ownSentence(own)}
        </p>
      </section>
      <Conversation lines={call ? lines.filter((line) => line.call === call.facts.id || lines.every(({ call: id }) => id !== call.facts.id)) : lines} />
      <section class="card" aria-label="What just happened">
        <h2>What just happened</h2>
        {happenings.length === 0 ? (
          <p class="dim">Nothing since this view was opened.</p>
        ) : (
          <ol class="happenings">
            {happenings.map(({ at, text }, index) => (
              <li key={happenings.length - index}>
                <time class="dim">{clockOf(at, false)}</time> {text}
              </li>
            ))}
          </ol>
        )}
      </section>
      {demo.setup && <PbxForm />}
    </div>
  );
}

function ownSentence(own: BrowserCall | undefined): string {
  if (own === undefined) return "";
  if (own.state === "asking") return "The browser asks for the microphone.";
  if (own.state === "connecting") return "Connecting the browser …";
  if (own.state === "talking") return "You are talking to the bot: ask “what is on the menu today?”.";
  return own.reason;
}
