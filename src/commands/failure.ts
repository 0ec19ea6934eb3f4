import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { EXIT, type ExitCode } from "../model/exit-codes.ts";
import { visible, visibleJson, visibleLines } from "../model/visible.ts";
import { ConnectionLost } from "../rpc/client.ts";
import { InTheWay } from "../system/files.ts";
import { NoHome } from "../system/paths.ts";
import { failureText, isNoRoom } from "../system/shortage.ts";
import { shortenPath } from "./shorten.ts";
import { told } from "./told.ts";

/** An expected failure of a command: what to say, and the exit code. Thrown by `BaseCommand.fail`. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly code: ExitCode;
  readonly lines: readonly string[];
  readonly problems: readonly Diagnostic[];
  /** People have seen the problems already. */
  readonly seen: boolean;

  constructor(
    code: ExitCode,
    message: string | readonly string[],
    { problems = [], seen = false }: { problems?: readonly Diagnostic[]; seen?: boolean } = {},
  ) {
    const lines = [message].flat();
    super(lines.join("\n"));
    this.code = code;
    this.lines = lines;
    this.problems = problems;
    this.seen = seen;
  }
}

/** Reports a failure on stderr, or as one JSON document on stdout, and returns the exit code. */
export function report(error: unknown, how: { readonly json: boolean; readonly debug: boolean }): ExitCode {
  const failure = asFailure(error);
  if (how.json) {
    const { code, message, problems } = failure;
    const document = { error: { code, message, ...(problems.length > 0 ? { problems } : {}) } };
    process.stdout.write(`${visibleJson(JSON.stringify(document, null, 2))}\n`);
  } else {
    for (const problem of failure.seen ? [] : failure.problems) {
      const kind = problem.severity === "warning" ? "warning: " : "";
      process.stderr.write(`${told(`${kind}${formatDiagnostic(problem, shortenPath)}`)}\n`);
    }
    const [first = "", ...more] = failure.lines.map(visible);
    process.stderr.write([`xy: ${first}`, ...more].map((line) => `${told(line)}\n`).join(""));
  }
  if (how.debug && error instanceof Error && error.stack)
    process.stderr.write(`${visibleLines(error.stack)}\n`);
  else if (failure !== error && !isForAPerson(error))
    process.stderr.write("Set XY_DEBUG=1 to see where this came from.\n");
  return failure.code;
}

/** Failures that need no stack: the message says what a person can do. */
function isForAPerson(error: unknown): boolean {
  return (
    error instanceof InTheWay ||
    error instanceof NoHome ||
    error instanceof ConnectionLost ||
    isNoRoom(error) ||
    Object.hasOwn(HELP, (error as NodeJS.ErrnoException | undefined)?.code ?? "")
  );
}

function asFailure(error: unknown): CommandFailure {
  if (error instanceof ConnectionLost)
    return new CommandFailure(EXIT.unreachable, "lost the connection to the agent: it exited; try again");
  return error instanceof CommandFailure ? error : new CommandFailure(EXIT.failed, messageOf(error));
}

function messageOf(error: unknown): string {
  const { code = "", path } = (error ?? {}) as NodeJS.ErrnoException;
  const isElsewhere = path !== undefined && !HOMES.some((name) => isIn(path, process.env[name]));
  const help = HELP[code] === PLACE && isElsewhere ? OTHER_PLACE : HELP[code];
  const text = failureText(error);
  if (text === "") return String(error);
  return help === undefined ? text : `${text}; ${help}`;
}

/** Variables with the folders in which xy writes by itself. */
const HOMES = ["HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"];
const isIn = (path: string, folder: string | undefined) =>
  folder !== undefined && `${path}/`.startsWith(`${folder}/`);
const PLACE = "see that HOME, or XDG_STATE_HOME, is a folder that you can write";
const OTHER_PLACE = "see whose that file and its folder are, and what you may do there";
/** Of causes that need no more details: what to do about them. */
const HELP: Readonly<Record<string, string>> = {
  EROFS: PLACE,
  ENOSPC: "make room",
  EDQUOT: "make room",
  EACCES: PLACE,
  EPERM: PLACE,
  ENOTDIR: PLACE,
};
