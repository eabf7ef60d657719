import { live, reconnect } from "../live";
import { useStore } from "../store";

/** Says when what the page shows is not of now. */
export function Banner() {
  const { feed, retryAt, heardAt, summary } = useStore(live);
  if (feed === "live" || (feed === "connecting" && heardAt === 0)) return <div class="banner-place" role="status" aria-live="polite" />;
  const old = Math.round((performance.now() - heardAt) / 1000);
  const wait = Math.max(0, Math.ceil((retryAt - performance.now()) / 1000));
  const known = summary ? ` What you see is ${old} s old.` : "";
  const text =
    feed === "stale"
      ? `Nothing came from the daemon for ${old} s.${known}`
      : feed === "lost"
        ? `The connection to the daemon is lost.${known}`
        : "Connecting to the daemon …";
  return (
    <div class="banner-place" role="status" aria-live="polite">
      <div class={`banner feed-${feed}`}>
        <span>{text}</span>
        {feed === "lost" && (
          <span class="dim" aria-hidden="true">
            {wait > 0 ? `Next try in ${wait} s` : "Trying …"}
          </span>
        )}
        {feed !== "connecting" && (
          <button type="button" onClick={reconnect}>
            Try now
          </button>
        )}
      </div>
    </div>
  );
}
