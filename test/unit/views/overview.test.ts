import { expect, it } from "vitest";
import { countsOf } from "../../../src/commands/overview.ts";
import { type Overview, overviewView } from "../../../src/views/overview.ts";

const NOW = 1_000_000_000_000;
const entry = { state: "running", ready: true, held: false };
const entries = [
  entry,
  { ...entry, sleeping: true as const },
  { ...entry, ready: false },
  { ...entry, state: "failed", ready: null },
  { ...entry, state: "stopped", ready: null, held: true },
  { ...entry, state: "stopped", ready: null, waits_for: [{}] },
];

const overview: Overview = {
  project: "tools",
  root: "/home/ada/tools",
  agent: { running: true, pid: 7, version: "1.2.3", started_at_unix_ms: NOW - 3_600_000 },
  backends: [{ backend: "agent", servers: 6 }],
  counts: countsOf(entries, 6),
  failed: [{ project: "tools", name: "bad", state: "failed", reason: "exit 7" }],
  generation: { number: 4, at_unix_ms: NOW - 60_000, outcome: "complete" },
  changed_files: [],
  clients: [{ client: "cursor", file: "/home/ada/.cursor/mcp.json", entries: 2 }],
  lost_roots: [],
  other_projects: [{ project: "dotfiles", servers: 3 }],
};
const screen = { colour: false, now: NOW };
const shown = (more: Partial<Overview> = {}, width?: number) =>
  overviewView({ ...overview, ...more }, { ...screen, ...(width ? { width } : {}) });

it("says how a project is", () => {
  expect(shown()).toMatchInlineSnapshot(`
    "Project tools in /home/ada/tools
      agent    running: pid 7, version 1.2.3, up 1h
      servers  6: 3 running, 2 ready, 1 failed, 1 held, 1 asleep, 1 waiting
      failed   bad (exit 7): \`xy why bad\`
      applied  generation 4, 1 minute ago, complete
      changes  none in the files since then, as far as their times say
      clients  cursor (2)
      others   dotfiles: 3
    "
  `);
});

it("counts the servers that nobody could be asked about", () => {
  const text = shown({ agent: { running: false }, counts: countsOf([], 2), failed: [] });
  expect(text).toContain("agent    not running; `xy agent start` starts it");
  expect(text).toContain("servers  2, and nobody to say how they are");
  expect(shown({ counts: countsOf([entry], 3) })).toContain("3: 1 running, 1 ready, 2 unknown");
});

it("names the files that changed, and what else runs servers", () => {
  const backends = [...overview.backends, { backend: "systemd", servers: 1 }];
  const text = shown({ changed_files: ["/a/servers.d/web.kdl", "/a/xy.config.kdl"], backends });
  expect(text).toContain(
    "/a/servers.d/web.kdl and 1 more changed since then; `xy plan` shows what that means",
  );
  expect(text).toContain("run by   agent: 6, systemd: 1");
});

it("names a project whose folder is gone, with both ways on", () => {
  const text = shown({ lost_roots: [{ project: "old", root: "/home/ada/old" }] });
  expect(text).toContain(
    "gone     /home/ada/old, of project old; if it was moved, `xy plan` in its new place shows how to go on, else `xy destroy --project old`",
  );
});

it("shows all projects where none is meant, in full names", () => {
  const text = shown({ project: null, root: null, generation: null });
  expect(text).toMatch(/^All projects \(no applied configuration is here\)\n/);
  expect(text).toContain("tools/bad (exit 7): `xy why tools/bad`");
  expect(text).not.toContain("changes");
});

it("shows a newcomer where to begin", () => {
  const none = { counts: countsOf([], 0), generation: null, project: null };
  expect(shown({ ...none, root: null })).toContain("`xy init` writes a first one, `xy import`");
  expect(shown(none)).toContain("Nothing of /home/ada/tools was applied yet. `xy plan` shows");
});

it.each([40, 20, 1])("fits %i columns as far as its words do", (width) => {
  const lines = shown({}, width).split("\n");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(Math.max(width, 31));
});
