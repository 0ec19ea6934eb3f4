import { describe, expect, it } from "vitest";
import type { ClientFacts } from "../../../src/model/client-facts.ts";
import type { ImportReport } from "../../../src/model/imported.ts";
import { clientFilesView } from "../../../src/views/client-files.ts";
import { historyView } from "../../../src/views/history.ts";
import { importText } from "../../../src/views/imported.ts";
import { actionsView, jobsView } from "../../../src/views/jobs.ts";
import { type ListRow, listView } from "../../../src/views/list.ts";
import { otherProgramsView } from "../../../src/views/other-programs.ts";
import { portsView } from "../../../src/views/ports.ts";
import type { Screen } from "../../../src/views/screen.ts";
import { trustView } from "../../../src/views/trust.ts";
import { childrenView, statsView } from "../../../src/views/usage.ts";
import { displayWidth, wrapLines } from "../../../src/views/width.ts";
import { action, NOW } from "../reconciler/fixtures.ts";

const NAMES = ["a", "web", "a-server-whose-name-is-as-long-as-the-rule-allows-which-is-quite-long"];
const TEXT = "words that say what it is, more of them than a narrow terminal has room for in one line";
const PATH = "/home/someone/with/a/long/path/that/has/no/blank/in/it/anywhere/xy.config.kdl";

const listed = (name: string, i: number): ListRow => ({
  name,
  project: "tools",
  state: i === 1 ? "stopped" : "running",
  restartCount: 1234,
  pid: 4_194_304,
  port: 65_535,
  url: `http://127.0.0.1:65535/${name}/mcp`,
  uptimeMs: 99 * 86_400_000,
  ready: true,
  held: i === 1,
  waitsFor: i === 2 ? ["another-server-with-a-name", "more"] : [],
  usage: { cpu_percent: 100.5, memory_bytes: 2 ** 34 },
});

const job = (i: number) => ({
  ...{ id: 123_456 + i, project: "tools", service_id: NAMES[2] ?? null, action_id: "backup", inline: false },
  ...{ phase: "failed" as const, trigger: "schedule" as const, created_at: NOW - 1e9, started_at: NOW - 1e9 },
  ...{
    ended_at: NOW,
    exit_code: 3,
    signal: null,
    error: TEXT,
    attempt: 1,
    pid: null,
    tags: [],
    retry_of: null,
  },
});

const client: ClientFacts = {
  ...{ client: "cursor", title: "Cursor", scope: "user", file: PATH, exists: true, problem: TEXT },
  reload: TEXT,
  entries: NAMES.map((name, i) => ({
    ...{ name, to: `http://127.0.0.1:8080/${name}`, changed: i === 1, off: i === 2 },
    owner: i === 0 ? null : { project: "tools", server: name },
  })),
  missing: [{ name: "gone", project: "tools", server: "gone" }],
} as unknown as ClientFacts;

const report = {
  ...{ dryRun: false, folder: "/tools", problems: [] },
  sources: [
    {
      ...{ file: PATH, what: "pm2", others: [{ name: "cron", line: 3, why: TEXT }], stops: ["pm2 stop web"] },
      lost: [{ key: "watch", line: 4, why: TEXT }],
      servers: NAMES.map((name) => ({
        ...{ name, file: `/tools/servers.d/${name}.kdl`, state: "new", runs: ["npx", "-y", TEXT] },
        doubts: [TEXT],
      })),
    },
  ],
} as unknown as ImportReport;

