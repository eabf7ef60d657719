import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "./api";

export interface Polled<T> {
  /** What came last; undefined before the first answer. */
  readonly value: T | undefined;
  /** Why the last try failed; undefined when it did not. */
  readonly error: ApiError | undefined;
  /** Asks at once, as after something was changed. */
  readonly again: () => void;
}

/** Asks for `path` every `periodMs` while the view is shown and the tab in sight; one question at a time. */
export function usePoll<T>(path: string | undefined, periodMs = 1000): Polled<T> {
  const [state, setState] = useState<{ value: T | undefined; error: ApiError | undefined }>({ value: undefined, error: undefined });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    let isOver = false;
    let timer = 0;
    const look = async () => {
      try {
        const value = document.hidden ? undefined : await get<T>(path);
        if (!isOver && value !== undefined) setState({ value, error: undefined });
      } catch (error) {
        if (!isOver && error instanceof ApiError) setState((old) => ({ value: error.status === 404 ? undefined : old.value, error }));
      }
      if (!isOver) timer = window.setTimeout(look, periodMs);
    };
    void look();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [path, periodMs, turn]);
  return { ...state, again: () => setTurn((count) => count + 1) };
}
