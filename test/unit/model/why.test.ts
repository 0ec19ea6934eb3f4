import { describe, expect, test } from "vitest";
import type { Missing } from "../../../src/model/observed.ts";
import { why } from "../../../src/model/why.ts";
import { exited, MINUTE, NOW, resting, running, spec } from "../reconciler/fixtures.ts";

const web = spec("web");
const rest = spec("web", { wanted: "stop" });

test("running and ready", () => {
  expect(why(running(web), NOW)).toMatchInlineSnapshot(
    `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). It runs because the configuration wants it started. \`xy stop web\` stops it, and holds it stopped."`,
  );
});

test("running because the operator said so", () => {
  expect(why(running(rest, { operator: "start" }), NOW)).toMatchInlineSnapshot(
    `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). It runs because you started it, although the configuration wants it stopped. \`xy stop web\` stops it."`,
  );
});

test("running, not ready and not healthy", () => {
  const ready = { status: "failing", evidence: "nothing listens on 127.0.0.1:8421", at: NOW - 2000 } as const;
  expect(why(running(web, { ready, healthy: ready }), NOW)).toMatchInlineSnapshot(
    `"web has been running for 2h 13m (pid 812) but is not ready: nothing listens on 127.0.0.1:8421 (2 seconds ago). It is not healthy: nothing listens on 127.0.0.1:8421. It becomes ready when its readiness probe (tcp 8421) succeeds. \`xy status web\` shows what the probe saw last, \`xy logs web\` what the server printed."`,
  );
});

test("starting", () => {
  expect(why(running(web, { state: "starting", since: NOW - 1500 }), NOW)).toMatchInlineSnapshot(
    `"web began to start 1 second ago."`,
  );
});

test("waiting for what it depends on", () => {
  const db = { server: "db", state: "running, not ready: nothing listens on 127.0.0.1:5432" };
  const seed = { server: "seed", condition: "completed", state: "failed: exit 7", resting: true } as const;
  const waits = (...all: Missing[]) => why(resting(web, { waitsFor: all }), NOW);
  expect(waits({ ...db, condition: "ready", resting: false })).toMatchInlineSnapshot(
    `"web is waiting for db to be ready (now running, not ready: nothing listens on 127.0.0.1:5432). It starts automatically once that happens. \`xy start --no-deps web\` starts it now, \`xy stop web\` ends the wait."`,
  );
  expect(waits({ ...db, condition: "ready", resting: false }, seed)).toMatchInlineSnapshot(
    `"web is waiting for db to be ready (now running, not ready: nothing listens on 127.0.0.1:5432) and for seed to complete (now failed: exit 7). It starts automatically once that happens. \`xy start seed\` starts what it waits for, \`xy start --no-deps web\` starts it now, \`xy stop web\` ends the wait."`,
  );
});

test("waiting for the next start", () => {
  const waits = resting(web, {
    state: "restarting",
    lastExit: exited(7),
    restartCount: 3,
    nextStartAt: NOW + 4000,
  });
  expect(why(waits, NOW)).toMatchInlineSnapshot(
    `"web ended 3 minutes ago (exit 7). Its restart policy \`on-failure\` starts it again in 4 seconds (restart 3). After 5 restarts within a minute it counts as failed. \`xy start web\` starts it now, \`xy stop web\` keeps it stopped."`,
  );
});

test("failed", () => {
  const reason = "exit 7, 5 restarts in the last minute";
  const failed = resting(web, { state: "failed", reason, lastLines: ["listening", "port taken", ""] });
  expect(why(failed, NOW)).toMatchInlineSnapshot(
    `"web failed 3 minutes ago: exit 7, 5 restarts in the last minute. Its last output was "port taken". It is not restarted automatically. \`xy logs web\` shows what it printed. Once the cause is fixed, \`xy start web\` or \`xy apply\` starts it."`,
  );
});

test("held", () => {
  expect(why(resting(web, { operator: "stop" }), NOW)).toMatchInlineSnapshot(
    `"web is held: you stopped it 3 minutes ago. It stays stopped, even across applies and reboots, until \`xy start web\`."`,
  );
});

test("stopped, as configured", () => {
  expect(why(resting(rest), NOW)).toMatchInlineSnapshot(
    `"web is stopped because the configuration wants it stopped (wanted is "stop"). \`xy start web\` starts it anyway. To change that permanently, set wanted to "start" and apply."`,
  );
});

test("ended well", () => {
  expect(why(resting(web, { lastExit: exited(0) }), NOW)).toMatchInlineSnapshot(
    `"web ended by itself 3 minutes ago (exit 0), and its restart policy \`on-failure\` does not restart it. \`xy start web\` runs it again."`,
  );
});

