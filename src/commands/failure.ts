import { type Diagnostic, formatDiagnostic } from "../model/diagnostic.ts";
import { EXIT, type ExitCode } from "../model/exit-codes.ts";
import { nearest } from "../model/nearest.ts";
import { visible, visibleJson, visibleLines } from "../model/visible.ts";
import { ConnectionLost } from "../rpc/client.ts";
import { InTheWay } from "../system/files.ts";

/** An expected failure of a command: what to say, and the exit code. Thrown by `BaseCommand.fail`. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly code: ExitCode;
  readonly lines: readonly string[];
  readonly problems: readonly Diagnostic[];

  constructor(code: ExitCode, message: string | readonly string[], problems: readonly Diagnostic[] = []) {
    const lines = [message].flat();
    super(lines.join("\n"));
    this.code = code;
    this.lines = lines;
    this.problems = problems;
  }
}

/** Turns an error of oclif about flags and arguments into one with our words and exit code. */
export function usageFailure(
  error: unknown,
  known: { readonly command: string; readonly flags: readonly string[] },
): CommandFailure {
  const said = messageOf(error)
    .replace(/\n?See more help with --help/g, "")
    .replace(/^Parsing (--\S+)\s+/, "$1: ")
    .replace(/^Nonexistent flags?: (.*)$/m, (_, flags: string) =>
      unknownFlags(flags.split(", "), known.flags),
    )
    .trim();
  return new CommandFailure(EXIT.usage, [
    ...said.split("\n"),
    `Run \`${known.command} --help\` to see how it is used.`,
  ]);
}

function unknownFlags(flags: readonly string[], known: readonly string[]): string {
  const each = flags.map((flag) => {
    const meant = nearest(flag.replace(/^-+/, "").replace(/=.*/, ""), known);
    return meant === undefined ? flag : `${flag} (did you mean --${meant}?)`;
  });
  return `Unknown flag: ${each.join(", ")}`;
}

/** Reports a failure on stderr, or as one JSON document on stdout, and returns the exit code. */
export function report(error: unknown, how: { readonly json: boolean; readonly debug: boolean }): ExitCode {
  const failure = asFailure(error);
  if (how.json) {
    const { code, message, problems } = failure;
    const document = { error: { code, message, ...(problems.length > 0 ? { problems } : {}) } };
    process.stdout.write(`${visibleJson(JSON.stringify(document, null, 2))}\n`);
  } else {
    for (const problem of failure.problems) {
      const kind = problem.severity === "warning" ? "warning: " : "";
      process.stderr.write(`${kind}${formatDiagnostic(problem)}\n`);
    }
    process.stderr.write(`xy: ${failure.lines.map(visible).join("\n")}\n`);
  }
  if (how.debug && error instanceof Error && error.stack)
    process.stderr.write(`${visibleLines(error.stack)}\n`);
  else if (failure !== error && !isForAPerson(error))
    process.stderr.write("Set XY_DEBUG=1 to see where this came from.\n");
  return failure.code;
}

/** Failures that need no stack: the message says what a person can do. */
function isForAPerson(error: unknown): boolean {
  const { code = "" } = (error ?? {}) as NodeJS.ErrnoException;
  return error instanceof InTheWay || error instanceof ConnectionLost || Object.hasOwn(ROOM, code);
}

function asFailure(error: unknown): CommandFailure {
  if (error instanceof ConnectionLost)
    return new CommandFailure(EXIT.unreachable, "lost the connection to the agent: it exited; try again");
  return error instanceof CommandFailure ? error : new CommandFailure(EXIT.failed, messageOf(error));
}

function messageOf(error: unknown): string {
  const system = error as NodeJS.ErrnoException;
  if (error instanceof Error && system.code && system.path !== undefined) return fileMessage(system);
  // A failed write to an open file does not name the file.
  const room = ROOM[system.code ?? ""];
  if (error instanceof Error && room !== undefined) return `cannot write in the state folder: ${room}`;
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}

const DEEDS: Readonly<Record<string, string>> = { mkdir: "make the folder", scandir: "list the folder" };
const PLACE = "see that HOME, or XDG_STATE_HOME, is a folder that you can write";
/** Causes that need no more details. */
const ROOM: Readonly<Record<string, string>> = {
  EROFS: `its file system is read-only; ${PLACE}`,
  ENOSPC: "the disk is full; make room",
  EDQUOT: "the quota is used up; make room",
};
const CAUSES: Readonly<Record<string, string>> = {
  ...ROOM,
  EACCES: `permission denied; ${PLACE}`,
  EPERM: `it is not permitted; ${PLACE}`,
  ENOTDIR: `a part of its path is not a folder; ${PLACE}`,
};

/** Rewords messages such as `EPERM: operation not permitted, mkdir '/x'`. */
function fileMessage({ code = "", syscall = "use", path, message }: NodeJS.ErrnoException): string {
  const cause = CAUSES[code];
  return cause === undefined ? message : `cannot ${DEEDS[syscall] ?? syscall} ${path}: ${cause}`;
}
