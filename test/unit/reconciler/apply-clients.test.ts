import { describe, expect, it } from "vitest";
import type { Backend, PerformResult } from "../../../src/backends/backend.ts";
import type { ClientChange, EntryChange } from "../../../src/model/client-plan.ts";
import type { ApplyEvent } from "../../../src/model/event.ts";
import type { Observed } from "../../../src/model/observed.ts";
import { apply } from "../../../src/reconciler/apply.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { desired, NOW, running, spec } from "./fixtures.ts";
import { collect } from "./world.ts";

/** When the files of clients are written, and which entries are left as they were. */

const entry = (server: string, change: EntryChange["change"] = "add"): EntryChange => ({
  ...{ name: server, server, change, fields: [] },
  ...(change !== "remove" && { value: { url: `http://${server}` } }),
});
const cursor = (...entries: EntryChange[]): ClientChange => ({
  ...{ client: "cursor", scope: "user", file: "/h/.cursor/mcp.json", change: "update", others: [] },
  entries,
});

interface Story {
  readonly clients: readonly ClientChange[];
  /** Declared; they are new unless they are observed. */
  readonly servers: readonly string[];
  readonly observed?: readonly Observed[];
  /** Those that do not come up. */
  readonly broken?: readonly string[];
  readonly signal?: AbortSignal;
  /** What writing gives. */
  readonly writes?: "fails" | "throws";
}

async function told({ clients, servers, observed = [], broken = [], signal, writes }: Story) {
  const order: string[] = [];
  const built = buildPlan(desired(...servers.map((name) => spec(name))), observed, [], {}, { clients });
  if (!built.ok) throw new Error("no plan");
  const nothing = async () => {};
  const perform = async ({ server }: { server: string }): Promise<PerformResult> => {
    order.push(server);
    if (broken.includes(server)) return { ok: false, message: "exit 7", lastLines: [] };
    return { ok: true, detail: "" };
  };
  const rest = { check: () => [], reach: nothing, observe: async () => [], close: nothing };
  const backend: Backend = { kind: "agent", waits: true, ...rest, perform };
  const writeClient = async ({ client, entries }: ClientChange) => {
    order.push([client, ...entries.map(({ name }) => name)].join(" "));
    if (writes === "throws") throw new Error("no room");
    return writes === "fails"
      ? ({ ok: false, message: "cannot write it" } as const)
      : ({ ok: true, detail: "written" } as const);
  };
  const options = { secrets: {}, waitMs: 1000, concurrency: 8, writeClient };
  const never = new AbortController().signal;
  const events = await collect(apply(built.value, () => backend, { ...options, signal: signal ?? never }));
  const isOfClient = ({ server }: ApplyEvent) => server.startsWith("client ");
  return {
    order,
    events: events
      .filter(isOfClient)
      .map(({ type, ...event }) =>
        [type, "detail" in event ? event.detail : "message" in event ? event.message : ""].join(" ").trim(),
      ),
  };
}

describe("a client's file", () => {
  it("is written when its servers are ready", async () => {
    expect(await told({ clients: [cursor(entry("a"), entry("b"))], servers: ["a", "b"] })).toEqual({
      order: ["a", "b", "cursor a b"],
      events: ["started", "done written"],
    });
  });

  it("that matches is not touched", async () => {
    const matching = { ...cursor(entry("a", "none")), change: "none" } as const;
    expect(await told({ clients: [matching], servers: ["a"] })).toEqual({ order: ["a"], events: [] });
  });

  it("keeps the entry of a server that did not come up as it was", async () => {
    expect(
      await told({ clients: [cursor(entry("a"), entry("b"))], servers: ["a", "b"], broken: ["b"] }),
    ).toEqual({
      order: ["a", "b", "cursor a"],
      events: ["started", "skipped b failed; the other entries are written"],
    });
    expect(await told({ clients: [cursor(entry("a"))], servers: ["a"], broken: ["a"] })).toEqual({
      order: ["a"],
      events: ["skipped a failed"],
    });
  });

  it("gets no entry of a server that runs and does not answer, and loses that of one that is not wanted", async () => {
    const failing = { status: "failing", evidence: "no answer", at: NOW } as const;
    const observed = [running(spec("a"), { ready: failing })];
    expect(await told({ clients: [cursor(entry("a"))], servers: ["a"], observed })).toEqual({
      order: [],
      events: ["skipped a is not ready"],
    });
    const gone = await told({ clients: [cursor(entry("a", "remove"))], servers: ["a"], observed });
    expect(gone.events).toEqual(["started", "done written"]);
  });

  it("keeps the entry of a server that could not be removed", async () => {
    const story = { clients: [cursor(entry("a", "remove"))], servers: [], observed: [running(spec("a"))] };
    expect(await told({ ...story, broken: ["a"] })).toEqual({ order: ["a"], events: ["skipped a failed"] });
    expect((await told(story)).order).toEqual(["a", "cursor a"]);
  });

  it("that cannot be written fails, and no other", async () => {
    const other = { ...cursor(entry("a")), client: "zed" } as const;
    const story = { clients: [cursor(entry("a")), other], servers: ["a"] };
    expect((await told({ ...story, writes: "fails" })).events).toEqual([
      ...["started", "failed cannot write it"],
      ...["started", "failed cannot write it"],
    ]);
    expect((await told({ ...story, writes: "throws" })).events).toContain("failed no room");
  });

  it("is not begun after an interruption", async () => {
    const signal = AbortSignal.abort();
    const { order, events } = await told({ clients: [cursor(entry("a"))], servers: ["a"], signal });
    expect({ order, events }).toEqual({ order: [], events: ["skipped interrupted before it began"] });
  });
});
