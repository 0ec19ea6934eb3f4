import { expect, test } from "vitest";
import type { Observed } from "../../../src/model/observed.ts";
import { type ListRow, listView } from "../../../src/views/list.ts";
import { NOW, resting, running, spec } from "../reconciler/fixtures.ts";

const plain = { colour: false, now: NOW };
const failing = { status: "failing", evidence: "x", at: NOW } as const;
const servers = [
  running(spec("notes"), { restartCount: 2 }),
  running(spec("slow"), { ready: failing, pid: 104_512, startedAt: NOW - 42_000 }),
  resting(spec("task", { port: null })),
  resting(spec("db"), { operator: "stop" }),
  resting(spec("web"), { state: "failed", restartCount: 5 }),
];

const ANSWERS = { ok: true, failing: false, unknown: null } as const;

function row(server: Observed): ListRow {
  const { name, project, state, restartCount, pid, startedAt, operator, spec: declared, ready } = server;
  const uptimeMs = startedAt === undefined ? undefined : plain.now - startedAt;
  const held = operator === "stop";
  return {
    name,
    project,
    state,
    restartCount,
    pid,
    uptimeMs,
    held,
    port: declared?.port ?? null,
    ready: ANSWERS[ready.status],
  };
}

test("a server over stdin and stdout that sleeps, and one that clients use", () => {
  const [notes] = servers.map(row) as [ListRow];
  const shown = listView(
    [
      { ...notes, sleeping: true, clients: 2 },
      { ...notes, name: "used", clients: 1 },
      { ...notes, name: "alone", clients: 0 },
      { ...notes, name: "paused", sleeping: true, paused: true },
    ],
    plain,
  );
  expect(shown.match(/(?<=^\w+ +)running.*?(?= +yes)/gm)).toEqual([
    "running (asleep)",
    "running (1 client)",
    "running",
    "running (paused)",
  ]);
});

test("no servers", () => {
  expect(listView([], plain)).toBe("No servers. `xy apply` brings up what the configuration declares.\n");
});

test("a table", () => {
  expect(listView(servers.map(row), plain)).toMatchInlineSnapshot(`
    "NAME   STATE           READY     PID  PORT  UPTIME  RESTARTS
    notes  running         yes       812  8421  2h 13m         2
    slow   running         no     104512  8421  42s            0
    task   stopped         -           -     -  -              0
    db     stopped (held)  -           -  8421  -              0
    web    failed          -           -  8421  -              5
    "
  `);
});

test("names carry their project when there are several", () => {
  const other = running(spec("web", { project: "work" }));
  expect(listView([running(spec("web")), other].map(row), plain)).toMatchInlineSnapshot(`
    "NAME      STATE    READY  PID  PORT  UPTIME  RESTARTS
    dots/web  running  yes    812  8421  2h 13m         0
    work/web  running  yes    812  8421  2h 13m         0
    "
  `);
});

test("what is paused", () => {
  const rows = [...servers.slice(1, 2), ...servers.slice(3)].map((server) => ({
    ...row(server),
    paused: true,
  }));
  expect(listView(rows, { ...plain, width: 80 })).toMatchInlineSnapshot(`
    "NAME  STATE             READY     PID  PORT  UPTIME  RESTARTS
    slow  running (paused)  no     104512  8421  42s            0
    db    stopped (held)    -           -  8421  -              0
    web   failed (paused)   -           -  8421  -              5
    "
  `);
});

test("what cannot be watched", () => {
  const rows = servers.slice(1, 2).map((server) => ({ ...row(server), unwatched: true }));
  expect(listView(rows, { ...plain, width: 80 })).toContain("slow  running (unwatched)  no ");
});

test("many that no configuration declares are told in lines of the terminal's width", () => {
  const many = Array.from({ length: 12 }, (_, i) => ({ ...row(running(spec(`server-${i}`))), kept: true }));
  const lines = listView(many, { ...plain, width: 60 }).split("\n");
  expect(lines.filter((line) => line.length > 60)).toEqual([]);
  expect(lines.join(" ")).toContain("Not in any configuration: server-0, server-1,");
  expect(lines.join(" ")).toContain("server-11; `xy forget NAME` removes one.");
});

test("in colour", () => {
  expect(listView(servers.slice(3).map(row), { ...plain, colour: true })).toMatchInlineSnapshot(`
    "[1mNAME[22m  [1mSTATE[22m           [1mREADY[22m  [1mPID[22m  [1mPORT[22m  [1mUPTIME[22m  [1mRESTARTS[22m
    db    [2mstopped (held)[22m  -        -  8421  -              0
    web   [31mfailed[39m          -        -  8421  -              5
    "
  `);
});

test("a name is cut for a narrow terminal only", () => {
  const long = [running(spec("a-name-that-is-longer-than-its-place"))];
  expect(listView(long.map(row), { ...plain, width: 70 })).toMatchInlineSnapshot(`
    "NAME                       STATE    READY  PID  PORT  UPTIME  RESTARTS
    a-name-that-is-longer-th…  running  yes    812  8421  2h 13m         0
    "
  `);
  expect(listView(long.map(row), plain)).toContain("a-name-that-is-longer-than-its-place");
});

test("what waits says what for, and is cut before the table gets too wide", () => {
  const waits = (...waitsFor: readonly string[]) => ({ ...row(resting(spec("web"))), waitsFor });
  const states = [waits("db"), waits("db", "cache", "seed"), waits("a-server-with-a-long-name", "db")];
  expect(listView(states, plain)).toMatchInlineSnapshot(`
    "NAME  STATE                     READY  PID  PORT  UPTIME  RESTARTS
    web   waits for db              -        -  8421  -              0
    web   waits for db +2           -        -  8421  -              0
    web   waits for a-server-w… +1  -        -  8421  -              0
    "
  `);
});
