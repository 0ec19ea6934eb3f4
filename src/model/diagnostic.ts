import { visible } from "./visible.ts";

/** A problem that a person can solve: where it is, what cannot be done, and the way out. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** Begins with "cannot …" for an error, and ends with what to do. */
  readonly message: string;
  /** Absolute path of the file that it is in. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Key path, such as `servers.web.restart.policy`, where a file has no usable line (TypeScript). */
  readonly path?: string;
  /** The server concerned, if any. */
  readonly server?: string;
  /** The standalone action concerned, if any. */
  readonly action?: string;
  /** It was found by looking at this machine, but would occur on any other too. */
  readonly everywhere?: true;
  /** Somebody else holds a port that is needed. */
  readonly portConflict?: true;
}

/** What a problem with an action concerns: its server, or the action itself if it has none. */
export function aboutAction({
  name,
  server,
}: {
  readonly name: string;
  readonly server: string | null;
}): Pick<Diagnostic, "server" | "action"> {
  return server === null ? { action: name } : { server };
}

/** An expected outcome: a value, or all problems that prevented it. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** `file:line:column: message`, or `file: key.path: message`, or the bare message, as one line for people. */
export function formatDiagnostic(d: Diagnostic, shorten: (path: string) => string = (p) => p): string {
  const place = d.line === undefined ? d.path && `: ${d.path}` : `:${d.line}:${d.column ?? 1}`;
  if (d.file !== undefined) return visible(`${shorten(d.file)}${place ?? ""}: ${d.message}`);
  return visible(d.server !== undefined ? `${d.server}: ${d.message}` : d.message);
}
