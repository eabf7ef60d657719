import { Store, useStore } from "../store";

type Theme = "auto" | "dark" | "light";
const KEY = "offhook-theme";
const NEXT: Record<Theme, Theme> = { auto: "dark", dark: "light", light: "auto" };
const SIGN: Record<Theme, string> = { auto: "◐", dark: "●", light: "○" };

/** What the switch says; the colours themselves are in style.css. */
export const theme = new Store<Theme>(read());
show(theme.value);

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "dark" || kept === "light" ? kept : "auto";
  } catch {
    return "auto";
  }
}

function show(chosen: Theme): void {
  document.documentElement.dataset["theme"] = chosen;
}

function choose(chosen: Theme): void {
  show(chosen);
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // A browser without storage forgets it with the page.
  }
  theme.set(chosen);
}

const system = window.matchMedia("(prefers-color-scheme: dark)");
const colours = new Map<string, string>();

export function isDark(): boolean {
  return theme.value === "dark" || (theme.value === "auto" && system.matches);
}

/** A colour of style.css as a canvas needs it. Asking the browser makes it lay out the page, so each is asked for once. */
export function colour(name: string): string {
  const key = `${name} ${isDark()}`;
  let known = colours.get(key);
  if (known === undefined) {
    known = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    colours.set(key, known);
  }
  return known;
}

// The system's own switch, while the page follows it.
system.addEventListener("change", () => theme.tell());

export function ThemeSwitch() {
  const now = useStore(theme);
  return (
    <button
      type="button"
      class="quiet theme"
      title={`Colours: ${now === "auto" ? "as the system" : now}. Click for ${NEXT[now] === "auto" ? "as the system" : NEXT[now]}`}
      aria-label={`Colours: ${now}; change`}
      onClick={() => choose(NEXT[now])}
    >
      {SIGN[now]}
    </button>
  );
}