test("stopped, and nothing explains it", () => {
  expect(why(resting(web), NOW)).toMatchInlineSnapshot(
    `"web stopped 3 minutes ago; nothing asked it to. \`xy apply\` or \`xy start web\` starts it."`,
  );
});

test("stopping", () => {
  expect(why(running(web, { state: "stopping", since: NOW - 1000 }), NOW)).toMatchInlineSnapshot(
    `"web began to stop 1 second ago. Its processes have been told to exit, and are killed after a grace period of 10 seconds."`,
  );
});

test("ignored, drifted and unreadable", () => {
  expect(
    why(resting(spec("web", { wanted: "ignore" }), { drift: "unit file edited" }), NOW),
  ).toMatchInlineSnapshot(
    `"web is stopped. It is declared with wanted "ignore": apply never touches it. What was applied was changed outside xy: unit file edited."`,
  );
  const { spec: _, ...unreadable } = running(web);
  expect(why(unreadable, NOW)).toMatchInlineSnapshot(
    `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). \`xy stop web\` stops it, and holds it stopped. The record of what was applied to web cannot be read; \`xy apply\` writes it again."`,
  );
});

test("a server that cannot be watched", () => {
  expect(why(running(web, { unwatched: { reason: "EMFILE: too many open files" } }), NOW)).toContain(
    "The agent cannot watch it: EMFILE: too many open files. Its output is not read until that is fixed",
  );
});

describe("paused", () => {
  const paused = { at: NOW - 3 * MINUTE, until: NOW + 7 * MINUTE };

  test("and running", () => {
    expect(why(running(web, { paused }), NOW)).toMatchInlineSnapshot(
      `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). It runs because the configuration wants it started. \`xy stop web\` stops it, and holds it stopped. It was paused 3 minutes ago and stays paused for another 7 minutes: nothing restarts it until the pause ends. \`xy resume web\` ends it."`,
    );
  });

  test("and down", () => {
    const down = { state: "restarting", lastExit: exited(7), restartCount: 1 } as const;
    expect(why(resting(web, { ...down, paused: { at: paused.at } }), NOW)).toMatchInlineSnapshot(
      `"web ended 3 minutes ago (exit 7) and will be restarted when its pause ends. \`xy start web\` starts it now. It was paused 3 minutes ago: nothing restarts it until the pause ends. \`xy resume web\` ends it."`,
    );
  });
});

describe("started by a session", () => {
  const startedBy = { by: "session", session: { pid: 4711, start: "1", boot: "b" } } as const;

  test("that goes on", () => {
    expect(why(running(web, { startedBy }), NOW)).toMatchInlineSnapshot(
      `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). It runs because \`xy up\` (pid 4711) started it, and stops when that ends, unless you run \`xy start web\`."`,
    );
  });

  test("that has ended", () => {
    const reason = "the `xy up` that started it has ended";
    expect(why(resting(web, { startedBy, reason }), NOW)).toMatchInlineSnapshot(
      `"web stopped 3 minutes ago: the \`xy up\` that started it has ended. \`xy apply\` or \`xy start web\` starts it."`,
    );
  });
});

describe("added by a person, and declared by no configuration", () => {
  test("and running", () => {
    expect(why(running(web, { kept: true }), NOW)).toMatchInlineSnapshot(
      `"web has been running for 2h 13m (pid 812) and is ready: 127.0.0.1:8421 is listening (3 seconds ago). It runs because \`xy run --keep\` added it; no configuration declares it. \`xy stop web\` stops it, and holds it stopped; \`xy forget web\` removes it."`,
    );
  });

  test("and at rest: no apply starts it", () => {
    expect(why(resting(web, { kept: true }), NOW)).toMatchInlineSnapshot(
      `"web stopped 3 minutes ago; nothing asked it to. \`xy start web\` starts it. No configuration declares it; \`xy forget web\` removes it."`,
    );
    const failed = { ...resting(web, { kept: true }), state: "failed" } as const;
    expect(why(failed, NOW)).not.toContain("apply");
    expect(why(failed, NOW)).toContain("`xy forget web` removes it");
  });

  test("and its record cannot be read: no apply writes that", () => {
    for (const observed of [running(web, { kept: true }), resting(web, { kept: true })]) {
      const { spec: _, ...unreadable } = observed;
      const text = why(unreadable, NOW);
      expect(text).toContain("cannot be read; `xy run --keep web -- COMMAND` writes it again.");
      expect(text).not.toContain("apply");
    }
  });
});
