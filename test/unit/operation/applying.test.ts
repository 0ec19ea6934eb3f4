import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Backend, PerformResult } from "../../../src/backends/backend.ts";
import { startHash } from "../../../src/model/canonical.ts";
import { isFinal } from "../../../src/model/event.ts";
import type { Observed } from "../../../src/model/observed.ts";
import { BackendFailure, BackendUnreachable } from "../../../src/model/unreachable.ts";
import { type ApplyRequest, applyConfiguration } from "../../../src/operation/applying/apply.ts";
import { destroy } from "../../../src/operation/applying/destroy.ts";
import type { Answer, ApplyFront, ApplyWorld } from "../../../src/operation/applying/front.ts";
import { rollBack } from "../../../src/operation/applying/roll-back.ts";
import { history } from "../../../src/operation/generations.ts";
import { lockProject } from "../../../src/operation/project.ts";
import { SweptFolder } from "../../rig/secret-scan.ts";

const PROJECT = "default";

let folder: SweptFolder;
let state: string;
/** What the front, the backend and the fleet were asked, in order. */
let steps: string[];
let interruption: AbortController;
/** Called at each step; throws where a step is to fail. */
let atStep: (step: string) => void;

beforeEach(() => {
  folder = new SweptFolder();
  state = join(folder.path, "state");
  steps = [];
  interruption = new AbortController();
  atStep = () => {};
  folder.write(".config/xy/xy.config.kdl", 'project "default"\n');
  declare("web");
});
afterEach(() => folder.remove());

function declare(name: string): void {
  folder.write(`.config/xy/servers.d/${name}.kdl`, 'command "/bin/sleep"\nargs "1000"\nport "none"\n');
}

function step(name: string): void {
  steps.push(name);
  atStep(name);
}

/** Remembers what was performed, and observes that. */
class FakeBackend implements Backend {
  readonly kind = "agent";
  readonly waits = true;
  readonly performed = new Map<string, Observed>();
  result: PerformResult = { ok: true, detail: "ready" };
  readonly actions = {
    recorded: async () => [],
    take: async () => {},
    forgetTyped: async () => step("forget typed jobs"),
  };

  check(): [] {
    return [];
  }

  async reach(): Promise<void> {
    step("reach");
  }

  async observe(): Promise<readonly Observed[]> {
    step("observe");
    return [...this.performed.values()];
  }

  async perform({ server, action, desired }: Parameters<Backend["perform"]>[0]): Promise<PerformResult> {
    step(`${action} ${server}`);
    if (desired === undefined) this.performed.delete(server);
    else
      this.performed.set(server, {
        ...{ name: server, project: PROJECT, backend: "agent", spec: desired, state: "running" },
        ...{
          operator: null,
          runningHash: startHash(desired),
          pid: 1,
          startedAt: 1,
          exit: null,

          since: 1,
        },
      } as unknown as Observed);
    return this.result;
  }

  async close(): Promise<void> {}
}

let backend: FakeBackend;
let world: ApplyWorld;
beforeEach(() => {
  backend = new FakeBackend();
  world = {
    state,
    openFleet: () => {
      step("open fleet");
      return {
        backend: async () => backend,
        backends: async () => [backend],
        recorded: () => [...backend.performed.keys()],
        close: async () => void steps.push("close fleet"),
      };
    },
  };
});

function front(answer: Answer = "yes"): ApplyFront {
  return {
    signal: interruption.signal,
    showPlan: () => step("show plan"),
    ask: async (question) => {
      step(`ask: ${question}`);
      return answer;
    },
    begins: () => step("begin"),
    showProgress: async (_plan, events) => {
      step("show progress");
      for await (const event of events) if (isFinal(event)) steps.push(`${event.type} ${event.server}`);
    },
    showMoved: () => {},
    note: () => {},
  };
}

function setting(): ApplyRequest["setting"] {
  return {
    ...{ cwd: folder.path, env: { HOME: folder.path }, state, signal: interruption.signal },
    consent: { trust: false, ask: async () => false, tell: async () => {}, unkept: () => {} },
    print: () => {},
  };
}

const applied = (answer: Answer = "yes", asksAbout: ApplyRequest["asksAbout"] = "changes") =>
  applyConfiguration(front(answer), world, { setting: setting(), waitMs: 0, rollback: true, asksAbout });

