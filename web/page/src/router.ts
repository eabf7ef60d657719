import { Store } from "./store";

/** Where the page stands: `#/calls/c-1` is `["calls", "c-1"]`. */
export const route = new Store<readonly string[]>(read());

function read(): readonly string[] {
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decode);
  return parts.length > 0 ? parts : ["calls"];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function hrefOf(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function go(...parts: readonly string[]): void {
  location.hash = hrefOf(...parts);
}

window.addEventListener("hashchange", () => route.set(read()));
