import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ClientFacts } from "../../../src/model/client-facts.ts";
import { type Diagnostic, formatDiagnostic } from "../../../src/model/diagnostic.ts";
import type { ApplyEvent } from "../../../src/model/event.ts";
import type { FieldChange } from "../../../src/model/field-change.ts";
import type { ImportReport } from "../../../src/model/imported.ts";
import type { Job } from "../../../src/model/job.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { OtherProgram } from "../../../src/model/other-program.ts";
import type { Change, Plan, Reason } from "../../../src/model/plan.ts";
import type { Power } from "../../../src/model/power.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { visible } from "../../../src/model/visible.ts";
import { why } from "../../../src/model/why.ts";
import { renderApplyLines } from "../../../src/views/apply.ts";
import { applySummary, eventText } from "../../../src/views/apply-text.ts";
import { auditView } from "../../../src/views/audit.ts";
import { clientFilesView } from "../../../src/views/client-files.ts";
import { consentView, unseenView } from "../../../src/views/consent.ts";
import { doctorView } from "../../../src/views/doctor.ts";
import { generationView } from "../../../src/views/generation.ts";
import { historyView } from "../../../src/views/history.ts";
import { importText } from "../../../src/views/imported.ts";
import { actionsView, jobsView, jobView } from "../../../src/views/jobs.ts";
import { listView } from "../../../src/views/list.ts";
import { logFormatter } from "../../../src/views/logs.ts";
import { operatedView } from "../../../src/views/operated.ts";
import { otherProgramsView, otherProgramView } from "../../../src/views/other-programs.ts";
import { type Overview, overviewView } from "../../../src/views/overview.ts";
import { planView } from "../../../src/views/plan.ts";
import { portsView } from "../../../src/views/ports.ts";
import { probeView } from "../../../src/views/probe.ts";
import { refreshedView } from "../../../src/views/refreshed.ts";
import { onScreen, type Screen } from "../../../src/views/screen.ts";
import { sessionFormat, sessionSummary } from "../../../src/views/session.ts";
import { statusView } from "../../../src/views/status.ts";
import { treeView } from "../../../src/views/tree.ts";
import { trustView } from "../../../src/views/trust.ts";
import { childrenView, statsView } from "../../../src/views/usage.ts";
import { ALL_COLOURS, expectHarmless, HOSTILE, hostile, OWN_COLOURS } from "../../rig/hostile.ts";
import { action, exited, MINUTE, NOW, resting, running, secret, spec } from "../reconciler/fixtures.ts";

const timing = {
  interval: 1,
  timeout: 1,
  startPeriod: 1,
  failureThreshold: 1,
  successThreshold: 1,
};

/** With something said of every setting. */
const full = (value: string): ServerSpec =>
  spec("web", {
    mcp: { path: `/${value}` },
    args: [value, "b", "c"],
    env: {
      PATH: value,
      HOME: "/home/me",
      PLAIN: value,
      TOKEN: secret("aa", value),
      FROM_FILE: { secret: { file: value }, hmac: "bb" },
      FROM_COMMAND: { secret: { command: value }, hmac: "cc" },
      FROM_ENV_FILE: { secret: { envFile: value, name: value }, hmac: "dd" },
    },
    host: value,
    workingDir: value,
    readiness: { type: "log", pattern: value, ...timing },
    liveness: { type: "command", command: value, program: value, args: [value], ...timing },
    dependsOn: [{ server: value, condition: "started" }],
    description: value,
    tags: [value, "t"],
  });

const before = full("before");
const after = full("after");
const script = action("backup", "web", {
  command: null,
  script: "one\ntwo\n",
  interpreterArgs: ["-e"],
  env: { ...after.env },
  workingDir: "/somewhere",
  description: "words",
  tags: ["a"],
  schedule: { cron: "* * * * *", timeZone: "Europe/Berlin", missed: "once" },
});

