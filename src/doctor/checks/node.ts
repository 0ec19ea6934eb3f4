import { existsSync } from "node:fs";
import { versionManagerOf } from "../../config/resolve/program.ts";
import type { Finding } from "../../model/finding.ts";
import { lockHolder } from "../../system/lock.ts";
import { agentLockPath, bridgeProgramPath, programPaths } from "../../system/paths.ts";
import { readProgram } from "../../system/program.ts";
import { row } from "../check.ts";

interface NodeFacts {
  readonly path: string;
  readonly version: string;
  /** Oldest that will do, such as `20.19`. */
  readonly needs: string;
  /** The manager of versions that it belongs to. */
  readonly manager: string | undefined;
  /** What the agent is, or will be, run with. */
  readonly agent?: ProgramFacts & { readonly runs: boolean };
  /** What units run in place of a server over stdin and stdout. */
  readonly bridge?: ProgramFacts;
}

interface ProgramFacts {
  readonly node: string;
  /** Absent: both are there. */
  readonly gone?: string;
}

export const nodeCheck = row<NodeFacts>({
  id: "node",
  title: "Node",
  about:
    "the version that runs xy, whether a version manager can take it away, and whether what the agent and units are run with still exists",
  async look({ node, state }) {
    const { path, version, needs } = node;
    const facts = { path, version, needs, manager: versionManagerOf(path) };
    if (state === undefined) return facts;
    const agent = programAt(programPaths(state).current);
    const bridge = programAt(bridgeProgramPath(state));
    const runs = lockHolder(agentLockPath(state)) !== undefined;
    return { ...facts, ...(agent && { agent: { ...agent, runs } }), ...(bridge && { bridge }) };
  },
  judge(facts) {
    return { summary: `${facts.version} (${facts.path})`, findings: findingsOf(facts) };
  },
});

function programAt(record: string): ProgramFacts | undefined {
  const program = readProgram(record);
  if (program === undefined) return undefined;
  const gone = [program.node, program.entry].find((path) => !existsSync(path));
  return { node: program.node, ...(gone !== undefined && { gone }) };
}

function findingsOf({ version, needs, manager, path, agent, bridge }: NodeFacts): Finding[] {
  const found: Finding[] = [];
  if (isOlder(version, needs))
    found.push({
      id: "node.old",
      severity: "error",
      what: `Node ${version} is too old`,
      why: `xy needs Node ${needs} or newer.`,
      mend: INSTALLS[manager ?? ""] ?? null,
    });
  if (agent?.gone !== undefined)
    found.push({
      id: "node.agent-gone",
      severity: "error",
      what: `${agent.gone} is gone, and the agent is run with it`,
      why: agent.runs
        ? "The agent keeps running, but nothing can start it again after a crash."
        : "At login nothing could start the agent. A command that needs it uses this Node instead.",
      mend: agent.runs ? "xy agent upgrade --force" : "xy agent start",
    });
  if (bridge?.gone !== undefined)
    found.push({
      id: "node.bridge-gone",
      severity: "error",
      what: `${bridge.gone} is gone, and units run the bridge with it`,
      why: "Units of MCP servers over stdin and stdout cannot start.",
      mend: "xy bridge --launcher",
    });
  if (manager !== undefined && agent?.node === path && agent.gone === undefined)
    found.push({
      id: "node.managed",
      severity: "note",
      what: `the agent is run with a Node of ${manager}: ${path}`,
      why: `When ${manager} removes this version, nothing can start the agent again. After you switch to another, this moves the agent to it.`,
      mend: "xy agent upgrade --force",
    });
  return found;
}

/** What each manager installs a newer Node with. */
const INSTALLS: Readonly<Record<string, string>> = {
  nvm: "nvm install --lts",
  fnm: "fnm install --lts",
  volta: "volta install node",
  asdf: "asdf install nodejs latest",
  mise: "mise use --global node@lts",
};

/** Whether a version such as `20.18.1` is below one such as `20.19`. */
export function isOlder(version: string, needs: string): boolean {
  const [a, b] = [version, needs].map((text) => text.replace(/^v/, "").split(".").map(Number));
  const at = (b ?? []).findIndex((part, i) => (a?.[i] ?? 0) !== part);
  return at !== -1 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}