function isLocked(): boolean {
  const attempt = lockProject(state, PROJECT);
  if (attempt.ok) attempt.lock.release();
  return !attempt.ok;
}

/** The steps of one run, which must not have left anything open. */
function taken(): string[] {
  const count = (name: string) => steps.filter((one) => one === name).length;
  expect({ closed: count("close fleet"), isLocked: isLocked() }).toEqual({
    closed: count("open fleet"),
    isLocked: false,
  });
  return steps.splice(0);
}

const outcomes = () => history(state, PROJECT).map(({ generation }) => generation?.outcome);

const WHOLE_APPLY = [
  "open fleet",
  "observe",
  "show plan",
  "ask: Apply these changes?",
  "begin",
  "reach",
  "show progress",
  "add web",
  "done web",
  "close fleet",
];

describe("an apply", () => {
  test("plans, shows, asks, carries out and records, in this order", async () => {
    expect(await applied()).toMatchObject({ ok: true, value: { finals: [{ type: "done", server: "web" }] } });
    expect(taken()).toEqual(WHOLE_APPLY);
    expect(outcomes()).toEqual(["complete"]);
  });

  test("that is refused changes and records nothing", async () => {
    expect(await applied("no")).toEqual({
      ok: false,
      stop: { why: "refused", message: "nothing was applied", problems: [] },
    });
    expect(await applied({ cannotAsk: "nobody is here" })).toMatchObject({
      stop: { why: "refused", message: "nothing was applied: nobody is here" },
    });
    const asked = WHOLE_APPLY.slice(0, 4);
    expect(taken()).toEqual([...asked, "close fleet", ...asked, "close fleet"]);
    expect(outcomes()).toEqual([]);
    expect(existsSync(join(state, "projects", PROJECT, "project.json"))).toBe(false);
  });

  test("asks nothing when the front says so, nor about what stopping the servers takes back", async () => {
    expect(await applied("no", "none")).toMatchObject({ ok: true });
    declare("other");
    expect(await applied("no", "lasting")).toMatchObject({ ok: true });
    expect(taken().filter((one) => one.startsWith("ask"))).toEqual([]);
  });

  test("stops with an error of the plan before it asks", async () => {
    folder.write(".config/xy/servers.d/bad.kdl", 'command "/no/such/program"\nport "none"\n');
    expect(await applied()).toMatchObject({
      stop: {
        why: "failed",
        message: "nothing was applied: the plan has problems",
        problems: [{ server: "bad" }],
      },
    });
    expect(taken()).toEqual(["open fleet", "observe", "show plan", "close fleet"]);
  });

  test("of an invalid configuration opens no fleet", async () => {
    folder.write(".config/xy/servers.d/bad.kdl", "comand 1\n");
    expect(await applied()).toMatchObject({ ok: false, stop: { why: "invalid" } });
    expect(taken()).toEqual([]);
  });

  test("stops when another one holds the lock", async () => {
    const other = lockProject(state, PROJECT);
    expect(await applied()).toMatchObject({
      stop: {
        why: "locked",
        message: `cannot apply: another apply of project default is under way (pid ${process.pid})`,
      },
    });
    if (other.ok) other.lock.release();
    expect(taken()).toEqual([]);
  });

  test("may be stopped by whoever reviews its plan", async () => {
    const request = { setting: setting(), waitMs: 0, rollback: true, asksAbout: "none" } as const;
    const stop = { why: "failed", message: "the plan is stale" } as const;
    expect(await applyConfiguration(front(), world, { ...request, review: () => stop })).toEqual({
      ok: false,
      stop,
    });
    expect(taken()).toEqual(["open fleet", "observe", "close fleet"]);
  });

  test("that a server fails is recorded as incomplete", async () => {
    backend.result = { ok: false, message: "it exited", lastLines: [] };
    expect(await applied()).toMatchObject({ ok: true, value: { finals: [{ type: "failed" }] } });
    taken();
    expect(outcomes()).toEqual(["incomplete"]);
  });

  test("whose front stops reading is not complete", async () => {
    declare("other");
    const impatient: ApplyFront = {
      ...front(),
      showProgress: async (_plan, events) => {
        for await (const _ of events) break;
      },
    };
    await applyConfiguration(impatient, world, {
      setting: setting(),
      waitMs: 0,
      rollback: true,
      asksAbout: "none",
    });
    taken();
    expect(outcomes()).toEqual(["incomplete"]);
  });

  test.each([...new Set(WHOLE_APPLY)].filter((one) => !/ (web|fleet)$/.test(one)))(
    "closes its fleet and releases its lock when it fails at: %s",
    async (failing) => {
      atStep = (name) => {
        if (name === failing) throw new Error("a bug");
      };
      if (failing === "observe") await applied().catch(() => {});
      else await expect(applied()).rejects.toThrow("a bug");
      expect(taken()).not.toContain("add web");
    },
  );

  test.each(["observe", "show plan", "ask: Apply these changes?", "reach"])(
    "says that a backend cannot be reached, at: %s",
    async (failing) => {
      atStep = (name) => {
        if (name === failing) throw new BackendUnreachable("nobody answers");
      };
      const outcome = await applied();
      // A backend that cannot be observed leaves its servers out of the plan.
      if (failing !== "observe")
        expect(outcome).toMatchObject({ stop: { why: "unreachable", message: "nobody answers" } });
      expect(taken()).not.toContain("add web");
      expect(outcomes()).toEqual([]);
    },
  );

  test.each([...new Set(WHOLE_APPLY)].filter((one) => !/^(done|close) /.test(one)))(
    "leaves nothing open when it is interrupted at: %s",
    async (at) => {
      atStep = (name) => {
        if (name !== at) return;
        interruption.abort();
        // A question ends with the interruption.
        if (name.startsWith("ask")) throw new Error("aborted");
      };
      const outcome = await applied();
      const steps = taken();
      const isBegun = steps.includes("show progress");
      expect(outcome).toMatchObject(isBegun ? { ok: true } : { ok: false, stop: { why: "interrupted" } });
      expect(outcomes()).toEqual(at === "add web" ? ["complete"] : isBegun ? ["begun"] : []);
      expect(steps.includes("add web")).toBe(at === "add web");
    },
  );
});