const bridge: NonNullable<Observed["bridge"]> = {
  share: "session",
  start: "on-demand",
  sleeping: false,
  sessions: [
    {
      id: "3f2a91bc",
      client: "editor 1",
      opened_at_unix_ms: NOW,
      used_at_unix_ms: NOW,
      streams: 1,
      calls: 2,
    },
  ],
  session_count: 2,
  children: [{ pid: 2, started_at_unix_ms: NOW, session: "3f2a91bc", busy: true }],
  child_count: 2,
};

const observed: Observed = running(before, {
  reason: "why",
  drift: "its file was edited",
  waitsFor: [{ server: "db", condition: "ready", state: "running, not ready", resting: true }],
  lastLines: ["last words"],
  troubles: ["its record cannot be written"],
  lastExit: { exit: { kind: "signal", signal: "SIGTERM" }, at: NOW },
  ready: { status: "failing", evidence: "nothing listens", at: NOW },
  healthy: { status: "failing", evidence: "nothing listens", at: NOW },
  paused: { at: NOW },
  startedBy: { by: "session", session: { pid: 3, start: "4", boot: "b" } },
  mcp: {
    era: "modern",
    protocolVersion: "2025",
    serverName: "n",
    serverVersion: "v",
    tools: ["tool"],
    authorization: "required",
  },
  bridge,
});

const reasons: Reason[] = [
  { kind: "field-changed", fields: ["env.PLAIN", "args"] },
  { kind: "failed", detail: "exit 7", at: NOW - MINUTE },
  { kind: "absent", detail: "it went" },
  { kind: "drift", detail: "edited" },
];

const fields: FieldChange[] = [
  { field: "args", from: before.args, to: after.args },
  { field: "env.PLAIN", from: "one", to: "two" },
  { field: "env.TOKEN", from: secret("aa", "A"), to: secret("bb", "A") },
  { field: "env.NEW", to: "new" },
  { field: "env.GONE", from: "gone" },
  { field: "workingDir", from: "/a".repeat(60), to: "/b".repeat(60) },
  { field: "tags", from: ["a"], to: [] },
  { field: "readiness.pattern", from: "a", to: "b" },
];

function changeOf(name: string, kind: Change["action"], over: Partial<Change>): Change {
  return { server: name, action: kind, reasons: [], fields: [], held: false, breaksSessions: false, ...over };
}

const diagnostics: Diagnostic[] = [
  { severity: "error", message: "cannot do this", server: "web" },
  { severity: "error", message: "cannot do this", server: "db" },
  { severity: "warning", message: "odd", file: "/home/me/servers.d/a.kdl", line: 1, column: 2 },
  { severity: "warning", message: "odd", file: "/home/me/xy.config.ts", path: "servers.web.port" },
];

const plan: Plan = {
  version: 1,
  project: "dots",
  root: "/home/me/dots",
  changes: [
    changeOf("web", "restart", {
      reasons,
      fields,
      desired: after,
      observed,
      breaksSessions: true,
      unit: { file: "/u/web.service", from: "[Service]\nA=1\n", to: "[Service]\nA=2\n" },
    }),
    changeOf("new", "add", { desired: after, unit: { file: "/u/new.service", to: "x" } }),
    changeOf("gone", "remove", { observed: resting(before), reasons: [{ kind: "not-declared" }] }),
    changeOf("held", "none", { held: true, desired: after, observed: resting(before) }),
    changeOf("ill", "none", { desired: after, observed }),
    changeOf("left", "none", { desired: { ...after, wanted: "ignore" } }),
  ],
  actions: [
    { key: "web:backup", change: "add", fields: [], desired: script },
    {
      key: "other",
      change: "update",
      fields: [
        { field: "script", from: "one\ntwo\n", to: "one\nthree\n" },
        { field: "command", from: "c", to: null },
      ],
      desired: script,
    },
    { key: "script", change: "update", fields: [{ field: "script", from: null, to: "one\ntwo\n" }] },
    { key: "old", change: "remove", fields: [], recorded: script },
  ],
  clients: [
    {
      ...{ client: "cursor", scope: "user", file: "/home/me/.cursor/mcp.json", change: "update" },
      entries: [
        { name: "a", server: "a", change: "add", fields: [], value: { url: "http://a" } },
        {
          name: "b",
          server: "b",
          change: "add",
          fields: [],
          value: { command: "xy", args: ["connect", "b"] },
        },
        {
          ...{ name: "c", server: "c", change: "update", value: {}, found: "f", drift: "changed" },
          fields: [
            { field: "url", from: "u", to: "v" },
            { field: "off", from: true },
            { field: "args", from: "x", to: ["y"] },
          ],
        },
        { name: "d", server: "d", change: "remove", fields: [] },
      ],
      others: ["theirs"],
    },
  ],
  diagnostics,
  skipped: ["left-out"],
  unreachable: [{ backend: "systemd", message: "cannot reach it", servers: ["unit"] }],
  rolledBack: { generation: 3, of: 1 },
};

