import { expect, test } from "vitest";
import type { Missing } from "../../../src/model/observed.ts";
import type { McpFacts } from "../../../src/model/probe-report.ts";
import { statusView } from "../../../src/views/status.ts";
import { exited, GIVEN, MINUTE, NOW, resting, running, secret, spec } from "../reconciler/fixtures.ts";

const plain = { colour: false, now: NOW, given: () => GIVEN };
const web = spec("web", { mcp: { path: "/mcp" }, env: { HOME: "/home/me", TOKEN: secret("aa") } });

test("a running server", () => {
  const details = {
    logPath: "/state/web/log",
    transitions: [
      { from: "restarting", to: "starting", at: NOW - 133 * MINUTE - 100 },
      { from: "starting", to: "running", at: NOW - 133 * MINUTE },
    ] as const,
  };
  const mcp: McpFacts = {
    era: "legacy",
    protocolVersion: "2025-11-25",
    serverName: "everything",
    serverVersion: "2.0.0",
    tools: ["echo", "add"],
    authorization: "none",
  };
  const observed = running(web, { restartCount: 1, lastExit: exited(7), drift: "unit file edited", mcp });
  expect(statusView(observed, details, plain)).toMatchInlineSnapshot(`
    "web (project dots, agent)
      state:     running, since 2025-11-20 07:47:00Z (2 hours ago)
      pid:       812
      uptime:    2h 13m
      ready:     yes: 127.0.0.1:8421 is listening (3 seconds ago)
      healthy:   yes: 127.0.0.1:8421 is listening (3 seconds ago)
      mcp:       legacy 2025-11-25, everything 2.0.0
      tools:     2: echo, add
      restarts:  1
      last exit: exit 7, 3 minutes ago
      drift:     changed outside xy: unit file edited

    Recent transitions
      2 hours ago  restarting -> starting
      2 hours ago  starting -> running

    Applied (33 defaults hidden)
      command:        node server.js
      program:        /usr/bin/node
      url:            http://127.0.0.1:8421/mcp
      env.TOKEN:      (secret from env GITHUB_TOKEN)
      readiness.type: tcp

    Log: /state/web/log
    "
  `);
});

test("a failed server", () => {
  const failed = resting(web, {
    state: "failed",
    reason: "exit 7, 5 restarts in the last minute",
    lastExit: exited(7),
    restartCount: 5,
    lastLines: ["listening", "\x1b[31mno such table\x1b[0m"],
  });
  const transitions = [{ from: "restarting", to: "failed", at: NOW - 3 * MINUTE, reason: "exit 7" } as const];
  expect(statusView(failed, { transitions }, plain)).toMatchInlineSnapshot(`
    "web (project dots, agent)
      state:     failed, since 2025-11-20 09:57:00Z (3 minutes ago)
      reason:    exit 7, 5 restarts in the last minute
      restarts:  5
      last exit: exit 7, 3 minutes ago

    Last output
      listening
      no such table

    Recent transitions
      3 minutes ago  restarting -> failed: exit 7

    Applied (33 defaults hidden)
      command:        node server.js
      program:        /usr/bin/node
      url:            http://127.0.0.1:8421/mcp
      env.TOKEN:      (secret from env GITHUB_TOKEN)
      readiness.type: tcp
    "
  `);
});

test("a server that waits, without a record that can be read", () => {
  const { spec: _, ...waits } = resting(web, {
    state: "restarting",
    nextStartAt: NOW + 4000,
    operator: "start",
  });
  expect(statusView(waits, {}, { ...plain, colour: true, width: 80 })).toMatchInlineSnapshot(`
    "[1mweb[22m [2m(project dots, agent)[22m
      state:    [33mrestarting, since 2025-11-20 09:57:00Z (3 minutes ago)[39m
      operator: said start
      restarts: 0, the next start in 4s

    [33mWhat was applied cannot be read; \`xy apply\` writes it again.[39m
    "
  `);
});

test("a paused server, and on whose word it runs", () => {
  const startedBy = { by: "session", session: { pid: 4711, start: "1", boot: "b" } } as const;
  const paused = { at: NOW - 3 * MINUTE, until: NOW + 7 * MINUTE };
  const [, ...rows] = statusView(running(web, { paused, startedBy }), {}, plain).split("\n");
  expect(rows.slice(0, 4).join("\n")).toMatchInlineSnapshot(`
    "  state:      running (paused), since 2025-11-20 07:47:00Z (2 hours ago)
      paused:     3 minutes ago, for another 7 minutes
      started by: xy up (pid 4711)
      pid:        812"
  `);
});

test("a server that waits", () => {
  const waitsFor: Missing[] = [
    { server: "db", condition: "ready", state: "running, not ready: not checked yet", resting: false },
    { server: "seed", condition: "completed", state: "failed: exit 7", resting: true },
  ];
  expect(statusView(resting(web, { waitsFor }), {}, plain).split("\n").slice(0, 5)).toEqual([
    "web (project dots, agent)",
    "  state:     stopped, since 2025-11-20 09:57:00Z (3 minutes ago)",
    "  waits for: db to be ready: running, not ready: not checked yet",
    "  waits for: seed to complete: failed: exit 7",
    "  restarts:  0",
  ]);
});

test("a server whose previous version an apply has put back", () => {
  const restored = { at: NOW - 3 * MINUTE, because: "not ready after 20s: nothing listens on port 8421" };
  expect(statusView(running(web, { restored }), {}, plain)).toContain(
    "  put back: 3 minutes ago, by an apply: the new version was not ready after 20s: nothing listens on port 8421\n",
  );
});
