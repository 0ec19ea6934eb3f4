import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { countLines, printedIn } from "../rig/log-file.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const LINES = 200_000;

/** A follower that reads nothing before it is told to. */
async function followBlindly(path: string, name: string): Promise<Socket> {
  const socket = connect({ path });
  await once(socket, "connect");
  socket.pause();
  const request = { jsonrpc: "2.0", id: 1, method: "logs", params: { name, tail: 0, follow: true } };
  socket.write(`${JSON.stringify(request)}\n`);
  return socket;
}

const EXTRA = /^extra (\d+)$/;

/** Reads on until an extra line comes: what was got up to it and what it was told it missed, and which one it is. */
async function readUpToExtra(socket: Socket): Promise<{ got: number; missed: number; extra: number }> {
  let [got, missed] = [0, 0];
  for await (const frame of createInterface({ input: socket })) {
    const { method, params } = JSON.parse(frame);
    if (method !== "log") continue;
    got++;
    missed += params.missed ?? 0;
    const extra = EXTRA.exec(params.line)?.[1];
    if (extra !== undefined) return { got, missed, extra: Number(extra) };
  }
  throw new Error("no extra line came");
}

describe("a follower that does not read", () => {
  test("slows neither the server nor others, and is told how much it missed", async ({
    agent,
    stage,
    home,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const good = await agent.follow("a");
    const bad = await followBlindly(agent.record.socket, "a");
    await agent.call("list", {});
    let extras = 0;
    /** What was dropped is told with the next line that can be taken: prints such lines until one is. */
    const printExtrasUntil = (arrived: () => boolean) =>
      eventually(async () => {
        await puppet.do({ deed: "write", stream: "err", text: `extra ${extras++}\n` });
        expect(arrived()).toBe(true);
      });

    // Answered when the last line is in the pipe: nobody made the server wait.
    await puppet.do({ deed: "print", stream: "out", from: 0, to: LINES });

    await printExtrasUntil(() => good.lines.some(({ line }) => EXTRA.test(line)));
    const first = good.lines.findIndex(({ line }) => EXTRA.test(line));
    expect(first + good.missed).toBe(LINES + Number(EXTRA.exec(good.lines[first]?.line ?? "")?.[1]));
    await eventually(() =>
      expect(countLines(printedIn(home.state, "a", "out"), LINES)).toMatchObject({
        missing: 0,
        misplaced: 0,
      }),
    );

    let told: Awaited<ReturnType<typeof readUpToExtra>> | undefined;
    const reading = readUpToExtra(bad).then((result) => {
      told = result;
    });
    await printExtrasUntil(() => told !== undefined);
    await reading;
    expect(told?.missed).toBeGreaterThan(0);
    expect(told && told.got + told.missed).toBe(LINES + Number(told?.extra) + 1);
    good.close();
    bad.destroy();
  });

  test("makes a call on another connection wait for nothing", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "chatter", lines: 100, everyMs: 1 });
    const bad = await Promise.all([...Array(5)].map(() => followBlindly(agent.record.socket, "a")));
    await agent.hears("a", 20_000);
    expect(await agent.call("list", {})).toMatchObject([{ name: "a", state: "running" }]);
    expect(await agent.call("restart", { name: "a" })).toMatchObject({ restarted: ["a"] });
    for (const socket of bad) socket.destroy();
  });
});

describe("many followers", () => {
  test("get every line, each from where it came in", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const followers = [];
    for (let n = 0; n < 20; n++) {
      await puppet.do({ deed: "write", stream: "out", text: `${n}\n` });
      followers.push(await agent.follow("a", { tail: 1000 }));
    }
    await puppet.do({ deed: "write", stream: "err", text: "the end\n" });
    const all = [...Array(20).keys()].map(String);
    for (const follower of followers) {
      await follower.until(({ lines }) => lines.at(-1)?.line === "the end");
      expect(follower.texts("stdout")).toEqual(all);
      expect(follower.missed).toBe(0);
      follower.close();
    }
  });

  test("end with the call that cancels them, and only they", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const [one, other] = [await agent.follow("a"), await agent.follow("a")];
    expect(await one.cancel()).toEqual({ cancelled: true });
    await one.until(({ ended }) => ended);
    expect(await one.cancel()).toEqual({ cancelled: false });
    await puppet.do({ deed: "write", stream: "out", text: "after\n" });
    await other.until(({ lines }) => lines.length === 1);
    expect([one.texts(), other.texts()]).toEqual([[], ["after"]]);
    one.close();
    other.close();
  });
});
