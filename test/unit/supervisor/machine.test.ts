import { describe, expect, it } from "vitest";
import { type MachineEvent, STUCK_AFTER, step } from "../../../src/supervisor/machine.ts";
import { liveProcess } from "../../../src/supervisor/state.ts";
import { Driver } from "./driver.ts";
import { LOG, MCP, type SpecChange, specWith, tcp } from "./fixture.ts";

const server = (change: SpecChange = {}) => new Driver(specWith(change));
const START = { type: "start" } as const;
const STOP = { type: "stop" } as const;
const RESTART = { type: "restart" } as const;
const KILL = { type: "kill" } as const;

describe("start", () => {
  it("spawns, and the server runs once its program does", () => {
    const s = server().send(START);
    expect(s.is).toBe("starting");
    expect(s.look()).toEqual(["spawn 1"]);
    s.spawned();
    expect(s.is).toBe("running");
    expect(liveProcess(s.state)).toEqual({ pid: 101, start: "s1", boot: "b" });
  });

  it.each([["starting"], ["running"]])("of a %s server changes nothing", (state) => {
    const s = server().send(START);
    if (state === "running") s.spawned();
    expect(step(s.state, START, s.spec, s.moment)).toEqual({ state: s.state, effects: [] });
  });

  it("says why when the program cannot be run, and works again after that", () => {
    const s = server().send(START).send({ type: "spawn-failed", inc: 1, reason: "no such file" });
    expect(s.state).toMatchObject({ phase: { tag: "failed" }, reason: "no such file" });
    s.look();
    expect(s.send(START).look()).toEqual(["spawn 2"]);
    expect(s.state.reason).toBeUndefined();
  });

  it("is recorded before the spawn", () => {
    const { effects } = step(server().state, START, specWith(), { now: 0, clock: 0 });
    expect(effects.map((effect) => effect.type)).toEqual(["record", "cancelTimers", "spawn", "publish"]);
  });
});

describe("stop", () => {
  it("signals the group and waits until it is empty", () => {
    const s = server({ stop: { signal: "SIGINT" } })
      .up()
      .send(STOP);
    expect(s.is).toBe("stopping");
    expect(s.look()).toEqual(["signal 1 SIGINT"]);
    s.exited("SIGINT");
    expect(s.is).toBe("stopping");
    s.emptied();
    expect(s.is).toBe("stopped");
    expect(s.look()).toEqual(["release 1"]);
    expect(s.pending()).toEqual([]);
    expect(s.state.lastExit).toEqual({
      exit: { kind: "signal", signal: "SIGINT" },
      at: s.now,
      requested: true,
    });
  });

  it("kills what is left after the grace", () => {
    const s = server().up().send(STOP).pass(9_999);
    expect(s.look()).toEqual(["signal 1 SIGTERM"]);
    expect(s.pass(1).look()).toEqual(["signal 1 SIGKILL"]);
    expect(s.dies("SIGKILL").is).toBe("stopped");
  });

  it("as kill has no grace", () => {
    expect(server().up().send(KILL).look()).toEqual(["signal 1 SIGKILL"]);
  });

  it("as kill cuts the grace of a stop short", () => {
    const s = server().up().send(STOP).pass(1000);
    expect(s.send(KILL).look()).toEqual(["signal 1 SIGTERM", "signal 1 SIGKILL"]);
    expect(s.send(KILL).look()).toEqual([]);
    expect(s.pending()).toEqual(["stuck"]);
  });

  it("during a backoff is served at once", () => {
    const s = server().up().dies(7);
    expect(s.is).toBe("restarting");
    s.look();
    s.send(STOP);
    expect(s.is).toBe("stopped");
    expect(s.pending()).toEqual([]);
    expect(s.pass(60_000).look()).toEqual([]);
  });

  it("during a spawn reaches the program, also when the signal came before it did", () => {
    const s = server().send(START).send(STOP);
    expect(s.look()).toEqual(["spawn 1", "signal 1 SIGTERM"]);
    s.pass(8000).spawned();
    expect(s.look()).toEqual(["signal 1 SIGTERM"]);
    expect(s.pass(9_999).look()).toEqual([]);
    expect(s.pass(1).look()).toEqual(["signal 1 SIGKILL"]);
    expect(s.dies("SIGKILL").is).toBe("stopped");
  });

  it("during a spawn that fails ends in stopped", () => {
    const s = server().send(START).send(STOP).send({ type: "spawn-failed", inc: 1, reason: "no such file" });
    expect(s.is).toBe("stopped");
  });

  it("of a failed server clears the failure", () => {
    const s = server({ restart: { maxRetriesPerMinute: 0 } })
      .up()
      .dies(7);
    expect(s.is).toBe("failed");
    s.send(STOP);
    expect(s.is).toBe("stopped");
    expect(s.state.reason).toBeUndefined();
  });

  it("while the rest of a crashed server's group is being stopped cancels the restart", () => {
    const s = server().up().exited(7).send(STOP).emptied();
    expect(s.is).toBe("stopped");
    expect(s.pass(60_000).pending()).toEqual([]);
  });
});

