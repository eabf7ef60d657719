import { useMemo, useState } from "preact/hooks";
import { ApiError, ask, get, post } from "../api";
import { durationOf } from "../format";
import { usePolled } from "../polled";
import { Badge } from "../parts/badge";
import { Confirm } from "../parts/dialog";
import { Lack, Section } from "../parts/section";
import { TokenMaker } from "../parts/token-maker";

const LEVELS = ["debug", "info", "warning", "error"] as const;

interface Health {
  readonly status: string;
  readonly version: string;
  readonly uptime_s: number;
  readonly draining: boolean;
  readonly summary: string;
  readonly listeners: readonly string[];
  readonly checks: Readonly<Record<string, { readonly status: string; readonly detail: string }>>;
}
interface ConfigKey {
  readonly name: string;
  readonly value: string;
  readonly origin: "built-in" | "file" | "environment" | "command-line";
  readonly where: string;
  readonly description: string;
}
interface ConfigTable {
  readonly section: string;
  readonly label: string;
  readonly listed: boolean;
  readonly keys: readonly ConfigKey[];
}

/** The daemon answers 503 with the same body when a check failed: that is to be shown as well. */
async function health(): Promise<Health> {
  try {
    return await get<Health>("/health");
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return (await fetch("/health")).json() as Promise<Health>;
    throw error;
  }
}

function toneOf(status: string) {
  return status === "ok" ? "good" : status === "degraded" ? "warning" : status === "failed" ? "error" : "plain";
}

function Daemon() {
  const state = usePolled<Health>(health, 2_000);
  const [isSure, setIsSure] = useState(true);
  const [problem, setProblem] = useState("");
  const now = state.data;
  const drain = async () => {
    setIsSure(true);
    try {
      await post("/api/v1/drain", {});
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Section title="Daemon">
      <Lack of={state} what="The daemon does not say how it is." />
      {now && (
        <>
          <p>
            offhook {now.version}, up for {durationOf(now.uptime_s * 1000)}: {now.summary}
          </p>
          <dl class="facts">
            {Object.entries(now.checks).map(([name, check]) => (
              <div key={name}>
                <dt>
                  {name} <Badge tone={toneOf(check.status)}>{check.status}</Badge>
                </dt>
                <dd>{check.detail}</dd>
              </div>
            ))}
            <div>
              <dt>listeners</dt>
              <dd class="mono">{now.listeners.join(" ")}</dd>
            </div>
          </dl>
          <div class="bar">
            <LogLevel />
            <button type="button" class="danger" disabled={now.draining} onClick={() => setIsSure(false)}>
              {now.draining ? "Draining …" : "Drain and stop"}
            </button>
            {problem && <span role="alert">{problem}</span>}
          </div>
        </>
      )}
      {!isSure && (
        <Confirm title="Drain this daemon?" verb="Drain" onYes={() => void drain()} onNo={() => setIsSure(true)}>
          New calls are refused from now on. Calls that run go on until they end, or until the time of [drain] timeout_s is over; then the daemon stops.
        </Confirm>
      )}
    </Section>
  );
}

function LogLevel() {
  const state = usePolled<{ level: string }>("/api/v1/log-level", 5_000);
  const [problem, setProblem] = useState("");
  const [chosen, setChosen] = useState<string | undefined>();
  if (!state.data) return null;
  const choose = async (level: string) => {
    setChosen(level);
    try {
      await ask("PUT", "/api/v1/log-level", { level });
      setProblem("");
    } catch (error) {
      setChosen(undefined);
      setProblem((error as Error).message);
    }
  };
  return (
    <>
      <select aria-label="Log level" value={chosen ?? state.data.level} onChange={(event) => void choose(event.currentTarget.value)}>
        {LEVELS.map((level) => (
          <option key={level} value={level}>
            Log: {level}
          </option>
        ))}
      </select>
      {problem && <span role="alert">{problem}</span>}
    </>
  );
}

function Tables({ tables, text, onlySaid }: { readonly tables: readonly ConfigTable[]; readonly text: string; readonly onlySaid: boolean }) {
  const wanted = text.trim().toLowerCase();
  const shown = tables
    .map((table) => ({
      ...table,
      keys: table.keys.filter(
        (key) =>
          (!onlySaid || key.origin !== "built-in") &&
          (wanted === "" || `${table.label}.${key.name} ${key.value} ${key.description}`.toLowerCase().includes(wanted)),
      ),
    }))
    .filter(({ keys }) => keys.length > 0);
  if (shown.length === 0) return <p class="dim">{onlySaid && wanted === "" ? "Everything is as built in: no file, no variable, no --set says otherwise." : "No key is like that."}</p>;
  return (
    <>
      {shown.map((table) => (
        <table key={table.label} class="config">
          <caption class="mono">{table.listed ? `[[${table.section}]]` : `[${table.section}]`}</caption>
          <tbody>
            {table.keys.map((key) => (
              <tr key={key.name} class={key.origin === "built-in" ? "dim" : ""}>
                <th scope="row" class="mono" title={key.description}>
                  {key.name}
                </th>
                <td class="mono">{key.value}</td>
                <td>{key.where}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </>
  );
}

function Configuration() {
  const state = usePolled<{ items: readonly ConfigTable[] }>("/api/v1/config", 30_000);
  const [text, setText] = useState("");
  const [onlySaid, setOnlySaid] = useState(true);
  const tables = useMemo(() => state.data?.items ?? [], [state.data]);
  return (
    <Section title="Configuration">
      <Lack of={state} what="This daemon does not show its configuration." />
      {state.data && (
        <>
          <p class="dim">What is in force, and where it was said: built in, in the file, by a variable, or on the command line. Changes take a restart.</p>
          <div class="bar">
            <input type="search" placeholder="Key, value …  ( / )" aria-label="Filter" data-key="/" value={text} onInput={(event) => setText(event.currentTarget.value)} />
            <label class="check">
              <input type="checkbox" checked={onlySaid} onChange={(event) => setOnlySaid(event.currentTarget.checked)} /> Only what is not built in
            </label>
          </div>
          <Tables tables={tables} text={text} onlySaid={onlySaid} />
        </>
      )}
    </Section>
  );
}

function Tokens() {
  const state = usePolled<{ items: readonly ConfigTable[] }>("/api/v1/config", 30_000);
  const tokens = (state.data?.items ?? []).filter(({ section }) => section === "token");
  const valueOf = (table: ConfigTable, name: string) => table.keys.find((key) => key.name === name)?.value ?? "";
  return (
    <Section title="Tokens">
      {state.data && tokens.length === 0 && <p>There are none: clients of this machine may do everything, and nobody else anything.</p>}
      {tokens.length > 0 && (
        <ul class="tokens">
          {tokens.map((table) => (
            <li key={table.label}>
              <b class="mono">{valueOf(table, "name").replace(/^"|"$/g, "")}</b> may {valueOf(table, "scopes").replace(/[[\]"]/g, "")}
            </li>
          ))}
        </ul>
      )}
      <TokenMaker />
    </Section>
  );
}

export function SettingsView() {
  return (
    <div class="settings">
      <div class="bar">
        <h1>Settings</h1>
      </div>
      <Daemon />
      <Tokens />
      <Configuration />
    </div>
  );
}
