import { useState } from "preact/hooks";
import { ApiError, post } from "../api";

interface Verdict {
  readonly registered: boolean;
  readonly cause: string;
  readonly sentence: string;
}

interface Written {
  readonly config_file: string;
  readonly password_file: string | null;
  readonly command: string;
  readonly replaced: boolean;
}

/** What each cause is called; the daemon's sentence stands behind it. */
const CAUSES: Readonly<Record<string, string>> = {
  registered: "Registered",
  "wrong-password": "User or password are wrong",
  forbidden: "The PBX does not let this user in",
  "unknown-user": "The PBX has no such user",
  "unknown-host": "There is no such host",
  "connection-refused": "Nobody listens there",
  "tls-name": "The certificate is for another name",
  "tls-certificate": "The certificate is not trusted",
  "no-tls": "There is no TLS at this port",
  timeout: "No answer",
  refused: "The PBX refused",
};

const FIELDS = [
  { name: "domain", title: "Domain or registrar", hint: "pbx.example.com", isNeeded: true },
  { name: "user", title: "User (extension)", hint: "200", isNeeded: true },
  { name: "password", title: "Password", hint: "", isNeeded: false },
  { name: "outbound_proxy", title: "Outbound proxy", hint: "host or host:port, if not the domain", isNeeded: false },
  { name: "auth_user", title: "Auth user", hint: "if not the user", isNeeded: false },
  { name: "tls_name", title: "Name in the certificate", hint: "if not the host", isNeeded: false },
  { name: "ca_file", title: "CA file of the PBX", hint: "/path/to/ca.pem, if not a public one", isNeeded: false },
] as const;

/** *Connect your PBX*: tries a REGISTER, and writes a configuration. The password leaves the page for the daemon alone. */
export function PbxForm() {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({ transport: "udp" });
  const [isBusy, setBusy] = useState(false);
  const [verdict, setVerdict] = useState<Verdict | undefined>();
  const [written, setWritten] = useState<Written | undefined>();
  const [problem, setProblem] = useState("");

  const set = (name: string, value: string) => {
    setValues((old) => ({ ...old, [name]: value }));
    setVerdict(undefined);
    setWritten(undefined);
  };
  const body = () => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  const run = async (what: () => Promise<void>) => {
    setBusy(true);
    setProblem("");
    try {
      await what();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  const test = () =>
    run(async () => {
      setVerdict(undefined);
      setVerdict(await post<Verdict>("/api/v1/setup/pbx/test", body()));
    });
  const write = () => run(async () => setWritten(await post<Written>("/api/v1/setup/pbx", body())));
  const isTls = values["transport"] === "tls" || values["transport"] === "wss";

  return (
    <section class="card pbx" aria-label="Connect your PBX">
      <h2>Connect your PBX</h2>
      <p class="dim">The test registers once and leaves again. Nothing is written before you say so.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void test();
        }}
      >
        {FIELDS.filter(({ name }) => isTls || (name !== "tls_name" && name !== "ca_file")).map(({ name, title, hint, isNeeded }) => (
          <label key={name}>
            {title}
            <input
              name={name}
              type={name === "password" ? "password" : "text"}
              autocomplete={name === "password" ? "new-password" : "off"}
              spellcheck={false}
              required={isNeeded}
              placeholder={hint}
              value={values[name] ?? ""}
              onInput={(event) => set(name, event.currentTarget.value)}
            />
          </label>
        ))}
        <label>
          Transport
          <select name="transport" value={values["transport"]} onChange={(event) => set("transport", event.currentTarget.value)}>
            {["udp", "tcp", "tls", "ws", "wss"].map((name) => (
              <option key={name} value={name}>
                {name.toUpperCase()}
              </option>
            ))}
          </select>
        </label>
        <div class="pbx-buttons">
          <button type="submit" class="primary" disabled={isBusy}>
            {isBusy ? "One moment …" : "Test"}
          </button>
          <button type="button" disabled={isBusy || !values["domain"] || !values["user"]} onClick={() => void write()}>
            Write the configuration
          </button>
        </div>
      </form>
      <div role="status" aria-live="polite">
        {verdict && (
          <p class={`pbx-verdict ${verdict.registered ? "good" : "bad"}`} data-cause={verdict.cause}>
            <strong>{CAUSES[verdict.cause] ?? verdict.cause}.</strong> {verdict.sentence}
          </p>
        )}
        {written && (
          <div class="pbx-written">
            <p>
              Written and checked: <code>{written.config_file}</code>
              {written.replaced && " (the one before has .old behind its name)"}. Start it with
            </p>
            <pre>{written.command}</pre>
          </div>
        )}
        {problem && <p class="pbx-verdict bad">{problem}</p>}
      </div>
    </section>
  );
}
