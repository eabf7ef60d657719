/** Whether a stream is alive: `on` green, `late` amber, `off` red, `idle` grey where nothing is due. The word says the same. */
export type LampState = "on" | "late" | "off" | "idle";

export function Lamp({ state, label, word }: { readonly state: LampState; readonly label: string; readonly word?: string | undefined }) {
  return (
    <span class="lamp-box" title={label}>
      <span class={`lamp ${state}`} role="img" aria-label={label} />
      {word !== undefined && (
        <span class="lamp-word" aria-hidden="true">
          {word}
        </span>
      )}
    </span>
  );
}
