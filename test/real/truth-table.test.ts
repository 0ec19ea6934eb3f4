import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { Observed } from "../../src/model/observed.ts";
import { probeOf } from "../../src/model/probe-of.ts";
import { holderOf } from "../../src/system/listeners.ts";
import { Agent } from "../rig/agent.ts";
import { bareHttp, bareTcp } from "../rig/bare-checks.ts";
import { eventually } from "../rig/eventually.ts";
import { makeHome } from "../rig/home.ts";
import { initialize, listTools, occupy } from "../rig/mcp/client.ts";
import { AT_PORT, ours, PROGRAMS, SERVER_ENV, startServer } from "../rig/mcp/servers.ts";
import { freePort } from "../rig/port.ts";
import { groupMembers, groupOf, isAlive, killGroup } from "../rig/processes.ts";
import { readyByMcp, readyOnPort, serverSpec } from "../rig/spec.ts";
import { test } from "../rig/test.ts";

/** One server in one situation, as three judges see it. */
interface Row {
  readonly situation: string;
  readonly server: string;
  /** Whether a client could use it now. */
  readonly usable: boolean;
  readonly tcp: boolean;
  readonly http: string;
  readonly xy: string;
  readonly evidence: string;
}

interface Scene {
  readonly situation: string;
  readonly server: string;
  readonly usable: boolean;
  /** The path that a health check would ask for; that of the MCP endpoint when the server has no other. */
  readonly health?: string;
  /** It takes long: among the first. */
  readonly isLong?: true;
  /** Its agent is away for a moment: it gets one of its own. */
  readonly isAlone?: true;
  /** Brings the server into its situation; settles when xy's verdict is in. */
  readonly play: (agent: Agent, name: string, port: number) => Promise<Observed>;
}

const NODE = process.execPath;
/** Scenes that are played beside each other: the longest takes a minute, and most wait most of the time. */
const AT_ONCE = 5;

function mcpSpec(name: string, args: string[], port: number, path = "/mcp") {
  return serverSpec(name, NODE, args, {
    port,
    mcp: { path },
    env: { PATH: `${process.env.PATH}`, HOME: "/", PORT: String(port), ...SERVER_ENV },
    readiness: readyByMcp(port, path),
    stop: { grace: 500 },
  });
}

/** Started, and seen by its probe. */
async function started(agent: Agent, spec: ReturnType<typeof mcpSpec>): Promise<Observed> {
  await agent.apply(spec, "add", 0);
  return verdict(agent, spec.name, "ok");
}

function verdict(agent: Agent, name: string, status: "ok" | "failing", withinMs?: number): Promise<Observed> {
  return eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed).toMatchObject({ state: "running", ready: { status } });
    return observed;
  }, withinMs);
}

/** Not ready, for this reason in the end. */
function refused(agent: Agent, name: string, because: string): Promise<Observed> {
  return eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed).toMatchObject({ state: "running", ready: { status: "failing" } });
    expect(observed.ready.evidence).toContain(because);
    return observed;
  });
}

function failed(agent: Agent, name: string): Promise<Observed> {
  return eventually(async () => {
    const observed = await agent.observed(name);
    expect(observed.state).toBe("failed");
    return observed;
  });
}

const EVERYTHING = [PROGRAMS.everything, "streamableHttp"];
const MEMORY = PROGRAMS.memory;
const proxied = (port: number) => [
  PROGRAMS.mcpProxy,
  ...["--host", "127.0.0.1", "--port", `${port}`, "--", NODE, MEMORY],
];
const sseGateway = (port: number, command: string) => [
  ...[PROGRAMS.supergateway, "--stdio", command, "--port", `${port}`, "--healthEndpoint", "/healthz"],
];
const gateway = (port: number, command: string) => [
  ...[...sseGateway(port, command), "--outputTransport", "streamableHttp"],
];

/** One whose checks are as they are when nothing is said of them. */
function usualSpec(name: string, args: string[], port: number, owner?: "any"): ReturnType<typeof mcpSpec> {
  const facts = { port, mcp: { path: "/mcp" }, ...(owner ? { owner } : {}) };
  const probes = {
    readiness: probeOf(undefined, "mcp", facts, undefined),
    liveness: probeOf(undefined, "tcp", facts, undefined),
  };
  return { ...mcpSpec(name, args, port), ...probes };
}

