import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { ServerSpec } from "../../src/model/spec.ts";
import { eventually } from "../rig/eventually.ts";
import type { Home } from "../rig/home.ts";
import { ours } from "../rig/mcp/servers.ts";
import { freePort } from "../rig/port.ts";
import { serverSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

const TIMING = { interval: 100, timeout: 2000, startPeriod: 0, failureThreshold: 2, successThreshold: 1 };

/** Good while the file is there. */
function onFile(file: string, timing: Partial<typeof TIMING> = {}): ServerSpec["liveness"] {
  const test = { command: "test", program: "/usr/bin/test", args: ["-e", file] };
  return { type: "command", ...test, ...TIMING, ...timing };
}

type Flag = ReturnType<typeof flag>;

function flag(home: Home, name: string) {
  mkdirSync(join(home.root, "flags"), { recursive: true });
  const path = join(home.root, "flags", name);
  return { path, raise: () => writeFileSync(path, ""), lower: () => rmSync(path) };
}

describe("what follows from a probe", () => {
  test("a server that hangs and still accepts connections is restarted, like one that crashed", async ({
    agent,
  }) => {
    const port = await freePort();
    const look = { type: "mcp", port, path: "/mcp", ...TIMING, startPeriod: 30_000 } as const;
    const spec = serverSpec("a", process.execPath, [ours("hung"), `${port}`, "works"], {
      port,
      readiness: look,
      liveness: { ...look, timeout: 500 },
      stop: { grace: 500 },
    });
    expect(await agent.apply(spec)).toMatchObject({ ok: true });
    const { pid } = await agent.observed("a");

    process.kill(pid as number, "SIGUSR2");

    const after = await eventually(async () => {
      const observed = await agent.observed("a");
      expect(observed).toMatchObject({ state: "running", restartCount: 1, ready: { status: "ok" } });
      return observed;
    });
    expect(after.pid).not.toBe(pid);
    const { recent_transitions } = await agent.call("status", { name: "a" });
    const reasons = recent_transitions.map(({ reason }) => reason ?? "");
    expect(reasons.find((reason) => reason.includes("liveness failed: server/discover"))).toBeDefined();
  });

  test("one restart after the other counts, until it is given up", async ({ agent, home, stage }) => {
    const never = flag(home, "never");
    const restart = { maxRetriesPerMinute: 2 };
    await agent.apply(stage.spec("a", { liveness: onFile(never.path), restart }), "add", 0);
    await eventually(async () =>
      expect(await agent.observed("a")).toMatchObject({
        state: "failed",
        restartCount: 2,
        reason: expect.stringMatching(
          /^liveness failed: \/usr\/bin\/test exit 1; 2 restarts in the last minute$/,
        ),
      }),
    );
  });

  test("a late server is left alone in its start period, and becomes ready when it does", async ({
    agent,
    home,
    stage,
  }) => {
    const ready = flag(home, "ready");
    const probe = onFile(ready.path, { startPeriod: 3_600_000 });
    await agent.apply(stage.spec("a", { readiness: probe, liveness: probe }), "add", 0);
    const puppet = await stage.next("a");
    await eventually(async () => {
      const { ready: verdict } = await agent.observed("a");
      expect(verdict).toMatchObject({ status: "unknown", evidence: "/usr/bin/test exit 1" });
    });
    ready.raise();
    await eventually(async () =>
      expect(await agent.observed("a")).toMatchObject({
        pid: puppet.pid,
        restartCount: 0,
        ready: { status: "ok" },
      }),
    );
    // Once it was ready its liveness counts, start period or not.
    ready.lower();
    const successor = await stage.next("a");
    expect(successor.pid).not.toBe(puppet.pid);
  });

  test("a probe of a person changes nothing but what is said of the server", async ({
    agent,
    home,
    stage,
  }) => {
    const up = flag(home, "up");
    up.raise();
    await agent.apply(stage.spec("a", { readiness: onFile(up.path, { interval: 3_600_000 }) }), "add", 0);
    await eventually(async () => expect((await agent.observed("a")).ready.status).toBe("ok"));
    up.lower();
    const before = await agent.observed("a");
    for (let i = 0; i < 5; i++) {
      expect(await agent.call("probe", { name: "a" })).toMatchObject({ ok: false, type: "command" });
    }
    const ready = { status: "failing", evidence: "/usr/bin/test exit 1", at: expect.any(Number) };
    expect(await agent.observed("a")).toEqual({ ...before, ready });
  });

  test("what the readiness before was asked for does not answer for a new one", async ({
    agent,
    home,
    stage,
  }) => {
    const [asked, go, never] = ["asked", "go", "never"].map((name) => flag(home, name)) as [Flag, Flag, Flag];
    const slow = `touch ${asked.path}; until [ -e ${go.path} ]; do sleep 0.02; done`;
    const before = { ...onFile("", { timeout: 60_000 }), program: "/bin/sh", args: ["-c", slow] };
    await agent.apply(stage.spec("a", { readiness: before as ServerSpec["readiness"] }), "add", 0);
    await eventually(async () => expect(existsSync(asked.path)).toBe(true));

    const applied = agent.apply(stage.spec("a", { readiness: onFile(never.path) }), "start", 2000);
    await eventually(async () =>
      expect((await agent.observed("a")).ready.evidence).toBe("/usr/bin/test exit 1"),
    );
    go.raise();
    expect(await applied).toMatchObject({ ok: false });
  });
});