describe("a server that cannot be killed", () => {
  const stuck = () =>
    server()
      .up()
      .send(STOP)
      .pass(10_000 + STUCK_AFTER);

  it("is failed, and nothing starts beside it", () => {
    const s = stuck();
    expect(s.is).toBe("failed");
    expect(s.state.reason).toBe("cannot be killed");
    s.look();
    for (const word of [START, RESTART, STOP, KILL]) expect(s.send(word).look()).toEqual([]);
    expect(s.is).toBe("failed");
    expect(s.pending()).toEqual([]);
  });

  it("may be started once it is gone after all", () => {
    const s = stuck().dies("SIGKILL");
    expect(s.state).toMatchObject({
      phase: { tag: "failed" },
      reason: "could not be killed in time, exited later",
    });
    expect(s.state.lastExit).toMatchObject({ exit: { signal: "SIGKILL" } });
    s.look();
    expect(s.send(START).look()).toEqual(["spawn 2"]);
  });

  it("is killed again by the next agent", () => {
    expect(stuck().replaced(true).look()).toEqual(["signal 1 SIGKILL"]);
    const gone = stuck().replaced(false);
    expect(gone.look()).toEqual(["release 1"]);
    expect(gone.send(START).look()).toEqual(["spawn 2"]);
  });

  it("is killed when its program runs only now", () => {
    const s = server().send(START).send(KILL).pass(STUCK_AFTER);
    expect(s.is).toBe("failed");
    s.look();
    expect(s.spawned().look()).toEqual(["signal 1 SIGKILL"]);
  });
});

describe("two commands in a row never give two processes", () => {
  it("start during a backoff starts at once, and the backoff's timer starts nothing more", () => {
    const s = server().up().dies(7);
    s.look();
    expect(s.send(START).look()).toEqual(["spawn 2"]);
    s.send({ type: "timer", inc: 1, timer: "backoff" }).pass(60_000);
    expect(s.look()).toEqual([]);
  });

  it("start during a stop waits for the group, then starts", () => {
    const s = server().up().send(STOP).send(START);
    expect(s.is).toBe("restarting");
    expect(s.look()).toEqual(["signal 1 SIGTERM"]);
    expect(s.dies("SIGTERM").look()).toEqual(["release 1", "spawn 2"]);
  });

  it("restart waits for the group, then starts", () => {
    const s = server().up().send(RESTART);
    expect(s.is).toBe("restarting");
    expect(s.exited("SIGTERM").look()).toEqual(["signal 1 SIGTERM"]);
    expect(s.emptied().look()).toEqual(["release 1", "spawn 2"]);
  });

  it("restart during a spawn ends that one first", () => {
    const s = server().send(START).send(RESTART).spawned();
    expect(s.look()).toEqual(["spawn 1", "signal 1 SIGTERM", "signal 1 SIGTERM"]);
    expect(s.dies("SIGTERM").look()).toEqual(["release 1", "spawn 2"]);
  });

  it("stop after restart wins", () => {
    expect(server().up().send(RESTART).send(STOP).dies("SIGTERM").is).toBe("stopped");
  });

  it.each([["stopped"], ["restarting"], ["failed"]])("restart of a %s server is a start", (state) => {
    const s = server({ restart: { maxRetriesPerMinute: state === "failed" ? 0 : 5 } });
    if (state !== "stopped") s.up().dies(7);
    expect(s.is).toBe(state);
    s.look();
    expect(s.send(RESTART).look()).toEqual([`spawn ${s.state.inc}`]);
  });
});

