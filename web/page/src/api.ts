import { Store } from "./store";

/** An answer that is none: what the daemon said (RFC 9457), as a sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | undefined = undefined,
  ) {
    super(message);
  }
}

const KEY = "offhook-token";
let token = readSession();

/** True while the daemon wants a token that the page does not have. */
export const needsToken = new Store(false);

function readSession(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** The bearer token, for what cannot send headers; undefined where none is needed. */
export function bearer(): string | undefined {
  return token;
}

export function setToken(value: string | undefined): void {
  token = value;
  try {
    if (value === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch {
    // A browser without storage forgets it with the page.
  }
  needsToken.set(false);
}

/** `/#token=...`, or `/#/start?token=...` of the first start: good once, exchanged for a token of this tab, and gone from the address. */
export async function enter(): Promise<void> {
  const [, place = "calls", once] = /^#(?:\/([a-z]+)\?)?token=(.+)$/.exec(location.hash) ?? [];
  if (once === undefined) return;
  history.replaceState(null, "", `${location.pathname}#/${place}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
  try {
    const session = await post<{ token: string }>("/api/v1/session", { once });
    setToken(session.token);
  } catch (error) {
    // An older daemon has no such route: then it was a token itself.
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) setToken(once);
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  let said: { title?: string; detail?: string; hint?: string; code?: string } = {};
  try {
    said = await response.json();
  } catch {
    // Not ours: a proxy's, or none.
  }
  const message = [said.title, said.detail].filter(Boolean).join(": ");
  return new ApiError(response.status, said.code ?? "", message || `the daemon answered ${response.status}`, said.hint);
}

/** Any request to the daemon. @throws ApiError, status 0 when it could not be reached */
export async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers["Authorization"] = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new ApiError(0, "unreachable", "The daemon cannot be reached");
  }
  if (response.ok) return response;
  if (response.status === 401) needsToken.set(true);
  throw await problemOf(response);
}

export async function get<T>(path: string): Promise<T> {
  return (await ask("GET", path)).json() as Promise<T>;
}

export async function post<T>(path: string, body?: unknown): Promise<T> {
  const response = await ask("POST", path, body);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function remove(path: string): Promise<void> {
  await ask("DELETE", path);
}

/** Saves an answer as a file; a plain link could not show the token. */
export async function download(path: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await ask("GET", path)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
