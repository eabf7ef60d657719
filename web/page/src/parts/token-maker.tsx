import { useState } from "preact/hooks";
import { Dialog } from "./dialog";

const SCOPES: readonly (readonly [string, string])[] = [
  ["read", "look at calls, accounts, connections, records, metrics"],
  ["operate", "place, change and end calls and channels"],
  ["listen", "hear a call as a supervisor, and its recording"],
  ["barge", "speak in a call"],
  ["debug", "dumps, and /api/debug"],
  ["admin", "all of them, and settings"],
];

interface Made {
  readonly token: string;
  readonly table: string;
}

/** What `offhook token new` makes: the daemon is told the digest alone, by its configuration. */
async function make(name: string, scopes: readonly string[]): Promise<Made> {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const token = `oht1.${text}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const list = scopes.map((scope) => `"${scope}"`).join(", ");
  return { token, table: `[[token]]\nname = "${name}"\nscopes = [${list}]\nsha256 = "${hex}"\n` };
}

export function TokenMaker() {
  const [isOpen, setIsOpen] = useState(false);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>(["read"]);
  const [made, setMade] = useState<Made | undefined>();
  // Digests are for pages of this machine or over https alone.
  if (!window.isSecureContext) return <p class="dim">`offhook token new` makes one; this page can only where it comes by https, or from this machine.</p>;
  const close = () => {
    setIsOpen(false);
    setMade(undefined);
    setName("");
  };
  const isGood = /^[a-z0-9][a-z0-9-]{0,31}$/.test(name) && scopes.length > 0;
  return (
    <>
      <button type="button" onClick={() => setIsOpen(true)}>
        Make a token …
      </button>
      {isOpen && (
        <Dialog title="A new token" onClose={close} wide>
          {made ? (
            <>
              <p>This is shown once. It is good when the table below is in the configuration, and the daemon was started again.</p>
              <pre class="token" data-testid="token">{made.token}</pre>
              <pre data-testid="table">{made.table}</pre>
              <div class="dialog-buttons">
                <button type="button" onClick={() => void navigator.clipboard.writeText(made.table)}>
                  Copy the table
                </button>
                <button type="button" class="primary" onClick={close}>
                  I have kept it
                </button>
              </div>
            </>
          ) : (
            <form
              onSubmit={(event) => {
                event.preventDefault();
                if (isGood) void make(name, scopes).then(setMade);
              }}
            >
              <label>
                Whose it is
                <input autofocus value={name} placeholder="grafana" pattern="[a-z0-9][a-z0-9-]{0,31}" onInput={(event) => setName(event.currentTarget.value)} />
              </label>
              <fieldset>
                <legend>It may</legend>
                {SCOPES.map(([scope, what]) => (
                  <label key={scope} class="check">
                    <input
                      type="checkbox"
                      checked={scopes.includes(scope)}
                      onChange={({ currentTarget }) => setScopes(currentTarget.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
                    />
                    <span>
                      <b>{scope}</b> <span class="dim">{what}</span>
                    </span>
                  </label>
                ))}
              </fieldset>
              <div class="dialog-buttons">
                <button type="button" onClick={close}>
                  Cancel
                </button>
                <button type="submit" class="primary" disabled={!isGood}>
                  Make it
                </button>
              </div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
