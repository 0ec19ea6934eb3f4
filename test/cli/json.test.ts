import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, Home, newHome } from "./cli.ts";

interface Manifest {
  readonly commands: Record<string, { readonly flags: Record<string, unknown> }>;
}

const manifest: Manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8"),
);
const withJson = Object.entries(manifest.commands).filter(([, { flags }]) => "json" in flags);

/** Command line without --json, and what its document looks like. In an order in which each of them succeeds. */
const documents: [words: string[], document: unknown][] = [
  [["check"], { valid: true, project: "tools", servers: ["a", "b"], elsewhere: [], warnings: [] }],
  [
    ["plan"],
    {
      version: 1,
      project: "tools",
      summary: { add: ["a", "b", "action a:say"] },
      diagnostics: [],
      skipped: [],
    },
  ],
  [
    ["import", "Procfile", "--dry-run"],
    {
      version: 1,
      dryRun: true,
      sources: [
        { what: "a Procfile", servers: [{ name: "web", state: "new" }], others: [], lost: [], stops: [] },
      ],
    },
  ],
  [
    ["emit", "systemd"],
    {
      version: 1,
      manager: "systemd",
      project: "tools",
      units: [
        { server: "a", name: "xy.tools.a.service", secrets: [], losses: [{}, {}, {}, {}] },
        { server: "b" },
      ],
      ignored: [],
      warnings: [],
    },
  ],
  [
    ["apply", "--yes"],
    { version: 1, plan: { version: 1 }, outcome: [{ type: "done" }, { type: "done" }, { type: "done" }] },
  ],
  [["trust"], [{ path: expect.stringMatching(/\/tools$/), to: "servers", is_there: true }]],
  [["reload"], { added: [], removed: [], changed: [], unchanged: ["a", "b"], failed: [] }],
  [["list"], [{ name: "a", state: "running", port: null }, { name: "b" }]],
  [["tree"], [{ name: "a", state: "running", depends_on: [] }, { name: "b" }]],
  [
    ["status", "a"],
    { name: "a", project: "tools", state: "running", spec: { command: "sh" }, recent_transitions: [{}, {}] },
  ],
  [["ports"], [{ name: "b" }]],
  [["clients"], []],
  [["doctor"], { ok: true, checks: expect.arrayContaining([expect.objectContaining({ check: "agent" })]) }],
  [["url", "b"], { project: "tools", name: "b", url: expect.stringMatching(/^http:.*:\d+\/mcp$/) }],
  [["probe", "a"], { project: "tools", name: "a", which: "readiness", ok: true, steps: [{ ok: true }] }],
  [["why", "a"], { project: "tools", name: "a", why: expect.stringMatching(/^a has been running/) }],
  [["children", "a"], { name: "a", project: "tools", processes: [{ command: "sleep 600" }] }],
  [["stats"], [{ name: "a", counted: { starts: 1, failures: 0 } }, { name: "b" }]],
  [["run"], [{ spec: { name: "say", server: "a" }, next_run_unix_ms: null }]],
  [["run", "a:say"], { service_id: "a", action_id: "say", phase: "succeeded", spec: { server: "a" } }],
  [["jobs", "--action", "say"], { jobs: [{ id: 3 }], next_cursor: null }],
  [["job", "show", "3"], { id: 3, exit_code: 0, log_path: expect.stringMatching(/log\/3\/current\.log$/) }],
  [["job", "retry", "3"], { id: 4, retry_of: 3, trigger: "retry" }],
  [["job", "cancel", "3"], { cancelled: false }],
  [["job", "delete", "3"], { deleted: 1 }],
  [["run", "--keep", "c", "--", "sleep", "600"], { name: "c", project: "tools", kept: true }],
  [["forget", "c"], { forgotten: ["c"] }],
  [["run", "--", "true"], { service_id: null, action_id: "true", inline: true, phase: "succeeded" }],
  [["restart", "a", "b"], { restarted: ["a", "b"], started: [], failed: [] }],
  [["pause", "a", "b"], { paused: ["a", "b"], already_paused: [], failed: [] }],
  [["resume", "a"], { resumed: ["a"], not_paused: [], failed: [] }],
  [["stop", "a"], { stopped: ["a"], not_running: [], failed: [] }],
  [["kill", "a", "b"], { killed: ["b"], not_running: ["a"], failed: [] }],
  [["start", "--all"], { started: ["a", "b"], already_running: [], failed: [] }],
  [
    ["history"],
    [{ version: 1, number: 1, outcome: "complete", changes: { add: ["a", "b", "action a:say"] } }],
  ],
  [
    ["history", "1"],
    { version: 1, number: 1, from: null, changes: [{ server: "a", action: "add" }, { server: "b" }] },
  ],
  [["rollback", "1", "--plan"], { version: 1, generation: 1, summary: { matching: ["a", "b"] } }],
  [["rollback", "1", "--yes"], { version: 1, plan: { summary: { matching: ["a", "b"] } }, outcome: [] }],
  [
    ["status"],
    { project: "tools", counts: { servers: 2, running: 2, failed: 0 }, generation: { outcome: "complete" } },
  ],
  [["version"], { version: expect.stringMatching(/^\d/), agent: { pid: expect.any(Number) } }],
  [["agent", "status"], { running: true, servers: 2 }],
  [["agent", "start"], { servers: 2 }],
  [["agent", "upgrade"], { upgraded: false, running: true }],
  [["agent", "uninstall"], { removed: false, manager: expect.stringMatching(/^(systemd|launchd)$/) }],
  [
    ["destroy", "--yes"],
    { version: 1, plan: { summary: { remove: ["a", "b", "action a:say"] } }, outcome: [{}, {}, {}] },
  ],
  [["agent", "stop"], { stopped: [] }],
  [
    ["init", "more", "--format", "yaml"],
    {
      version: 1,
      folder: expect.stringMatching(/\/more$/),
      written: Array(4).fill(expect.any(String)),
      kept: [],
    },
  ],
  [["init", "more", "--refresh"], { version: 1, files: [{ state: "current", from: "0.1.0" }, {}] }],
];

