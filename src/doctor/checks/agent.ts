import { readFileSync } from "node:fs";
import { AgentUnreachable, connectNow, isAgentExpected } from "../../backends/agent/find.ts";
import { uptime } from "../../model/elapsed.ts";
import type { Finding } from "../../model/finding.ts";
import { ConnectionLost } from "../../rpc/client.ts";
import { lockHolder } from "../../system/lock.ts";
import { livingLoop } from "../../system/loop.ts";
import { agentLockPath, agentLogPath } from "../../system/paths.ts";
import { type Around, counted, row } from "../check.ts";

/** Longest wait for its answer, and for an agent that is about to come, ms. */
const BOUND = 3000;
const LOOK_GAP = 50;

interface AgentFacts {
  /** Of this xy. */
  readonly own: string;
  /** What it says of itself; undefined: it does not answer, or does not run. */
  readonly info?: {
    readonly pid: number;
    readonly version: string;
    readonly upMs: number;
    readonly servers: number;
    readonly troubles: readonly { readonly server: string; readonly trouble: string }[];
  };
  /** Why it cannot be spoken to. */
  readonly problem?: string;
  /** The process that is the agent, as its lock says. */
  readonly pid?: number;
  /** Somebody has stopped that process with a signal. */
  readonly isStopped: boolean;
  /** Its loop, which starts it again. */
  readonly loop: boolean;
  /** It did not end as it was told to. */
  readonly expected: boolean;
  /** How many servers are on record that only it can run. */
  readonly recorded: number;
  readonly log: string;
}

export const agentCheck = row<AgentFacts>({
  id: "agent",
  title: "Agent",
  about: "whether it runs, answers and has this version, whether its loop is alive, and what troubles it",
  needsState: true,
  async look(around) {
    for (const until = performance.now() + BOUND; ; ) {
      const facts = await lookOnce(around);
      // Between two agents of one loop, before the first answer of one, or at the end of both: a moment tells which.
      const isPassing = !facts.info && !facts.problem && !facts.isStopped && (facts.loop || facts.pid);
      if (!isPassing || performance.now() > until) return facts;
      await new Promise((resolve) => setTimeout(resolve, LOOK_GAP));
    }
  },
  judge(facts) {
    return { summary: summaryOf(facts), findings: findingsOf(facts) };
  },
});

async function lookOnce({ state = "", version, now, recorded }: Around): Promise<AgentFacts> {
  const pid = lockHolder(agentLockPath(state))?.pid;
  const isStopped = () => pid !== undefined && stateOfProcess(pid) === "T";
  const facts = {
    own: version,
    isStopped: isStopped(),
    loop: livingLoop(state) !== undefined,
    expected: isAgentExpected(state),
    recorded: recorded.servers.filter(({ backend }) => backend === "agent").length,
    log: agentLogPath(state),
    ...(pid !== undefined && { pid }),
  };
  if (facts.isStopped) return facts;
  try {
    const client = await connectNow(state, BOUND);
    if (client === undefined) return facts;
    const told = await client.call("agent_info", {}).finally(() => client.close());
    const troubles = (told.troubles ?? []).map(({ project, name, trouble }) => ({
      server: `${project}/${name}`,
      trouble,
    }));
    const upMs = now - told.started_at_unix_ms;
    return {
      ...facts,
      info: { pid: told.pid, version: told.version, upMs, servers: told.servers, troubles },
    };
  } catch (error) {
    // It has ended just now.
    if (error instanceof ConnectionLost) return facts;
    if (!(error instanceof AgentUnreachable)) throw error;
    // It may have been suspended just now: on a busy machine that shows a moment after the signal.
    return { ...facts, isStopped: isStopped(), problem: error.message };
  }
}

/** The letter that Linux gives it; undefined elsewhere. */
function stateOfProcess(pid: number): string | undefined {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1];
  } catch {
    return undefined;
  }
}

function summaryOf({ info, pid, loop }: AgentFacts): string {
  if (info !== undefined)
    return `version ${info.version}, pid ${info.pid}, up ${uptime(info.upMs)}, ${counted(info.servers, "server")}`;
  return pid !== undefined ? `pid ${pid}, does not answer` : loop ? "does not come up" : "not running";
}

function findingsOf(facts: AgentFacts): Finding[] {
  const { info, own, loop } = facts;
  if (info === undefined) return silent(facts);
  const found: Finding[] = info.troubles.map(({ server, trouble }) => ({
    id: "agent.trouble",
    severity: "warning",
    what: `${server}: ${trouble}`,
    why: "The server keeps running as far as it can.",
    mend: `xy why ${server}`,
  }));
  if (info.version !== own)
    found.push({
      id: "agent.old",
      severity: "warning",
      what: `the agent has version ${info.version}, and this xy is ${own}`,
      why: "What this version has added or mended is not in the agent yet. No server restarts when it is replaced.",
      mend: "xy agent upgrade",
    });
  if (!loop)
    found.push({
      id: "agent.no-loop",
      severity: "error",
      what: "the loop that restarts the agent is gone",
      why: "If the agent crashes, nothing supervises your servers any more. They keep running meanwhile.",
      mend: "xy agent stop --keep-servers && xy agent start",
    });
  return found;
}

function silent({ problem, pid, isStopped, loop, expected, recorded, log }: AgentFacts): Finding[] {
  const one = (finding: Omit<Finding, "severity"> & { severity?: Finding["severity"] }): Finding[] => [
    { severity: "error", ...finding },
  ];
  if (pid !== undefined && isStopped)
    return one({
      id: "agent.stopped",
      what: `the agent is suspended: pid ${pid}`,
      why: "Somebody has sent it SIGSTOP. Nothing supervises your servers, and every command waits for it.",
      mend: `kill -CONT ${pid}`,
    });
  if (pid !== undefined)
    return one({
      id: "agent.hangs",
      what: `the agent does not answer: ${problem ?? `pid ${pid} holds its lock, and has no socket`}`,
      why: loop
        ? `Its loop starts it again when it is killed, and your servers keep running. ${log} may say more.`
        : `Your servers keep running when it is killed; the next command starts it again. ${log} may say more.`,
      mend: `kill -KILL ${pid}`,
    });
  if (problem !== undefined)
    return one({
      id: "agent.unreachable",
      what: problem,
      why: "No command can use the agent.",
      mend: null,
    });
  if (loop)
    return one({
      id: "agent.failing",
      what: "the agent keeps failing, and its loop keeps starting it",
      why: `${log} has the reason. This replaces it with this version.`,
      mend: "xy agent start",
    });
  if (recorded === 0) return [];
  return one({
    id: "agent.away",
    severity: expected ? "warning" : "note",
    what: `no agent runs, so nothing supervises ${counted(recorded, "server")} on record`,
    why: expected
      ? "It ended without being told to, as at a reboot. `xy agent install` makes it start at login."
      : "It was stopped. The next command that needs it starts it.",
    mend: "xy agent start",
  });
}
