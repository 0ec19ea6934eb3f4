import { describe, expect, it } from "vitest";
import type { SupervisedSpec } from "../../../src/supervisor/machine.ts";
import type { ServerState } from "../../../src/supervisor/state.ts";
import { Driver } from "./driver.ts";
import { LOG, type SpecChange, specWith, tcp } from "./fixture.ts";

const MINUTE = 60_000;
const server = (change: SpecChange = {}) => new Driver(specWith({ port: 8421, readiness: tcp(), ...change }));

describe("a start", () => {
  it("may take as long as its start-timeout, and is a failed one after that", () => {
    const s = server({ liveness: tcp() }).up();
    s.answers("readiness", false).pass(5 * MINUTE - 1);
    expect(s.is).toBe("running");
    s.look();
    s.pass(1);
    expect(s.look()).toContain("signal 1 SIGTERM");
    expect(s.state.reason).toBe(
      "not ready within its start-timeout of 5m: nothing listens; starts again after 1s",
    );
    expect(s.dies("SIGTERM").pass(1000).look()).toEqual(["release 1", "spawn 2"]);
    expect(s.state.restartCount).toBe(1);
  });

  it("that is over in time has no bound any more", () => {
    const s = server({ startTimeout: 10_000 }).up().pass(9999).answers("readiness", true).pass(MINUTE);
    expect([s.is, s.pending()]).toEqual(["running", []]);
  });

  it("missed three times in a row has failed", () => {
    const s = server({ startTimeout: 20_000 });
    s.send({ type: "start" });
    for (let i = 0; i < 3; i++)
      s.spawned().answers("readiness", false).pass(20_000).dies("SIGTERM").pass(30_000);
    expect(s.is).toBe("failed");
    expect(s.state.reason).toBe(
      "not ready within its start-timeout of 20s: nothing listens; 3 starts in a row took too long",
    );
    expect(s.send({ type: "start" }).state.retries).toEqual({ attempt: 0, counted: [] });
  });

  it("missed twice, and then in time, begins to count anew", () => {
    const s = server({ startTimeout: 20_000, restart: { maxRetriesPerMinute: 9 } });
    s.send({ type: "start" });
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 2; i++) s.spawned().pass(20_000).dies("SIGTERM").pass(30_000);
      s.spawned().answers("readiness", true).pass(MINUTE).dies(7).pass(30_000);
    }
    expect(s.is).toBe("starting");
  });

  it("missed under policy never has failed at once", () => {
    const s = server({ startTimeout: 20_000, restart: { policy: "never" } })
      .up()
      .pass(20_000)
      .dies("SIGTERM");
    expect([s.is, s.state.reason]).toEqual([
      "failed",
      "not ready within its start-timeout of 20s: not checked yet",
    ]);
  });

  it("of a server without a readiness check is over when it has been up for a second", () => {
    const s = server({ readiness: { type: "none" }, startTimeout: 500 })
      .up()
      .pass(MINUTE);
    expect([s.is, s.pending()]).toEqual(["running", []]);
  });

  it("has a bound whatever the spec is changed to, and the time before counts", () => {
    const s = server().up().pass(20_000);
    s.spec = specWith({ port: 8421, readiness: tcp(), startTimeout: 30_000 });
    s.send({ type: "configured" });
    expect(s.pass(9999).is).toBe("running");
    expect(s.pass(1).is).toBe("restarting");
    const over = server({ startTimeout: 30_000 }).up().pass(20_000);
    over.spec = specWith({ port: 8421, readiness: tcp(), startTimeout: 10_000 });
    expect(over.send({ type: "configured" }).pass(0).is).toBe("restarting");
  });

  it("stands still in a pause, and goes on after it", () => {
    const s = server({ startTimeout: 20_000 })
      .up()
      .pass(15_000)
      .pause()
      .pass(10 * MINUTE);
    expect(s.is).toBe("running");
    s.resume();
    expect(s.pass(4999).is).toBe("running");
    expect(s.pass(1).is).toBe("restarting");
    const begun = server({ startTimeout: 20_000 })
      .pause()
      .up()
      .pass(10 * MINUTE)
      .resume();
    expect(begun.pass(19_999).is).toBe("running");
    expect(begun.pass(1).is).toBe("restarting");
  });

  it("is not ended by somebody who sets the clock", () => {
    const s = server({ startTimeout: 20_000 }).up().pass(5000).setClock(3_600_000);
    expect(s.pass(14_999).is).toBe("running");
    expect(s.pass(1).is).toBe("restarting");
    const back = server({ startTimeout: 20_000 }).up().pass(5000).setClock(-3_600_000).replaced(true);
    expect(back.pass(14_999).is).toBe("running");
    expect(back.pass(1).is).toBe("restarting");
  });

  it("goes on with the next agent, for what is left of it", () => {
    const s = server({ startTimeout: 20_000, liveness: tcp() })
      .up()
      .pause()
      .resume()
      .pass(5000)
      .replaced(true, 5000);
    expect(s.look()).toEqual(["probe 1 readiness"]);
    expect(s.pass(9999).is).toBe("running");
    expect(s.pass(1).is).toBe("restarting");
  });

  it("is over for the next agent, too, once it was", () => {
    const s = server({ startTimeout: 20_000, liveness: tcp() })
      .up()
      .answers("readiness", true)
      .replaced(true);
    expect(s.look()).toEqual(["probe 1 readiness", "probe 1 liveness"]);
    s.answers("liveness", true);
    expect(s.pass(MINUTE).is).toBe("running");
  });

  it("counts as over where an earlier version left no word of it", () => {
    const s = server({ startTimeout: 20_000, liveness: tcp() }).up();
    const { phase } = s.state;
    if (phase.tag !== "running") throw new Error(phase.tag);
    const { start: _, ...old } = phase;
    s.state = { ...s.state, phase: old } as ServerState;
    s.send({ type: "adopted", present: true });
    expect(s.look()).toEqual(["probe 1 readiness", "probe 1 liveness"]);
    expect(s.pass(MINUTE).is).toBe("running");
    expect(s.dies(0).is).toBe("stopped");
  });

  it("of which nobody can tell whether it is over ends nothing", () => {
    const s = server({ readiness: LOG, startTimeout: 20_000 }).up();
    const answer = { ok: false, evidence: "its pattern cannot be used", unknowable: true };
    s.send({ type: "answered", inc: 1, probe: "readiness", answer }).pass(MINUTE);
    expect(s.is).toBe("running");
    expect(s.state.phase).toMatchObject({
      ready: { verdict: { status: "unknown", evidence: "its pattern cannot be used" } },
    });
  });
});

