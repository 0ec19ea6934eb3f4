import { rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect } from "vitest";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort } from "../rig/port.ts";
import { readyOn, shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";
import { Wire } from "../rig/wire.ts";

const test = testInTurn();

/** The answer to one request on a connection of its own. */
async function ask(agent: Agent, method: string, params?: object) {
  await agent.client();
  const wire = await Wire.open(agent.record.socket);
  const answer = await wire.ask("x", method, params).next();
  wire.close();
  return answer;
}

const result = (value: unknown) => ({ jsonrpc: "2.0", id: "x", result: value });
const error = (code: number, message: RegExp | string) => ({
  jsonrpc: "2.0",
  id: "x",
  error: { code, message: expect.stringMatching(message) },
});

const NUMBER = expect.any(Number);
const UP = { readiness: readyOn("up") };
const staying = (name: string, over: object = {}) =>
  shellSpec(name, "echo up; exec sleep 600", { ...UP, ...over });

const LISTED = {
  name: "a",
  project: "p",
  backend: "agent",
  state: "running",
  is_running: true,
  pid: NUMBER,
  port: null,
  url: null,
  held: false,
  uptime_secs: NUMBER,
  restart_count: 0,
  ready: true,
  healthy: null,
};

describe("the wire", () => {
  test("lists exactly what is promised", async ({ agent }) => {
    expect(await ask(agent, "list")).toEqual(result([]));
    await agent.apply(staying("a"));
    await agent.apply(shellSpec("b", "exit 7", { restart: { policy: "never" } }));
    const ended = { last_exit: 7, last_end: { code: 7, at_unix_ms: NUMBER } };
    const gone = { ...LISTED, name: "b", state: "stopped", is_running: false, ready: false, ...ended };
    const { pid: _pid, uptime_secs: _up, ...b } = gone;
    expect(await ask(agent, "list", {})).toEqual(result([LISTED, b]));
    expect(await ask(agent, "list", { project: "p" })).toMatchObject({
      result: [{ name: "a" }, { name: "b" }],
    });
    expect(await ask(agent, "list", { project: "other" })).toEqual(result([]));
  });

  test("tells everything about one server", async ({ agent }) => {
    const spec = staying("a");
    await agent.apply(spec);
    expect(await ask(agent, "status", { name: "a" })).toEqual(
      result({
        ...LISTED,
        since_unix_ms: NUMBER,
        started_at_unix_ms: NUMBER,
        operator: null,
        started_by: { by: "apply" },
        recent_transitions: [
          { from: "stopped", to: "starting", at_unix_ms: NUMBER },
          { from: "starting", to: "running", at_unix_ms: NUMBER },
        ],
        probes: {
          readiness: { status: "ok", evidence: expect.stringContaining("up"), at: NUMBER },
          liveness: { status: "unknown", evidence: expect.any(String), at: NUMBER },
        },
        spec,
        log_path: expect.stringMatching(/^\/.*current\.log$/),
      }),
    );
    expect(await ask(agent, "status", { name: "b" })).toEqual(error(-32001, "cannot find server b"));
    expect(await ask(agent, "status", { name: "a", project: "other" })).toEqual(
      error(-32001, "in project other"),
    );
  });

  test("tells beside a result what it has passed over, and does nothing that was written wrong", async ({
    agent,
  }) => {
    await agent.apply(staying("a"));
    const warning = 'ignored "x", which is not one of its params';
    expect(await ask(agent, "list", { x: 1, project: null })).toEqual({
      ...result([LISTED]),
      warnings: [warning],
    });
    expect(await ask(agent, "start", { name: "a", x: 1 })).toEqual({
      ...result({ started: [], already_running: ["a"], failed: [] }),
      warnings: [warning],
    });
    for (const [params, message] of [
      [{ name: "a", remove_job: true }, 'it was given "remove_job", .*; did you mean remove_jobs\\?$'],
      [{}, "^cannot call stop: say name, names or all: true$"],
      [{ all: false }, "^cannot call stop: say name, names or all: true$"],
    ] as const)
      expect(await ask(agent, "stop", params)).toEqual(error(-32602, message));
    expect(await ask(agent, "list")).toEqual(result([LISTED]));
  });

  test("pauses and resumes, and says it in the list", async ({ agent }) => {
    await agent.apply(staying("a"));
    const calls: [string, object, object][] = [
      ["pause", {}, { paused: ["a"], already_paused: [], failed: [] }],
      ["pause", { for_ms: 60_000 }, { paused: [], already_paused: ["a"], failed: [] }],
    ];
    for (const [method, how, expected] of calls)
      expect(await ask(agent, method, { name: "a", ...how })).toEqual(result(expected));
    const paused = { at_unix_ms: NUMBER, until_unix_ms: NUMBER };
    expect(await ask(agent, "list")).toEqual(result([{ ...LISTED, paused }]));
    expect(await ask(agent, "resume", { all: true })).toEqual(
      result({ resumed: ["a"], not_paused: [], failed: [] }),
    );
    expect(await ask(agent, "list")).toEqual(result([LISTED]));
    expect(await ask(agent, "pause", { name: "a", for_ms: 0 })).toEqual(error(-32602, "cannot call pause"));
  });

  test("tells of transitions between the lines when it is asked to", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const client = await agent.connect();
    const heard: string[] = [];
    const over = new Promise<void>((resolve) => {
      client.onNotification = (method, params) => {
        if (method === "log") heard.push((params as { line: string }).line);
        if (method !== "transition") return;
        const { from, to, reason } = params as { from: string; to: string; reason?: string };
        heard.push(`${from} -> ${to}: ${reason}`);
        if (to === "running") resolve();
      };
    });
    await client.call("logs", { name: "a", tail: 0, follow: true, transitions: true });
    await puppet.do({ deed: "print", stream: "out", from: 0, to: 1 });
    void puppet.exit(7);
    await over;
    client.close();
    expect(heard.slice(-3)).toEqual([
      "running -> restarting: exit 7; starts again after 10ms",
      "restarting -> starting: undefined",
      "starting -> running: undefined",
    ]);
    expect(heard.length).toBeGreaterThan(3);
  });

  test("starts, stops, restarts and kills, and says what it did", async ({ agent }) => {
    await agent.apply(staying("a"));
    const nothing = { failed: [] };
    const calls: [string, object][] = [
      ["start", { started: [], already_running: ["a"], ...nothing }],
      ["stop", { stopped: ["a"], not_running: [], ...nothing }],
      ["stop", { stopped: [], not_running: ["a"], ...nothing }],
      ["kill", { killed: [], not_running: ["a"], ...nothing }],
      ["start", { started: ["a"], already_running: [], ...nothing }],
      ["restart", { restarted: ["a"], started: [], ...nothing }],
      ["kill", { killed: ["a"], not_running: [], ...nothing }],
      ["restart", { restarted: ["a"], started: ["a"], ...nothing }],
    ];
    for (const [method, expected] of calls) {
      expect([method, await ask(agent, method, { name: "a" })]).toEqual([method, result(expected)]);
    }
    for (const method of ["start", "stop", "restart", "kill", "logs"]) {
      expect(await ask(agent, method, { name: "nobody" })).toEqual(
        error(-32001, "cannot find server nobody"),
      );
    }
  });

  test("works on all servers of a project, and one that fails hides none that does not", async ({
    agent,
  }) => {
    const missing = { ...staying("b"), program: "/nowhere/b", command: "b" };
    await agent.apply(staying("a"));
    await agent.apply(missing);
    await agent.apply(staying("c"));
    await ask(agent, "stop", { name: "a" });
    expect(await ask(agent, "start", { all: true, project: "p" })).toEqual(
      result({
        started: ["a"],
        already_running: ["c"],
        failed: [{ name: "b", code: -32006, message: expect.stringContaining("/nowhere/b") }],
      }),
    );
    expect(await ask(agent, "start", { name: "b" })).toEqual(error(-32006, "/nowhere/b"));
    expect(await ask(agent, "stop", { all: true, project: "other" })).toEqual(
      result({ stopped: [], not_running: [], failed: [] }),
    );
    const { result: stopped } = await ask(agent, "stop", { all: true });
    expect([...stopped.stopped].sort()).toEqual(["a", "c"]);
  });

  test("tells a port that somebody else holds", async ({ agent, stage }) => {
    const port = await freePort();
    await agent.apply(stage.spec("holder"), "add", 0);
    const holder = await stage.next("holder");
    await holder.do({ deed: "listen", port });
    await agent.apply(staying("a", { port }));
    const answer = await ask(agent, "start", { name: "a" });
    expect(answer).toEqual(
      error(-32002, `port ${port} is held by xy.s own p/holder: pid ${holder.pid} \\(perl\\)`),
    );
  });

  test("sends the tail of a log after the answer, then its end", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "write", stream: "out", text: "one\ntwo\n" });
    await puppet.do({ deed: "write", stream: "err", text: "three\n" });
    await eventually(async () => {
      const heard = await agent.follow("a", { tail: 3, follow: false });
      await heard.until(({ ended }) => ended);
      heard.close();
      expect(heard.lines).toHaveLength(3);
    });

    const wire = await Wire.open(agent.record.socket);
    wire.ask(1, "logs", { name: "a", tail: 2 });
    expect(await wire.next()).toEqual({ jsonrpc: "2.0", id: 1, result: { subscription_id: NUMBER } });
    const { subscription_id } = wire.frames[0].result;
    const frame = (params: object) => ({
      jsonrpc: "2.0",
      method: "log",
      params: { subscription_id, name: "a", ...params },
    });
    expect(await wire.next()).toEqual(frame({ stream: "stdout", line: "two", ts_unix_ms: NUMBER }));
    expect(await wire.next()).toEqual(frame({ stream: "stderr", line: "three", ts_unix_ms: NUMBER }));
    expect(await wire.next()).toEqual({ jsonrpc: "2.0", method: "log_end", params: { subscription_id } });

    wire.ask(2, "logs_cancel", { subscription_id });
    expect(await wire.next()).toMatchObject({ id: 2, result: { cancelled: false } });
    wire.ask(3, "logs", { name: "a", tail: 0, follow: true });
    const { subscription_id: second } = (await wire.next()).result;
    wire.ask(4, "logs_cancel", { subscription_id: second });
    expect(await wire.next()).toMatchObject({ id: 4, result: { cancelled: true } });
    expect(await wire.next()).toEqual({
      jsonrpc: "2.0",
      method: "log_end",
      params: { subscription_id: second },
    });
    wire.close();
  });

  test("runs the calls of one connection beside each other", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a", { stop: { grace: 60_000 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    const wire = await Wire.open(agent.record.socket);
    wire.ask("slow", "stop", { name: "a" });
    await puppet.ignores();
    wire.ask("quick", "status", { name: "a" });
    expect(await wire.next()).toMatchObject({ id: "quick", result: { state: "stopping" } });
    wire.ask("kill", "kill", { name: "a" });
    const answers = [await wire.next(), await wire.next()];
    expect(answers.map(({ id }) => id).sort()).toEqual(["kill", "slow"]);
    wire.close();
  });

  test("is a socket that only the account can open, and that comes back when it vanishes", async ({
    agent,
  }) => {
    await agent.client();
    const { socket } = agent.record;
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    const before = await Wire.open(socket);

    rmSync(socket);

    await eventually(async () => expect(await ask(agent, "list")).toEqual(result([])));
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await before.ask("x", "list").next()).toEqual(result([]));
    before.close();
  });
});
