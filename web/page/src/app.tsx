import type { ComponentType } from "preact";
import { route, hrefOf } from "./router";
import { useStore } from "./store";
import { Banner } from "./parts/banner";
import { Keys } from "./parts/keys";
import { SignIn } from "./parts/sign-in";
import { SupervisionBanner } from "./parts/supervision";
import { ThemeSwitch } from "./parts/theme";
import { VerdictLine } from "./parts/verdict";
import { CallView } from "./views/call";
import { CallsView } from "./views/calls";
import { ChannelsView } from "./views/channels";
import { ConnectionsView } from "./views/connections";
import { HistoryView } from "./views/history";
import { RecordView } from "./views/record";
import { SettingsView } from "./views/settings";
import { StartView } from "./views/start";

/** One place of the page. `#/PATH/a/b` draws `Component` with `params` a and b; with params and a `Detail`, that. */
export interface View {
  readonly path: string;
  readonly title: string;
  readonly Component: ComponentType<{ readonly params: readonly string[] }>;
  readonly Detail?: ComponentType<{ readonly params: readonly string[] }>;
}

/** All of them, in the order of the navigation. */
const VIEWS: readonly View[] = [
  { path: "calls", title: "Calls", Component: CallsView, Detail: CallView },
  { path: "channels", title: "Channels", Component: ChannelsView },
  { path: "connections", title: "Connections", Component: ConnectionsView },
  { path: "history", title: "History", Component: HistoryView, Detail: RecordView },
  { path: "settings", title: "Settings", Component: SettingsView },
  { path: "start", title: "Start", Component: StartView },
];

export function App() {
  const [place, ...params] = useStore(route);
  const view = VIEWS.find((one) => one.path === place) ?? VIEWS[0]!;
  const Shown = params.length > 0 && view.Detail ? view.Detail : view.Component;
  return (
    <div class="app">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href={hrefOf("calls")}>
          Offhook
        </a>
        <nav aria-label="Places">
          {VIEWS.map((one) => (
            <a key={one.path} href={hrefOf(one.path)} aria-current={one === view ? "page" : undefined}>
              {one.title}
            </a>
          ))}
        </nav>
        <Keys />
        <ThemeSwitch />
      </header>
      <VerdictLine />
      <Banner />
      <SupervisionBanner />
      <main id="main" tabIndex={-1}>
        <Shown params={params} />
      </main>
      <SignIn />
    </div>
  );
}
