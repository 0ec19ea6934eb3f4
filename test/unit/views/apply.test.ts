import { EventEmitter } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test, vi } from "vitest";
import type { ApplyEvent } from "../../../src/model/event.ts";
import type { ActionChange } from "../../../src/model/plan.ts";
import type { StartProgress } from "../../../src/model/start-progress.ts";
import { buildPlan } from "../../../src/reconciler/plan.ts";
import { renderApplyLines } from "../../../src/views/apply.ts";
import { renderApplyTasks } from "../../../src/views/apply-tasks.ts";
import { applySummary, eventText } from "../../../src/views/apply-text.ts";
import { desired, running, spec } from "../reconciler/fixtures.ts";

/** A server whose start is waited for. */
function waiting(server: string, waited_ms: number, over: Partial<StartProgress> = {}): ApplyEvent {
  const evidence = "nothing listens on port 5432";
  return {
    type: "progress",
    server,
    progress: { waited_ms, bound_ms: 300_000, evidence, restarts: 0, ...over },
  };
}

const EVENTS: readonly ApplyEvent[] = [
  { type: "started", server: "old", action: "remove" },
  { type: "done", server: "old", action: "remove", detail: "stopped and removed" },
  { type: "started", server: "db", action: "add" },
  { type: "started", server: "notes", action: "restart" },
  waiting("db", 12_000),
  { type: "done", server: "notes", action: "restart", detail: "" },
  {
    type: "failed",
    server: "db",
    action: "add",
    message: "exit 7",
    lastLines: ["starting", "\x1b[31mno disk"],
  },
  { type: "skipped", server: "web", action: "add", message: "db failed, and web depends on it" },
];

async function* told(events: readonly ApplyEvent[]): AsyncGenerator<ApplyEvent> {
  for (const event of events) {
    await new Promise(setImmediate);
    yield event;
  }
}

/** Each event once the terminal shows what is to be seen before it. */
async function* seen(
  text: () => string,
  steps: readonly (readonly [before: string, event?: ApplyEvent])[],
): AsyncGenerator<ApplyEvent> {
  for (const [before, event] of steps) {
    await vi.waitFor(() => expect(text()).toContain(before), { timeout: 20_000 });
    if (event) yield event;
  }
}

function plan() {
  const web = spec("web", { dependsOn: [{ server: "db", condition: "ready" }] });
  const declared = desired(web, spec("db"), spec("notes", { args: [] }), spec("same"));
  const built = buildPlan(declared, [running(spec("notes")), running(spec("old")), running(spec("same"))]);
  if (!built.ok) throw new Error("no plan");
  return built.value;
}

/** A terminal that remembers. */
function terminal(rows = 24) {
  const written: string[] = [];
  const stream = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns: 80,
    rows,
    write: (text: string) => written.push(text) > 0,
  });
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => stripVTControlCharacters(written.join("")),
  };
}

describe("line by line", () => {
  test("each event in words, then the summary", async () => {
    const lines: string[] = [];
    const finals = await renderApplyLines(told(EVENTS), (text) => lines.push(text), { colour: false });
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "old: removing
      old: stopped and removed
      db: adding
      notes: restarting
      db: waited 12s of 5m: nothing listens on port 5432
      notes: restarted
      db: cannot add: exit 7
        | starting
        | no disk
      web: not added: db failed, and web depends on it
      Apply failed: 1 failed (db); 1 not tried (web); 2 done (old, notes)."
    `);
    expect(finals.map(({ type, server }) => `${type} ${server}`)).toEqual([
      "done old",
      "done notes",
      "failed db",
      "skipped web",
    ]);
  });
});

describe("a start that is waited for, line by line", () => {
  test("has a line when something has changed, at most every 10 s, and none when it is over soon", async () => {
    const lines: string[] = [];
    const events = [
      { type: "started", server: "db", action: "add" } as const,
      ...[2, 7].map((s) => waiting("db", s * 1000)),
      waiting("db", 12_000, { last_line: "fetching" }),
      waiting("db", 17_000, { last_line: "unpacking" }),
      ...[22, 27, 32, 37].map((s) => waiting("db", s * 1000, { last_line: "unpacking" })),
      waiting("db", 38_000, { restarts: 2, last_failure: "exit 7", last_line: "\x1b[31mno\tdisk" }),
      // Its previous version is put back, and waited for in turn.
      ...[2, 8, 13].map((s) => waiting("db", s * 1000)),
      { type: "done", server: "db", action: "add", detail: "" } as const,
    ];
    await renderApplyLines(told(events), (text) => lines.push(text), { colour: false });
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "db: adding
      db: waited 12s of 5m: nothing listens on port 5432 | fetching
      db: waited 22s of 5m: nothing listens on port 5432 | unpacking
      db: waited 38s of 5m: nothing listens on port 5432; restarted 2 times, its last failed run: exit 7 | no  disk
      db: waited 13s of 5m: nothing listens on port 5432
      db: added
      Apply complete: 1 added, 0 changed, 0 removed."
    `);
  });
});

