import { useState } from "preact/hooks";
import { ApiError, post } from "../api";
import { nameOf } from "../format";
import type { CallFacts, CallRow, LiveCall } from "../live";
import { live } from "../live";
import { go } from "../router";
import { useStore } from "../store";
import { MODES, supervise } from "../supervise";
import { Badge, type Tone } from "./badge";
import { Confirm } from "./dialog";
import { Icon } from "./icon";
import { Lamp, type LampState } from "./lamp";

const SOURCES: Record<CallRow["source"], string> = { ai: "AI", fill: "filler", dtmf: "digits", none: "nothing" };
/** The promise is a packet every 20 ms; three of them may be missing before it is broken. */
const ALIVE_MS = 60;

export function lampOf({ facts, row }: LiveCall): { readonly state: LampState; readonly word: string; readonly label: string } {
  if (facts.state !== "answered" && facts.state !== "held") return { state: "idle", word: facts.state, label: `Not answered: ${facts.state}` };
  if (facts.held_by === "peer") return { state: "idle", word: "on hold", label: "The caller asked for nothing: on hold" };
  if (!row || row.since_sent_ms === null) return { state: "idle", word: "–", label: "Nothing was sent yet" };
  const word = SOURCES[row.source];
  const age = `last packet ${row.since_sent_ms} ms ago, from ${row.source === "ai" ? "the AI" : word}; ${row.sent} sent`;
  if (row.since_sent_ms < ALIVE_MS) return { state: "on", word, label: `Alive: ${age}` };
  return { state: row.since_sent_ms < 4 * ALIVE_MS ? "late" : "off", word: `${row.since_sent_ms} ms`, label: `Not alive: ${age}` };
}

export function StreamLamp({ call, withWord = true }: { readonly call: LiveCall; readonly withWord?: boolean }) {
  const { state, word, label } = lampOf(call);
  return <Lamp state={state} label={label} word={withWord ? word : undefined} />;
}

/** What is special about a call, worst first. */
export function badgesOf({ facts, row }: LiveCall): readonly { readonly key: string; readonly tone: Tone; readonly text: string; readonly title: string }[] {
  const list: { key: string; tone: Tone; text: string; title: string }[] = [];
  const issue = facts.issue;
  if (facts.oneway) list.push({ key: "one-way", tone: "error", text: "one-way", title: issue?.text ?? "No RTP comes from the caller" });
  if (issue && !(facts.oneway && ["one-way", "nothing-received"].includes(issue.code))) {
    list.push({ key: issue.code, tone: issue.severity === "error" ? "error" : "warning", text: issue.code.replaceAll("-", " "), title: issue.text });
  }
  if (row?.clipped && issue?.code !== "clipping") list.push({ key: "clipping", tone: "warning", text: "clipping", title: "Sound was cut off at its peaks in the last second" });
  if (facts.ai && !["live", "none", "built-in"].includes(facts.ai.state) && issue?.code !== "ai-not-connected") {
    list.push({ key: "ai", tone: "warning", text: `AI ${facts.ai.state}`, title: `${facts.ai.name} is ${facts.ai.state}` });
  }
  if (facts.held_by) list.push({ key: "held", tone: "info", text: "held", title: facts.held_by === "us" ? "We asked the caller for silence" : "The caller put us on hold" });
  if (facts.channel?.startsWith("call-")) list.push({ key: "supervised", tone: "info", text: "supervised", title: "Somebody may hear it" });
  else if (facts.channel) list.push({ key: "channel", tone: "info", text: facts.channel, title: `In the channel ${facts.channel}` });
  if (facts.recording) list.push({ key: "recording", tone: "error", text: "● rec", title: "It is being recorded" });
  if (facts.leg === "web") list.push({ key: "web", tone: "plain", text: "web", title: "ICE and DTLS-SRTP" });
  return list;
}

export function Badges({ call }: { readonly call: LiveCall }) {
  return (
    <>
      {badgesOf(call).map(({ key, tone, text, title }) => (
        <Badge key={key} tone={tone} title={title}>
          {text}
        </Badge>
      ))}
    </>
  );
}

/** What may be done with a call; `isWide` with words. */
export function CallActions({ facts, isWide = false }: { readonly facts: CallFacts; readonly isWide?: boolean }) {
  const { may } = useStore(live);
  const [isAsking, setAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const who = `${nameOf(facts.from)} → ${nameOf(facts.to)}`;
  const hasSound = facts.state === "answered" || facts.state === "held";
  const hangUp = async () => {
    setAsking(false);
    try {
      await post(`/api/v1/calls/${encodeURIComponent(facts.id)}/hangup`);
      setProblem("");
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <span class="actions" onDblClick={(event) => event.stopPropagation()}>
      {!isWide && (
        <button type="button" class="quiet" title="Open" aria-label={`Open ${who}`} onClick={() => go("calls", facts.id)}>
          <Icon name="open" />
        </button>
      )}
      {MODES.filter(({ scope }) => may.has(scope)).map(({ mode, verb, says }) => (
        <button
          key={mode}
          type="button"
          class={isWide ? "" : "quiet"}
          title={`${verb}: ${says}`}
          aria-label={`${verb}: ${who}`}
          disabled={!hasSound}
          onClick={() => void supervise(facts.id, mode)}
        >
          <Icon name={mode} />
          {isWide && verb}
        </button>
      ))}
      {may.has("operate") && (
        <button type="button" class={isWide ? "danger" : "quiet end"} title="Hang up" aria-label={`Hang up ${who}`} onClick={() => setAsking(true)}>
          <Icon name="hang-up" />
          {isWide && "Hang up"}
        </button>
      )}
      {problem !== "" && (
        <span role="alert" class="badge error">
          {problem}
        </span>
      )}
      {isAsking && (
        <Confirm title="Hang up?" verb="Hang up" onYes={() => void hangUp()} onNo={() => setAsking(false)}>
          The call {who} ends at once, for the caller as well.
        </Confirm>
      )}
    </span>
  );
}