const SCENES: readonly Scene[] = [
  {
    situation: "healthy, legacy only, with sessions",
    server: "server-everything",
    usable: true,
    play: (agent, name, port) => started(agent, mcpSpec(name, EVERYTHING, port)),
  },
  {
    situation: "healthy, behind a bridge",
    server: "mcp-proxy, server-memory",
    usable: true,
    health: "/ping",
    play: (agent, name, port) => started(agent, mcpSpec(name, proxied(port), port)),
  },
  {
    situation: "the server behind the bridge was killed",
    server: "mcp-proxy, server-memory",
    usable: false,
    health: "/ping",
    play: async (agent, name, port) => {
      const { pid } = await started(agent, mcpSpec(name, proxied(port), port));
      const child = groupMembers(groupOf(pid as number)).find(
        ({ pid: other, command }) => other !== pid && command.startsWith(`${NODE} ${MEMORY}`),
      );
      process.kill((child as { pid: number }).pid, "SIGKILL");
      return verdict(agent, name, "failing");
    },
  },
  {
    situation: "healthy, a process for each request",
    server: "supergateway, server-memory",
    usable: true,
    health: "/healthz",
    play: (agent, name, port) => started(agent, mcpSpec(name, gateway(port, `${NODE} ${MEMORY}`), port)),
  },
  {
    situation: "a process for each request, on a machine where each takes 4s to start",
    server: "supergateway, server-memory",
    usable: true,
    health: "/healthz",
    isLong: true,
    play: async (agent, name, port) => {
      const slow = `sh -c 'sleep 4; exec ${NODE} ${MEMORY}'`;
      const spec = mcpSpec(name, gateway(port, slow), port);
      // All of an exchange takes longer than that, and none of its requests does.
      const readiness = { ...readyByMcp(port), timeout: 7000 } as typeof spec.readiness;
      await agent.apply({ ...spec, readiness }, "add", 0);
      return verdict(agent, name, "ok", 120_000);
    },
  },
  {
    situation: "speaks HTTP+SSE alone, at `/sse`",
    server: "supergateway by default, server-memory",
    usable: true,
    health: "/healthz",
    play: (agent, name, port) =>
      started(agent, mcpSpec(name, sseGateway(port, `${NODE} ${MEMORY}`), port, "/sse")),
  },
  {
    situation: "speaks HTTP+SSE alone, and nobody has said where",
    server: "mcp-proxy, server-memory",
    usable: true,
    health: "/ping",
    play: (agent, name, port) => {
      const [program = "", ...rest] = proxied(port);
      return started(agent, mcpSpec(name, [program, "--server", "sse", ...rest], port));
    },
  },
  {
    situation: "speaks HTTP+SSE alone, at `/mcp`",
    server: "example of the official package",
    usable: true,
    play: (agent, name, port) => started(agent, mcpSpec(name, [...AT_PORT, PROGRAMS.sseExample], port)),
  },
  {
    situation: "listens after 55s, with every setting left out",
    server: "of our own, official package",
    usable: true,
    isLong: true,
    play: async (agent, name, port) => {
      const late = "setTimeout(() => import(process.argv[1]), 55_000)";
      const spec = usualSpec(name, ["-e", late, ours("stateless")], port);
      await agent.apply(spec, "add", 0);
      return verdict(agent, name, "ok", 180_000);
    },
  },
  {
    situation: "ends with 0 before it was ready",
    server: "any",
    usable: false,
    play: async (agent, name, port) => {
      await agent.apply(usualSpec(name, ["-e", "console.log('usage: …')"], port), "add", 0);
      return failed(agent, name);
    },
  },
  {
    situation: "a bridge to a command that does not exist",
    server: "supergateway",
    usable: false,
    health: "/healthz",
    play: async (agent, name, port) => {
      await agent.apply(mcpSpec(name, gateway(port, "/nonexistent/server"), port), "add", 0);
      return refused(agent, name, "initialize");
    },
  },
  {
    situation: "a wrapper whose child is in its own process group (entr)",
    server: "server-everything",
    usable: true,
    play: async (agent, name, port) => {
      const script = `echo "$2" | entr -n -r "$@"`;
      const spec = mcpSpec(name, [], port);
      const args = ["-c", script, "sh", NODE, ...EVERYTHING];
      return started(agent, { ...spec, program: "/bin/sh", command: "/bin/sh", args });
    },
  },
  {
    situation: "a wrapper whose child is in its own session (detached)",
    server: "server-everything",
    usable: true,
    play: (agent, name, port) => {
      const staying = `require("child_process").spawn(process.execPath, process.argv.slice(1),
        { detached: true, stdio: "ignore" })`;
      return started(agent, mcpSpec(name, ["-e", staying, ...EVERYTHING], port));
    },
  },
  {
    situation: "an orphan of its last run has the port",
    server: "server-everything",
    usable: false,
    isAlone: true,
    play: async (agent, name, port) => {
      // No agent is there when its parent exits, so none has seen that it is the server's own, and may end it.
      const leaving =
        'while [ ! -e "$1" ]; do sleep 0.02; done; shift; setsid "$@" </dev/null >/dev/null 2>&1 &';
      const go = join(agent.state, "go");
      const program = { program: "/bin/sh", args: ["-c", leaving, "sh", go, NODE, ...EVERYTHING] };
      await agent.apply({ ...mcpSpec(name, [], port), ...program }, "add", 0);
      const { pid } = await eventually(async () => {
        const observed = await agent.observed(name);
        expect(observed.state).toBe("running");
        return observed;
      });
      await agent.shutdown(true);
      writeFileSync(go, "");
      await eventually(async () => expect(await bareTcp(port)).toBe(true));
      await eventually(() => expect(isAlive(pid as number)).toBe(false));
      await agent.call("start", { name }).catch(() => undefined);
      return failed(agent, name);
    },
  },
  {
    situation: "a foreign process had the port first",
    server: "any",
    usable: false,
    play: async (agent, name, port) => {
      await occupy(port);
      await agent.apply(mcpSpec(name, EVERYTHING, port), "add", 0);
      return failed(agent, name);
    },
  },
  {
    situation: "a foreign process took the port before it",
    server: "any",
    usable: false,
    play: async (agent, name, port) => {
      await agent.apply(mcpSpec(name, ["-e", "setInterval(() => {}, 1e6)"], port), "add", 0);
      await eventually(async () => expect((await agent.observed(name)).state).toBe("running"));
      await occupy(port);
      return refused(agent, name, "held by another process");
    },
  },
  {
    situation:
      'another process listens in its place, as for `docker run -p`, and `owner "any"` says that it may',
    server: "of our own, official package",
    usable: true,
    play: async (agent, name, port) => {
      await agent.apply(usualSpec(name, ["-e", "setInterval(() => {}, 1e6)"], port, "any"), "add", 0);
      await eventually(async () => expect((await agent.observed(name)).state).toBe("running"));
      await startServer((at) => [ours("stateless"), `${at}`], undefined, port);
      return verdict(agent, name, "ok");
    },
  },
  {
    situation: "it moved to the next port, since its own was taken on another address",
    server: "context7-mcp",
    usable: false,
    play: async (agent, name, port) => {
      await occupy(port, "127.0.0.2");
      const args = [PROGRAMS.context7, "--transport", "http", "--port", `${port}`];
      await agent.apply(mcpSpec(name, args, port), "add", 0);
      return refused(agent, name, "instead");
    },
  },
  {
    situation: "wants authorization",
    server: "of our own",
    usable: true,
    play: (agent, name, port) => started(agent, mcpSpec(name, [ours("auth-required"), `${port}`], port)),
  },
  {
    situation: "legacy, without sessions",
    server: "of our own, official package",
    usable: true,
    play: (agent, name, port) => started(agent, mcpSpec(name, [ours("stateless"), `${port}`], port)),
  },
  {
    situation: "both eras, without sessions",
    server: "context7-mcp",
    usable: true,
    play: (agent, name, port) => {
      const args = [PROGRAMS.context7, "--transport", "http", "--port", `${port}`];
      return started(agent, mcpSpec(name, args, port));
    },
  },
  {
    situation: "modern only",
    server: "of our own, official package",
    usable: true,
    play: (agent, name, port) => started(agent, mcpSpec(name, [ours("modern-only"), `${port}`], port)),
  },
  {
    situation: "one session for all, which a client has, `tcp` for readiness",
    server: "of our own, official package",
    usable: true,
    play: async (agent, name, port) => {
      const spec = mcpSpec(name, [ours("single-session"), `${port}`], port);
      await started(agent, { ...spec, readiness: readyOnPort(port) });
      const session = await initialize(port);
      const { sent } = await seen(agent, name);
      await eventually(async () => expect((await seen(agent, name)).sent).toBeGreaterThan(sent));
      expect(await listTools(port, session)).toEqual(["first", "second"]);
      return agent.observed(name);
    },
  },
  {
    situation: "hangs, and still accepts connections",
    server: "of our own, official package",
    usable: false,
    play: async (agent, name, port) => {
      const { pid } = await started(agent, mcpSpec(name, [ours("hung"), `${port}`, "works"], port));
      process.kill(pid as number, "SIGUSR2");
      return verdict(agent, name, "failing");
    },
  },
];

