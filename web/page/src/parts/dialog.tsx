import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A modal of the browser's own: focus stays inside, escape closes. */
export function Dialog(props: { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren; readonly wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const onClick = (event: MouseEvent) => {
    if (event.target === box.current) props.onClose();
  };
  return (
    <dialog
      ref={box}
      class={props.wide ? "dialog wide" : "dialog"}
      aria-label={props.title}
      onClick={onClick}
      onCancel={(event) => (event.preventDefault(), props.onClose())}
    >
      <div class="dialog-body">
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}

/** Asks once more before something that cannot be taken back. */
export function Confirm(props: {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly verb: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}) {
  return (
    <Dialog title={props.title} onClose={props.onNo}>
      <p>{props.children}</p>
      <div class="dialog-buttons">
        <button type="button" onClick={props.onNo}>
          Cancel
        </button>
        <button type="button" class="danger" autofocus onClick={props.onYes}>
          {props.verb}
        </button>
      </div>
    </Dialog>
  );
}
