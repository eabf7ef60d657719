import { useState } from "preact/hooks";
import { ApiError, post, remove } from "../api";
import { clockOf } from "../format";
import { Badge, type Tone } from "../parts/badge";
import { Confirm, Dialog } from "../parts/dialog";
import { EmptyState } from "../parts/empty-state";
import { Meter } from "../parts/meter";
import { usePoll } from "../poll";
import { hrefOf } from "../router";
import "./places.css";

type Role = "speaker" | "caller" | "ai" | "listen" | "whisper" | "barge" | "take-over";

interface Member {
  readonly id: string;
  readonly kind: "browser" | "phone" | "ai";
  readonly role: Role;
  readonly state: "joining" | "connected" | "away";
  readonly user: string;
  readonly name: string;
  readonly call: string | null;
  readonly muted: boolean;
  readonly muted_by_operator: boolean;
  readonly gain_db: number;
  readonly level_dbov: number;
  readonly speaking: boolean;
  readonly joined: string;
}

interface Channel {
  readonly name: string;
  readonly policy: string;
  readonly permanent: boolean;
  readonly ai: string | null;
  readonly mixed_frames: number;
  readonly late_frames: number;
  readonly members: readonly Member[];
}

interface JoinToken {
  readonly token: string;
  readonly expires: string;
  readonly ws: string;
}

const WATCHERS: readonly Role[] = ["listen", "whisper", "barge", "take-over"];
const LOUD_WATCHERS: readonly Role[] = ["barge", "take-over"];
const ROLES: readonly Role[] = ["speaker", "listen", "whisper", "barge", "take-over"];

/** Whether `ear` hears `mouth`, by their roles: the table of docs/channels.md. */
export function hears(ear: Member, mouth: Member, hasTakenOver: boolean): boolean {
  if (ear.id === mouth.id || mouth.role === "listen" || mouth.muted || mouth.muted_by_operator) return false;
  if (hasTakenOver && (ear.role === "ai" || mouth.role === "ai")) return false;
  if (mouth.role === "whisper") return ear.role === "ai";
  return true;
}

const nameOf = (member: Member) => member.name || member.user || member.call || member.id;

function toneOf(member: Member): Tone {
  return member.state === "connected" ? "good" : member.state === "away" ? "error" : "warning";
}

type Act = (what: () => Promise<unknown>, said?: string) => void;

