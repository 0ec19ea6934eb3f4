/** A process that was a server's, and runs on its own after the server's end. */
export interface Leftover {
  readonly pid: number;
  /** Short name of its program. */
  readonly program: string;
}

/** Most that are named. */
const MOST_NAMED = 5;

/** `left running: pid 812 (gpg-agent)`, and how it would end; undefined when there is none. */
export function leftText(left: readonly Leftover[]): string | undefined {
  if (left.length === 0) return undefined;
  const named = left.slice(0, MOST_NAMED).map(({ pid, program }) => `pid ${pid} (${program})`);
  const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : "";
  const [what, it] = left.length === 1 ? ["a daemon of its own", "it"] : ["daemons of their own", "them"];
  return `left running: ${named.join(", ")}${more}, ${what}; \`stop { descendants "all"; }\` ends ${it} too`;
}
