import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type JobEntry, Journal, KEPT } from "../../../src/agent/jobs/journal.ts";
import { isOver } from "../../../src/model/job.ts";
import { actionOf } from "../../rig/action.ts";

let dir: string;
let reports: string[];
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "journal-"));
  reports = [];
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

const path = () => join(dir, "journal");
const open = () =>
  new Journal(
    path(),
    (job) => job.service_id === "web",
    (text) => reports.push(text),
  );
const SPEC = actionOf("backup", "web");

function entry(id: number, more: Partial<JobEntry> = {}): Omit<JobEntry, "of"> {
  return {
    id,
    project: "p",
    service_id: "web",
    action_id: "backup",
    trigger: "person",
    retry_of: null,
    attempt: 1,
    phase: "pending",
    pid: null,
    exit_code: null,
    signal: null,
    created_at: 1000 + id,
    started_at: null,
    ended_at: null,
    error: null,
    tags: [],
    boot: "b",
    ...more,
  };
}

/** Of this process, so far. */
const bytesRead = () => Number(/^rchar: (\d+)/m.exec(fs.readFileSync("/proc/self/io", "utf8"))?.[1]);
const ids = (journal: Journal) => [...journal.entries()].map(({ id }) => id);
const text = () => fs.readFileSync(path(), "utf8");

