/** 8 s, 4:05, 1:02:03, 3 d 4 h */
export function durationOf(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  if (s < 86_400) return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** 12:34:56.789 of a point in time, in the viewer's own zone. */
export function clockOf(ms: number, withMs = true): string {
  const at = new Date(ms);
  const text = at.toLocaleTimeString("en-GB", { hour12: false });
  return withMs ? `${text}.${String(at.getMilliseconds()).padStart(3, "0")}` : text;
}

export function round(value: number, digits = 0): string {
  return value.toFixed(digits);
}

/** "–" for what is not known. */
export function known(value: number | null | undefined, unit: string, digits = 0): string {
  return value === null || value === undefined ? "–" : `${value.toFixed(digits)}${unit}`;
}

/** 0.0123 as "1.2 %" */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return "–";
  const value = share * 100;
  return `${value.toFixed(value > 0 && value < 10 ? 1 : 0)} %`;
}

export function bytesOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** What a person calls the one at the other end: "sip:anna@pbx:5060;x=y" is "anna". */
export function nameOf(uri: string): string {
  // Whoever came by a browser has no number; a supervised call is a channel.
  if (uri.startsWith("channel:call-")) return `supervisor of ${uri.slice("channel:call-".length)}`;
  if (/^(channel|browser|whip|whep):/.test(uri)) return uri.replace(/:.*/, "");
  const inner = /<([^>]*)>/.exec(uri)?.[1] ?? uri;
  const shown = /^\s*"([^"]+)"/.exec(uri)?.[1];
  if (shown) return shown;
  return inner.replace(/^(sips?|tel):/, "").replace(/[@;].*$/, "") || uri;
}
