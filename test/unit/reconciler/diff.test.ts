import { describe, expect, test } from "vitest";
import { startHash } from "../../../src/model/canonical.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { Change } from "../../../src/model/plan.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { diff } from "../../../src/reconciler/diff.ts";
import { desired, exited, MINUTE, NOW, resting, running, secret, spec } from "./fixtures.ts";

function only(declared: ServerSpec | undefined, ...observed: Observed[]): Change {
  const [change, ...others] = diff(desired(...(declared === undefined ? [] : [declared])), observed);
  expect(others).toEqual([]);
  if (change === undefined) throw new Error("no change");
  return change;
}

const web = spec("web");
const kinds = (change: Change) => change.reasons.map(({ kind }) => kind);

describe("what is declared and what is recorded", () => {
  test("a declared server that nobody recorded is added", () => {
    expect(only(web)).toEqual({
      server: "web",
      action: "add",
      reasons: [{ kind: "not-recorded" }],
      fields: [],
      desired: web,
      held: false,
      breaksSessions: false,
    });
  });

  test("a recorded server that is not declared is removed, and its sessions break when it runs", () => {
    expect(only(undefined, running(web))).toMatchObject({ action: "remove", breaksSessions: true });
    expect(only(undefined, resting(web))).toMatchObject({ action: "remove", breaksSessions: false });
    expect(only(undefined, running(web))).not.toHaveProperty("desired");
  });

  test("a running server with the same spec matches", () => {
    expect(only(web, running(web))).toMatchObject({ action: "none", reasons: [], fields: [] });
  });

  test("servers of another project are not looked at", () => {
    expect(diff(desired(), [running(spec("web", { project: "other" }))])).toEqual([]);
  });

  test("changes come in name order", () => {
    const names = diff(desired(spec("c"), spec("a")), [running(spec("b"))]).map(({ server }) => server);
    expect(names).toEqual(["a", "b", "c"]);
  });

  test("a server with the name of an object's inner part is a server like others", () => {
    expect(diff(desired(spec("constructor")), [running(spec("constructor"))])[0]).toMatchObject({
      action: "none",
    });
  });

  test("a server that moves is removed there and added here, still held", () => {
    const elsewhere = "systemd" as ServerSpec["backend"];
    const changes = diff(desired(web), [resting({ ...web, backend: elsewhere }, { operator: "stop" })]);
    const reasons = [{ kind: "moved", from: "systemd", to: "agent" }];
    expect(changes).toMatchObject([
      { action: "remove", reasons, observed: { backend: "systemd" } },
      { action: "add", reasons, desired: { backend: "agent" }, held: true },
    ]);
  });
});

