import type { ComponentChildren } from "preact";

export type Tone = "plain" | "good" | "info" | "warning" | "error";

/** A word or two that say what is special; `title` has the whole sentence. */
export function Badge({ tone = "plain", title, children }: { readonly tone?: Tone; readonly title?: string; readonly children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}