describe("when a server ends by itself", () => {
  it("the rest of its group ends before anything starts again", () => {
    const s = server().up().exited(7);
    expect(s.look()).toEqual(["signal 1 SIGTERM"]);
    s.pass(10_000);
    expect(s.look()).toEqual(["signal 1 SIGKILL"]);
    expect(s.is).toBe("restarting");
    s.emptied();
    expect(s.look()).toEqual(["release 1"]);
    expect(s.pass(0).look()).toEqual(["spawn 2"]);
  });

  it("the restart is counted when it is decided, before its backoff", () => {
    const s = server().up().exited(7);
    expect(s.state.restartCount).toBe(1);
    expect(s.state.reason).toBe("exit 7; starts again after 1s");
    s.emptied();
    expect(s.pass(999).look()).toEqual(["signal 1 SIGTERM", "release 1"]);
    expect(s.pass(1).look()).toEqual(["spawn 2"]);
  });

  it("and dies at once each time, it fails at its sixth death, half a minute in", () => {
    const s = server().up();
    const born = s.now;
    const deaths = [];
    while (s.is !== "failed" && deaths.length < 10) {
      s.dies(7);
      deaths.push(s.now - born);
      s.pass(s.state.phase.tag === "waiting" ? s.state.phase.until - s.now : 0);
      if (s.is === "starting") s.spawned();
    }
    expect(deaths).toEqual([0, 1000, 3000, 7000, 15_000, 31_000]);
    expect(s.state.reason).toBe("exit 7; 5 restarts in the last minute");
    expect(s.state.restartCount).toBe(5);
    expect(s.pending()).toEqual([]);
    expect(s.send(START).state).toMatchObject({ restartCount: 0, retries: { attempt: 0, counted: [] } });
  });

  it("and is ready a little less than reset-after each time, the backoff still grows", () => {
    const s = server().up();
    expect(backoffs(s, 10_999, 3)).toEqual([1000, 2000, 4000]);
  });

  it("and is ready for reset-after, the backoff starts over", () => {
    const s = server().up();
    backoffs(s, 0, 3);
    expect(backoffs(s, 10_999, 1)).toEqual([8000]);
    expect(backoffs(s, 11_000, 1)).toEqual([1000]);
  });

  it.each([
    ["on-failure", 0, "stopped", "ended with success"],
    ["on-failure", 7, "restarting", "exit 7; starts again after 1s"],
    ["on-failure", "SIGSEGV", "restarting", "SIGSEGV; starts again after 1s"],
    ["always", 0, "restarting", "exit 0; starts again after 1s"],
    ["never", 7, "stopped", "ended: exit 7"],
    ["never", 0, "stopped", "ended with success"],
  ] as const)("under policy %s with %s it is %s", (policy, how, state, reason) => {
    const s = server({ restart: { policy } }).up().dies(how);
    expect(s.is).toBe(state);
    expect(s.state.reason).toBe(reason);
  });

  it("with success, that does not count as a restart", () => {
    const s = server().up().dies(0);
    expect(s.state).toMatchObject({ restartCount: 0, retries: { counted: [] } });
    expect(s.pass(60_000).is).toBe("stopped");
  });

  it("before anybody heard that it ran, it is a crash like any other", () => {
    const s = server().send(START).exited(7);
    expect(s.is).toBe("restarting");
    s.look();
    expect(s.spawned().look()).toEqual([]);
    expect(s.emptied().pass(1000).look()).toEqual(["release 1", "spawn 2"]);
  });

  it("not before it was there: an empty group says nothing while it is being spawned", () => {
    const s = server().send(START).emptied();
    expect(s.is).toBe("starting");
    expect(s.spawned().is).toBe("running");
  });

  it("unseen, its empty group tells that it did, and nothing is signalled", () => {
    const s = server().up().emptied();
    expect(s.look()).toEqual(["release 1"]);
    expect(s.state).toMatchObject({ lastExit: { exit: { kind: "unknown" } }, restartCount: 1 });
    expect(s.is).toBe("restarting");
  });

  function backoffs(s: Driver, uptime: number, times: number): number[] {
    return Array.from({ length: times }, () => {
      s.pass(uptime).dies(7);
      const delay = s.state.phase.tag === "waiting" ? s.state.phase.until - s.now : Number.NaN;
      s.pass(delay).spawned();
      return delay;
    });
  }
});

