import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Longest session, ms: some thirty commands, on a busy machine. */
const BOUND = 240_000;

/** One command of a session as a document shows it, and what it prints. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

/**
 * The steps in the `console` blocks of a Markdown text: `$ command`, with the rest of a here-document where it has one,
 * then what is printed.
 */
export function stepsOf(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  return blocks.flatMap((block) => block.split(/^\$ /m).slice(1).map(stepOf));
}

function stepOf(text: string): Step {
  const lines = text.split("\n");
  const end = /<<'(\w+)'/.exec(lines[0] ?? "")?.[1];
  const length = end === undefined ? 1 : lines.indexOf(end) + 1;
  return { command: lines.slice(0, length).join("\n"), output: lines.slice(length).join("\n").trimEnd() };
}

/** What a shell session may hold beside `xy`: enough to make folders and files, nothing that differs by machine. */
const ALLOWED = /^(mkdir|cd|cat|echo|rm) /;

/** Refuses a command that the session must not hold. */
export function checkAllowed({ command }: Step): void {
  if (!command.startsWith("xy ") && !ALLOWED.test(command)) {
    throw new Error(`cannot replay ${JSON.stringify(command)}: only xy, mkdir, cd, cat, echo and rm are`);
  }
}

interface Session {
  readonly launcher: string;
  /** Today's own when left out. */
  readonly node?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A shell, up to the script that is its last argument. */
  readonly shell?: readonly [string, ...string[]];
  /** The folder of the package, when commands are to run in a process that they share: its launcher is then not run. */
  readonly shared?: string;
}

/** Has `xy` be a command of a shell. */
const ownProcesses = (node: string, launcher: string) => `xy() { '${node}' '${launcher}' "$@"; }`;

/** The same in one process, which prints where the session does. */
const sharedProcess = (node: string, root: string) => `exec 8>&1
coproc XY { exec '${node}' '${root}/test/rig/runner-program.mjs' '${root}/dist/main.js' 7<&0 </dev/null 9>&1 >&8; }
xy() { printf '%s\x1f' "$PWD" "$@" >&"\${XY[1]}"; echo >&"\${XY[1]}"; read -r code <&"\${XY[0]}"; return "$code"; }`;

/** Runs the steps in one shell, one after the other, and gives what each of them printed. */
export async function replay(
  steps: readonly Step[],
  { launcher, node = process.execPath, shell = ["bash", "-c"], shared, ...options }: Session,
): Promise<string[]> {
  const mark = "=== end of a step ===";
  const script = [
    shared === undefined ? ownProcesses(node, launcher) : sharedProcess(node, shared),
    ...steps.flatMap(({ command }) => [command, `echo '${mark}'`]),
  ];
  const [program, ...args] = shell;
  const { stdout } = await promisify(execFile)(
    program,
    [...args, `exec 2>&1 </dev/null\n${script.join("\n")}`],
    {
      ...options,
      env: options.env as NodeJS.ProcessEnv,
      encoding: "utf8",
      timeout: BOUND,
    },
  );
  return stdout
    .split(`${mark}\n`)
    .slice(0, -1)
    .map((text) => text.trimEnd());
}