describe("a changed spec", () => {
  test("a field that the process got at its start needs a restart", () => {
    const change = only(spec("web", { args: ["server.js", "--quiet"] }), running(web));
    expect(change).toMatchObject({ action: "restart", breaksSessions: true });
    expect(change.fields).toEqual([{ field: "args", from: ["server.js"], to: ["server.js", "--quiet"] }]);
    expect(change.reasons).toEqual([{ kind: "field-changed", fields: ["args"] }]);
  });

  test("any other field is taken over in place", () => {
    const change = only(spec("web", { logs: { maxSize: 10 * 2 ** 20, keep: 9 } }), running(web));
    expect(change).toMatchObject({ action: "update", breaksSessions: false });
    expect(change.fields).toEqual([{ field: "logs.keep", from: 5, to: 9 }]);
  });

  test("env is told name by name, a secret by its reference", () => {
    const before = spec("web", { env: { A: "1", B: "2", TOKEN: secret("aa") } });
    const after = spec("web", { env: { A: "1", B: "3", C: "4", TOKEN: secret("bb") } });
    expect(only(after, running(before)).fields).toEqual([
      { field: "env.B", from: "2", to: "3" },
      { field: "env.C", to: "4" },
      { field: "env.TOKEN", from: secret("aa"), to: secret("bb") },
    ]);
  });

  test("a secret found elsewhere with the same value needs no restart", () => {
    const before = spec("web", { env: { TOKEN: secret("aa", "OLD") } });
    const after = spec("web", { env: { TOKEN: secret("aa", "NEW") } });
    expect(only(after, running(before))).toMatchObject({
      action: "update",
      fields: [{ field: "env.TOKEN" }],
    });
  });

  test("a secret that was not resolved is taken to be what it was", () => {
    const before = spec("web", { env: { TOKEN: secret("aa") } });
    const change = only(spec("web", { env: { TOKEN: secret("") } }), running(before));
    expect(change).toMatchObject({ action: "none", desired: { env: { TOKEN: secret("aa") } } });
    expect(only(spec("web", { env: { TOKEN: secret("", "OTHER") } }), running(before)).action).toBe(
      "restart",
    );
  });

  test("a block that comes is told by its inner fields", () => {
    const change = only(spec("web", { mcp: { path: "/mcp" } }), running(web));
    expect(change).toMatchObject({ action: "update", fields: [{ field: "mcp.path", to: "/mcp" }] });
  });

  test("a resting server takes the new spec over and keeps resting", () => {
    const after = spec("web", { args: [], wanted: "stop" });
    const rests = resting(spec("web", { wanted: "stop" }));
    expect(only(after, rests)).toMatchObject({ action: "update", breaksSessions: false });
  });

  test("a held server takes the new spec over and stays held", () => {
    const change = only(spec("web", { args: [] }), resting(web, { operator: "stop" }));
    expect(change).toMatchObject({ action: "update", held: true });
  });

  test("a failed server is started with the new spec, for both reasons", () => {
    const change = only(spec("web", { args: [] }), resting(web, { state: "failed", lastExit: exited(7) }));
    expect(change).toMatchObject({ action: "start", breaksSessions: false });
    expect(kinds(change)).toEqual(["field-changed", "failed"]);
  });

  test("a server that waits for its next start is started at once only when what it starts with changed", () => {
    const waits = resting(web, { state: "restarting" });
    expect(only(spec("web", { args: [] }), waits).action).toBe("start");
    expect(only(spec("web", { description: "x" }), waits).action).toBe("update");
  });

  test("a completed task runs again only when what it starts with changed", () => {
    const completed = resting(web, { lastExit: exited(0) });
    expect(only(spec("web", { args: ["other"] }), completed).action).toBe("start");
    expect(only(spec("web", { description: "x" }), completed).action).toBe("update");
  });

  test("wanted turned to stop ends the process; turned to start begins one, whatever the last exit was", () => {
    const stop = spec("web", { wanted: "stop" });
    expect(only(stop, running(web))).toMatchObject({ action: "stop", breaksSessions: true });
    const change = only(web, resting(stop, { lastExit: exited(0) }));
    expect(change).toMatchObject({ action: "start" });
    expect(kinds(change)).toEqual(["field-changed"]);
    expect(only(web, resting(stop, { state: "stopping" })).action).toBe("start");
  });

  test("a record that cannot be read is written again, and what runs is restarted", () => {
    const { spec: _, runningHash: __, ...unreadable } = running(web);
    expect(only(web, unreadable)).toMatchObject({ action: "restart", reasons: [{ kind: "unreadable" }] });
    expect(only(web, { ...unreadable, runningHash: startHash(web) })).toMatchObject({ action: "update" });
    const { spec: ___, ...held } = resting(web, { operator: "stop" });
    expect(only(web, held)).toMatchObject({ action: "update", held: true });
  });
});