describe("readiness", () => {
  it("without a probe is one second of being up", () => {
    const s = server().up().pass(999);
    expect(readiness(s)).toBe("unknown");
    expect(readiness(s.pass(1))).toBe("ok");
  });

  it("is probed close together at first, then at the interval", () => {
    const s = server({ readiness: tcp() }).send(START).spawned();
    const at = s.now;
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) {
      if (s.look().includes("probe 1 readiness")) seen.push(s.now - at);
      s.answers("readiness", false);
      s.pass(s.pending().length > 0 ? gap(s) : 0);
    }
    expect(seen).toEqual([0, 50, 150, 350, 750, 1550, 3150, 6350, 11_350, 16_350]);
  });

  it("by a log line is asked for once, and outlives a new spec and a new agent", () => {
    const s = server({ readiness: LOG }).send(START).spawned();
    expect(s.look()).toEqual(["spawn 1", "probe 1 readiness"]);
    s.answers("readiness", true).send({ type: "configured" });
    expect(readiness(s)).toBe("ok");
    expect(readiness(s.replaced(true))).toBe("ok");
    expect(s.look()).toEqual([]);
  });

  it("is not denied in the start period, however often it was looked for", () => {
    const s = server({ readiness: tcp({ startPeriod: 20_000 }) }).up();
    for (let i = 0; i < 10; i++) s.answers("readiness", false);
    expect(readiness(s)).toBe("unknown");
    s.pass(20_000);
    for (let i = 0; i < 3; i++) s.answers("readiness", false);
    expect(readiness(s)).toBe("failing");
    expect(s.is).toBe("running");
    expect(readiness(s.answers("readiness", true))).toBe("ok");
  });

  it("whose look costs the server something is not looked at again", () => {
    const s = server({ readiness: MCP, liveness: tcp() }).up().answers("readiness", false, true);
    expect(s.pass(50).look()).toEqual(["probe 1 readiness"]);
    s.answers("readiness", true, true);
    expect(readiness(s)).toBe("ok");
    for (let i = 0; i < 3; i++) {
      expect(s.pass(5000).look()).toEqual(["probe 1 liveness"]);
      s.answers("liveness", true);
    }
  });

  it("whose look costs nothing is kept fresh, and a server may lose it without being ended", () => {
    const s = server({ readiness: MCP, liveness: tcp() }).up().answers("readiness", true);
    for (let i = 0; i < 3; i++) {
      expect(s.pass(5000).look().sort()).toEqual(["probe 1 liveness", "probe 1 readiness"]);
      s.answers("liveness", true).answers("readiness", false);
    }
    expect(readiness(s)).toBe("failing");
    expect(s.is).toBe("running");
  });

  it("that liveness asks for too is looked at whatever it costs", () => {
    const s = server({ readiness: MCP, liveness: MCP }).up().answers("readiness", true, true);
    expect(s.pass(5000).look()).toEqual(["probe 1 liveness"]);
    for (let i = 0; i < 3; i++) s.answers("liveness", false, true);
    expect(s.is).not.toBe("running");
  });

  it("is shown by the liveness probe when that looks at the same thing", () => {
    const s = server({ readiness: tcp(), liveness: tcp() }).up().answers("readiness", true);
    s.pass(5000);
    expect(s.look()).toEqual(["probe 1 liveness"]);
    for (let i = 0; i < 2; i++) s.answers("liveness", false);
    expect(readiness(s)).toBe("ok");
    expect(s.pass(5000).look()).toEqual(["probe 1 liveness"]);
  });

  it("that failed of late is forgiven when it comes to rest on a log line, which will not come again", () => {
    const s = server({ readiness: tcp() }).up().answers("readiness", true);
    for (let i = 0; i < 3; i++) s.answers("readiness", false);
    expect(readiness(s)).toBe("failing");
    s.spec = specWith({ readiness: LOG });
    expect(readiness(s.send({ type: "configured" }))).toBe("ok");
  });

  it("takes no answer to a probe that the new spec does not have", () => {
    const s = server({ readiness: tcp() }).up();
    s.spec = specWith();
    s.send({ type: "configured" }).answers("readiness", false);
    expect(readiness(s)).toBe("unknown");
    expect(readiness(s.pass(1000))).toBe("ok");
  });

  const readiness = (s: Driver) =>
    s.state.phase.tag === "running" ? s.state.phase.ready.verdict.status : s.is;

  /** Ms until the next probe is sent. */
  function gap(s: Driver): number {
    const probes = s.state.phase.tag === "running" ? s.state.phase.ready.sent : 0;
    return Math.min(50 * 2 ** probes, 5000);
  }
});

