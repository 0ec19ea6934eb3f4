import fc from "fast-check";
import { expect, it } from "vitest";
import type { MachineEvent } from "../../../src/supervisor/machine.ts";
import type { Tally } from "../../../src/supervisor/recorded.ts";
import { counted, newTally, tallied } from "../../../src/supervisor/tally.ts";
import { Driver } from "./driver.ts";
import { specWith } from "./fixture.ts";

const SECOND = 1000;

/** A machine, and what is counted of it. */
class Counting extends Driver {
  tally: Tally = newTally(this.now);

  override send(event: MachineEvent): this {
    const before = this.state;
    super.send(event);
    this.tally = tallied(this.tally, before, this.state, this.spec, this.now);
    return this;
  }

  get sum(): Tally {
    return counted(this.tally, this.state, this.now);
  }
}

const patient = specWith({
  restart: { policy: "on-failure", backoffInitial: 2 * SECOND, maxRetriesPerMinute: 2 },
});

it("counts what runs as up, and a wait for a restart as down", () => {
  const server = new Counting(patient).up().pass(10 * SECOND);
  server
    .dies(7)
    .pass(2 * SECOND)
    .spawned()
    .pass(5 * SECOND);
  expect(server.sum).toMatchObject({
    up: 15 * SECOND,
    down: 2 * SECOND,
    starts: 2,
    restarts: 1,
    failures: 1,
  });
  expect(server.sum.runs).toEqual({
    count: 1,
    total: 10 * SECOND,
    shortest: 10 * SECOND,
    longest: 10 * SECOND,
  });
});

it("counts a failure for as long as it lasts, and nothing of a stop", () => {
  const server = new Counting(specWith({ restart: { maxRetriesPerMinute: 0 } })).up().pass(SECOND).dies(7);
  server.pass(10 * SECOND);
  expect(server.sum).toMatchObject({ up: SECOND, down: 10 * SECOND, failures: 1 });
  server.send({ type: "stop" }).pass(100 * SECOND);
  expect(server.sum).toMatchObject({ up: SECOND, down: 10 * SECOND });
});

it("counts no failure when somebody ends it, or when it ends with success", () => {
  const stopped = new Counting(patient).up().pass(SECOND).send({ type: "stop" }).exited("SIGTERM").emptied();
  expect(stopped.sum).toMatchObject({ failures: 0, up: SECOND, runs: { count: 1 } });
  const done = new Counting(patient)
    .up()
    .pass(SECOND)
    .dies(0)
    .pass(50 * SECOND);
  expect(done.sum).toMatchObject({ failures: 0, up: SECOND, down: 0 });
});

it("counts the restart of a sick one, and a start that came to nothing", () => {
  const sick = new Counting(
    specWith({
      liveness: {
        type: "tcp",
        port: 1,
        interval: SECOND,
        timeout: SECOND,
        startPeriod: 0,
        failureThreshold: 1,
        successThreshold: 1,
      },
    }),
  ).up();
  sick.pass(SECOND).answers("liveness", false).exited("SIGTERM").emptied();
  expect(sick.sum).toMatchObject({ failures: 1, restarts: 1 });
  const unborn = new Counting(patient)
    .send({ type: "start" })
    .send({ type: "spawn-failed", inc: 1, reason: "no" });
  expect(unborn.sum).toMatchObject({ starts: 1, failures: 1, runs: { count: 0 } });
});

it("counts nothing against it in a pause, and what runs in one", () => {
  const server = new Counting(patient)
    .up()
    .pause()
    .pass(5 * SECOND)
    .dies(7)
    .pass(60 * SECOND);
  expect(server.sum).toMatchObject({ up: 5 * SECOND, down: 0 });
});

it("property: it never counts more time than there was, nor a negative one, however the clock is set", () => {
  const event = fc.oneof(
    fc.constantFrom<MachineEvent["type"]>("start", "stop", "restart", "kill", "resume"),
    fc.record({ pass: fc.integer({ min: -30 * SECOND, max: 60 * SECOND }) }),
    fc.record({ dies: fc.constantFrom<number | string>(0, 7, "SIGKILL") }),
    fc.constant("spawned" as const),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const server = new Counting(patient);
      let passed = 0;
      for (const one of events) {
        if (one === "spawned") server.spawned();
        else if (typeof one === "string") server.send({ type: one } as MachineEvent);
        else if ("dies" in one) server.dies(one.dies);
        else if (one.pass >= 0) {
          server.pass(one.pass);
          passed += one.pass;
        } else server.now += one.pass;
      }
      const { up, down, runs, starts, restarts, failures } = server.sum;
      for (const count of [up, down, starts, restarts, failures, runs.total, runs.shortest])
        expect(count).toBeGreaterThanOrEqual(0);
      expect(up + down).toBeLessThanOrEqual(passed);
      expect(runs.shortest).toBeLessThanOrEqual(runs.longest);
    }),
  );
});
