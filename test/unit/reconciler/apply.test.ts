import { describe, expect, test } from "vitest";
import type { Backend, PerformOptions, PerformResult } from "../../../src/backends/backend.ts";
import type { ApplyEvent } from "../../../src/model/event.ts";
import type { Observed } from "../../../src/model/observed.ts";
import type { Change, Plan } from "../../../src/model/plan.ts";
import type { ServerSpec } from "../../../src/model/spec.ts";
import { type ApplyOptions, apply } from "../../../src/reconciler/apply.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { desired, resting, running, secret, spec } from "./fixtures.ts";
import { collect } from "./world.ts";

const needing = (name: string, ...servers: string[]) =>
  spec(name, { dependsOn: servers.map((server) => ({ server, condition: "ready" as const })) });

function planned(servers: readonly ServerSpec[], observed: readonly Observed[] = []): Plan {
  const plan = buildPlan(desired(...servers), observed);
  if (!plan.ok) throw new Error("no plan");
  return plan.value;
}

const done: PerformResult = { ok: true, detail: "ready" };
const broken: PerformResult = { ok: false, message: "exit 7", lastLines: ["no such table"] };

function backend(
  perform: (change: Change, options: PerformOptions) => Promise<PerformResult>,
): () => Backend {
  const nothing = async () => {};
  const rest = { check: () => [], reach: nothing, observe: async () => [], close: nothing };
  return () => ({ kind: "agent", waits: true, ...rest, perform });
}

const options = (over: Partial<ApplyOptions> = {}): ApplyOptions => ({
  secrets: {},
  waitMs: 60_000,
  signal: new AbortController().signal,
  concurrency: 8,
  ...over,
});

const brief = (events: readonly ApplyEvent[]) => events.map(({ type, server }) => `${type} ${server}`);

