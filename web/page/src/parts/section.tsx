import type { ComponentChildren } from "preact";
import type { Polled } from "../polled";

/** A titled part of a view. */
export function Section(props: { readonly title: string; readonly aside?: ComponentChildren; readonly class?: string; readonly children: ComponentChildren }) {
  const id = `section-${props.title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return (
    <section class={`section ${props.class ?? ""}`} aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** What to show instead of data that is not there: nothing yet, or why. */
export function Lack({ of, what }: { readonly of: Polled<unknown>; readonly what: string }) {
  if (of.data !== undefined) return null;
  if (!of.error) return <p class="dim">Asking …</p>;
  return <p class="dim">{of.error.status === 404 ? what : of.error.message}</p>;
}