describe("liveness", () => {
  const watched = (change: SpecChange = {}) => server({ readiness: tcp(), liveness: tcp(), ...change }).up();

  it("that fails its threshold ends the server, counted like a crash", () => {
    const s = watched().answers("readiness", true);
    for (let i = 0; i < 3; i++) s.pass(5000).answers("liveness", false);
    expect(s.is).toBe("restarting");
    expect(s.state.restartCount).toBe(1);
    expect(s.state.reason).toBe("liveness failed: nothing listens; starts again after 1s");
    expect(s.look()).toContain("signal 1 SIGTERM");
    expect(s.dies(0).pass(1000).look()).toEqual(["release 1", "spawn 2"]);
  });

  it("that fails too often fails the server", () => {
    const s = watched({ restart: { maxRetriesPerMinute: 0 } }).answers("readiness", true);
    for (let i = 0; i < 3; i++) s.pass(5000).answers("liveness", false);
    expect(s.is).toBe("stopping");
    expect(s.dies("SIGTERM").is).toBe("failed");
    expect(s.state.reason).toBe("liveness failed: nothing listens; 0 restarts in the last minute");
  });

  it("under policy never ends the server for good", () => {
    const s = watched({ restart: { policy: "never" } }).answers("readiness", true);
    for (let i = 0; i < 3; i++) s.pass(5000).answers("liveness", false);
    expect(s.dies("SIGTERM").is).toBe("stopped");
    expect(s.state.reason).toBe("liveness failed: nothing listens");
  });

  it("forgives two bad answers in a row", () => {
    const s = watched().answers("readiness", true);
    for (const ok of [false, false, true, false, false]) s.pass(5000).answers("liveness", ok);
    expect(s.is).toBe("running");
  });

  it("of a server that was never ready is not asked, however long that takes", () => {
    const s = watched().pass(200_000);
    for (let i = 0; i < 9; i++) s.answers("readiness", false);
    expect(s.look()).not.toContain("probe 1 liveness");
    expect(s.is).toBe("running");
    expect(s.answers("readiness", true).pass(5000).look()).toContain("probe 1 liveness");
  });

  it("of a server without a readiness check begins after its start period", () => {
    const s = server({ liveness: tcp({ startPeriod: 20_000 }) }).up();
    expect(s.pass(19_999).look()).toEqual([]);
    expect(s.pass(1).look()).toEqual(["probe 1 liveness"]);
  });

  it("goes on at once with a new spec, or after its start", () => {
    const s = watched().answers("readiness", true).send({ type: "configured" });
    expect(s.look()).toEqual(["probe 1 readiness", "probe 1 liveness"]);
    const late = watched().send({ type: "configured" });
    expect(late.look()).toEqual(["probe 1 readiness"]);
    late.answers("liveness", false).answers("liveness", false).answers("liveness", false);
    expect(late.is).toBe("running");
  });

  it("is asked for once at a time, however it began", () => {
    const s = watched().pass(25_000).answers("readiness", true);
    s.look();
    for (let i = 0; i < 4; i++) {
      expect(s.pass(5000).look()).toEqual(["probe 1 liveness"]);
      s.answers("liveness", true);
    }
  });

  it("ends with the spec that named it", () => {
    const s = watched().answers("readiness", true);
    s.spec = specWith({ readiness: tcp() });
    s.send({ type: "configured" });
    s.look();
    s.send({ type: "timer", inc: 1, timer: "start-period" }).send({
      type: "timer",
      inc: 1,
      timer: "liveness",
    });
    for (let i = 0; i < 3; i++) s.answers("liveness", false);
    expect(s.look()).toEqual([]);
    expect(s.is).toBe("running");
  });
});