describe("a rollback", () => {
  test("goes back to the generation before, and says so in its own", async () => {
    await applied();
    declare("other");
    await applied();
    taken();
    const request = {
      project: PROJECT,
      generation: undefined,
      setting: setting(),
      waitMs: 0,
      rollback: true,
    };
    expect(await rollBack(front("no"), world, { ...request, yes: false })).toMatchObject({
      stop: { why: "refused" },
    });
    expect(taken()).toEqual([
      "open fleet",
      "observe",
      "show plan",
      "ask: Go back to generation 1?",
      "close fleet",
    ]);
    expect(await rollBack(front("no"), world, { ...request, yes: true })).toMatchObject({ ok: true });
    expect(taken()).toContain("remove other");
    expect(history(state, PROJECT).at(-1)?.generation).toMatchObject({ rollbackOf: 1, outcome: "complete" });
  });

  test("that has nowhere to go opens no fleet", async () => {
    const request = {
      project: PROJECT,
      generation: undefined,
      setting: setting(),
      waitMs: 0,
      rollback: true,
    };
    expect(await rollBack(front(), world, { ...request, yes: true })).toMatchObject({
      stop: { why: "failed", message: "cannot roll back: there is no earlier generation" },
    });
    expect(taken()).toEqual([]);
  });
});

describe("a destroy", () => {
  const destroyed = (answer: Answer = "yes") =>
    destroy(front(answer), world, { project: PROJECT, yes: false });

  test("removes everything, then forgets the project", async () => {
    await applied();
    taken();
    expect(await destroyed("no")).toMatchObject({ stop: { why: "refused" } });
    expect(taken()).not.toContain("remove web");
    expect(await destroyed()).toMatchObject({ ok: true, value: { finals: [{ type: "done" }] } });
    expect(taken().slice(-4)).toEqual(["remove web", "done web", "forget typed jobs", "close fleet"]);
    expect(history(state, PROJECT)).toEqual([]);
  });

  test("of which something is left keeps the project, and closes its fleet", async () => {
    await applied();
    taken();
    atStep = (name) => {
      if (name === "forget typed jobs") throw new BackendFailure("a job does not end");
    };
    expect(await destroyed()).toMatchObject({ stop: { why: "failed", message: "a job does not end" } });
    taken();
    expect(outcomes()).toEqual(["complete"]);
  });
});
