import { nameOf } from "../format";
import { live } from "../live";
import { hrefOf } from "../router";
import { useStore } from "../store";
import { MODES, muteSupervisor, stopSupervising, supervise, supervision, unlockSound } from "../supervise";

/** While somebody hears or speaks in a call, every view says so. */
export function SupervisionBanner() {
  const now = useStore(supervision);
  const { calls, may } = useStore(live);
  if (!now) return null;
  const facts = calls.get(now.call)?.facts;
  const what = MODES.find(({ mode }) => mode === now.mode)!;
  const who = facts ? `${nameOf(facts.from)} → ${nameOf(facts.to)}` : now.call;
  return (
    <section class={`supervision ${now.mode}`} aria-label="Supervision">
      <p role="status" aria-live="assertive">
        <strong>
          {now.state === "failed" ? "Could not enter" : now.state === "joining" ? "Entering" : what.doing}{" "}
          <a href={hrefOf("calls", now.call)}>{who}</a>
        </strong>
        <span class="dim">{now.state === "failed" ? now.problem : what.says}</span>
      </p>
      <div class="buttons">
        {now.isBlocked && (
          <button type="button" class="primary" onClick={unlockSound}>
            Play the sound
          </button>
        )}
        {now.state === "connected" && now.mode !== "listen" && (
          <button type="button" aria-pressed={now.isMuted} onClick={() => muteSupervisor(!now.isMuted)}>
            {now.isMuted ? "Unmute" : "Mute"}
          </button>
        )}
        {MODES.filter(({ mode, scope }) => mode !== now.mode && may.has(scope)).map(({ mode, verb, says }) => (
          <button key={mode} type="button" title={says} onClick={() => void supervise(now.call, mode)}>
            {verb}
          </button>
        ))}
        <button type="button" class="danger" onClick={() => void stopSupervising()}>
          {now.state === "failed" ? "Close" : "Leave"}
        </button>
      </div>
    </section>
  );
}
