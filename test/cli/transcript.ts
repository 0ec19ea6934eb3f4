import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { settled } from "../rig/masks.ts";

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
  /** The PATH has `xy` when left out. */
  readonly launcher?: string;
  /** Today's own when left out. */
  readonly node?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A shell, up to the script that is its last argument. */
  readonly shell?: readonly [string, ...string[]];
  /** The folder of the package, when commands are to run in a process that they share: its launcher is then not run. */
  readonly shared?: string;
  /** A script that prepares the home, and prints nothing. */
  readonly before?: string;
}

/**
 * Has `npx` find the MCP server of the README in the home, as if it had been downloaded: tests need no network. `root`:
 * folder of the package, as the session sees it.
 */
export const downloaded = (root: string) => `mkdir -p ~/node_modules/.bin ~/node_modules/@modelcontextprotocol
ln -s '${root}/node_modules/@modelcontextprotocol/server-memory' ~/node_modules/@modelcontextprotocol
ln -s ../@modelcontextprotocol/server-memory/dist/index.js ~/node_modules/.bin/mcp-server-memory`;

/** Has `xy` be a command of a shell. */
const ownProcesses = (node: string, launcher: string | undefined) =>
  launcher === undefined ? "" : `xy() { '${node}' '${launcher}' "$@"; }`;

/**
 * The same in one process, which prints where the shell does when this is said; in its subshells too. `stdin`: what that
 * of all commands is.
 */
export const sharedProcess = (node: string, root: string, stdin = "</dev/null") => `exec 8>&1
coproc XY { exec '${node}' '${root}/test/rig/runner-program.mjs' '${root}/dist/main.js' 7<&0 ${stdin} 9>&1 >&8; }
exec 5>&"\${XY[1]}" 6<&"\${XY[0]}"
xy() { printf '%s\x1f' "$PWD" "$@" >&5; echo >&5; read -r code <&6; return "$code"; }`;

/** The same on a terminal, from which its commands read. */
export const sharedOnTerminal = (node: string, root: string) =>
  `exec 4<&0\n${sharedProcess(node, root, "<&4")}`;

/** Lines of an apply that waits: how many there are depends on the machine and the network. */
const WAITS = /^\S+: waited .*\n/gm;

/** An output as a page shows it. */
export const withoutWaits = (output: string): string => output.replace(WAITS, "");

/** The steps as text, each with what it printed, without what may differ. */
export const sessionOf = (steps: readonly Step[], outputs: readonly string[]) =>
  steps.map(({ command }, i) => {
    // What an MCP server offers is up to its release.
    const output = settled(withoutWaits(outputs[i] ?? "")).replace(/\b\d+ tools\b/g, "N tools");
    return `$ ${command}\n${output}`;
  });

/** Runs the steps in one shell, one after the other, and gives what each of them printed. */
export async function replay(
  steps: readonly Step[],
  { launcher, node = process.execPath, shell = ["bash", "-c"], shared, before = "", ...options }: Session,
): Promise<string[]> {
  const mark = "=== end of a step ===";
  const script = [
    before,
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
