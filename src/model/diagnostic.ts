import { visible } from "./visible.ts";

/** A problem that a person can act on: where it is, what cannot be done, and the way out. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** Begins with "cannot …" for an error, and ends with what to do. */
  readonly message: string;
  /** Absolute path of the file that says it. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Key path, such as `servers.web.restart.policy`, where a file has no usable line (TypeScript). */
  readonly path?: string;
  /** The server it is about, when it is about one. */
  readonly server?: string;
  /** The action that stands alone that it is about, when it is about one. */
  readonly action?: string;
  /** Of a problem that was found by looking at this machine: no other would make it right. */
  readonly everywhere?: true;
  /** Somebody else holds a port that is needed. */
  readonly portConflict?: true;
}

/** What a problem of an action is about: the server that it goes with, or the action itself. */
export function aboutAction({
  name,
  server,
}: {
  readonly name: string;
  readonly server: string | null;
}): Pick<Diagnostic, "server" | "action"> {
  return server === null ? { action: name } : { server };
}

/** An expected outcome: a value, or every problem that stood in its way. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** `file:line:column: message`, or `file: key.path: message`, or the bare message, as one line for people. */
export function formatDiagnostic(d: Diagnostic, shorten: (path: string) => string = (p) => p): string {
  const place = d.line === undefined ? d.path && `: ${d.path}` : `:${d.line}:${d.column ?? 1}`;
  if (d.file !== undefined) return visible(`${shorten(d.file)}${place ?? ""}: ${d.message}`);
  return visible(d.server !== undefined ? `${d.server}: ${d.message}` : d.message);
}