describe("a journal", () => {
  it("tells jobs newest first, each as it is by now, also to the next agent", () => {
    const journal = open();
    for (const id of [1, 2, 3]) journal.create(entry(id), SPEC);
    journal.update(1, { phase: "running", pid: 7 });
    journal.update(3, { phase: "failed", exit_code: 7 });
    journal.delete(2);
    journal.update(1, { phase: "succeeded", pid: null, exit_code: 0 });
    for (const one of [journal, open()]) {
      expect([...one.entries()]).toMatchObject([
        { id: 3, phase: "failed", exit_code: 7 },
        { id: 1, phase: "succeeded", pid: null, exit_code: 0 },
      ]);
      expect(one.find(1)).toMatchObject({ entry: { id: 1, phase: "succeeded" }, spec: SPEC });
      expect(one.find(2)).toBeUndefined();
      expect(one.find(4)).toBeUndefined();
    }
    expect(reports).toEqual([]);
    expect(fs.statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("keeps what ran once for all the jobs that ran it", () => {
    const journal = open();
    for (let id = 1; id <= 50; id++) journal.create(entry(id), SPEC);
    journal.create(entry(51), { ...SPEC, args: ["other"] });
    expect(text().match(/^\{"spec":/gm)).toHaveLength(2);
    expect(journal.find(51)?.spec).toMatchObject({ args: ["other"] });
  });

  it("cuts off a last line that was torn, and says so", () => {
    const journal = open();
    for (const id of [1, 2]) journal.create(entry(id), SPEC);
    const whole = text();
    for (let length = 1; length < whole.length; length += 17) {
      fs.writeFileSync(path(), whole.slice(0, length));
      const torn = open();
      const before = ids(torn);
      torn.create(entry(9), SPEC);
      expect(ids(torn)).toEqual([9, ...before]);
      for (const line of text().trimEnd().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
    }
    expect(reports[0]).toMatch(/journal: its last line was incomplete; removed its \d+ bytes/);
  });

  it("passes over garbage in the middle, reports it once, and keeps a copy when it makes the file anew", () => {
    const journal = open();
    journal.create(entry(1), SPEC);
    fs.appendFileSync(path(), '{"id":\n\x00\xff garbage\nnull\n{"id":"7","created_at":3}\n');
    journal.create(entry(2), SPEC);
    const next = open();
    expect(ids(next)).toEqual([2, 1]);
    expect(ids(next)).toEqual([2, 1]);
    expect(reports).toEqual([expect.stringContaining("some of its lines cannot be read")]);
    next.rewrite(() => true);
    expect(text()).not.toContain("garbage");
    const copy = fs.readdirSync(dir).find((name) => name.includes("set-aside")) ?? "";
    expect(fs.readFileSync(join(dir, copy), "latin1")).toContain("garbage");
    expect(ids(open())).toEqual([2, 1]);
  });

  it("does not believe a job of another server", () => {
    const journal = open();
    journal.create(entry(1), SPEC);
    journal.create(entry(2, { service_id: "web2" }), SPEC);
    expect(ids(journal)).toEqual([1]);
    expect(reports).toHaveLength(1);
  });

  it("forgets what is over and old of each action when it has grown, and nothing that is not over", () => {
    const journal = open();
    const dropped: number[] = [];
    for (let id = 1; id <= 6000; id++) {
      journal.create(entry(id, { action_id: id % 3 === 0 ? "rare" : "often" }), SPEC);
      if (id !== 1) journal.update(id, { phase: "succeeded", ended_at: 1 });
      dropped.push(...journal.compact((one) => one === 1));
    }
    const kept = [...journal.entries()];
    expect(kept.at(-1)).toMatchObject({ id: 1, phase: "pending" });
    for (const action of ["rare", "often"]) {
      const own = kept.filter((one) => one.action_id === action && isOver(one));
      expect(own.length).toBeGreaterThanOrEqual(KEPT);
      expect(own.length).toBeLessThan(5 * KEPT);
    }
    expect(kept.length + dropped.length).toBe(6000);
    expect(fs.statSync(path()).size).toBeLessThan(3 * 1024 * 1024);
    expect(journal.find(6000)?.spec).toEqual(SPEC);
  });

  // Only Linux counts what a process reads.
  it.runIf(process.platform === "linux")(
    "reads its end alone for the newest jobs, however long it is",
    () => {
      const journal = open();
      const { of, ...first } = journal.create(entry(1), SPEC);
      const line = (id: number) =>
        `${JSON.stringify({ ...first, id })}\n{"id":${id},"phase":"succeeded","ended_at":5}\n`.replace(
          `"id":${id},`,
          `"id":${id},"of":"${of}",`,
        );
      for (let id = 2; id <= 100_000; id += 10_000)
        fs.appendFileSync(path(), Array.from({ length: 10_000 }, (_, i) => line(id + i)).join(""));
      expect(fs.statSync(path()).size).toBeGreaterThan(30_000_000);
      const before = bytesRead();
      const newest = open().entries();
      const found = Array.from({ length: 100 }, () => newest.next().value?.id);
      newest.return();
      expect(found).toEqual(Array.from({ length: 100 }, (_, i) => 100_001 - i));
      expect(bytesRead() - before).toBeLessThan(256 * 1024);
    },
  );

  it("is as it was when a line cannot be written", () => {
    const journal = open();
    journal.create(entry(1), SPEC);
    const before = text();
    // No line of JSON can have such a number.
    expect(() => journal.create(entry(2), { ...SPEC, args: [2n] } as unknown as typeof SPEC)).toThrow();
    expect(text()).toBe(before);
    expect(ids(journal)).toEqual([1]);
  });
});

type Step =
  | { readonly do: "create" }
  | { readonly do: "update" | "delete"; readonly which: number }
  | { readonly do: "reopen" | "rewrite" };

const steps = fc.array(
  fc.oneof(
    fc.constant<Step>({ do: "create" }),
    fc.record({ do: fc.constantFrom("update" as const, "delete" as const), which: fc.nat() }),
    fc.constantFrom<Step>({ do: "reopen" }, { do: "rewrite" }),
  ),
  { maxLength: 60 },
);

it("property: whatever is done, and whoever opens it, it tells what a map would", () => {
  fc.assert(
    fc.property(steps, (done) => {
      fs.rmSync(path(), { force: true });
      let journal = open();
      const model = new Map<number, Partial<JobEntry>>();
      let next = 1;
      for (const step of done) {
        const known = [...model.keys()];
        const id = "which" in step ? known[step.which % Math.max(1, known.length)] : undefined;
        if (step.do === "create") {
          journal.create(entry(next), SPEC);
          model.set(next, { phase: "pending" });
          next++;
        } else if (step.do === "reopen") journal = open();
        else if (step.do === "rewrite") journal.rewrite(() => true);
        else if (id !== undefined && step.do === "update") {
          journal.update(id, { phase: "running", attempt: next });
          model.set(id, { phase: "running", attempt: next });
        } else if (id !== undefined && step.do === "delete") {
          journal.delete(id);
          model.delete(id);
        }
      }
      expect([...journal.entries()]).toMatchObject(
        [...model].map(([id, fields]) => ({ id, ...fields })).reverse(),
      );
    }),
  );
});