describe("the same spec: the state decides", () => {
  test("failed is started, with the exit and the time as the reason", () => {
    const failed = resting(web, {
      state: "failed",
      lastExit: exited(7),
      reason: "exit 7, 5 restarts in a minute",
    });
    const reasons = [{ kind: "failed", detail: "exit 7", at: NOW - 3 * MINUTE }];
    expect(only(web, failed)).toMatchObject({ action: "start", reasons, fields: [] });
  });

  test("a reason that is not the exit says more than the exit", () => {
    const failed = resting(web, {
      state: "failed",
      lastExit: exited(7),
      reason: "cannot spawn: no such file",
    });
    expect(only(web, failed).reasons).toMatchObject([
      { kind: "failed", detail: "cannot spawn: no such file" },
    ]);
  });

  test("an absence that nothing explains is started", () => {
    expect(only(web, resting(web))).toMatchObject({ action: "start", reasons: [{ kind: "absent" }] });
    const lost = resting(web, { lastExit: { exit: { kind: "unknown" }, at: NOW } });
    expect(only(web, lost).reasons).toEqual([{ kind: "absent", detail: "exit code unknown" }]);
  });

  test.each([
    ["on-failure", 0, "none"],
    ["on-failure", 7, "start"],
    ["never", 0, "none"],
    ["never", 7, "none"],
    ["always", 0, "start"],
  ] as const)("under %s an end with code %i gives %s", (policy, code, action) => {
    const server = spec("web", { restart: { ...web.restart, policy } });
    expect(only(server, resting(server, { lastExit: exited(code) })).action).toBe(action);
  });

  test("an end that was asked for explains nothing", () => {
    expect(only(web, resting(web, { lastExit: exited(0, true) })).action).toBe("start");
  });

  test("an end that nobody saw explains nothing, also under never", () => {
    const once = spec("web", { restart: { ...web.restart, policy: "never" } });
    expect(only(once, resting(once, { lastExit: { exit: { kind: "unknown" }, at: NOW } })).action).toBe(
      "start",
    );
  });

  test.each(["starting", "restarting", "stopping"] as const)("%s is on its way and matches", (state) => {
    expect(only(web, resting(web, { state })).action).toBe("none");
  });

  test("wanted stop: what runs or is about to is stopped, what rests matches", () => {
    const rest = spec("web", { wanted: "stop" });
    expect(only(rest, running(rest))).toMatchObject({ action: "stop", reasons: [{ kind: "unwanted" }] });
    expect(only(rest, resting(rest, { state: "restarting" }))).toMatchObject({
      action: "stop",
      breaksSessions: false,
    });
    for (const state of ["stopped", "stopping", "failed"] as const) {
      expect(only(rest, resting(rest, { state })).action).toBe("none");
    }
  });

  test("the operator's start stands above wanted stop", () => {
    const rest = spec("web", { wanted: "stop" });
    expect(only(rest, running(rest, { operator: "start" })).action).toBe("none");
    expect(only(rest, resting(rest, { operator: "start", state: "failed" })).action).toBe("start");
  });

  test("the operator's stop stands above wanted start", () => {
    expect(only(web, resting(web, { operator: "stop" }))).toMatchObject({ action: "none", held: true });
    expect(only(web, resting(web, { operator: "stop", state: "failed" })).action).toBe("none");
    expect(only(web, running(web, { operator: "stop" })).action).toBe("stop");
  });

  test("an ignored server is never touched", () => {
    const ignored = spec("web", { wanted: "ignore", args: [] });
    for (const seen of [[], [running(web, { drift: "x" })], [resting(web, { state: "failed" })]]) {
      expect(only(ignored, ...seen)).toMatchObject({ action: "none", reasons: [], fields: [] });
    }
  });

  test("a process of an earlier spec is restarted", () => {
    const outdated = running(web, { runningHash: startHash(spec("web", { args: [] })) });
    expect(only(web, outdated)).toMatchObject({
      action: "restart",
      reasons: [{ kind: "outdated-process" }],
      breaksSessions: true,
    });
  });

  test("a process that already is what is declared needs no restart, whatever the record says", () => {
    const ahead = running(spec("web", { args: [] }), { runningHash: startHash(web) });
    expect(only(web, ahead)).toMatchObject({ action: "update", fields: [{ field: "args" }] });
  });

  test("drift is written over, and restarts only a process that differs", () => {
    const drifted = running(web, { drift: "unit file edited" });
    const reasons = [{ kind: "drift", detail: "unit file edited" }];
    expect(only(web, drifted)).toMatchObject({ action: "update", reasons, breaksSessions: false });
    expect(only(web, { ...drifted, runningHash: "other" })).toMatchObject({ action: "restart" });
    expect(only(web, resting(web, { drift: "x", operator: "stop" }))).toMatchObject({
      action: "update",
      held: true,
    });
  });
});

describe("places that go by another name than the record says", () => {
  const former = [{ from: "/store/1", to: "/conf" }];
  const then = spec("web", { workingDir: "/store/1/sub" });
  const now = spec("web", { workingDir: "/conf/sub" });
  const change = (declared: ServerSpec, observed: Observed) =>
    diff({ ...desired(declared), former }, [observed])[0] as Change;

  test("are no difference, and are what an apply has the record say", () => {
    expect(change(now, running(then))).toMatchObject({
      action: "none",
      fields: [],
      desired: then,
      renamed: now,
    });
    expect(change(now, running(now))).not.toHaveProperty("renamed");
    expect(only(now, running(then))).toMatchObject({ action: "restart" });
  });

  test("are no difference either where an apply was cut off in the middle of that", () => {
    const half = { ...running(then), runningHash: startHash(now) };
    expect(change(now, half)).toMatchObject({ action: "none", renamed: now });
    expect(change(now, { ...half, runningHash: startHash(web) })).toMatchObject({ action: "restart" });
  });

  test("are a difference of what does not run, once nothing can be started by them", () => {
    const gone = former.map((one) => ({ ...one, isGone: true }));
    const withGone = (observed: Observed) => diff({ ...desired(now), former: gone }, [observed])[0];
    expect(withGone(running(then))).toMatchObject({ action: "none", renamed: now });
    const held = { ...resting(then), operator: "stop" as const };
    expect(withGone(held)).toMatchObject({ action: "update", desired: now });
    expect(change(now, held)).toMatchObject({ action: "none", renamed: now });
    const waiting = { ...running(then), state: "restarting" as const };
    expect(withGone(waiting)).toMatchObject({ action: "start", desired: now });
  });

  test("are today's for whatever starts anew, and stay where nothing does", () => {
    const args = spec("web", { workingDir: "/conf/sub", args: ["new"] });
    const restart = change(args, running(then));
    expect(restart).toMatchObject({ action: "restart", desired: args });
    expect(restart.fields.map(({ field }) => field)).toEqual(["args"]);
    const tags = spec("web", { workingDir: "/conf/sub", tags: ["new"] });
    expect(change(tags, running(then))).toMatchObject({
      action: "update",
      desired: { workingDir: "/store/1/sub", tags: ["new"] },
    });
  });
});