function MemberRow({ channel, member, others, act }: { readonly channel: Channel; readonly member: Member; readonly others: readonly string[]; readonly act: Act }) {
  const order = (action: string, body?: unknown) => act(() => post(`/api/v1/channels/${encodeURIComponent(channel.name)}/members/${member.id}/${action}`, body));
  const who = nameOf(member);
  return (
    <tr data-member={member.id}>
      <th scope="row">
        <span class={member.speaking ? "speaking" : ""}>{who}</span>
        <span class="dim">
          {" "}
          {member.kind}
          {member.call && member.kind === "phone" && (
            <>
              {" · "}
              <a href={hrefOf("calls", member.call)}>call</a>
            </>
          )}
        </span>
      </th>
      <td>
        <Badge tone={WATCHERS.includes(member.role) ? "info" : "plain"}>{member.role}</Badge> <Badge tone={toneOf(member)}>{member.state}</Badge>
        {member.muted && <Badge tone="warning">muted itself</Badge>}
      </td>
      <td class="member-level">
        <Meter dbov={member.level_dbov} label={`Level of ${who}`} of="in" />
      </td>
      <td class="nowrap">
        <button type="button" aria-pressed={member.muted_by_operator} onClick={() => order("mute", { muted: !member.muted_by_operator })}>
          {member.muted_by_operator ? "Unmute" : "Mute"}
        </button>
      </td>
      <td class="nowrap">
        <input
          type="range"
          min={-30}
          max={20}
          step={1}
          value={member.gain_db}
          aria-label={`Gain of ${who}`}
          aria-valuetext={`${member.gain_db} dB`}
          onChange={(event) => order("gain", { gain_db: Number(event.currentTarget.value) })}
        />{" "}
        <output>{member.gain_db} dB</output>
      </td>
      <td>
        {others.length > 0 && member.kind !== "ai" && (
          <select
            aria-label={`Move ${who} to`}
            value=""
            onChange={(event) => {
              const to = event.currentTarget.value;
              if (to !== "") order("move", { to });
            }}
          >
            <option value="">Move …</option>
            {others.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </td>
      <td>
        <button type="button" class="danger" aria-label={`Remove ${who}`} onClick={() => order("remove")}>
          Remove
        </button>
      </td>
    </tr>
  );
}

/** Who hears whom: a row is an ear, a column a mouth. */
function Matrix({ members }: { readonly members: readonly Member[] }) {
  const hasTakenOver = members.some(({ role, state }) => role === "take-over" && state === "connected");
  return (
    <table class="matrix" aria-label="Who hears whom">
      <thead>
        <tr>
          <th scope="col">hears →</th>
          {members.map((mouth) => (
            <th key={mouth.id} scope="col" title={nameOf(mouth)}>
              {nameOf(mouth)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {members.map((ear) => (
          <tr key={ear.id}>
            <th scope="row" title={nameOf(ear)}>
              {nameOf(ear)}
            </th>
            {members.map((mouth) => {
              const does = hears(ear, mouth, hasTakenOver);
              const how = ear.id === mouth.id ? "self" : does ? (LOUD_WATCHERS.includes(mouth.role) ? "watcher" : "yes") : "no";
              return (
                <td key={mouth.id} class={how}>
                  <span role="img" aria-label={how === "self" ? "itself" : does ? "hears" : "does not hear"}>
                    {how === "self" ? "·" : does ? "●" : "○"}
                  </span>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TokenDialog({ channel, onClose }: { readonly channel: Channel; readonly onClose: () => void }) {
  const [user, setUser] = useState("");
  const [role, setRole] = useState<Role>("speaker");
  const [seconds, setSeconds] = useState(60);
  const [made, setMade] = useState<JoinToken | undefined>();
  const [problem, setProblem] = useState("");
  const make = async () => {
    setProblem("");
    try {
      setMade(await post<JoinToken>(`/api/v1/channels/${encodeURIComponent(channel.name)}/tokens`, { user, role, expires_s: seconds }));
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <Dialog title={`A token for ${channel.name}`} onClose={onClose}>
      <form
        class="token-form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <label>
          User
          <input name="token-user" required maxLength={128} value={user} onInput={(event) => setUser(event.currentTarget.value)} />
        </label>
        <label>
          Role
          <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Good for, in seconds
          <input type="number" min={1} max={300} value={seconds} onInput={(event) => setSeconds(Number(event.currentTarget.value))} />
        </label>
        {made && (
          <p>
            Good until {clockOf(Date.parse(made.expires), false)}, for one to join at <code>{made.ws}</code>:
            <textarea class="mono" readOnly rows={4} value={made.token} aria-label="Token" onFocus={(event) => event.currentTarget.select()} />
          </p>
        )}
        {problem && <p role="alert">{problem}</p>}
        <div class="dialog-buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
          <button type="submit" class="primary">
            Make a token
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function ChannelsView() {
  const { value, error, again } = usePoll<{ items: Channel[] }>("/api/v1/channels");
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  const [tokenFor, setTokenFor] = useState<Channel | undefined>();
  const [closing, setClosing] = useState<Channel | undefined>();
  const channels = value?.items ?? [];

  const act: Act = (what, done = "") => {
    void (async () => {
      try {
        await what();
        setSaid(done);
      } catch (problem) {
        setSaid(problem instanceof ApiError ? problem.message : String(problem));
      }
      again();
    })();
  };
  const isSupervised = (channel: Channel) => channel.name.startsWith("call-");

  return (
    <div class="place">
      <form
        class="place-bar"
        onSubmit={(event) => {
          event.preventDefault();
          act(() => post("/api/v1/channels", { name }), `${name} is there.`);
          setName("");
        }}
      >
        <input aria-label="Name of a new channel" placeholder="Name of a new channel" required pattern="[A-Za-z0-9._~+\-]{1,64}" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <button type="submit">Make a channel</button>
        <span class="place-said" role="status" aria-live="polite">
          {error?.message ?? said}
        </span>
      </form>
      {value && channels.length === 0 && <EmptyState title="No channels">Make one, or let a [[channel]] of the configuration be there from the start. A supervised call is a channel as well.</EmptyState>}
      <div class="channels">
        {channels.map((channel) => (
          <section key={channel.name} class="channel" aria-label={`Channel ${channel.name}`}>
            <header>
              <h2>{channel.name}</h2>
              <Badge>{channel.policy}</Badge>
              {channel.ai && <Badge tone="info">AI: {channel.ai}</Badge>}
              <span class="dim">
                {channel.members.length === 1 ? "1 member" : `${channel.members.length} members`}
                {channel.late_frames > 0 && `, ${channel.late_frames} frames late`}
              </span>
              <span class="channel-buttons">
                {!isSupervised(channel) && (
                  <button type="button" onClick={() => setTokenFor(channel)}>
                    Make a join token
                  </button>
                )}
                <button type="button" class="danger" onClick={() => setClosing(channel)}>
                  Close
                </button>
              </span>
            </header>
            {channel.members.length === 0 ? (
              <p class="dim">Nobody is in it.</p>
            ) : (
              <>
                <div class="scroll">
                  <table class="members" aria-label={`Members of ${channel.name}`}>
                    <thead>
                      <tr>
                        {["Member", "Role and state", "Level", "Mute", "Gain", "", ""].map((title, index) => (
                          <th key={index} scope="col">
                            {title || <span class="unseen">Action</span>}
                          </th>
                        ))}
                      </tr>
                    </thead>
                    <tbody>
                      {channel.members.map((member) => (
                        <MemberRow
                          key={member.id}
                          channel={channel}
                          member={member}
                          others={isSupervised(channel) ? [] : channels.filter((other) => other !== channel && !isSupervised(other)).map((other) => other.name)}
                          act={act}
                        />
                      ))}
                    </tbody>
                  </table>
                </div>
                {channel.members.length > 1 && (
                  <div class="scroll">
                    <Matrix members={channel.members} />
                  </div>
                )}
              </>
            )}
          </section>
        ))}
      </div>
      {tokenFor && <TokenDialog channel={tokenFor} onClose={() => setTokenFor(undefined)} />}
      {closing && (
        <Confirm
          title={`Close ${closing.name}?`}
          verb="Close it"
          onNo={() => setClosing(undefined)}
          onYes={() => {
            setClosing(undefined);
            act(() => remove(`/api/v1/channels/${encodeURIComponent(closing.name)}`), `${closing.name} is closed.`);
          }}
        >
          Everybody in it is taken out; phone calls end.
        </Confirm>
      )}
    </div>
  );
}
