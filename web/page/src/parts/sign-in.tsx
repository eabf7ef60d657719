import { useState } from "preact/hooks";
import { needsToken, setToken } from "../api";
import { useStore } from "../store";
import { Dialog } from "./dialog";

/** Asks for a token when the daemon wants one. */
export function SignIn() {
  const isNeeded = useStore(needsToken);
  const [text, setText] = useState("");
  if (!isNeeded) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() !== "") setToken(text.trim());
    setText("");
  };
  return (
    <Dialog title="A token, please" onClose={() => needsToken.set(false)}>
      <form onSubmit={submit}>
        <p>
          This daemon has tokens. Paste one with the scope <code>read</code>; <code>offhook token new</code> makes them. It is kept until this tab is
          closed.
        </p>
        <label>
          Token
          <input type="password" autocomplete="off" value={text} onInput={(event) => setText(event.currentTarget.value)} autofocus />
        </label>
        <div class="dialog-buttons">
          <button type="submit" class="primary">
            Enter
          </button>
        </div>
      </form>
    </Dialog>
  );
}