describe("an end before it was ready", () => {
  const PORT = ": it may have gone into the background, or only printed its usage";
  const MCP =
    ': its input is empty, so a server that speaks MCP over stdio exits; declare that with mcp { transport "stdio" }';
  it.each([
    ["on-failure", { port: 8421 }, 0, "failed", `exit 0 before it was ready${PORT}`],
    ["on-failure", { port: 8421, mcp: { path: "/mcp" } }, 0, "failed", `exit 0 before it was ready${MCP}`],
    ["on-failure", { readiness: LOG }, 0, "failed", `exit 0 before it was ready${PORT}`],
    ["on-failure", { port: 8421 }, 7, "restarting", "exit 7; starts again after 1s"],
    ["always", { port: 8421 }, 0, "restarting", `exit 0 before it was ready${PORT}; starts again after 1s`],
    ["never", { port: 8421 }, 0, "failed", `exit 0 before it was ready${PORT}`],
    ["never", { port: 8421 }, 7, "failed", "exit 7"],
    ["on-failure", {}, 0, "stopped", "ended with success"],
    ["never", {}, 7, "stopped", "ended: exit 7"],
  ] as const)("under policy %s, of %o, with %s", (policy, change, code, state, reason) => {
    for (const heard of [true, false]) {
      const s = new Driver(specWith({ restart: { policy }, ...change })).send({ type: "start" });
      if (heard) s.spawned();
      s.dies(code);
      expect([s.is, s.state.reason]).toEqual([state, reason]);
    }
  });

  it("is none when it was ready", () => {
    const s = server().up().answers("readiness", true).dies(0);
    expect([s.is, s.state.reason]).toEqual(["stopped", "ended with success"]);
    const changed = server().up().answers("readiness", true).send({ type: "configured" }).dies(0);
    expect(changed.is).toBe("stopped");
  });
});