describe("apply", () => {
  test("works in dependency order, side by side where it may", async () => {
    const plan = planned([needing("web", "api"), needing("api", "db"), spec("db"), spec("cache")]);
    const events = await collect(
      apply(
        plan,
        backend(async () => done),
        options(),
      ),
    );
    expect(brief(events)).toEqual([
      "started cache",
      "started db",
      "done cache",
      "done db",
      "started api",
      "done api",
      "started web",
      "done web",
    ]);
    expect(events[2]).toEqual({ type: "done", server: "cache", action: "add", detail: "ready" });
  });

  test("passes on how a start is getting on, until that is over, and what would help", async () => {
    const progress = { waited_ms: 2000, bound_ms: 5000, evidence: "nothing listens", restarts: 1 };
    let tell: PerformOptions["progress"];
    const perform = async (change: Change, options: PerformOptions): Promise<PerformResult> => {
      if (change.server === "db") {
        tell = options.progress;
        tell?.(progress);
        return { ...broken, help: ["set `start-timeout`"] };
      }
      // Of what is over nothing is told.
      tell?.(progress);
      return done;
    };
    const serial = options({ concurrency: 1, waitMs: undefined });
    const events = await collect(apply(planned([spec("db"), spec("web")]), backend(perform), serial));
    expect(events).toEqual([
      { type: "started", server: "db", action: "add" },
      { type: "progress", server: "db", progress },
      {
        ...{ type: "failed", server: "db", action: "add", message: "exit 7" },
        ...{ lastLines: ["no such table"], help: ["set `start-timeout`"] },
      },
      { type: "started", server: "web", action: "add" },
      { type: "done", server: "web", action: "add", detail: "ready" },
    ]);
  });

  test("ends things first, dependents before what they depend on", async () => {
    const observed = [running(needing("web", "db")), running(spec("db")), running(spec("rest"))];
    const plan = planned([spec("new"), spec("rest", { wanted: "stop" })], observed);
    const events = await collect(
      apply(
        plan,
        backend(async () => done),
        options(),
      ),
    );
    expect(brief(events)).toEqual([
      "started rest",
      "started web",
      "done rest",
      "done web",
      "started db",
      "done db",
      "started new",
      "done new",
    ]);
  });

  test("what matches gives no event", async () => {
    const plan = planned([spec("web")], [running(spec("web"))]);
    expect(
      await collect(
        apply(
          plan,
          backend(async () => done),
          options(),
        ),
      ),
    ).toEqual([]);
  });

  test("never works on more servers at once than it may", async () => {
    let now = 0;
    let most = 0;
    const perform = async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
      return done;
    };
    const plan = planned(["a", "b", "c", "d", "e"].map((name) => spec(name)));
    await collect(apply(plan, backend(perform), options({ concurrency: 2 })));
    expect(most).toBe(2);
  });

  describe("ports that move on", () => {
    const ports = async (...moves: readonly [string, number, number][]) => {
      const now = moves.map(([name, , port]) => spec(name, { port }));
      const before = moves.map(([name, port]) => running(spec(name, { port })));
      const failing = async ({ server }: Change) => (server === "c" ? broken : done);
      return brief(await collect(apply(planned(now, before), backend(failing), options())));
    };

    test("whoever takes a port comes after whoever leaves it, also when that fails", async () => {
      expect(await ports(["a", 1, 2], ["b", 2, 3], ["c", 3, 4])).toEqual([
        "started c",
        "failed c",
        "started b",
        "done b",
        "started a",
        "done a",
      ]);
    });

    test("a swap has no order: both go at once", async () => {
      expect(await ports(["a", 1, 2], ["b", 2, 1])).toEqual(["started a", "started b", "done a", "done b"]);
    });

    test("a declared dependency comes before a port", async () => {
      const observed = [running(spec("a", { port: 1 })), running(spec("b", { port: 2 }))];
      const plan = planned([spec("a", { port: 2 }), { ...needing("b", "a"), port: 3 }], observed);
      const events = await collect(
        apply(
          plan,
          backend(async () => done),
          options(),
        ),
      );
      expect(brief(events)).toEqual(["started a", "done a", "started b", "done b"]);
    });
  });

  test("each server is waited for as its dependents ask", async () => {
    const asking = (name: string, server: string, condition: "started" | "completed") =>
      spec(name, { dependsOn: [{ server, condition }] });
    const plan = planned([asking("web", "db", "completed"), asking("api", "web", "started"), spec("db")]);
    const seen: Record<string, unknown> = {};
    const perform = async ({ server }: Change, { until }: PerformOptions) => {
      seen[server] = until;
      return done;
    };
    await collect(apply(plan, backend(perform), options()));
    expect(seen).toEqual({ db: "completed", web: "started", api: "ready" });
  });

  test("what runs is not restarted while it needs a server at rest, unless nothing is waited for", async () => {
    const held = resting(spec("db"), { operator: "stop" });
    const web = needing("web", "db");
    const app = needing("app", "web");
    const newer = (server: ServerSpec) => ({ ...server, args: ["other.js"] });
    const plan = planned([spec("db"), newer(web), newer(app)], [held, running(web), running(app)]);
    const performed = backend(async () => done);
    expect(await collect(apply(plan, performed, options()))).toEqual([
      {
        type: "skipped",
        server: "web",
        action: "restart",
        message: "db is held, and web needs it ready: run `xy start db`, then apply again",
      },
      {
        type: "skipped",
        server: "app",
        action: "restart",
        message: "web was skipped, and app depends on it",
      },
    ]);
    expect(brief(await collect(apply(plan, performed, options({ waitMs: 0 }))))).toEqual([
      "started web",
      "done web",
      "started app",
      "done app",
    ]);
  });

  /** A backend of which `db` fails, and all that needs something waits for it. */
  const waits = [{ server: "db", condition: "ready", state: "failed: exit 7", resting: true }] as const;
  const waiting = async ({ server, desired: declared }: Change): Promise<PerformResult> => {
    if (server === "db") return broken;
    const free = declared?.dependsOn.length === 0;
    return free ? done : { ok: true, detail: "waits for db", waitsFor: waits };
  };

  test("what does not run is handed over all the same, and waits; others know nothing of it", async () => {
    const plan = planned([needing("web", "api"), needing("api", "db"), spec("db"), spec("notes")]);
    const waited: Record<string, number | undefined> = {};
    const perform = async (change: Change, { waitMs }: PerformOptions) => {
      waited[change.server] = waitMs;
      return waiting(change);
    };
    const events = await collect(apply(plan, backend(perform), options()));
    const wait = { type: "waiting", action: "add", message: "waits for db", waitsFor: waits };
    expect(events.filter(({ type }) => type !== "started")).toEqual([
      { type: "failed", server: "db", action: "add", message: "exit 7", lastLines: ["no such table"] },
      { type: "done", server: "notes", action: "add", detail: "ready" },
      { ...wait, server: "api" },
      { ...wait, server: "web" },
    ]);
    // What failed was waited for: its dependents are not waited for a second time.
    expect(waited).toEqual({ db: 60_000, notes: 60_000, api: 0, web: 0 });
  });

  test("without waiting, whatever waits under its backend is done", async () => {
    const plan = planned([needing("web", "db"), spec("db")]);
    const perform = async (change: Change) => (change.server === "db" ? done : waiting(change));
    const events = await collect(apply(plan, backend(perform), options({ waitMs: 0 })));
    expect(events.at(-1)).toEqual({ type: "done", server: "web", action: "add", detail: "waits for db" });
  });

  test("what runs, and would have to wait in its new version, is skipped", async () => {
    const web = needing("web", "db");
    const plan = planned([{ ...web, args: ["other.js"] }, spec("db")], [running(web), running(spec("db"))]);
    const perform = async (): Promise<PerformResult> => ({
      ok: false,
      message: "left as it is",
      lastLines: [],
      waitsFor: waits,
    });
    const events = await collect(apply(plan, backend(perform), options()));
    expect(events.at(-1)).toEqual({
      type: "skipped",
      server: "web",
      action: "restart",
      message: "left as it is",
    });
  });

  test("what a backend throws is the failure of one server", async () => {
    const perform = async ({ server }: Change) => {
      if (server === "a") throw new Error("socket closed");
      return done;
    };
    const events = await collect(apply(planned([spec("a"), spec("b")]), backend(perform), options()));
    expect(events).toContainEqual({
      type: "failed",
      server: "a",
      action: "add",
      message: "socket closed",
      lastLines: [],
    });
    expect(brief(events)).toContain("done b");
    const none = () => {
      throw new Error("no such backend");
    };
    expect(brief(await collect(apply(planned([spec("a")]), none, options())))).toEqual([
      "started a",
      "failed a",
    ]);
  });

  test("an interruption begins nothing new, and says what was left", async () => {
    const abort = new AbortController();
    const perform = async (_: Change, { signal }: PerformOptions) => {
      abort.abort();
      expect(signal.aborted).toBe(true);
      return done;
    };
    const plan = planned([spec("a"), spec("b"), spec("c")]);
    const events = await collect(
      apply(plan, backend(perform), options({ signal: abort.signal, concurrency: 1 })),
    );
    expect(brief(events)).toEqual(["started a", "done a", "skipped b", "skipped c"]);
    expect(events.at(-1)).toMatchObject({ message: "interrupted before it began" });
  });

  test("whoever stops reading begins nothing more", async () => {
    const performed: string[] = [];
    let finish = (_: PerformResult) => {};
    const perform = ({ server }: Change) => {
      performed.push(server);
      return new Promise<PerformResult>((resolve) => {
        finish = resolve;
      });
    };
    for await (const _ of apply(
      planned([spec("a"), spec("b")]),
      backend(perform),
      options({ concurrency: 1 }),
    ))
      break;
    finish(done);
    await new Promise(setImmediate);
    expect(performed).toEqual(["a"]);
  });

  test("a server that could not be removed elsewhere is not added here", async () => {
    const elsewhere = "systemd" as ServerSpec["backend"];
    const plan = planned([spec("web")], [running(spec("web", { backend: elsewhere }))]);
    const kinds: string[] = [];
    const backendOf = (kind: ServerSpec["backend"]): Backend => {
      kinds.push(kind);
      return backend(async () => broken)();
    };
    const events = await collect(apply(plan, backendOf, options()));
    expect(brief(events)).toEqual(["started web", "failed web", "skipped web"]);
    expect(events.at(-1)).toMatchObject({ action: "add", message: "its removal from systemd failed" });
    expect(kinds).toEqual(["systemd"]);
  });

  describe("a server that moves", () => {
    const there = spec("web", { backend: "systemd" });
    const from = running(there);
    /** Backends on which what the server is to become does not come up, and what was done with each. */
    const moving = (spec: ServerSpec, before: Observed = from) => {
      const done_: string[] = [];
      const backendOf = (kind: ServerSpec["backend"]): Backend =>
        backend(async ({ action, desired: declared }, { secrets }) => {
          done_.push(
            `${kind} ${action}${Object.keys(secrets).length > 0 ? ` ${JSON.stringify(secrets)}` : ""}`,
          );
          return action === "add" && declared?.backend === "agent" ? broken : done;
        })();
      return { plan: planned([spec], [before]), backendOf, deeds: done_ };
    };

    test("and does not come up is put back where it was", async () => {
      const { plan, backendOf, deeds } = moving(spec("web"));
      const events = await collect(apply(plan, backendOf, options()));
      expect(events.at(-1)).toMatchObject({
        type: "failed",
        message: "exit 7; it is put back under systemd",
      });
      expect(deeds).toEqual(["systemd remove", "agent add", "agent remove", "systemd add"]);
    });

    test("is left as it is when that is asked for", async () => {
      const { plan, backendOf, deeds } = moving(spec("web"));
      await collect(apply(plan, backendOf, options({ rollback: false })));
      expect(deeds).toEqual(["systemd remove", "agent add"]);
    });

    test("gets its secrets back, or it is said which one is lost", async () => {
      const env = { TOKEN: secret("1") };
      const { plan, backendOf, deeds } = moving(spec("web", { env }), running({ ...there, env }));
      await collect(apply(plan, backendOf, options({ secrets: { web: { TOKEN: "t" } } })));
      expect(deeds.at(-1)).toBe('systemd add {"TOKEN":"t"}');
      const changed = moving(spec("web", { env: { TOKEN: secret("2") } }), running({ ...there, env }));
      const lost = await collect(
        apply(changed.plan, changed.backendOf, options({ secrets: { web: { TOKEN: "t" } } })),
      );
      expect(lost.at(-1)).toMatchObject({
        message: "exit 7; it cannot be put back under systemd: the value of TOKEN has changed",
      });
    });
  });

  test("under a backend that waits for nothing, what lacks something is not begun", async () => {
    const performed: string[] = [];
    const backendOf = (): Backend => ({
      ...backend(async ({ server }) => {
        performed.push(server);
        return server === "db" ? broken : done;
      })(),
      kind: "systemd",
      waits: false,
    });
    const [db, web] = [spec("db"), needing("web", "db")].map((one) => ({
      ...one,
      backend: "systemd" as const,
    }));
    const events = await collect(apply(planned([db, web] as ServerSpec[]), backendOf, options()));
    expect(performed).toEqual(["db"]);
    expect(events.at(-1)).toMatchObject({
      type: "skipped",
      server: "web",
      message: "db failed, and web depends on it",
    });
    const held = resting(db as ServerSpec, { operator: "stop" });
    const later = await collect(apply(planned([db, web] as ServerSpec[], [held]), backendOf, options()));
    expect(later.at(-1)).toMatchObject({
      server: "web",
      message: expect.stringContaining("run `xy start db`"),
    });
  });

  test("each server gets its own secrets, also one with the name of an object's inner part", async () => {
    const seen: Record<string, unknown> = {};
    const perform = async ({ server }: Change, { secrets, waitMs }: PerformOptions) => {
      seen[server] = { secrets, waitMs };
      return done;
    };
    const plan = planned([spec("a"), spec("constructor")]);
    await collect(apply(plan, backend(perform), options({ secrets: { a: { TOKEN: "t" } }, waitMs: 5 })));
    expect(seen).toEqual({
      a: { secrets: { TOKEN: "t" }, waitMs: 5 },
      constructor: { secrets: {}, waitMs: 5 },
    });
  });
});
