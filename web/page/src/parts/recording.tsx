import { useEffect, useState } from "preact/hooks";
import { ApiError, ask } from "../api";

/** The recording of a call, fetched when it is asked for. */
export function Recording({ id }: { readonly id: string }) {
  const [url, setUrl] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const path = `/api/v1/calls/${encodeURIComponent(id)}/recording`;
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  const load = async () => {
    try {
      setUrl(URL.createObjectURL(await (await ask("GET", path)).blob()));
      setProblem(undefined);
    } catch (error) {
      const isNone = error instanceof ApiError && error.status === 404;
      setProblem(isNone ? "This call is not recorded; a route with recording = true is." : String((error as Error).message));
    }
  };
  if (url) return <audio controls src={url} />;
  return (
    <div class="buttons">
      <button type="button" onClick={() => void load()}>
        Load the recording
      </button>
      {problem && <span class="dim">{problem}</span>}
    </div>
  );
}
