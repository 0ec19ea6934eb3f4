import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { RPC_ERRORS } from "../../src/rpc/errors.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { freePort } from "../rig/port.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const PROJECT = "p";
const IN_P = { project: PROJECT };
const sleep = { command: "sleep", args: ["600"] };
const state = async (agent: Agent, name: string) =>
  (await agent.call("list", {})).find((server) => server.name === name);

describe("a spec that a client leaves to the agent", () => {
  test("is filled in, and so is how long is waited", async ({ agent }) => {
    expect(await agent.call("apply", { ...IN_P, server: "web", action: "add", spec: sleep })).toEqual({
      ok: true,
      detail: "ready: up for 1s",
    });
    const { spec } = await agent.call("status", { name: "web" });
    expect(spec).toMatchObject({
      ...{ name: "web", project: PROJECT, backend: "agent", port: null, host: "127.0.0.1" },
      ...{ command: "sleep", program: "/usr/bin/sleep", wanted: "start", readiness: { type: "none" } },
      ...{ workingDir: process.env.HOME, restart: { policy: "on-failure", backoffMax: 30_000 } },
    });
    expect(Object.keys(spec.env)).toEqual(expect.arrayContaining(["HOME", "USER", "PATH", "LANG"]));
    // The same again is no other server.
    const { pid } = (await state(agent, "web")) ?? {};
    await agent.call("apply", { ...IN_P, server: "web", action: "update", spec: sleep });
    await agent.call("apply", { ...IN_P, server: "web", action: "start", spec: sleep });
    expect((await state(agent, "web"))?.pid).toBe(pid);
    expect(await agent.call("apply", { ...IN_P, server: "web", action: "remove" })).toMatchObject({
      ok: true,
    });
  });

  test("may say only a part of what is in a block, and how it is looked at", async ({ agent }) => {
    const port = await freePort();
    const listens = `require('node:http').createServer((_, a) => a.end()).listen(${port}, '127.0.0.1')`;
    const spec = {
      ...{ program: process.execPath, args: ["-e", listens], port, restart: { policy: "never" as const } },
      readiness: { type: "tcp" as const, port },
    };
    const outcome = await agent.call("apply", { ...IN_P, server: "web", action: "add", spec });
    expect(outcome).toMatchObject({ ok: true, detail: expect.stringContaining(`127.0.0.1:${port}`) });
    expect((await agent.call("status", { name: "web" })).spec).toMatchObject({
      ...{ command: process.execPath, restart: { policy: "never", maxRetriesPerMinute: 5 } },
      readiness: { type: "tcp", port, interval: 5000, timeout: 2000, failureThreshold: 3 },
    });
  });

  test("runs a command as a job, too", async ({ agent }) => {
    const spec = { name: "say", command: "sh", args: ["-c", "exit 4"] };
    const { id } = await agent.call("job_run", { ...IN_P, spec });
    await eventually(async () =>
      expect(await agent.call("job_get", { id })).toMatchObject({
        ...{ phase: "failed", exit_code: 4, inline: true, action_id: "say", service_id: null },
        spec: { workingDir: process.env.HOME, timeout: null, concurrency: "allow" },
      }),
    );
    expect(await agent.call("job_clear", IN_P)).toEqual({ deleted: 1 });
    expect(await agent.call("job_list", {})).toEqual({ jobs: [], next_cursor: null });
  });

  test("is refused, and nothing is done, where it does not say enough, or something else", async ({
    agent,
  }) => {
    const refusals: [object | undefined, RegExp][] = [
      [undefined, /the spec is missing/],
      [{}, /command is missing/],
      [{ command: "" }, /spec\.command/],
      [{ command: "no-such-program" }, /cannot find the program "no-such-program" in \//],
      [{ command: "./here" }, /no absolute path/],
      [{ ...sleep, env: { PATH: "/nowhere" } }, /cannot find the program "sleep" in \/nowhere/],
      [{ ...sleep, name: "other" }, /of another server/],
      [{ ...sleep, project: "other" }, /of another server/],
      [{ ...sleep, port: 0 }, /spec\.port/],
      [{ ...sleep, comand: "x" }, /does not know comand/],
    ];
    for (const [spec, message] of refusals) {
      const params = { ...IN_P, server: "web", action: "add", ...(spec ? { spec } : {}) } as const;
      const refused = { code: RPC_ERRORS.invalidParams, message: expect.stringMatching(message) };
      await expect(agent.call("apply", params)).rejects.toMatchObject(refused);
      if (spec)
        await expect(agent.call("keep", { ...IN_P, server: "web", spec })).rejects.toMatchObject(refused);
    }
    expect(await agent.call("list", {})).toEqual([]);
  });

  test("of another server changes nothing, also where only places in it have got other names", async ({
    agent,
  }) => {
    const web = { ...IN_P, server: "web" } as const;
    await agent.call("apply", { ...web, action: "add", spec: sleep });
    const [before] = await agent.call("list", {});
    for (const other of [{ name: "other" }, { project: "other" }]) {
      const params = { ...web, action: "update", renamed: true, spec: { ...sleep, ...other } } as const;
      await expect(agent.call("apply", params)).rejects.toMatchObject({
        code: RPC_ERRORS.invalidParams,
        message: expect.stringContaining("of another server"),
      });
    }
    expect(await agent.call("list", {})).toEqual([{ ...before, uptime_secs: expect.any(Number) }]);
    expect(await agent.call("apply", { ...web, action: "remove" })).toMatchObject({ ok: true });
    expect(await agent.call("list", {})).toEqual([]);
  });
});

describe("a server that is kept", () => {
  const keep = (agent: Agent, spec: object = sleep) =>
    agent.call("keep", { ...IN_P, server: "docs", spec, wait_ms: 0 });

  test("is added once by two who add it in the same moment, and by one of two who mean another", async ({
    agent,
  }) => {
    const same = await Promise.all([keep(agent), keep(agent), keep(agent)]);
    expect(same.map(({ ok }) => ok)).toEqual([true, true, true]);
    const { pid } = (await state(agent, "docs")) ?? {};
    expect(await agent.call("children", { name: "docs" })).toMatchObject({ processes: [{ pid }] });
    await agent.call("forget", { name: "docs" });

    const others = await Promise.allSettled([keep(agent), keep(agent, { ...sleep, args: ["601"] })]);
    expect(others.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect((await agent.call("list", {})).map(({ name }) => name)).toEqual(["docs"]);
  });

  test("is forgotten, and one that is declared is not", async ({ agent }) => {
    await agent.call("apply", { ...IN_P, server: "web", action: "add", spec: sleep, wait_ms: 0 });
    const refused = { code: RPC_ERRORS.invalidParams, message: expect.stringContaining("has declared it") };
    await expect(agent.call("forget", { name: "web" })).rejects.toMatchObject(refused);
    const taken = {
      code: RPC_ERRORS.alreadyRunning,
      message: expect.stringContaining("has declared a server"),
    };
    await expect(
      agent.call("keep", { ...IN_P, server: "web", spec: sleep, wait_ms: 0 }),
    ).rejects.toMatchObject(taken);
    await expect(agent.call("forget", { name: "nobody" })).rejects.toMatchObject({
      code: RPC_ERRORS.serverNotFound,
    });
    await keep(agent);
    expect(await agent.call("forget", { name: "docs", ...IN_P })).toEqual({
      ...{ name: "docs", project: PROJECT, detail: "stopped and removed" },
    });
    expect(await state(agent, "web")).toMatchObject({ state: "running" });
    expect(await state(agent, "web")).not.toHaveProperty("kept");
  });

  test.for(["spec.json", "state.json"])(
    "is still known as that when its %s is torn",
    async (file, { agent }) => {
      await keep(agent);
      const { pid } = (await state(agent, "docs")) ?? {};
      const record = join(agent.state, "projects", PROJECT, "servers/docs", file);
      await agent.kill();
      truncateSync(record, readFileSync(record).length >> 1);
      await agent.isBack();
      expect(await state(agent, "docs")).toMatchObject({ kept: true, pid });
      expect(await agent.call("forget", { name: "docs" })).toMatchObject({ detail: "stopped and removed" });
    },
  );
});
