import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JobBook, type NewJob } from "../../../src/agent/jobs/book.ts";
import { unseenEnd } from "../../../src/agent/jobs/main-jobs.ts";
import { MAIN_ACTION } from "../../../src/model/job.ts";
import { bootId } from "../../../src/system/processes.ts";
import { actionOf } from "../../rig/action.ts";
import { DAMAGES } from "../../rig/damage.ts";

let state: string;
let reports: string[];
beforeEach(() => {
  state = fs.mkdtempSync(join(tmpdir(), "book-"));
  reports = [];
});
afterEach(() => fs.rmSync(state, { recursive: true }));

const open = () => new JobBook(state, (text) => reports.push(text));
const JOB: NewJob = {
  ...{ project: "p", service_id: null, action_id: "backup", trigger: "person", tags: [] },
  spec: actionOf("backup", null),
};
const over = { phase: "succeeded", ended_at: 1, started_at: 1 } as const;

test.for(DAMAGES)(
  "numbers of jobs go on when their counter is %s, before and under an agent",
  ([, damage]) => {
    const book = open();
    book.update(book.create(JOB).id, over);
    damage(join(state, "jobs.next"));
    expect(book.create(JOB).id).toBe(2);
    damage(join(state, "jobs.next"));
    const next = open();
    // A few digits of a number that was cut are a number too: never one that was given.
    expect(next.create(JOB).id).toBe(3);
  },
);

const SERVER_JOB: NewJob = {
  ...JOB,
  service_id: "web",
  action_id: MAIN_ACTION,
  spec: actionOf("main", null),
};
const FOLDERS = ["jobs", "jobs/servers", "jobs/servers/web", "jobs/actions", "jobs/actions/backup"];

test.for(FOLDERS.flatMap((folder) => DAMAGES.map(([how, damage]) => [folder, how, damage] as const)))(
  "jobs go on where the folder %s is %s, before and under an agent",
  async ([folder, , damage]) => {
    const make = (book: JobBook) => [JOB, SERVER_JOB].map((job) => book.update(book.create(job).id, over).id);
    make(open());
    for (const book of [open(), open()]) {
      damage(join(state, "projects/p", folder));
      const ids = make(book);
      for (const id of ids) expect((await book.find(id))?.entry.phase).toBe("succeeded");
      expect(book.deleteOver("p", "web", Infinity)).toBeGreaterThan(0);
    }
  },
);

test.for(DAMAGES)(
  "a journal that is %s costs its own jobs alone, before and under an agent",
  async ([how, damage]) => {
    const other: NewJob = { ...JOB, action_id: "other", spec: actionOf("other", null) };
    const first = open();
    first.update(first.create(other).id, over);
    const path = join(state, "projects/p/jobs/actions/backup/journal");
    for (const book of [first, open(), open()]) {
      book.update(book.create(JOB).id, over);
      damage(path);
      const { id } = book.create(JOB);
      const { jobs } = await book.list({ limit: 10 });
      expect(jobs.map((job) => job.id)).toEqual(expect.arrayContaining([id, 1]));
      // What ran is in the new file too.
      expect((await book.find(id))?.spec).toEqual(JOB.spec);
      book.update(id, over);
    }
    if (/^a /.test(how)) expect(reports).toContain(`${path} was not a file, and is set aside`);
  },
);

test("a job that was accepted and never began is told as that, not as one that has ended", async () => {
  const today = { boot: bootId(), started_at: null };
  expect(unseenEnd(today)).toBe("it never began: the agent ended before it was started");
  expect(unseenEnd({ ...today, boot: "before" })).toBe(
    "it never began: the machine went down before it was started",
  );
  expect(unseenEnd({ ...today, started_at: 1 })).toBe("it ended while no agent was watching");
  expect(unseenEnd({ boot: "before", started_at: 1 })).toBe("the machine went down while it ran");

  const { id } = open().create(JOB);
  const { jobs } = await open().list({ limit: 1 });
  expect(jobs).toMatchObject([
    { id, phase: "failed", exit_code: null, error: expect.stringMatching(/^it never began: /) },
  ]);
});

test("a job that cannot be written down leaves nothing behind", () => {
  const book = open();
  fs.mkdirSync(join(state, "projects/p/jobs/actions"), { recursive: true });
  const spec = { ...JOB.spec, args: [1n] } as unknown as typeof JOB.spec;
  expect(() => book.create({ ...JOB, spec })).toThrow();
  expect(book.leftOver()).toEqual([]);
});