describe("a start that fails", () => {
  const failed = (s: Driver, passing: boolean) =>
    s.send({ type: "spawn-failed", inc: s.state.inc, reason: "EMFILE: too many open files", passing });

  it("for want of something is tried again", () => {
    const s = failed(server().send({ type: "start" }), true);
    expect([s.is, s.state.reason]).toEqual([
      "restarting",
      "EMFILE: too many open files; starts again after 1s",
    ]);
    s.look();
    expect(s.pass(1000).look()).toEqual(["spawn 2"]);
  });

  it("too often for that has failed", () => {
    const s = server().send({ type: "start" });
    for (let i = 0; i < 6; i++) failed(s, true).pass(30_000);
    while (s.is === "starting") failed(s, true).pass(30_000);
    expect(s.is).toBe("failed");
    expect(s.state.restartCount).toBeLessThanOrEqual(10);
  });

  it("where nothing can be written is waited out, whatever that takes, and counts against nobody", () => {
    const noRoom = (s: Driver) =>
      s.send({ type: "spawn-failed", inc: s.state.inc, reason: "no space left on device", noRoom: true });
    const s = server().send({ type: "start" });
    for (let i = 0; i < 100; i++) {
      noRoom(s);
      expect([s.is, s.state.reason]).toEqual([
        "restarting",
        "no space left on device; starts again as soon as that is possible",
      ]);
      s.pass(30_000);
      expect(s.is).toBe("starting");
    }
    expect([s.state.restartCount, s.state.retries]).toEqual([0, { attempt: 0, counted: [] }]);
    expect(noRoom(server({ restart: { policy: "never" } }).send({ type: "start" })).is).toBe("failed");
    // There is room again: whoever drives it need not wait.
    noRoom(s);
    s.send({ type: "timer", inc: s.state.inc, timer: "backoff" });
    expect(s.is).toBe("starting");
  });

  it("is final otherwise, and where nothing is restarted", () => {
    expect(failed(server().send({ type: "start" }), false).is).toBe("failed");
    expect(failed(server({ restart: { policy: "never" } }).send({ type: "start" }), true).is).toBe("failed");
  });
});

/** What becomes of a server whose processes all live so long; in hours of such lives. */
describe("a server that keeps ending", () => {
  const LIVES = [0, 5, 8, 11, 15, 30, 59].map((s) => s * 1000);
  const READY = { "at once": 0, "after 1 s": 1000, never: undefined };
  const HOUR = 60 * MINUTE;

  /** Until it failed, or a day is over. */
  function live(
    change: SpecChange,
    ms: number,
    readyAfter: number | undefined,
    how: number | string,
  ): Driver {
    const s = new Driver(specWith(change)).send({ type: "start" });
    const until = s.now + 24 * HOUR;
    for (; s.state.phase.tag !== "failed" && s.now < until; ) {
      if (s.state.phase.tag === "starting") {
        s.spawned();
        const wait = readyAfter !== undefined && readyAfter <= ms ? readyAfter : undefined;
        if (wait !== undefined) s.pass(wait).answers("readiness", true);
        s.pass(ms - (wait ?? 0));
        s.dies(how);
      } else s.pass(1000);
    }
    return s;
  }

  const cases = LIVES.flatMap((ms) =>
    Object.entries(READY).map(([when, after]) => [ms, when, after] as const),
  );
  const listening: SpecChange = { port: 8421, readiness: tcp(), liveness: tcp({ interval: 3_600_000 }) };
  it.each(cases)("after %i ms, ready %s, has failed in the end", (ms, _, after) => {
    for (const policy of ["on-failure", "always"] as const)
      expect(live({ ...listening, restart: { policy } }, ms, after, 7).is).toBe("failed");
    if (after === undefined || after > ms)
      expect(live({ ...listening, restart: { policy: "always" } }, ms, after, 0).is).toBe("failed");
  });

  it.each([0, 1000])("61 s after it was ready, which was after %i ms, goes on", (after) => {
    expect(live(listening, 61_000 + after, after, 7).is).not.toBe("failed");
  });

  it("with success, under policy always, goes on", () => {
    const s = live({ ...listening, restart: { policy: "always" } }, 20_000, 1000, 0);
    expect(s.is).not.toBe("failed");
  });

  it("more often than ten times in a row goes on where so many are allowed in a minute", () => {
    const often: SpecChange = { ...listening, restart: { maxRetriesPerMinute: 100, backoffMax: 1000 } };
    const s = live(often, 0, undefined, 7);
    expect([s.is, s.state.restartCount]).toEqual(["failed", 100]);
  });

  it("because nothing ever listens, and nobody looks whether it is ready, has failed in the end", () => {
    const spec: SupervisedSpec = specWith({ port: 8421, liveness: tcp() });
    const s = new Driver(spec).send({ type: "start" });
    for (let i = 0; i < 2000 && s.is !== "failed"; i++) {
      if (s.state.phase.tag === "starting") s.spawned();
      if (s.look().some((said) => said.includes("liveness"))) s.answers("liveness", false);
      if (s.state.phase.tag === "ending") s.dies("SIGTERM");
      s.pass(1000);
    }
    expect(s.is).toBe("failed");
    expect(s.state.reason).toBe(
      "liveness failed: nothing listens; 10 restarts in a row, and never ready for a minute",
    );
  });
});
