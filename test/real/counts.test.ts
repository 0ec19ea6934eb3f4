import { readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { serverDir } from "../../src/system/paths.ts";
import { eventually } from "../rig/eventually.ts";
import { ioCalls, whyNoIoCalls } from "../rig/io-calls.ts";
import { logFiles } from "../rig/log-file.ts";
import { freePort } from "../rig/port.ts";
import { PROJECT, readyOnPort } from "../rig/spec.ts";
import { test } from "../rig/test.ts";
import { Wire } from "../rig/wire.ts";

/** What the agent does for a piece of work, counted: unlike a time, a count is the same on every machine. */

describe.skipIf(whyNoIoCalls() !== undefined)("output that is printed as fast as it is read", () => {
  const LINES = 20_000;
  const LINE = `${"x".repeat(99)}\n`;
  /**
   * The writer fills the pipe, 64 KiB, before the agent gets to read, which then takes all of it: two reads (the second
   * finds nothing, and is not always made) and one write for 655 lines, so 3 to 4.8 calls for 1000 lines. Pieces of half
   * the size make more than 6.
   */
  const MOST_CALLS = 6;

  test(`takes at most ${MOST_CALLS} reads and writes of the agent for 1000 lines`, async ({
    agent,
    stage,
    home,
  }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const puppet = await stage.next("a");
    const { pid } = await agent.call("agent_info", {});
    const before = ioCalls(pid);
    await puppet.do({ deed: "write", stream: "out", text: LINE.repeat(LINES) });
    await puppet.do({ deed: "write", stream: "out", text: "end\n" });
    const [log = ""] = logFiles(home.state, "a");
    await eventually(() => {
      if (!readFileSync(log, "latin1").endsWith("] end\n"))
        throw new Error("its last line is not in the log");
    });
    const calls = ((ioCalls(pid) - before) / LINES) * 1000;
    console.log(`the agent makes ${calls.toFixed(1)} reads and writes for 1000 lines`);
    expect(calls).toBeLessThanOrEqual(MOST_CALLS);
  });
});

describe("checks of a server that goes on well", () => {
  const CHECKS = 30;

  test("send nothing to those who are connected, or follow", async ({ agent, stage }) => {
    const port = await freePort();
    const liveness = { ...readyOnPort(port), interval: 10 };
    await agent.apply(stage.spec("a", { port, readiness: readyOnPort(port), liveness }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "listen", port });
    await eventually(async () =>
      expect(await agent.observed("a")).toMatchObject({ ready: { status: "ok" }, healthy: { status: "ok" } }),
    );
    const { socket } = agent.record;
    const idle = await Wire.open(socket);
    const follower = await Wire.open(socket);
    follower.ask("f", "logs", { name: "a", tail: 0, follow: true, transitions: true });
    expect(await follower.next()).toMatchObject({ id: "f", result: {} });

    await puppet.do({ deed: "visits", times: CHECKS });
    await puppet.do({ deed: "write", stream: "out", text: "checked\n" });
    expect(await follower.next()).toMatchObject({ method: "log", params: { line: "checked" } });
    await agent.call("stop", { name: "a" });
    for (const params of [
      { from: "running", to: "stopping" },
      { from: "stopping", to: "stopped" },
    ])
      expect(await follower.next()).toMatchObject({ method: "transition", params });
    // Frames keep their order: what was sent before the answer has come before it.
    for (const [wire, earlier] of [
      [idle, 0],
      [follower, 4],
    ] as const) {
      wire.ask("last", "agent_info");
      await eventually(() => expect(wire.frames.at(-1)).toMatchObject({ id: "last" }));
      expect(wire.frames.slice(0, -1)).toHaveLength(earlier);
      wire.close();
    }
  });
});

describe.skipIf(process.platform !== "linux")("a server that is brought back", () => {
  /** The end of its run, the start of the next, and that it runs. What comes with the next record is not written alone. */
  const MOST_RECORDS = 3;

  test(`is recorded at most ${MOST_RECORDS} times, until it runs again`, async ({ agent, stage, home }) => {
    const restart = { ...stage.spec("a").restart, backoffInitial: 1, backoffMax: 1 };
    // To become ready would be one more.
    const readiness = { ...readyOnPort(await freePort()), interval: 600_000 };
    await agent.apply(stage.spec("a", { restart, readiness }), "add", 0);
    let puppet = await stage.next("a");
    // Each record is a file of its own until it is renamed.
    const written = new Set<string>();
    const folder = watch(serverDir(home.state, PROJECT, "a"), (_, name) => {
      if (name?.startsWith("state.json.")) written.add(name);
    });
    try {
      // A machine that is busy for longer than a record may come late has it written alone: the best of a few counts.
      const counts: number[] = [];
      while (counts.length < 5 && !counts.some((count) => count <= MOST_RECORDS)) {
        written.clear();
        await puppet.exit(1);
        const next = await stage.next("a");
        await eventually(async () =>
          expect(await agent.observed("a")).toMatchObject({ state: "running", pid: next.pid }),
        );
        await eventually(() => expect(recordOf(home.state)).toContain(`"pid":${next.pid}`));
        counts.push(written.size);
        puppet = next;
      }
      expect(Math.min(...counts), `records: ${counts}`).toBeGreaterThan(0);
      expect(Math.min(...counts), `records: ${counts}`).toBeLessThanOrEqual(MOST_RECORDS);
    } finally {
      folder.close();
    }
  });

  const recordOf = (state: string) =>
    readFileSync(join(serverDir(state, PROJECT, "a"), "state.json"), "utf8");
});