const job: Job = {
  id: 1,
  project: "dots",
  service_id: "web",
  action_id: "backup",
  trigger: "person",
  retry_of: null,
  attempt: 1,
  phase: "failed",
  pid: 8,
  exit_code: null,
  signal: "SIGKILL",
  created_at: NOW,
  started_at: NOW,
  ended_at: NOW,
  error: "it broke",
  tags: ["tag"],
};

const ended: ApplyEvent[] = [
  { type: "started", server: "web", action: "add" },
  {
    type: "progress",
    server: "web",
    progress: {
      ...{ waited_ms: 12_000, bound_ms: 300_000, evidence: "nothing listens", restarts: 2 },
      ...{ last_failure: "exit 1", last_line: "a line" },
    },
  },
  { type: "done", server: "web", action: "add", detail: "ready" },
  {
    type: "failed",
    server: "web",
    action: "restart",
    message: "it broke",
    lastLines: ["last words"],
    help: ["set it"],
  },
  { type: "failed", server: "web", action: "add", message: "cut", lastLines: [], interrupted: true },
  { type: "waiting", server: "web", action: "add", message: "waits", waitsFor: observed.waitsFor ?? [] },
  { type: "skipped", server: "web", action: "add", message: "db failed" },
];

const server = { name: "web", project: "dots", state: "running" as const, held: false, paused: false };
const row = { ...server, restartCount: 1, pid: 3, port: 4, uptimeMs: 5, ready: null };
const usage = { cpu_percent: 1, memory_bytes: 1 };
const family = {
  processes: [
    { pid: 1, ppid: 0, command: "node a b", ...usage },
    { pid: 2, ppid: 1, command: "node c", ...usage },
  ],
  ...usage,
  sleeping: true as const,
  bridge,
};

const place = { file: "/home/me/servers.d/a.kdl", line: 1, column: 2 };
const powers: Power[] = [
  { can: "program", place: { file: "/home/me/xy.config.ts" } },
  { can: "secret", command: "op read x", place },
  { can: "probe", command: "check", place },
  { can: "request", url: "http://127.0.0.1/", place },
  { can: "manager", url: "http://host", password: "the password in x", includeDir: "units", place },
];

const clientFacts: ClientFacts = {
  client: "cursor",
  title: "Cursor",
  scope: "project",
  file: "/home/me/.cursor/mcp.json",
  exists: true,
  problem: null,
  entries: [
    {
      name: "web",
      to: "http://127.0.0.1:1/mcp",
      owner: { project: "p", server: "web" },
      changed: true,
      off: true,
    },
    { name: "other", to: null, owner: null, changed: false, off: false },
  ],
  missing: [{ name: "db", project: "p", server: "db" }],
  backup: "/state/backup",
  reload: "restart it",
};

const OVERVIEW: Overview = {
  project: "p",
  root: "/home/me/p",
  agent: { running: true, pid: 1, version: "1", started_at_unix_ms: NOW },
  backends: [
    { backend: "agent", servers: 1 },
    { backend: "systemd", servers: 1 },
  ],
  counts: {
    servers: 2,
    known: 1,
    running: 1,
    ready: 0,
    failed: 1,
    held: 1,
    asleep: 1,
    waiting: 1,
    paused: 1,
  },
  failed: [{ project: "p", name: "web", state: "failed", reason: "exit 7" }],
  generation: { number: 1, at_unix_ms: NOW, outcome: "complete" },
  changed_files: ["/home/me/p/xy.config.kdl"],
  clients: [{ client: "cursor", file: "/f", entries: 1 }],
  lost_roots: [{ project: "q", root: "/home/me/q" }],
  other_projects: [{ project: "q", servers: 1 }],
};

