import { spawn } from "node:child_process";
import { type Diagnostic, formatDiagnostic } from "../../model/diagnostic.ts";
import { LOOK_EVERY, noSigns, withLook } from "../../model/signs.ts";
import { contract, type ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { launcherPath } from "../../system/package.ts";
import { isGone, readProject, recordedProjects } from "../../system/projects.ts";
import { ticksOf } from "../../system/usage.ts";

/**
 * How long the command may do nothing at all, and how long it may take, ms. Each wait of an apply has a bound of its own;
 * one that waits still takes in how its servers are getting on.
 */
const BOUNDS = { quiet: 300_000, whole: 86_400_000, lookEvery: LOOK_EVERY };

/** Exit codes of the command, and the errors that they are on the wire. */
const CODES: Record<number, number> = { 3: RPC_ERRORS.configurationInvalid, 75: RPC_ERRORS.locked };

/** Runs `xy reload` in the recorded root, as a process of its own: the agent evaluates no configuration itself. */
export async function runReload(stateDir: string, project: string | undefined): Promise<ResultOf<"reload">> {
  const name = project ?? onlyProject(stateDir);
  const record = readProject(stateDir, name);
  if (!record)
    throw new RpcError(RPC_ERRORS.serverNotFound, `cannot reload: project ${name} was never applied`);
  const argv = [launcherPath(), "reload", "--json", "--config", record.config];
  // The command says what is wrong with a root that is not there; without a folder to run in there is no command.
  const cwd = isGone(record.root) ? stateDir : record.root;
  // The environment of the shell in which the agent was started does not count.
  const { XY_HOST: _, ...env } = process.env;
  const named = record.host === undefined ? env : { ...env, XY_HOST: record.host };
  return outcomeOf(await runWhileAlive(argv, cwd, BOUNDS, named));
}

/** The command says what it did, or why it did nothing, as a JSON document; anything else is a crash of it. */
export function outcomeOf({ code, stdout, stderr }: Ended): ResultOf<"reload"> {
  const document = parsed(stdout);
  const result = contract.reload.result.safeParse(document);
  if (result.success) return result.data;
  const error = (document as { error?: Refusal } | undefined)?.error;
  if (typeof error?.message !== "string") {
    const message = stderr.trim() || `cannot reload: the command ended with ${code}`;
    throw new RpcError(CODES[code] ?? RPC_ERRORS.internalError, message);
  }
  const { message, problems = [] } = error;
  const all = [message, ...problems.map((problem) => formatDiagnostic(problem))];
  throw new RpcError(codeOf(code, problems), all.join("\n"), { problems });
}

interface Refusal {
  readonly message: string;
  readonly problems?: readonly Diagnostic[];
}

/** What the plan finds wrong on this machine is as good as wrong in the configuration: it cannot be applied here. */
function codeOf(code: number, problems: readonly Diagnostic[]): number {
  const known = CODES[code];
  if (known !== undefined || problems.length === 0) return known ?? RPC_ERRORS.internalError;
  const isPort = problems.some(({ portConflict }) => portConflict);
  return isPort ? RPC_ERRORS.portConflict : RPC_ERRORS.configurationInvalid;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function onlyProject(stateDir: string): string {
  const names = recordedProjects(stateDir);
  if (names.length === 1) return names[0] as string;
  if (names.length === 0)
    throw new RpcError(
      RPC_ERRORS.serverNotFound,
      "cannot reload: nothing was ever applied; `xy apply` does that",
    );
  throw new RpcError(
    RPC_ERRORS.invalidParams,
    `cannot tell which project to reload: say one of ${names.join(", ")}`,
  );
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of Node, which is asked to end once it has given no sign of life for too long. */
export function runWhileAlive(
  argv: readonly string[],
  cwd: string,
  bounds: typeof BOUNDS,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      ...{ cwd, env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: bounds.whole,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    let signs = noSigns(0, performance.now());
    const look = async () => {
      const processes = await ticksOf(child.pid === undefined ? [] : [child.pid]).catch(() => undefined);
      const now = performance.now();
      signs = withLook(signs, { printed: stdout.length + stderr.length, processes }, now);
      if (now - signs.lastAt >= bounds.quiet) child.kill();
    };
    const timer = setInterval(() => void look(), bounds.lookEvery);
    child.once("error", reject);
    child.once("close", (code) => {
      clearInterval(timer);
      resolve({ code: code ?? 1, stdout, stderr });
    });
  });
}
