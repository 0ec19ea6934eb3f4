import { describe, expect, it } from "vitest";
import type { MachineEvent } from "../../../src/supervisor/machine.ts";
import { Driver } from "./driver.ts";
import { type SpecChange, specWith, tcp } from "./fixture.ts";

const START: MachineEvent = { type: "start" };
const RESTART: MachineEvent = { type: "restart" };
const server = (change?: SpecChange) => new Driver(specWith(change));
const HOUR = 3_600_000;

describe("a paused server", () => {
  it("is left alone", () => {
    const s = server().up().pause();
    expect(s.pass(HOUR).look()).toEqual([]);
    expect(s.is).toBe("running");
  });

  it("that ends is not started again, and is as soon as it is resumed", () => {
    const s = server().up().pause().dies(7).pass(HOUR);
    expect(s.look()).toEqual(["signal 1 SIGTERM", "release 1"]);
    expect([s.is, s.state.restartCount, s.state.reason]).toEqual([
      "restarting",
      1,
      "exit 7; starts again once it is resumed",
    ]);
    expect(s.resume().look()).toEqual(["spawn 2"]);
    expect(s.spawned().is).toBe("running");
  });

  it("waits for what is left of its backoff when it is resumed early", () => {
    const s = server().up().pause().dies(7).pass(400).resume();
    expect(s.pass(599).look()).not.toContain("spawn 2");
    expect(s.pass(1).look()).toEqual(["spawn 2"]);
  });

  it("is not started again either when the pause came after the decision", () => {
    const s = server().up().dies(7).pause().pass(HOUR);
    expect(s.look()).not.toContain("spawn 2");
    expect(s.resume().look()).toEqual(["spawn 2"]);
  });

  it("rests when its end wants no restart, and is failed when it had too many", () => {
    expect(server().up().pause().dies(0).resume().pass(HOUR).is).toBe("stopped");
    const s = server({ restart: { maxRetriesPerMinute: 0 } })
      .up()
      .pause()
      .dies(7);
    expect(s.is).toBe("failed");
    expect(s.resume().pass(HOUR).is).toBe("failed");
  });

  it("may fail its liveness, which is shown and ends nothing; the count begins anew with the resumption", () => {
    const s = server({ readiness: tcp(), liveness: tcp() }).up().answers("readiness", true).pause();
    for (let i = 0; i < 10; i++) s.pass(5000).answers("liveness", false);
    expect(s.look()).not.toContain("signal 1 SIGTERM");
    const { phase } = s.state;
    expect(phase.tag === "running" && phase.healthy.verdict.status).toBe("failing");
    s.resume();
    for (let i = 0; i < 2; i++) s.pass(5000).answers("liveness", false);
    expect(s.look()).not.toContain("signal 1 SIGTERM");
    expect(s.pass(5000).answers("liveness", false).look()).toContain("signal 1 SIGTERM");
  });

  it("becomes ready, and is seen to be", () => {
    const s = server({ readiness: tcp() }).pause().up().answers("readiness", true);
    expect(s.state.phase.tag === "running" && s.state.phase.ready.verdict.status).toBe("ok");
  });

  it.each(["stop", "kill"] as const)("obeys a %s, and stays paused", (type) => {
    const s = server().up().pause().send({ type }).dies("SIGTERM");
    expect([s.is, s.state.paused !== undefined]).toEqual(["stopped", true]);
  });

  it("obeys a start and a restart, and stays paused", () => {
    const s = server().pause().up().send(RESTART).dies("SIGTERM").spawned();
    expect(s.look()).toEqual(["signal 1 SIGTERM", "release 1", "spawn 2"]);
    expect([s.is, s.dies(7).pass(HOUR).is]).toEqual(["running", "restarting"]);
    expect(s.send(START).spawned().is).toBe("running");
  });
});

describe("a pause with an end", () => {
  it("ends by itself, whatever was started meanwhile", () => {
    const s = server().up().pause(60_000).send(RESTART).dies("SIGTERM").spawned();
    expect(s.dies(7).pass(59_999).is).toBe("restarting");
    expect(s.pending()).toEqual(["pause"]);
    s.look();
    expect(s.pass(1).look()).toEqual(["spawn 3"]);
    expect(s.state.paused).toBeUndefined();
  });

  it("is given another end, or none, by a second pause", () => {
    const s = server().up().pause(60_000).pass(30_000).pause(60_000).pass(59_999);
    expect(s.state.paused).toBeDefined();
    expect(s.pause().pass(HOUR).state.paused).toBeDefined();
    expect(s.pause(1000).pass(1000).state.paused).toBeUndefined();
  });

  it("is no longer than that when the clock is set back", () => {
    const s = server().up().pause(60_000);
    s.now -= HOUR;
    expect(s.replaced(true).pass(0).state.paused).toBeUndefined();
  });
});

describe("a pause and the death of its agent", () => {
  it("goes on with the next", () => {
    const s = server().up().pause().replaced(true).dies(7).pass(HOUR);
    expect(s.look()).not.toContain("spawn 2");
    expect(s.replaced(false).pass(HOUR).look()).not.toContain("spawn 2");
    expect(s.resume().look()).toEqual(["spawn 2"]);
  });

  it("has its end with the next, also when that was while there was none", () => {
    const s = server().up().pause(60_000).replaced(true, 30_000).dies(7).pass(29_999);
    expect(s.look()).not.toContain("spawn 2");
    expect(s.pass(1).look()).toEqual(["spawn 2"]);
    expect(server().up().pause(60_000).replaced(true, HOUR).pass(0).state.paused).toBeUndefined();
  });

  it("does not start what the agent before was about to start", () => {
    const s = server().send(START).pause().replaced(false).pass(HOUR);
    expect([s.look(), s.is]).toEqual([["release 1"], "restarting"]);
    expect(s.resume().look()).toEqual(["spawn 2"]);
  });

  it("does not start what ended with its agent", () => {
    const s = server().pause().send({ type: "start-with-agent" });
    expect([s.look(), s.is]).toEqual([[], "restarting"]);
    expect(s.resume().look()).toEqual(["spawn 1"]);
  });
});
