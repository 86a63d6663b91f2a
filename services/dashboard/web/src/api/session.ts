import { Problem, toProblem } from "~/api/problem";

/**
 * The access token lives in this page's memory only. The refresh token is an HttpOnly cookie, which no script can read,
 * and which the Auth API exchanges for the next access token.
 */
interface Access {
  token: string;
  /** Milliseconds of this page's clock. */
  until: number;
}

const EARLY_MS = 60_000;
const listeners = new Set<() => void>();
let access: Access | null = null;
let isSignedIn = false;
let exchanging: Promise<string | null> | null = null;

/** A token that is good for a while, or null when nobody is signed in. */
export async function accessToken(): Promise<string | null> {
  if (access !== null && performance.now() < access.until - EARLY_MS) return access.token;
  exchanging ??= exchange().finally(() => (exchanging = null));
  return exchanging;
}

/** Get a new token, because this one was refused or knows less than is true now. */
export async function renewAccess(): Promise<string | null> {
  access = null;
  return accessToken();
}

export async function signIn(email: string, password: string): Promise<void> {
  keep(await post("/auth/login", { email, password }));
}

export async function signOut(): Promise<void> {
  await post("/auth/logout", {}).catch(() => undefined);
  forget();
}

/** Called when the session has ended, whoever ended it. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function forget() {
  access = null;
  if (!isSignedIn) return;
  isSignedIn = false;
  for (const listener of listeners) listener();
}

function keep(tokens: unknown): string {
  const { access_token: token, expires_in: seconds } = tokens as { access_token: string; expires_in: number };
  isSignedIn = true;
  access = { token, until: performance.now() + seconds * 1000 };
  return token;
}

/** A refresh token is good for one exchange; two tabs must not offer the same one. */
async function exchange(): Promise<string | null> {
  const ask = async () => keep(await post("/auth/refresh", {}));
  // Locks are there on https and on this machine only. Without them the last tab to ask may have to sign in again.
  const locks = (navigator as { locks?: LockManager }).locks;
  try {
    return await (locks ? locks.request("footfall.refresh", ask) : ask());
  } catch (error) {
    if (error instanceof Problem && (error.status === 400 || error.status === 401)) {
      forget();
      return null;
    }
    throw error;
  }
}

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw toProblem(response.status, answer, response.headers.get("x-request-id"));
  return answer;
}