/** How each view is shown a document that strangers wrote; what {@link expectHarmless} makes of that is the test. */
const VIEWS: Readonly<Record<string, (screen: Screen) => string | Promise<string>>> = {
  planView: (screen) => planView(hostile(plan), screen),
  refreshedView: (screen) =>
    refreshedView(
      hostile({
        root: "/home/me",
        files: [
          { file: "/home/me/xyctl.d.ts", state: "renewed", from: "0.0.9" },
          { file: "/home/me/xy.schema.json", state: "kept", why: "it was edited" },
          { file: "/home/me/xy.server.schema.json", state: "failed", why: "no space" },
        ],
      } as const),
      "0.1.0",
      screen,
    ),
  generationView: (screen) => {
    const facts = {
      at: NOW,
      outcome: "complete",
      changes: { add: [], change: [], remove: [] },
      files: [],
    } as const;
    const compared = { to: { ...facts, number: 2 }, from: { ...facts, number: 1 } };
    return generationView({ ...compared, unreadable: [], isOldest: false, plan: hostile(plan) }, screen);
  },
  statusView: (screen) =>
    ["running", "stopped", "failed"]
      .map((state) =>
        statusView(
          hostile({ ...observed, state: state as "running" }),
          hostile({ transitions: [{ from: "running", to: "failed", at: NOW, reason: "x" }], logPath: "/l" }),
          screen,
        ),
      )
      .join(""),
  overviewView: (screen) =>
    [OVERVIEW, { ...OVERVIEW, project: null }].map((one) => overviewView(hostile(one), screen)).join(""),
  listView: (screen) =>
    listView(hostile([row, { ...row, project: "other", waitsFor: ["db", "cache"] }]), screen),
  importText: () => importText(hostile(IMPORTED), (path) => path),
  otherProgramsView: (screen) => otherProgramsView(hostile([PROGRAM, { ...PROGRAM, server: "a/b" }]), screen),
  otherProgramView: (screen) => otherProgramView(hostile(PROGRAM), screen),
  operatedView: async () => {
    const servers = [{ project: "p", name: "web" }];
    const lists = { yes: { key: "started", servers }, no: { key: "already_running", servers } };
    const label = ({ name }: { name: string }) => name;
    const words = { yes: "started", no: "is already running" };
    const view = operatedView({ words, label, isHere: () => true });
    return (await view.text(hostile({ ...lists, failed: [], left: [], unrecorded: [] }))) ?? "";
  },
  treeView: (screen) =>
    treeView(
      hostile([
        { ...server, dependsOn: after.dependsOn, ready: true, waitsFor: [] },
        { ...server, name: "b", dependsOn: [], ready: null, waitsFor: observed.waitsFor ?? [] },
      ]),
      { ...screen, ascii: false },
    ),
  clientFilesView: (screen) =>
    clientFilesView(hostile([clientFacts, { ...clientFacts, problem: "cannot use it" }]), screen),
  childrenView: (screen) => childrenView(hostile(family), { ...screen, ascii: false }),
  portsView: (screen) =>
    portsView(hostile([{ name: "web", project: "p", port: 8765, chosen: true, reset: true }]), screen),
  statsView: (screen) => statsView(hostile([{ ...server, ...usage, counted: null }]), screen),
  jobsView: (screen) => jobsView(hostile([job, { ...job, project: "b", phase: "pending" }]), true, screen),
  jobView: (screen) =>
    [after, script].map((one) => jobView(hostile({ ...job, spec: one, log_path: "/l" }), screen)).join(""),
  actionsView: (screen) => actionsView(hostile([{ spec: script, next: NOW }]), screen),
  historyView: (screen) =>
    historyView(
      hostile([
        {
          number: 1,
          facts: {
            at: NOW,
            outcome: "complete" as const,
            changes: { add: ["a"], change: ["b"], remove: ["c"] },
            files: ["f"],
          },
        },
      ]),
      screen,
    ),
  auditView: (screen) => {
    const check = { id: HOSTILE, asked: HOSTILE, seen: HOSTILE, right: HOSTILE, why: HOSTILE };
    const checks = (["ok", "weak", "wrong", "unknown"] as const).map((verdict) => ({ ...check, verdict }));
    return auditView({ url: HOSTILE, server: HOSTILE, ok: false, checks }, screen);
  },
  probeView: (screen) =>
    probeView(
      hostile({
        name: "web",
        which: "readiness" as const,
        type: "mcp",
        ok: false,
        evidence: "said",
        steps: [{ step: "listener", ok: true, detail: "pid 1", ms: 1 }],
      }),
      screen,
    ),
  consentView: (screen) => consentView(hostile({ root: "/home/me", powers }), screen),
  unseenView: (screen) => unseenView("/home/me", hostile(powers), screen),
  trustView: (screen) =>
    trustView(hostile([{ path: "/home/me", to: "all" as const, at_unix_ms: NOW, is_there: false }]), screen),
  doctorView: (screen) =>
    doctorView(
      (["error", "warning", "note"] as const).map((severity) => {
        const finding = {
          id: "agent.old",
          what: "it is old: /home/me/x",
          why: "so /a, b",
          mend: "rm /home/me/x",
        };
        const check = { check: "agent", title: "Agent", summary: "version 1" };
        return { ...hostile(check), findings: [{ ...hostile(finding), severity }] };
      }),
      screen,
    ),
  eventText: () => ended.map((event) => eventText(hostile(event))).join("\n"),
  applySummary: (screen) => applySummary(hostile(ended.slice(2)) as never, screen),
  renderApplyLines: async (screen) => {
    const lines: string[] = [];
    const events = (async function* () {
      yield* hostile(ended);
    })();
    await renderApplyLines(events, (text) => lines.push(text), screen);
    return lines.join("\n");
  },
  sessionFormat: (screen) => {
    const format = sessionFormat(hostile(["web", "db"]), { ...screen, keep: "text" });
    return [
      format.line(hostile({ name: "web", stream: "stderr", line: "said" })),
      format.state(`web${HOSTILE}`, "failed", `why${HOSTILE}`),
      format.removed(`web${HOSTILE}`),
    ].join("\n");
  },
  sessionSummary: () =>
    sessionSummary(hostile({ stopped: ["a"], failed: [{ name: "b", message: "cannot" }], left: ["c"] })),
  logFormatter: (screen) =>
    [["web"], ["web", "db"]]
      .map((names) => {
        const format = logFormatter(hostile(names), { ...screen, keep: "text" });
        return format(hostile({ name: "web", stream: "stdout", line: "said" }));
      })
      .join("\n"),
};