/** When its readiness was last looked at, as a number that grows. */
async function seen(agent: Agent, name: string): Promise<{ sent: number }> {
  return { sent: (await agent.observed(name)).ready.at };
}

async function judge(agent: Agent, scene: Scene, name: string): Promise<Row> {
  const port = await freePort();
  const observed = await scene.play(agent, name, port);
  const health = scene.health ?? "/mcp";
  const row = {
    situation: scene.situation,
    server: scene.server,
    usable: scene.usable,
    tcp: await bareTcp(port),
    http: `${await bareHttp(port, health)} (${health})`,
    xy: verdictOf(observed),
    evidence: withoutNumbers(evidenceOf(observed), port),
  };
  await agent.call("stop", { name });
  // What left its session before anybody looked is not known as the server's: only this test knows of it.
  const stray = await holderOf(port);
  if (stray && stray.pid !== process.pid) killGroup(groupOf(stray.pid));
  return row;
}

async function judgeAlone(scene: Scene, name: string): Promise<Row> {
  const home = makeHome();
  const agent = new Agent(home.state);
  try {
    return await judge(agent, scene, name);
  } finally {
    agent.close();
    await home.dispose();
  }
}

function verdictOf({ state, ready }: Observed): string {
  if (state !== "running") return state;
  return ready.status === "ok" ? "ready" : "not ready";
}

