import { expect, test } from "vitest";
import type { Missing, Observed } from "../../../src/model/observed.ts";
import type { McpFacts } from "../../../src/model/probe-report.ts";
import { why } from "../../../src/model/why.ts";
import { statusView } from "../../../src/views/status.ts";
import { childrenView } from "../../../src/views/usage.ts";
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

    Applied (33 defaults hidden; --defaults shows them)
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

    Applied (33 defaults hidden; --defaults shows them)
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

const bridge: NonNullable<Observed["bridge"]> = {
  share: "session",
  start: "on-demand",
  sleeping: false,
  sessions: [
    {
      ...{ id: "3f2a91bc", client: "editor 1.2", streams: 1, calls: 2 },
      ...{ opened_at_unix_ms: NOW - 3 * MINUTE, used_at_unix_ms: NOW },
    },
    { id: "77aa01fe", opened_at_unix_ms: NOW, used_at_unix_ms: NOW, streams: 0, calls: 0 },
  ],
  session_count: 9,
  children: [{ pid: 4711, started_at_unix_ms: NOW - MINUTE, session: "3f2a91bc", busy: true }],
  child_count: 1,
};

test("a server over stdin and stdout: its clients, and what works for them", () => {
  const shown = statusView(running(web, { bridge }), {}, plain);
  expect(shown).toContain("state:    running, since");
  expect(shown).toContain("shared:   a process for each client, started on demand; 9 clients\n");
  expect(shown).toContain(
    [
      "Clients: 9",
      "  3f2a91bc  editor 1.2, connected 3 minutes ago, used just now, 1 stream, 2 calls",
      "  77aa01fe  unknown, connected just now, used just now",
      "  and 7 more",
      "",
      "Processes: 1",
      "  pid 4711, up 1m, for 3f2a91bc, busy",
      "",
    ].join("\n"),
  );
  expect(why(running(web, { bridge }), NOW)).toContain(
    "9 clients are connected. Process 4711 has worked for 1m.",
  );
});

test("one of them that sleeps", () => {
  const asleep = { ...bridge, sleeping: true, sessions: [], session_count: 0, children: [], child_count: 0 };
  const shown = statusView(running(web, { bridge: asleep }), {}, plain);
  expect(shown).toContain("state:    running (asleep), since");
  expect(shown).toContain("on demand; 0 clients; asleep until the next request\n");
  expect(why(running(web, { bridge: asleep }), NOW)).toContain(
    "It is asleep: none of its processes runs, and the next request starts one.",
  );
});

test("the processes of one of them say whom they work for", () => {
  const usage = { cpu_percent: 1, memory_bytes: 1024 };
  const processes = [
    { pid: 4000, ppid: 1, command: "xy bridge", ...usage },
    { pid: 4711, ppid: 4000, command: "node memory.js", ...usage },
  ];
  const { sleeping: _, ...facts } = bridge;
  const shown = childrenView({ processes, ...usage, bridge: facts }, { ...plain, ascii: true });
  expect(shown).toContain("`- [3f2a91bc] node memory.js\n");
  expect(shown).toContain("9 clients:\n  3f2a91bc  editor 1.2, connected 3 minutes ago");
  const none = { ...facts, sessions: [], session_count: 0 };
  expect(
    childrenView({ processes, ...usage, sleeping: true, bridge: none }, { ...plain, ascii: true }),
  ).toMatch(/\nAsleep: none of its processes runs, and the next request starts one\.\nNo clients\.\n$/);
});
