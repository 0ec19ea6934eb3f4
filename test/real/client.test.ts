import { readdirSync, readlinkSync } from "node:fs";
import { describe, expect, expectTypeOf, onTestFinished } from "vitest";
import type * as published from "../../schema/client.d.ts";
import type * as own from "../../src/backends/agent/client.ts";
import {
  AgentUnreachable,
  ConnectionLost,
  connect,
  RPC_ERRORS,
  RpcError,
} from "../../src/backends/agent/client.ts";
import type { Method, Params, ResultOf } from "../../src/rpc/contract.ts";
import type { Notifications } from "../../src/rpc/notifications.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { readyOn, shellSpec } from "../rig/spec.ts";
import { test as alone, testInTurn } from "../rig/test.ts";

const test = testInTurn();

type Client = Awaited<ReturnType<typeof connect>>;

/** What may be left out may be undefined too: JSON does not tell them apart. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> | (object extends Pick<T, Key> ? undefined : never) }
    : T;
type Same<A, B> = [A, B] extends [B, A] ? true : false;
/** Methods whose published types are not those of the contract. */
type Wrong = {
  [M in Method | published.Method]: [
    Same<Plain<published.Params<M>>, Plain<Params<M>>>,
    Same<Plain<published.Result<M>>, Plain<ResultOf<M>>>,
  ] extends [true, true]
    ? never
    : M;
}[Method];

/** A client of the running agent, closed when the test is over. */
async function opened(agent: Agent): Promise<Client> {
  await agent.client();
  const xy = await connect({ stateDir: agent.state });
  onTestFinished(() => xy.close());
  return xy;
}

const SPEAKER = shellSpec("a", "echo one; echo two >&2; echo up; exec sleep 600", {
  readiness: readyOn("up"),
});
const LINES = 200_000;

/** Connections that the agent has. */
function connections({ record: { pid } }: Agent): number {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

describe("the client for scripts", () => {
  test("has the types that are published", () => {
    expectTypeOf<Wrong>().toBeNever();
    expectTypeOf<Omit<typeof own, "connect">>().toExtend<Omit<typeof published, "connect">>();
    expectTypeOf<Client>().toExtend<Omit<published.Client, "call" | "lines">>();
    expectTypeOf<Parameters<Client["lines"]>[0]>().toEqualTypeOf<published.Subscribing>();
    expectTypeOf<Notifications>().toExtend<published.Notifications>();
    expectTypeOf<Parameters<typeof connect>>().toEqualTypeOf<Parameters<typeof published.connect>>();
  });

  test("finds the agent by its state folder, and by its socket", async ({ agent }) => {
    await agent.apply(SPEAKER);
    const byFolder = await opened(agent);
    const bySocket = await connect({ socket: agent.record.socket });
    for (const xy of [byFolder, bySocket]) {
      expect(await xy.call("list", { project: "p" })).toMatchObject([{ name: "a", state: "running" }]);
      expect(await xy.call("agent_info")).toMatchObject({ pid: agent.record.pid });
    }
    await bySocket[Symbol.asyncDispose]();
    await expect(bySocket.call("list")).rejects.toThrow(ConnectionLost);
  });

  alone("says what to do when no agent runs", async ({ home }) => {
    const stateDir = home.state;
    const socket = `${stateDir}/xy.sock`;
    await expect(connect({ stateDir })).rejects.toThrow(AgentUnreachable);
    await expect(connect({ stateDir })).rejects.toThrow(/no agent runs for .*`xy agent start`/);
    await expect(connect({ socket })).rejects.toThrow(AgentUnreachable);
    await expect(connect({ socket })).rejects.toThrow(`no agent answers at ${socket} (`);
  });

  test("throws what the agent answers, with its code", async ({ agent }) => {
    const xy = await opened(agent);
    const asked = xy.call("status", { name: "nobody" });
    await expect(asked).rejects.toThrow(RpcError);
    await expect(asked).rejects.toMatchObject({
      code: RPC_ERRORS.serverNotFound,
      message: expect.stringContaining("cannot find server nobody"),
    });
    await expect(xy.logs({ name: "nobody" }).next()).rejects.toMatchObject({
      code: RPC_ERRORS.serverNotFound,
    });
  });

  test("gives the lines of a log, and ends with it", async ({ agent }) => {
    await agent.apply(SPEAKER);
    const xy = await opened(agent);
    const lines: string[] = [];
    for await (const { stream, line } of xy.logs({ name: "a" })) lines.push(`${stream} ${line}`);
    expect(lines.sort()).toEqual(["stderr two", "stdout one", "stdout up"]);
    const followed = xy.logs({ name: "a", follow: true, stream: "stdout", tail: 1 });
    expect(await followed.next()).toMatchObject({ value: { line: "up" } });
    const next = followed.next();
    await agent.apply(SPEAKER, "remove");
    expect(await next).toEqual({ done: true, value: { missed: 0 } });
  });

  test("ends a subscription when its loop is left, and all of them when it is closed", async ({ agent }) => {
    const { project, name: server } = SPEAKER;
    // Over the connection that stays: one of its own might still be closing when connections are counted.
    await agent.call("apply", { project, server, action: "add", spec: SPEAKER, wait_ms: 20_000 });
    const xy = await opened(agent);
    // What it listens on, the connection above, and this client: pipes to what it has just started count too, for a while.
    const before = 3;
    await eventually(() => expect(connections(agent)).toBe(before));
    for await (const { line } of xy.logs({ name: "a", follow: true })) if (line === "up") break;
    await eventually(() => expect(connections(agent)).toBe(before));
    const followed = xy.logs({ name: "a", follow: true, tail: 0 });
    const next = followed.next();
    await eventually(() => expect(connections(agent)).toBe(before + 1));
    xy.close();
    expect(await next).toEqual({ done: true, value: { missed: 0 } });
    await eventually(() => expect(connections(agent)).toBe(before - 1));
  });

  test("tells when the agent goes away", async ({ agent }) => {
    await agent.apply(SPEAKER);
    const xy = await opened(agent);
    const followed = xy.logs({ name: "a", follow: true });
    await followed.next();
    await agent.kill();
    const rest = async () => {
      for await (const _ of followed);
    };
    await expect(rest()).rejects.toThrow(ConnectionLost);
    await expect(xy.call("list")).rejects.toThrow(ConnectionLost);
  });

  test("keeps no more lines than it must for a slow loop, which is told what it missed", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const xy = await opened(agent);
    await puppet.do({ deed: "print", stream: "out", from: 0, to: 1 });
    const followed = xy.logs({ name: "a", follow: true, stream: "stdout" });
    expect((await followed.next()).value).toMatchObject({ name: "a" });
    await puppet.do({ deed: "print", stream: "out", from: 1, to: LINES });
    await agent.apply(stage.spec("a"), "remove");
    let [got, missed] = [1, 0];
    for (;;) {
      const { done, value } = await followed.next();
      missed += value.missed ?? 0;
      if (done) break;
      got++;
    }
    expect(got + missed).toBe(LINES);
    // What waits is a megabyte with the agent, what a socket holds, and little here.
    expect(got).toBeLessThan(LINES / 10);
    expect(await xy.call("list")).toEqual([]);
  });
});
