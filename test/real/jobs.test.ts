import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import type { ActionSpec } from "../../src/model/action.ts";
import type { Job } from "../../src/model/job.ts";
import { bootId } from "../../src/system/processes.ts";
import { actionLike, actionOf } from "../rig/action.ts";
import type { Agent } from "../rig/agent.ts";
import { eventually } from "../rig/eventually.ts";
import { isAlive } from "../rig/processes.ts";
import type { Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";
import { test as alone, testInTurn } from "../rig/test.ts";

const test = testInTurn();

const declare = (agent: Agent, ...set: ActionSpec[]) => agent.call("action_apply", { project: PROJECT, set });
const run = (agent: Agent, { name, server }: ActionSpec) =>
  agent.call("action_run", { action: name, server });
const jobsOf = async (agent: Agent, query = {}) =>
  (await agent.call("job_list", { limit: 1000, ...query })).jobs;

/** Waits until a job is so. */
function becomes(agent: Agent, id: number, facts: Partial<Job>): Promise<Job> {
  return eventually(async () => {
    const job = await agent.call("job_get", { id });
    expect(job).toMatchObject(facts);
    return job;
  });
}

/** An action whose processes come to the stage. */
const puppetAction = (stage: Stage, name: string, over: Partial<ActionSpec> = {}) =>
  actionLike(stage.spec(name), name, null, over);

const shell = (name: string, script: string, over: Partial<ActionSpec> = {}) =>
  actionOf(name, null, { program: "/bin/sh", command: "sh", args: ["-c", script], ...over });

const NIGHTLY = { cron: "0 3 * * *", timeZone: "UTC", missed: "skip" } as const;

/** What is left of jobs that were running. */
function runFolders(agent: Agent): string[] {
  const jobs = join(agent.state, "projects", PROJECT, "jobs");
  return readdirSync(jobs, { recursive: true, encoding: "utf8" }).filter((path) => /run\/./.test(path));
}

describe("a job of an action", () => {
  test("outlives its agent: same process, every line once, the exact exit code", async ({ agent, stage }) => {
    const action = puppetAction(stage, "long", { timeout: 600_000 });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("long");
    await puppet.do({ deed: "print", stream: "out", from: 0, to: 100 });
    await becomes(agent, id, { phase: "running", pid: puppet.pid });
    await agent.kill();
    await puppet.do({ deed: "print", stream: "err", from: 100, to: 150 });
    await agent.isBack();
    await becomes(agent, id, { phase: "running", pid: puppet.pid });
    await puppet.exit(5);
    await becomes(agent, id, { phase: "failed", exit_code: 5, attempt: 1, pid: null });
    expect(stage.count("long")).toBe(1);
    const { log_path } = await agent.call("job_get", { id });
    expect(readFileSync(log_path, "utf8").trimEnd().split("\n")).toHaveLength(150);
    expect(runFolders(agent)).toEqual([]);
  });

  test("that ends while there is no agent is told as it ended", async ({ agent, stage }) => {
    const action = puppetAction(stage, "short", { retries: { max: 1, backoffInitial: 1, backoffMax: 1 } });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const first = await stage.next("short");
    await becomes(agent, id, { phase: "running" });
    process.kill(agent.record.loop?.pid ?? 0, "SIGKILL");
    await agent.kill();
    await first.exit(3);
    // The next agent makes the attempt that is left.
    await becomes(agent, id, { phase: "running", attempt: 2 });
    const second = await stage.next("short");
    await second.exit(0);
    await becomes(agent, id, { phase: "succeeded", attempt: 2, exit_code: 0 });
  });

  test("is ended by its timeout, also when it ignores that and has forked", async ({ agent, stage }) => {
    const action = puppetAction(stage, "deaf", { timeout: 1000, grace: 100 });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("deaf");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    const grandchild = (await puppet.do({ deed: "fork" })) as number;
    await becomes(agent, id, { phase: "failed", error: "still running after 1s", signal: "SIGKILL" });
    await puppet.gone;
    expect(isAlive(grandchild)).toBe(false);
  });

  test("that was cancelled stays that, whatever its timeout and its retries say", async ({
    agent,
    stage,
  }) => {
    const retries = { max: 3, backoffInitial: 1, backoffMax: 1 };
    const action = puppetAction(stage, "stubborn", { timeout: 1500, grace: 3000, retries });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("stubborn");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    await becomes(agent, id, { phase: "running" });
    // Its time is over within the grace.
    expect(await agent.call("job_cancel", { id })).toEqual({ cancelled: true });
    await becomes(agent, id, { phase: "cancelled", error: "a person cancelled it", attempt: 1 });
    expect(stage.count("stubborn")).toBe(1);
  });

  test("waits for its next attempt as long as is declared, also under the next agent", async ({
    agent,
    stage,
  }) => {
    const retries = { max: 1, backoffInitial: 4000, backoffMax: 4000 };
    const action = puppetAction(stage, "patient", { retries });
    await declare(agent, action);
    const { id } = await run(agent, action);
    await (await stage.next("patient")).exit(3);
    const error = "exit 3; attempt 2 of 2 begins after 4s";
    await becomes(agent, id, { phase: "pending", attempt: 1, exit_code: 3, error });
    const failedAt = Date.now();
    await agent.kill();
    await agent.isBack();
    const second = await stage.next("patient");
    const { started_at } = await becomes(agent, id, { phase: "running", attempt: 2 });
    // It was seen to fail a moment later than it did.
    expect((started_at ?? 0) - failedAt).toBeGreaterThan(3000);
    await second.exit(0);
    await becomes(agent, id, { phase: "succeeded", attempt: 2 });
  });

  test("whose exit was written down is told as it ended, also without its run folder", async ({
    agent,
    stage,
  }) => {
    const action = puppetAction(stage, "told");
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("told");
    await becomes(agent, id, { phase: "running" });
    await agent.shutdown(true);
    await puppet.exit(6);
    // As an agent leaves it that dies between its exit and its end.
    const folder = join(agent.state, "projects", PROJECT, "jobs/actions/told");
    appendFileSync(join(folder, "journal"), `{"id":${id},"exit_code":6,"signal":null}\n`);
    const attempt = join(folder, "run", String(id), "1");
    // What its keeper writes last.
    await eventually(() => expect(readFileSync(join(attempt, "status"), "utf8")).toBe("6\n"));
    rmSync(attempt, { recursive: true });
    await becomes(agent, id, { phase: "failed", exit_code: 6, error: "exit 6" });
  });

  test("of which there is no more than its record is run by the next agent", async ({ agent }) => {
    const action = shell("barely", "exit 0", { script: "#!/bin/sh\nexit 4\n", args: [] });
    await declare(agent, action);
    const { id } = await run(agent, action);
    await becomes(agent, id, { phase: "failed", exit_code: 4 });
    await agent.shutdown(true);
    const folder = join(agent.state, "projects", PROJECT, "jobs/actions/barely");
    const [spec, created] = readFileSync(join(folder, "journal"), "utf8").split("\n");
    writeFileSync(join(folder, "journal"), `${spec}\n${created}\n`);
    mkdirSync(join(folder, "run", String(id)), { recursive: true });
    await becomes(agent, id, { phase: "failed", exit_code: 4, attempt: 1 });
    expect(runFolders(agent)).toEqual([]);
  });

  test("is ended by its timeout under the agent after the one that began it", async ({ agent, stage }) => {
    const action = puppetAction(stage, "late", { timeout: 3000 });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("late");
    await becomes(agent, id, { phase: "running" });
    await agent.kill();
    await agent.isBack();
    await becomes(agent, id, { phase: "failed", error: "still running after 3s" });
    await puppet.gone;
  });

  test("takes along what it leaves behind in its group", async ({ agent, stage }) => {
    const action = puppetAction(stage, "leaver", { grace: 100 });
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("leaver");
    const child = (await puppet.do({ deed: "fork" })) as number;
    await puppet.exit(0);
    await becomes(agent, id, { phase: "succeeded", exit_code: 0 });
    expect(isAlive(child)).toBe(false);
  });

  test("that cannot be started says why, and is not tried again", async ({ agent }) => {
    const retries = { max: 3, backoffInitial: 1, backoffMax: 1 };
    const gone = actionOf("gone", null, { program: "/nonexistent", retries });
    const script = actionOf("script", null, { program: "/nonexistent/python", script: "print()", retries });
    await declare(agent, gone, script);
    for (const action of [gone, script]) {
      const { id } = await run(agent, action);
      const error = `cannot start ${action.program}: it does not exist, or is not an executable file`;
      await becomes(agent, id, { phase: "failed", error, attempt: 1, exit_code: null });
    }
    expect(runFolders(agent)).toEqual([]);
  });

  test("has failed when the machine went down over it", async ({ agent, stage }) => {
    const action = puppetAction(stage, "cut");
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("cut");
    await becomes(agent, id, { phase: "running" });
    await agent.shutdown(true);
    process.kill(puppet.pid, "SIGKILL");
    await puppet.gone;
    const journal = join(agent.state, "projects", PROJECT, "jobs/actions/cut/journal");
    writeFileSync(journal, readFileSync(journal, "utf8").replaceAll(bootId(), "the-boot-before"));
    await becomes(agent, id, { phase: "failed", error: "the machine went down while it ran" });
    expect(runFolders(agent)).toEqual([]);
  });

  test("is over when its agent is stopped, and runs on when that leaves what runs", async ({
    agent,
    stage,
  }) => {
    const action = puppetAction(stage, "both");
    await declare(agent, action);
    const first = await run(agent, action);
    const puppet = await stage.next("both");
    await becomes(agent, first.id, { phase: "running" });
    await agent.shutdown(true);
    await becomes(agent, first.id, { phase: "running", pid: puppet.pid });
    await agent.shutdown(false);
    await puppet.gone;
    await becomes(agent, first.id, { phase: "cancelled", error: "the agent was stopped" });
  });
});

describe("two runs of an action", () => {
  alone(
    "are refused, run side by side, or take each other's place, as is declared",
    async ({ agent, stage }) => {
      const actions = (["forbid", "allow", "replace"] as const).map((concurrency) =>
        puppetAction(stage, concurrency, { concurrency }),
      );
      await declare(agent, ...actions);
      const [forbid, allow, replace] = actions as [ActionSpec, ActionSpec, ActionSpec];
      await run(agent, forbid);
      await expect(run(agent, forbid)).rejects.toThrow(/^cannot run forbid: job 1 of it has not ended/);
      const [a, b] = [await run(agent, allow), await run(agent, allow)];
      for (const { id } of [a, b]) await becomes(agent, id, { phase: "running" });
      const old = await run(agent, replace);
      const puppet = await stage.next("replace");
      await becomes(agent, old.id, { phase: "running" });
      const [next, newest] = [await run(agent, replace), await run(agent, replace)];
      await puppet.gone;
      await becomes(agent, newest.id, { phase: "running" });
      for (const [id, by] of [
        [old.id, next.id],
        [next.id, newest.id],
      ])
        await becomes(agent, id as number, { phase: "cancelled", error: `job ${by} took its place` });
      await stage.next("replace");
      expect(stage.count("replace")).toBe(2);
    },
  );

  test("of which there are very many wait for their turn, and harm nobody", async ({ agent, stage }) => {
    await agent.apply(stage.spec("web"));
    const web = await stage.next("web");
    const action = shell("many", "exit 0", { concurrency: "allow" });
    await declare(agent, action);
    const ids = await Promise.all(Array.from({ length: 300 }, async () => (await run(agent, action)).id));
    expect(new Set(ids).size).toBe(300);
    // Others are answered meanwhile.
    expect(await agent.observed("web")).toMatchObject({ state: "running", pid: web.pid });
    await eventually(async () =>
      expect(await jobsOf(agent, { action: "many", phase: "succeeded" })).toHaveLength(300),
    );
    expect(runFolders(agent)).toEqual([]);
  });
});

describe("jobs at once", () => {
  alone("are 32, and of the others each has its turn", async ({ agent }) => {
    const action = shell("long", "exec sleep 600", { concurrency: "allow" });
    await declare(agent, action);
    for (let n = 0; n < 40; n++) await run(agent, action);
    await eventually(async () =>
      expect(await jobsOf(agent, { action: "long", phase: "running" })).toHaveLength(32),
    );
    const waiting = await jobsOf(agent, { action: "long", phase: "pending" });
    expect(waiting.map(({ id }) => id)).toEqual([40, 39, 38, 37, 36, 35, 34, 33]);
    await agent.call("job_cancel", { id: 7 });
    await becomes(agent, 33, { phase: "running" });
    expect(await jobsOf(agent, { action: "long", phase: "running" })).toHaveLength(32);
  });

  test("are not those that wait for another attempt", async ({ agent }) => {
    const retries = { max: 1, backoffInitial: 600_000, backoffMax: 600_000 };
    const failing = shell("failing", "exit 1", { concurrency: "allow", retries });
    const other = shell("other", "exit 0");
    await declare(agent, failing, other);
    for (let n = 0; n < 33; n++) await run(agent, failing);
    const { id } = await run(agent, other);
    await becomes(agent, id, { phase: "succeeded" });
    await eventually(async () =>
      expect(
        (await jobsOf(agent, { action: "failing", phase: "pending" })).filter(
          ({ exit_code }) => exit_code === 1,
        ),
      ).toHaveLength(33),
    );
  });
});

describe("an action that is removed", () => {
  alone(
    "takes its jobs along, and leaves those of its server and of its other actions",
    async ({ agent, stage }) => {
      await agent.apply(stage.spec("web"));
      await stage.next("web");
      const [one, other] = [
        shell("one", "echo 1", { server: "web" }),
        shell("other", "exit 0", { server: "web" }),
      ];
      await declare(agent, one, other);
      for (const action of [one, other]) {
        const { id } = await run(agent, action);
        await becomes(agent, id, { phase: "succeeded" });
      }
      await agent.call("action_apply", { project: PROJECT, remove: ["web:one"], set: [] });
      expect((await jobsOf(agent)).map(({ action_id }) => action_id)).toEqual(["other", "main"]);
      const logs = join(agent.state, "projects", PROJECT, "jobs/servers/web/log");
      expect(readdirSync(logs).filter((id) => id === "2")).toEqual([]);
    },
  );

  test("with another of its server is ended as it is, each in its own time", async ({ agent, stage }) => {
    const grace = 3000;
    const actions = ["quick", "slow"].map((name) => ({
      ...puppetAction(stage, name, { grace }),
      server: "web",
    }));
    await declare(agent, ...actions);
    const ids: number[] = [];
    for (const action of actions) ids.push((await run(agent, action)).id);
    const [quick, slow] = [await stage.next("quick"), await stage.next("slow")];
    for (const id of ids) await becomes(agent, id, { phase: "running" });
    await slow.do({ deed: "ignore", signal: "SIGTERM" });
    await agent.call("action_apply", { project: PROJECT, remove: ["web:quick", "web:slow"], set: [] });
    expect([quick, slow].filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(await jobsOf(agent)).toEqual([]);
    expect(existsSync(join(agent.state, "projects", PROJECT, "jobs/servers/web"))).toBe(false);
  });
});

describe("a schedule", () => {
  const everySecond = { cron: "* * * * * *", timeZone: "UTC", missed: "skip" } as const;

  test("runs its action, again and again, under each agent", async ({ agent }) => {
    await declare(agent, shell("tick", "exit 0", { schedule: everySecond }));
    const ran = (n: number) =>
      eventually(async () =>
        expect((await jobsOf(agent, { action: "tick" })).length).toBeGreaterThanOrEqual(n),
      );
    await ran(2);
    await agent.kill();
    await agent.isBack();
    const before = (await jobsOf(agent, { action: "tick" })).length;
    await ran(before + 2);
    // A run may come late, but none comes twice: there are no more than there were seconds.
    const times = (await jobsOf(agent, { action: "tick" })).map(({ created_at }) => created_at);
    const seconds = Math.ceil((Math.max(...times) - Math.min(...times)) / 1000) + 1;
    expect(times.length).toBeLessThanOrEqual(seconds);
    await agent.call("action_apply", { project: PROJECT, set: [], remove: ["tick"] });
    expect(await agent.call("action_list", {})).toEqual([]);
    expect(await jobsOf(agent)).toEqual([]);
  });

  test.for([
    ["once", ["missed"]],
    ["skip", []],
  ] as const)("that was missed without an agent: %s", async ([missed, triggers], { agent }) => {
    // The time of it was an hour ago: what was looked at last says so.
    const hour = new Date(Date.now() - 3_600_000).getUTCHours();
    const minute = new Date().getUTCMinutes();
    const schedule = { cron: `${minute} ${hour} * * *`, timeZone: "UTC", missed };
    await declare(
      agent,
      shell("nightly", "exit 0", { schedule }),
      shell("tick", "exit 0", { schedule: everySecond }),
    );
    await agent.shutdown(false);
    const path = join(agent.state, "projects", PROJECT, "schedule.json");
    const kept = JSON.parse(readFileSync(path, "utf8"));
    kept.nightly.last = Date.now() - 2 * 3_600_000;
    writeFileSync(path, JSON.stringify(kept));
    await eventually(async () => expect(await jobsOf(agent, { action: "tick" })).not.toEqual([]));
    const runs = await jobsOf(agent, { action: "nightly" });
    expect(runs.map(({ trigger }) => trigger)).toEqual(triggers);
    await agent.kill();
    await agent.isBack();
    expect(await jobsOf(agent, { action: "nightly" })).toHaveLength(runs.length);
  });
});

describe("a state folder that was damaged", () => {
  alone("costs what cannot be read, says so, and harms nothing else", async ({ agent, stage }) => {
    const action = shell("some", "exit 0", { server: "web" });
    await agent.apply(stage.spec("web"));
    const web = await stage.next("web");
    await declare(agent, action);
    for (const id of [2, 3]) {
      await run(agent, action);
      await becomes(agent, id, { phase: "succeeded" });
    }
    await agent.shutdown(true);
    const project = join(agent.state, "projects", PROJECT);
    const journal = join(project, "jobs/servers/web/journal");
    const lines = readFileSync(journal, "utf8").split("\n");
    const at = lines.findIndex((line) => line.startsWith('{"id":2,') && line.includes("created_at"));
    lines[at] = "\x00\xff not a job";
    writeFileSync(journal, `${lines.join("\n")}{"id":4,"of":"`);
    writeFileSync(join(agent.state, "jobs.next"), "garbage");
    writeFileSync(join(project, "actions.json"), '{"version":1,"actions":[{}]}');
    writeFileSync(join(project, "schedule.json"), "[");
    expect((await jobsOf(agent)).map(({ id }) => id)).toEqual([3, 1]);
    expect(await agent.observed("web")).toMatchObject({ state: "running", pid: web.pid });
    await expect(run(agent, action)).rejects.toThrow(/^cannot find action web:some/);
    await declare(agent, action);
    expect(await run(agent, action)).toMatchObject({ id: 4, service_id: "web" });
    const said = readFileSync(join(agent.state, "agent.log"), "utf8");
    expect(said).toMatch(/journal: its last line was incomplete/);
    expect(said).toMatch(/journal: some of its lines cannot be read/);
    expect(said).toMatch(/actions\.json\.set-aside-\S+: its actions cannot be read, apply them again/);
    expect(said).toMatch(/jobs\.next\.set-aside-\S+: it was not a number/);
  });

  test("leaves no process that nobody knows of", async ({ agent, stage }) => {
    const action = puppetAction(stage, "lost");
    await declare(agent, action);
    const { id } = await run(agent, action);
    const puppet = await stage.next("lost");
    await becomes(agent, id, { phase: "running" });
    await agent.shutdown(true);
    writeFileSync(join(agent.state, "projects", PROJECT, "jobs/actions/lost/journal"), "garbage\n");
    expect(await jobsOf(agent)).toEqual([]);
    await puppet.gone;
    expect(readFileSync(join(agent.state, "agent.log"), "utf8")).toContain(
      `killed job ${id}: it was running, and its record cannot be read`,
    );
    expect(runFolders(agent)).toEqual([]);
  });

  alone("with a journal that is no file has all other jobs, and all servers", async ({ agent, stage }) => {
    const [good, bad] = [shell("good", "exit 0"), shell("bad", "exit 0", { schedule: NIGHTLY })];
    await agent.apply(stage.spec("web"));
    const web = await stage.next("web");
    await declare(agent, good, bad);
    for (const action of [good, bad]) {
      const { id } = await run(agent, action);
      await becomes(agent, id, { phase: "succeeded" });
    }
    await agent.shutdown(true);
    const actions = join(agent.state, "projects", PROJECT, "jobs/actions");
    rmSync(join(actions, "bad/journal"));
    mkdirSync(join(actions, "bad/journal"));
    mkdirSync(join(actions, "bad/run/3"), { recursive: true });
    rmSync(join(agent.state, "jobs.next"));
    expect(await agent.observed("web")).toMatchObject({ state: "running", pid: web.pid });
    expect((await jobsOf(agent)).map(({ action_id }) => action_id)).toEqual(["good", "main"]);
    const { id } = await run(agent, good);
    await becomes(agent, id, { phase: "succeeded" });
    const { id: next } = await run(agent, bad);
    await becomes(agent, next, { phase: "succeeded" });
    expect(readFileSync(join(agent.state, "agent.log"), "utf8")).toMatch(
      /bad\/journal was not a file, and is set aside/,
    );
  });

  alone("without journals begins anew", async ({ agent, stage }) => {
    await agent.apply(stage.spec("web"));
    await stage.next("web");
    await agent.shutdown(true);
    rmSync(join(agent.state, "projects", PROJECT, "jobs"), { recursive: true });
    expect(await jobsOf(agent)).toEqual([]);
    await agent.call("restart", { name: "web" });
    expect(await jobsOf(agent)).toMatchObject([{ id: 2, service_id: "web", phase: "running" }]);
    expect(existsSync(join(agent.state, "projects", PROJECT, "jobs/servers/web/journal"))).toBe(true);
  });
});