describe("the next agent", () => {
  it("goes on watching a running server", () => {
    const s = server({ readiness: tcp(), liveness: tcp() }).up().replaced(true, 3000);
    expect(s.is).toBe("running");
    expect(s.look()).toEqual(["probe 1 readiness"]);
    expect(s.answers("readiness", true).pass(4999).look()).toEqual([]);
    expect(s.pass(1).look()).toEqual(["probe 1 liveness"]);
    expect(s.replaced(true, 3000).look()).toEqual(["probe 1 readiness", "probe 1 liveness"]);
  });

  it("learns how it ended, and decides then", () => {
    const s = server().up().replaced(true, 60_000).dies(7);
    expect(s.is).toBe("restarting");
    expect(s.state.lastExit).toMatchObject({ exit: { code: 7 } });
    expect(server().up().replaced(true).dies(0).is).toBe("stopped");
  });

  it("takes a running server of which nothing is left for ended, and signals nothing", () => {
    const s = server().up().replaced(false, 60_000);
    expect(s.look()).toEqual(["release 1"]);
    expect(s.state).toMatchObject({ lastExit: { exit: { kind: "unknown" } }, restartCount: 1 });
    expect(s.pass(1000).look()).toEqual(["spawn 2"]);
  });

  it("carries a stop on, with its grace", () => {
    const s = server().up().send(STOP).replaced(true);
    expect(s.look()).toEqual(["signal 1 SIGTERM"]);
    expect(s.pass(10_000).look()).toEqual(["signal 1 SIGKILL"]);
    expect(s.replaced(true).look()).toEqual(["signal 1 SIGKILL"]);
    expect(s.emptied().is).toBe("stopped");
  });

  it("finds a stop done", () => {
    const s = server().up().send(STOP).replaced(false);
    expect(s.look()).toEqual(["release 1"]);
    expect(s.is).toBe("stopped");
  });

  it("does not restart a server whose end wants none", () => {
    const s = server().up().exited(0).replaced(true);
    expect(s.dies(0).pass(60_000).is).toBe("stopped");
    expect(s.replaced(true, 60_000).pass(60_000).look()).toEqual(["release 1"]);
  });

  it("waits for what is left of the backoff, and no longer than the longest one", () => {
    const s = server().up().dies(7).replaced(false, 400);
    expect(s.pass(599).look()).toEqual(["release 1"]);
    expect(s.pass(1).look()).toEqual(["spawn 2"]);
    const late = server().up().dies(7).replaced(false, -3_600_000).pass(30_000);
    expect(late.look()).toEqual(["release 1", "spawn 2"]);
  });

  it("spawns what was not spawned, and waits for what was", () => {
    expect(server().send(START).replaced(false).look()).toEqual(["release 1", "spawn 2"]);
    const s = server().send(START).replaced(true);
    expect(s.look()).toEqual([]);
    expect(s.spawned().is).toBe("running");
  });

  it("keeps what was counted", () => {
    const s = server().up();
    for (let i = 0; i < 5; i++) {
      s.dies(7).replaced(false).pass(30_000).spawned().replaced(true);
      expect(s.state.retries.attempt).toBe(i + 1);
    }
    expect(s.state.restartCount).toBe(5);
  });
});

describe("events of an earlier incarnation", () => {
  const late: MachineEvent[] = [
    { type: "spawned", inc: 1, process: { pid: 1, start: "s", boot: "b" }, at: 0 },
    { type: "spawn-failed", inc: 1, reason: "late" },
    { type: "exited", inc: 1, exit: { kind: "code", code: 0 }, at: 0 },
    { type: "emptied", inc: 1 },
    { type: "timer", inc: 1, timer: "grace" },
    { type: "timer", inc: 1, timer: "stuck" },
    { type: "timer", inc: 1, timer: "backoff" },
    { type: "answered", inc: 1, probe: "liveness", answer: { ok: false, evidence: "late" } },
  ];
  it.each(late)("change nothing: $type", (event) => {
    const again = () => server().up().send(RESTART).dies("SIGTERM");
    for (const s of [again(), again().spawned(), again().spawned().send(STOP)]) {
      expect(step(s.state, event, s.spec, s.moment)).toEqual({ state: s.state, effects: [] });
    }
  });
});