/** Not views, but texts for people all the same. */
const TEXTS: typeof VIEWS = {
  formatDiagnostic: () => diagnostics.map((one) => formatDiagnostic(hostile(one))).join("\n"),
  why: () =>
    [observed, resting(before, { state: "failed", lastLines: ["last"], lastExit: exited(1) })]
      .map((one) => visible(why(hostile(one), NOW)))
      .join("\n"),
};

const IMPORTED: ImportReport = {
  folder: "/home/me/servers.d",
  dryRun: false,
  sources: [
    {
      file: "/home/me/mcp.json",
      what: "a pm2 file",
      servers: (["new", "same", "in-the-way"] as const).map((state) => ({
        ...{ name: "web", file: "/home/me/servers.d/web.kdl", state, runs: ["node", "x.js"] },
        ...{ secrets: { file: "/home/me/web.env", names: ["TOKEN"] }, remarks: ["Odd."], doubts: ["odd"] },
      })),
      others: [{ name: "far", line: 3, why: "it runs elsewhere" }],
      lost: [{ line: 2, key: "apps.0.watch", why: "no such setting" }],
      stops: ["pm2 delete web"],
    },
  ],
  problems: [{ severity: "error", message: "cannot use this", file: "/home/me/servers.d/web.kdl", line: 1 }],
  program: "/home/me/xy.config.ts",
};

