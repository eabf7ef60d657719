import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog";
import { isTyping } from "./table";

const KEYS = [
  ["j, ↓", "the next row"],
  ["k, ↑", "the row before"],
  ["Enter", "open the row"],
  ["Escape", "back; close what is open"],
  ["/", "to the filter"],
  ["?", "this help"],
] as const;

/** Keys that work everywhere, and the help that lists all. */
export function Keys() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) {
        if (event.key === "Escape" && event.target instanceof HTMLInputElement) event.target.blur();
      } else if (event.key === "?") {
        setOpen(true);
      } else if (event.key === "/") {
        event.preventDefault();
        document.querySelector<HTMLElement>("[data-key='/']")?.focus();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button type="button" class="quiet" title="Keys (?)" aria-label="Keys" onClick={() => setOpen(true)}>
        ?
      </button>
      {isOpen && (
        <Dialog title="Keys" onClose={() => setOpen(false)}>
          <dl class="facts">
            {KEYS.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <div class="dialog-buttons">
            <button type="button" autofocus onClick={() => setOpen(false)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
