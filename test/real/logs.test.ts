import { readFileSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect } from "vitest";
import { agentLogPath } from "../../src/system/paths.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { countLines, logFiles, printedIn } from "../rig/log-file.ts";
import { serverSpec, shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

/** The last lines, as a reader gets them. */
async function tail(agent: Agent, name: string, lines: number): Promise<string[]> {
  const reader = await agent.follow(name, { tail: lines, follow: false });
  await reader.until(({ ended }) => ended);
  reader.close();
  return reader.texts();
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const n = String(from + i).padStart(9, "0");
    return `${n} ${n} .`;
  });

describe("the log of a server", () => {
  test("is rotated: so many files of that size are kept, and the tail reads over them", async ({
    agent,
    stage,
    home,
  }) => {
    const maxSize = 256 * 1024;
    await agent.apply(stage.spec("a", { logs: { maxSize, keep: 3 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "print", stream: "out", from: 0, to: 50_000 });
    await puppet.do({ deed: "write", stream: "out", text: "the end\n" });
    await eventually(async () => expect(await tail(agent, "a", 1)).toEqual(["the end"]));

    const files = logFiles(home.state, "a");
    expect(files).toHaveLength(4);
    for (const file of files.slice(0, -1)) expect(statSync(file).size).toBeGreaterThanOrEqual(maxSize);
    // A file ends with the read that made it full.
    for (const file of files) expect(statSync(file).size).toBeLessThan(maxSize + 4 * 64 * 1024);
    expect(await tail(agent, "a", 10_001)).toEqual([...numbered(40_000, 50_000), "the end"]);
  });

  test("is made again when somebody deletes it, and the server and its followers go on", async ({
    agent,
    stage,
    home,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const follower = await agent.follow("a");
    await puppet.do({ deed: "write", stream: "err", text: "before\n" });
    await follower.until(({ lines }) => lines.length === 1);
    rmSync(dirname(logFiles(home.state, "a")[0] ?? ""), { recursive: true });
    await puppet.do({ deed: "chatter", lines: 1, everyMs: 50 });
    await eventually(() =>
      expect(readFileSync(agentLogPath(home.state), "utf8")).toContain("creating it again"),
    );
    const printed = (await puppet.do({ deed: "hush" })) as number;
    await follower.until(({ lines }) => lines.length >= 1 + 2 * printed);
    // Nothing of what came after the folder was gone is lost.
    await eventually(() =>
      expect(countLines(printedIn(home.state, "a", "out"), printed)).toMatchObject({
        missing: 0,
        misplaced: 0,
      }),
    );
    expect(await tail(agent, "a", 1)).toEqual(follower.texts().slice(-1));
    expect(await agent.observed("a")).toMatchObject({ state: "running", pid: puppet.pid });
    follower.close();
  });

  test("is rotated without a loss while the agent is killed", async ({ agent, stage, home }) => {
    await agent.apply(stage.spec("a", { logs: { maxSize: 8 * 1024, keep: 900 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "chatter", lines: 40, everyMs: 2 });
    for (let kill = 0; kill < 10; kill++) {
      await agent.hears("a", 1 + kill * 20);
      await agent.kill();
    }
    await agent.client();
    const printed = (await puppet.do({ deed: "hush" })) as number;
    await puppet.do({ deed: "write", stream: "err", text: "the end\n" });
    await eventually(() => expect(printedIn(home.state, "a", "err").toString()).toMatch(/the end\n$/));
    const count = countLines(printedIn(home.state, "a", "err"), printed);
    expect(count).toMatchObject({ misplaced: 0 });
    expect(count.gaps).toBeLessThanOrEqual(10);
    expect(logFiles(home.state, "a").length).toBeGreaterThan(10);
  });

  test("keeps a line of 100 MB whole, and hands it on in pieces", { timeout: 120_000 }, async ({
    agent,
    home,
  }) => {
    const size = 100 * 1024 * 1024;
    const script = `
      const piece = Buffer.alloc(1 << 20, "x");
      for (let i = 0; i < 100; i++) for (let n = 0; n < piece.length; ) n += require("fs").writeSync(1, piece, n);
      require("fs").writeSync(1, "\\nthe end\\n");
    `;
    await agent.apply(serverSpec("a", process.execPath, ["-e", script]), "add", 0);
    await eventually(async () => expect(await tail(agent, "a", 1)).toEqual(["the end"]));
    const printed = printedIn(home.state, "a", "out");
    expect(printed.length).toBe(size + "\nthe end\n".length);
    expect(printed.subarray(0, size).equals(Buffer.alloc(size, "x"))).toBe(true);
    const pieces = await tail(agent, "a", 20);
    expect(pieces.at(-1)).toBe("the end");
    for (const piece of pieces.slice(0, -1)) expect(piece.length).toBeLessThanOrEqual(64 * 1024);
    expect(pieces.slice(0, -1).join("")).toMatch(/^x{65536}x*$/);
  });

  test("has a last line that lacks its newline, and goes on below it", async ({ agent, home }) => {
    await agent.apply(shellSpec("a", "printf 'first\\nlast'; printf 'broken' >&2"));
    await eventually(async () => expect(await agent.observed("a")).toMatchObject({ state: "stopped" }));
    expect((await tail(agent, "a", 10)).sort()).toEqual(["broken", "first", "last"]);
    await agent.call("start", { name: "a" });
    await eventually(async () =>
      expect((await tail(agent, "a", 10)).sort()).toEqual([
        "broken",
        "broken",
        "first",
        "first",
        "last",
        "last",
      ]),
    );
    // The newline comes with the end of the run.
    await eventually(() =>
      expect(printedIn(home.state, "a", "out").toString()).toBe("first\nlast\nfirst\nlast\n"),
    );
  });

  test("keeps bytes that are no text", async ({ agent, home }) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
    const script = `require("fs").writeSync(1, Buffer.from("${bytes.toString("hex")}0a", "hex"))`;
    await agent.apply(serverSpec("a", process.execPath, ["-e", script]), "add", 0);
    const expected = Buffer.concat([bytes, Buffer.from("\n")]);
    await eventually(() => expect(printedIn(home.state, "a", "out").equals(expected)).toBe(true));
    expect(readFileSync(logFiles(home.state, "a")[0] as string).includes(bytes.subarray(128))).toBe(true);
  });

  test("keeps the streams apart when both print half lines", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const reader = await agent.follow("a");
    for (const [out, err] of [
      ["one ", "1 "],
      ["line", "line"],
      ["\n", "\n"],
    ] as const) {
      await puppet.do({ deed: "write", stream: "out", text: out });
      await puppet.do({ deed: "write", stream: "err", text: err });
    }
    await reader.until(({ lines }) => lines.length === 2);
    expect([reader.texts("stdout"), reader.texts("stderr")]).toEqual([["one line"], ["1 line"]]);
    reader.close();
  });

  test("joins a half line of an agent that was killed with the half that its successor reads", async ({
    agent,
    stage,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "write", stream: "out", text: "half " });
    await eventually(() => expect(printedIn(agent.state, "a", "out").toString()).toBe("half "));
    await agent.kill();
    const reader = await agent.follow("a");
    await puppet.do({ deed: "write", stream: "out", text: "line\n" });
    await reader.until(({ lines }) => lines.length === 1);
    expect(reader.texts()).toEqual(["half line"]);
    expect(await tail(agent, "a", 5)).toEqual(["half line"]);
    reader.close();
  });
});
