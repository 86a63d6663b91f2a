/** What a service answers instead of what was asked for, as RFC 9457 has it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly fields: readonly FieldError[] = [],
    readonly requestId: string | null = null,
    /** It ended for good, such as a job that somebody cancelled. */
    readonly isFinal = false,
  ) {
    super(detail);
    this.name = "Problem";
  }

  /** The message about one field, if the service named it. */
  field(name: string): string | undefined {
    return this.fields.find((found) => found.loc.at(-1) === name)?.msg;
  }
}

export interface FieldError {
  loc: (string | number)[];
  msg: string;
}

export function toProblem(status: number, body: unknown, requestId: string | null, isFinal = false): Problem {
  const found = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string) => (typeof found[name] === "string" ? found[name] : undefined);
  return new Problem(
    status,
    text("title") ?? `The server answered ${status}`,
    text("detail") ?? "It gave no reason.",
    Array.isArray(found.errors) ? (found.errors as FieldError[]) : [],
    requestId,
    isFinal,
  );
}

/** Whether it may go by itself: a service that is away comes back, what the caller did wrong stays wrong. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof Problem) || (!error.isFinal && (error.status < 400 || error.status >= 500));
}

/** Anything that was thrown, as a problem that can be shown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError)
    return new Problem(0, "Footfall cannot be reached", "The connection failed. Nothing was lost; try again.");
  return new Problem(0, "Something went wrong in this page", error instanceof Error ? error.message : String(error));
}
