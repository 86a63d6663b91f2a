import createClient, { type Middleware } from "openapi-fetch";
import { Problem, toProblem } from "~/api/problem";
import type { paths as AuthPaths } from "~/api/schema/auth";
import type { components, paths as QueryPaths } from "~/api/schema/query";
import type { components as authComponents } from "~/api/schema/auth";
import { accessToken, renewAccess } from "~/api/session";

export type Schemas = components["schemas"];
export type AuthSchemas = authComponents["schemas"];

/** Every request carries the access token; one that is refused for it is sent once more with a new one. */
async function authorizedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const send = (each: Request, token: string | null) => {
    if (token !== null) each.headers.set("authorization", `Bearer ${token}`);
    return fetch(each);
  };
  const response = await send(request, await accessToken());
  if (response.status !== 401) return response;
  const token = await renewAccess();
  return token === null ? response : send(again, token);
}

/** A read of a page that is open is a GET or the question in a POST: a service that restarts is no reason to fail. */
const problems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return;
    const body: unknown = await response.json().catch(() => null);
    throw toProblem(response.status, body, response.headers.get("x-request-id"));
  },
};

/** Lists repeat their name, as FastAPI reads them. */
const options = { baseUrl: location.origin, fetch: authorizedFetch, querySerializer: { array: { style: "form", explode: true } } } as const;

export const authApi = createClient<AuthPaths>(options);
export const queryApi = createClient<QueryPaths>(options);
authApi.use(problems);
queryApi.use(problems);

/** The JSON of an answer (what can also be had as text is not asked for as text); problems have been thrown by then. */
export async function unwrap<T>(answer: Promise<{ data?: T; error?: unknown }>): Promise<Exclude<NonNullable<T>, string>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw new Problem(0, "The answer is empty", "The server sent nothing.");
  return data as Exclude<NonNullable<T>, string>;
}

/** A GET for what has no typed client: streams and files. */
export async function fetchAuthorized(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await authorizedFetch(new Request(new URL(path, location.origin), init));
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw toProblem(response.status, body, response.headers.get("x-request-id"));
}