const evidenceOf = ({ state, ready, reason }: Observed) =>
  state === "running" ? ready.evidence : `${reason}`;

function withoutNumbers(evidence: string, port: number): string {
  return (
    evidence
      .replace(/pid \d+/g, "pid N")
      .replaceAll(String(port), "PORT")
      // The next one, or the one after that when somebody else has it.
      .replace(/:\d+ instead$/, ":ANOTHER instead")
  );
}

function table(rows: readonly Row[]): string {
  const yes = (value: boolean) => (value ? "yes" : "no");
  const cells = (row: Row) => [
    row.situation,
    row.server,
    yes(row.usable),
    row.tcp ? "up" : "down",
    row.http,
    row.xy,
    row.evidence.replaceAll("|", "\\|"),
  ];
  const head = [
    "situation",
    "server",
    "usable",
    "a TCP check says",
    "an HTTP 200 check says",
    "xy says",
    "because",
  ];
  return [head, head.map(() => "---"), ...rows.map(cells)].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const INTRODUCTION = `# What is ready, and who can tell

One row for each server and situation, with what a client would find, and what three judges say: a bare TCP connect, a check that wants HTTP status 200, and xy. Written by \`test/real/truth-table.test.ts\`, which plays each situation with the real server and fails when a verdict is wrong or this table is not what was seen. PORT is the declared port.
`;

describe("readiness", () => {
  test("is told as it is, where a check of the port or of the status is not", async ({ agent }) => {
    const judged = (scene: Scene, name: string) =>
      scene.isAlone ? judgeAlone(scene, name) : judge(agent, scene, name);
    const rows: Row[] = [];
    const left = [...SCENES.entries()].sort(([, a], [, b]) => Number(!!b.isLong) - Number(!!a.isLong));
    const lane = async () => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [i, scene] = next;
        rows[i] = await judged(scene, `s${i}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));

    for (const row of rows)
      expect.soft([row.situation, row.xy === "ready"]).toEqual([row.situation, row.usable]);
    expect(rows.some(({ tcp, usable }) => tcp !== usable)).toBe(true);
    await expect(`${INTRODUCTION}\n${table(rows)}\n`).toMatchFileSnapshot(
      "../../docs/reference/readiness.md",
    );
  }, 300_000);
});
