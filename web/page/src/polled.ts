import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "./api";

export interface Polled<T> {
  readonly data: T | undefined;
  /** Of the last try; the data before it stays. */
  readonly error: ApiError | undefined;
}

/** Asks the daemon again and again while the component is there: a path, or what is always the same function. A route that is not there (404) is asked more seldom. */
export function usePolled<T>(what: string | (() => Promise<T>), everyMs: number): Polled<T> {
  const [state, setState] = useState<Polled<T>>({ data: undefined, error: undefined });
  useEffect(() => {
    let isGone = false;
    let timer = 0;
    setState({ data: undefined, error: undefined });
    const look = async () => {
      let wait = everyMs;
      try {
        const data = await (typeof what === "string" ? get<T>(what) : what());
        if (!isGone) setState({ data, error: undefined });
      } catch (error) {
        const known = error instanceof ApiError ? error : new ApiError(0, "", String(error));
        if (known.status === 404) wait = Math.max(10_000, everyMs);
        if (!isGone) setState(({ data }) => ({ data: known.status === 404 ? undefined : data, error: known }));
      }
      if (!isGone) timer = window.setTimeout(look, wait);
    };
    void look();
    return () => {
      isGone = true;
      window.clearTimeout(timer);
    };
  }, [what, everyMs]);
  return state;
}
