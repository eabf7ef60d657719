import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./dialog";
import { isTyping } from "./table";

const KEYS = [
  ["j, ↓", "the next row"],
  ["k, ↑", "the row before"],
  ["Enter", "open the row"],
  ["Escape", "back; close what is open; empty the filter"],
  ["/", "to the filter"],
  ["?", "this help"],
] as const;

/** A filter is emptied first, then left. The browser would empty it as well, but does not tell when it is left at once. */
function leave(event: KeyboardEvent, field: HTMLInputElement): void {
  if (field.type !== "search" || field.value === "") return field.blur();
  event.preventDefault();
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Keys that work everywhere, and the help that lists all. */
export function Keys() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) {
        if (event.key === "Escape" && event.target instanceof HTMLInputElement) leave(event, event.target);
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