describe("as tasks", () => {
  test("a start that is waited for is told in place, in the columns that there are", async () => {
    const { stream, text } = terminal();
    const long = "a line ".repeat(40);
    const events = seen(text, [
      ["db: waiting", { type: "started", server: "db", action: "add" }],
      ["db: adding", waiting("db", 12_000, { restarts: 2, last_failure: "exit 7", last_line: long })],
      ["restarted 2 times", waiting("db", 17_000, { evidence: "an answer ".repeat(20), last_line: long })],
      ["waited 17s", { type: "done", server: "db", action: "add", detail: "" }],
    ]);
    await renderApplyTasks(plan(), events, stream, { colour: false });
    const lines = text().split(/\r?\n/);
    expect(lines).toContainEqual(
      expect.stringMatching(/^. db: adding, waited 12s of 5m: nothing listens on port 5432$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^ {2}› restarted 2 times, its last failed run: exit 7 \| a line a line .*…$/),
    );
    expect(lines).toContainEqual(expect.stringMatching(/^. db: adding, waited 17s of 5m: an answer .*…$/));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test("what has not begun says what it waits for", async () => {
    const { stream, text } = terminal();
    const action: ActionChange = { key: "tidy", change: "add", fields: [] };
    const whole = { ...plan(), actions: [action] };
    const events = seen(text, [["web: waiting for db"], ["action tidy: waiting for db, notes, old, web"]]);
    await renderApplyTasks(whole, events, stream, { colour: false });
  });

  test("ends with every change in its place, and the summary", async () => {
    const { stream, text } = terminal();
    const finals = await renderApplyTasks(plan(), told(EVENTS), stream, { colour: false });
    expect(finals).toHaveLength(4);
    const end = text().slice(text().lastIndexOf("✖ db"));
    expect(end).toMatchInlineSnapshot(`
      "✖ db: cannot add: exit 7
          | starting
          | no disk
      ✔ notes: restarted
      ✔ old: stopped and removed
      ↓ web: not added: db failed, and web depends on it
      Apply failed: 1 failed (db); 1 not tried (web); 2 done (old, notes).
      "
    `);
    expect(text()).not.toContain("same");
  });

  test("a plan that does not fit on the terminal is told in lines", async () => {
    const { stream, text } = terminal(6);
    await renderApplyTasks(plan(), told(EVENTS.slice(0, 2)), stream, { colour: false });
    expect(text()).toBe(
      "old: removing\nold: stopped and removed\nApply complete: 0 added, 0 changed, 1 removed.\n",
    );
  });

  test("a source that breaks ends the list and is told", async () => {
    async function* breaking(): AsyncGenerator<ApplyEvent> {
      yield* told(EVENTS.slice(0, 3));
      throw new Error("a bug");
    }
    const { stream, text } = terminal();
    await expect(renderApplyTasks(plan(), breaking(), stream, { colour: false })).rejects.toThrow("a bug");
    expect(text()).toContain("old: stopped and removed");
  });
});

describe("the summary", () => {
  const of = (events: readonly ApplyEvent[]) =>
    applySummary(
      events.filter((e) => e.type !== "started" && e.type !== "progress"),
      { colour: false },
    );

  test("counts what was done when all went well", () => {
    expect(of(EVENTS.slice(0, 6))).toBe("Apply complete: 0 added, 1 changed, 1 removed.");
  });

  test("names what was done and what was not", () => {
    expect(of(EVENTS)).toBe("Apply failed: 1 failed (db); 1 not tried (web); 2 done (old, notes).");
    expect(of(EVENTS.slice(6, 7))).toBe("Apply failed: 1 failed (db); nothing else was done.");
    expect(of(EVENTS.slice(7))).toBe("Apply failed: 1 not tried (web); nothing was done.");
  });

  test("names what waits, and tells that from a failure", () => {
    const db = { server: "db", condition: "ready", state: "held", resting: true } as const;
    const waits = { type: "waiting", server: "api", action: "add", message: "", waitsFor: [db] } as const;
    expect(of([waits])).toBe("Apply not complete: 1 waiting (api).");
    expect(of([...EVENTS, waits])).toBe(
      "Apply failed: 1 failed (db); 1 waiting (api); 1 not tried (web); 2 done (old, notes).",
    );
    expect(eventText(waits)).toBe(
      "api: waits for db to be ready: held; it starts automatically once that happens (run `xy start db`)",
    );
  });

  test("tells an interruption from a failure", () => {
    const [skipped] = EVENTS.slice(7);
    const begun = { type: "failed", server: "db", action: "start", message: "", lastLines: [] } as const;
    const events = [{ ...begun, interrupted: true }, { ...skipped, interrupted: true } as ApplyEvent];
    expect(of(events)).toBe(
      "Apply interrupted: 1 still under way (db); 1 not tried (web); nothing else was done.",
    );
  });
});