const VIEWS: Readonly<Record<string, (screen: Screen) => string>> = {
  list: (screen) => listView(NAMES.map(listed), screen),
  "list of several projects": (screen) =>
    listView([...NAMES.map(listed), { ...listed("web", 0), project: "work", kept: true }], screen),
  ports: (screen) =>
    portsView(
      NAMES.map((name, i) => ({ name, project: "tools", port: 65_535, chosen: true, reset: i === 1 })),
      screen,
    ),
  jobs: (screen) => jobsView([0, 1].map(job) as unknown as Parameters<typeof jobsView>[0], true, screen),
  actions: (screen) =>
    actionsView(
      [
        {
          spec: {
            ...action("backup"),
            description: TEXT,
            schedule: { cron: "0,15,30,45 9-17 * * 1-5" },
          } as never,
          next: NOW + 1e8,
        },
      ],
      screen,
    ),
  stats: (screen) =>
    statsView(
      NAMES.map((name) => ({
        ...{ name, project: "tools", state: "restarting" as const, uptime_secs: 1e6 },
        ...{ cpu_percent: 100, memory_bytes: 2 ** 33 },
        counted: { availability: 0.9999, restarts: 123, failures: 456, runs: { mean_secs: 1e6 } },
      })),
      screen,
    ),
  children: (screen) =>
    childrenView(
      {
        processes: [0, 1, 2].map((i) => ({
          ...{ pid: 4_000_000 + i, ppid: i === 0 ? 1 : 3_999_999 + i, command: `${PATH} ${TEXT}` },
          ...{ cpu_percent: 99.9, memory_bytes: 2 ** 33, started_at_unix_ms: NOW - 1e9 },
          ...(i === 2 ? { left: true as const } : {}),
        })),
        ...{ cpu_percent: 99.9, memory_bytes: 2 ** 33 },
      },
      { ...screen, ascii: false },
    ),
  "other programs": (screen) =>
    otherProgramsView(
      NAMES.map((name) => ({
        ...{
          manager: "systemd" as const,
          name: `${name}.service`,
          state: "running" as const,
          word: "active",
        },
        ...{ pid: 4_194_304, startedAt: NOW - 1e9, description: TEXT },
      })),
      screen,
    ),
  trust: (screen) =>
    trustView(
      NAMES.map((name, i) => ({
        path: `${PATH}/${name}`,
        to: "all",
        at_unix_ms: NOW - 1e9,
        is_there: i > 0,
      })),
      screen,
    ),
  history: (screen) =>
    historyView(
      [1, 2].map((number) => ({
        number,
        facts: {
          ...{ at: NOW, outcome: "incomplete" as const, files: ["a"] },
          changes: { add: NAMES, change: NAMES, remove: [] },
        },
      })),
      screen,
    ),
  clients: (screen) => clientFilesView([client, { ...client, entries: [] }], screen),
  import: ({ width }) => importText(report, (path) => path, width),
};

describe.each(Object.entries(VIEWS))("%s", (_, view) => {
  it.each([10, 20, 40, 60, 80, 120, 200])("has no line that %i columns would break", (width) => {
    for (const colour of [false, true]) {
      const lines = view({ colour, now: NOW, width }).split("\n");
      // Below this, what is wrapped is not made narrower: a word a line is no text any more.
      const room = Math.max(width, 28);
      expect(lines.filter((line) => displayWidth(line) > room)).toEqual([]);
    }
  });

  it("says as much on a wide terminal as where there is none", () => {
    expect(view({ colour: false, now: NOW, width: 2000 })).toBe(view({ colour: false, now: NOW }));
  });
});

it("a list has a line for each server, with its name and state, on 40 columns, and more with more room", () => {
  const rows = [listed("web", 0), listed("db", 1)].map(({ usage: _, ...row }) => row);
  const at = (width: number) => listView(rows, { colour: false, now: NOW, width }).split("\n");
  expect(at(40)).toEqual([
    "NAME  STATE           READY   PORT",
    "web   running         yes    65535",
    "db    stopped (held)  -      65535",
    "",
  ]);
  expect(at(80)[0]).toBe("NAME  STATE           READY      PID   PORT  UPTIME  RESTARTS");
  expect(at(120)[0]).toMatch(/RESTARTS {2}URL$/);
});

it("what is wrapped keeps its words, and its colours whole", () => {
  expect(wrapLines("  one two three four five six", 20)).toBe("  one two three four\n        five six");
  expect(wrapLines("short\n\nlines", 20)).toBe("short\n\nlines");
  const coloured = `\u001b[31m${"x".repeat(50)}\u001b[39m`;
  expect(wrapLines(coloured, 30).replaceAll(/\n */g, "")).toBe(coloured);
});