describe("--json prints one document, and nothing else", () => {
  const home = new Home();
  beforeAll(async () => {
    home.declare("a", 'action "say" { command "true"; concurrency "allow"; }');
    const b = {
      ...{ command: "sh", args: ["-c", "exec sleep 600"], port: await freePort() },
      ...{ mcp: true, readiness: "none" },
    };
    home.write("servers.d/b.json", JSON.stringify(b));
    home.write("Procfile", "web: node x.js\n");
  });
  afterAll(() => home.close());

  it.each(documents)("xy %j", async (words, document) => {
    // What follows -- is no flag.
    const at = words.includes("--") ? words.indexOf("--") : words.length;
    const { code, stdout, stderr } = await home.xy(...words.slice(0, at), "--json", ...words.slice(at));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const parsed = JSON.parse(stdout);
    expect(parsed).toMatchObject(document as object);
    if (Array.isArray(document)) expect(parsed).toHaveLength(document.length);
  });

  it("is looked at for every command that has it", () => {
    const seen = documents.map(([words]) => words.join(" "));
    const missed = withJson
      .map(([id]) => id.replaceAll(":", " "))
      // A line a document: see the tests of the logs and of up. A service manager: see the test with a real one.
      .filter(
        (id) =>
          !["logs", "job logs", "up", "agent install"].includes(id) &&
          !seen.some((words) => `${words} `.startsWith(`${id} `)),
      );
    expect(missed).toEqual([]);
  });
});

describe("--json prints failures as a document", () => {
  it.each([
    [["status", "web"], 1, /^cannot find server web/],
    [["logs", "web"], 1, /^cannot find server web/],
    [["destroy", "--yes"], 1, /^cannot tell which project/],
    [["plan"], 3, /^no configuration found/],
    [["plan", "--bogus"], 64, /^Unknown flag: --bogus/],
    [["nonsense"], 64, /^there is no command "nonsense"/],
    [["stop"], 64, /^cannot tell which servers are meant: give either names or --all/],
  ] as const)("xy %j: %i", async (words, code, message) => {
    const outcome = await newHome().xy(...words, "--json");
    expect(outcome).toMatchObject({ code, stderr: "" });
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      error: { code, message: expect.stringMatching(message) },
    });
  });

  it("of one server beside those that went well", async () => {
    const home = newHome();
    home.declare("good");
    home.write("servers.d/bad.kdl", 'command "./program"\nport "none"\nwanted "stop"\n');
    await home.shell("printf '#!/bin/sh\\nsleep 600' > servers.d/program && chmod +x servers.d/program");
    await home.did("apply", "--yes");
    await home.shell("rm servers.d/program");
    const { code, stdout, stderr } = await home.xy("start", "--all", "--json");
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      started: [],
      already_running: ["good"],
      failed: [
        {
          name: "bad",
          code: -32006,
          message: expect.stringMatching(/^cannot start .*program: it does not exist/),
        },
      ],
    });
  });
});