const PROGRAM: OtherProgram = {
  manager: "supervisord",
  name: "supervisord:group:name",
  group: "group",
  state: "running",
  word: "running",
  pid: 7,
  startedAt: NOW - 1000,
  stoppedAt: NOW,
  description: "pid 7",
  logs: { out: "/l/out", err: "/l/err" },
};

const SCREENS: readonly (readonly [string, Screen])[] = [
  ["in a pipe", { colour: false, now: NOW }],
  ["on a terminal", { colour: true, now: NOW, width: 80 }],
  ["on a narrow terminal", { colour: true, now: NOW, width: 20 }],
];

describe.each(Object.entries({ ...VIEWS, ...TEXTS }))("text from outside in %s", (view, show) => {
  const isOutput = view === "logFormatter" || view === "sessionFormat";
  it.each(SCREENS)("reaches nobody as it is %s", async (_, screen) => {
    const text = await show(screen);
    expectHarmless(text, { tabs: isOutput, ...(screen.colour ? { colours: OWN_COLOURS } : {}) });
    // Only what is meant is coloured: the stranger's own codes are not taken for xy's.
    expect(text).not.toContain("\u001b[31mFORGED");
    if (screen.width !== 20) expect(text).toContain("\\u{");
    // So that the last word at the printer changes nothing any more.
    if (!isOutput) expect(onScreen(text, screen)).toBe(text);
  });
});

describe("lines of servers", () => {
  it("keep their colours and tabs, and colour nothing that follows", () => {
    const format = logFormatter(["web"], { colour: true, keep: "colours" });
    const line = format({ name: "web", stream: "stdout", line: `\ta\u001b[1;38:5:9mb${HOSTILE}` });
    expectHarmless(line, { colours: ALL_COLOURS, tabs: true });
    expect(line).toContain("\ta\u001b[1;38:5:9mb");
    expect(line.endsWith("\u001b[0m")).toBe(true);
  });

  it("are whole when that is asked for", () => {
    const format = logFormatter(["web"], { colour: false, keep: "all" });
    expect(format({ name: "web", stream: "stdout", line: `a\r${HOSTILE}` })).toBe(`[out] a\r${HOSTILE}`);
  });
});

/** What shows documents by these names is a view; one that is new has to stand above. */
it("no view is left out", async () => {
  const folder = join(import.meta.dirname, "../../../src/views");
  const names: string[] = [];
  for (const file of readdirSync(folder)) {
    const found: Record<string, unknown> = await import(join(folder, file));
    names.push(...Object.keys(found).filter((name) => typeof found[name] === "function"));
  }
  const isView = (name: string) =>
    !HELPERS.has(name) && !["renderApplyTasks", "planDocument", "otherProgramDocument"].includes(name);
  expect(names.filter(isView).sort()).toEqual(Object.keys(VIEWS).sort());
});

/** Parts of views; what they make is seen in those. `renderApplyTasks` takes a terminal: see test/cli/hostile-text.test.ts. */
const HELPERS: ReadonlySet<string> = new Set(
  [
    "bytes percent localTime wrapLines prettyLine",
    "changeSign changeHeading actionOngoing actionOver actionVerb interestingFacts actionFacts fieldLines",
    "outcome lineDiff progressLines stateStyle stateText shownLine named reasonTexts painter onScreen table strokesOf unitLines",
    "sessionLines childLines clientsText planNotes isAiling",
    "machineTitle shownMachine clientDrift clientText showsBoxes fieldLabel fieldValue secretSource commandLine scriptLines lineCount aroundDifferences difference graphemesOf valueLines planBlocks room defaultsHidden whenText generationDocument displayWidth padEnd padStart cut wrap wrapHard",
  ].flatMap((line) => line.split(" ")),
);
