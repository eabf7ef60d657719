const PATHS = {
  open: "M6 3l5 5-5 5",
  listen: "M3 10V8a5 5 0 0 1 10 0v2M3 9.5h2v4H3zM11 9.5h2v4h-2z",
  whisper: "M2.5 3.5h11v7h-6l-3 2.5v-2.5h-2zM6 7h.01M8 7h.01M10 7h.01",
  barge: "M2 4v8M5 6v4M8 3v10M11 6v4M14 4v8",
  "take-over": "M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.5-2.5 2.5-4 5-4s4.5 1.5 5 4M12.5 2v4M10.5 4h4",
  "hang-up": "M2 9.5c3.5-3.5 8.5-3.5 12 0l-2 2-2.200-1.200V8.400a6 6 0 0 0-3.600 0v1.900L4 11.5z",
  mute: "M6 7V4.5a2 2 0 0 1 4 0V7a2 2 0 0 1-4 0M3.5 7a4.5 4.5 0 0 0 9 0M8 11.5V14M2.5 2.5l11 11",
  download: "M8 2v8M4.5 7 8 10.5 11.5 7M3 13.5h10",
} as const;

export type IconName = keyof typeof PATHS;

/** A sign beside a word, or alone in a button that has an aria-label. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
