import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Backend, PerformOptions, PerformResult } from "../../src/backends/backend.ts";
import { specHash, startHash } from "../../src/model/canonical.ts";
import type { Observed } from "../../src/model/observed.ts";
import type { Action } from "../../src/model/plan.ts";
import type { ServerSpec } from "../../src/model/spec.ts";
import type { StartProgress } from "../../src/model/start-progress.ts";
import { isAcceptedEnd } from "../../src/model/wanted.ts";
import { eventually } from "../rig/eventually.ts";
import { isAlive, programsWith } from "../rig/processes.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { changeOf, readyOn, type SpecChanges } from "../rig/spec.ts";

/** A backend in a world of its own. */
export interface Subject {
  readonly backend: Backend;
  /** A server of this backend that runs a shell script. */
  shell(name: string, script: string, over?: SpecChanges): ServerSpec;
  /** An operator's word, given beside any plan. */
  operator(word: "stop" | "start" | "kill", name: string, how?: { wait: false }): Promise<void>;
  dispose(): Promise<void>;
}

interface Fixture {
  readonly name: string;
  /** Why it cannot be tested here. */
  readonly skip?: string | undefined;
  /** It knows how often it has restarted a server. Default true. */
  readonly counts?: boolean;
  /** It knows how a process ended that has a successor. Default true. */
  readonly remembers?: boolean;
  /** What a one-shot has to do at least, in a shell, to be taken for one. */
  readonly oneShot?: string;
  create(): Promise<Subject>;
}

/** Prints that it is up, and stays. */
const STAYS = "echo up; exec sleep 600";

/** What every backend does. */
export function backendContract(fixture: Fixture): void {
  describe.skipIf(fixture.skip !== undefined)(`the ${fixture.name} backend`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = await fixture.create();
    });
    afterEach(() => subject.dispose());

    const counted = (restartCount: number) => (fixture.counts === false ? {} : { restartCount });

    const staying = (name: string, over: SpecChanges = {}) =>
      subject.shell(name, STAYS, { readiness: readyOn("up"), ...over });

    function perform(
      spec: ServerSpec,
      action: Action,
      over: Partial<PerformOptions> = {},
    ): Promise<PerformResult> {
      const { signal } = new AbortController();
      const options = { secrets: {}, waitMs: 20_000, signal, ...over };
      return subject.backend.perform(changeOf(spec, action), options);
    }

    /** Runs, prints and is never ready. */
    const never = (name: string, over: SpecChanges = {}) =>
      subject.shell(name, "echo working; exec sleep 600", { readiness: readyOn("never"), ...over });

    async function observe(name: string): Promise<Observed> {
      const found = (await subject.backend.observe("p")).find((server) => server.name === name);
      if (!found) throw new Error(`${name} has no record`);
      return found;
    }

    async function pidOf(name: string): Promise<number> {
      const { pid } = await observe(name);
      if (pid === undefined) throw new Error(`${name} has no process`);
      return pid;
    }

    it("observes nothing where nothing was ever applied", async () => {
      expect(await subject.backend.observe("p")).toEqual([]);
    });

    it("brings up what is added, and says so once it is ready", async () => {
      const spec = staying("a");

      expect(await perform(spec, "add")).toEqual({ ok: true, detail: expect.stringContaining("ready") });

      const observed = await observe("a");
      expect(observed).toMatchObject({
        name: "a",
        project: "p",
        backend: subject.backend.kind,
        state: "running",
        operator: null,
        runningHash: startHash(spec),
        ...counted(0),
        ready: { status: "ok" },
      });
      expect(specHash(observed.spec as ServerSpec)).toBe(specHash(spec));
      expect(isAlive(observed.pid as number)).toBe(true);
    });

    it("changes in place what needs no restart", async () => {
      await perform(staying("a"), "add");
      const pid = await pidOf("a");
      const changed = staying("a", { description: "changed", stop: { grace: 3000 } });

      expect(await perform(changed, "update")).toMatchObject({ ok: true });

      expect(await observe("a")).toMatchObject({ pid, state: "running", spec: { description: "changed" } });
    });

    it("restarts with the new spec, and one process at the end", async () => {
      const [before, after] = [staying("a", { env: { N: "1" } }), staying("a", { env: { N: "2" } })];
      await perform(before, "add");
      const pid = await pidOf("a");

      expect(await perform(after, "restart")).toMatchObject({ ok: true });

      const observed = await observe("a");
      expect(observed).toMatchObject({ state: "running", runningHash: startHash(after), ...counted(0) });
      expect(observed.pid).not.toBe(pid);
      expect(isAlive(pid)).toBe(false);
    });

    it("stops what is not wanted, and starts it when it is wanted again", async () => {
      await perform(staying("a"), "add");
      const pid = await pidOf("a");

      expect(await perform(staying("a", { wanted: "stop" }), "stop")).toMatchObject({ ok: true });
      const stopped = await observe("a");
      expect(stopped).toMatchObject({ state: "stopped", operator: null });
      expect(stopped).not.toHaveProperty("pid");
      expect(isAlive(pid)).toBe(false);

      expect(await perform(staying("a"), "start")).toMatchObject({ ok: true });
      expect(await observe("a")).toMatchObject({ state: "running", ready: { status: "ok" } });
    });

    it("records what is not wanted without starting it", async () => {
      expect(await perform(staying("a", { wanted: "stop" }), "add")).toMatchObject({ ok: true });
      expect(await observe("a")).toMatchObject({ state: "stopped", operator: null, ...counted(0) });
    });

    it("starts nothing that an operator holds", async () => {
      await perform(staying("a"), "add");
      await subject.operator("stop", "a");
      expect(await observe("a")).toMatchObject({ state: "stopped", operator: "stop" });

      expect(await perform(staying("a", { env: { N: "2" } }), "update")).toMatchObject({ ok: true });
      expect(await observe("a")).toMatchObject({ state: "stopped", operator: "stop" });
      expect(await perform(staying("a", { env: { N: "3" } }), "start")).toMatchObject({ ok: true });
      expect(await observe("a")).toMatchObject({ state: "stopped", operator: "stop" });

      await subject.operator("start", "a");
      await eventually(async () => expect(await observe("a")).toMatchObject({ state: "running" }));
      expect((await observe("a")).spec?.env).toMatchObject({ N: "3" });
    });

    it("tells a server to end without waiting for that, and then to end at once", async () => {
      const deaf = (over: SpecChanges = {}) =>
        subject.shell("a", `trap "" TERM; ${STAYS}`, { stop: { grace: 600_000 }, ...over });
      await perform(deaf({ readiness: readyOn("up") }), "add");
      const pid = await pidOf("a");

      await subject.operator("stop", "a", { wait: false });
      expect(await observe("a")).toMatchObject({ state: "stopping", operator: "stop", pid });
      expect(isAlive(pid)).toBe(true);

      await subject.operator("kill", "a", { wait: false });
      await eventually(async () =>
        expect(await observe("a")).toMatchObject({ state: "stopped", operator: "stop" }),
      );
      expect(isAlive(pid)).toBe(false);
      // What rests is as it was.
      await subject.operator("stop", "a", { wait: false });
      expect(await observe("a")).toMatchObject({ state: "stopped", operator: "stop" });
      await subject.operator("start", "a");
      await eventually(async () => expect(await observe("a")).toMatchObject({ state: "running" }));
      expect(await pidOf("a")).not.toBe(pid);
    });

    it("removes the process and the record", async () => {
      await perform(staying("a"), "add");
      const pid = await pidOf("a");

      expect(await perform(staying("a"), "remove")).toMatchObject({ ok: true });

      expect(await subject.backend.observe("p")).toEqual([]);
      expect(isAlive(pid)).toBe(false);
    });

    it("says what a new server that fails said last", async () => {
      const spec = subject.shell("a", "echo one; echo two >&2; exit 7", { restart: { policy: "never" } });

      const result = await perform(spec, "add");

      expect(result).toMatchObject({ ok: false, message: expect.stringContaining("exit 7") });
      expect([...(result.ok ? [] : result.lastLines)].sort()).toEqual(["one", "two"]);
      expect(await observe("a")).toMatchObject({ lastExit: { exit: { kind: "code", code: 7 } } });
    });

    it("ends a new server that misses its start-timeout, and names that", async () => {
      const result = await perform(never("a", { startTimeout: 2000 }), "add", { waitMs: undefined });

      expect(result).toMatchObject({
        ok: false,
        message: expect.stringMatching(/^not ready within its start-timeout of 2s: .*left stopped$/),
        lastLines: ["working"],
        help: ["if it needs longer to start, set `start-timeout` (2s now)"],
      });
      expect(await observe("a")).not.toHaveProperty("pid");
    });

    it("puts a changed server back that misses its start-timeout", async () => {
      const [before, after] = [staying("a"), never("a", { startTimeout: 2000 })];
      await perform(before, "add");

      const result = await perform(after, "restart", { waitMs: undefined });

      expect(result).toMatchObject({ ok: false, message: expect.stringContaining("previous version is") });
      expect(await observe("a")).toMatchObject({ state: "running", runningHash: startHash(before) });
    });

    it("waits as long as it was told to, and names that", async () => {
      const result = await perform(never("a"), "add", { waitMs: 1000 });
      expect(result).toMatchObject({
        ok: false,
        message: expect.stringContaining("not ready after 1s"),
        help: ["if it needs longer to start, wait longer with `--wait-timeout`"],
      });
    });

    it("tells how a start is getting on, and of the run that failed, not of the one after that", async () => {
      const folder = new SweptFolder();
      onTestFinished(() => folder.remove());
      const mark = join(folder.path, "mark");
      const script = `if [ -e ${mark} ]; then echo second $TOKEN; exec sleep 600; fi; : > ${mark}; echo no disk; sleep 1.2; exit 3`;
      const restart = { policy: "always", backoffInitial: 10 } as const;
      const env = { TOKEN: { secret: { env: "TOKEN" }, hmac: "0" } };
      const spec = subject.shell("a", script, { readiness: readyOn("never"), restart, env });
      const told: StartProgress[] = [];
      const progress = (now: StartProgress) => void told.push(now);

      const secrets = { TOKEN: "only-i-know-this" };
      const result = await perform(spec, "add", { waitMs: 6000, progress, secrets });

      // Where nobody knows any more how a process has ended that has a successor, that is said.
      const exit = fixture.remembers === false ? /exit (3|code unknown)/ : /exit 3/;
      expect(result).toMatchObject({
        ok: false,
        message: expect.stringMatching(/not ready after 6s: .*; restarted once, its last failed run: exit/),
        lastLines: ["no disk"],
      });
      expect(result.ok || result.message).toMatch(exit);
      expect(told.at(-1)).toMatchObject({
        bound_ms: 6000,
        evidence: expect.stringContaining("never"),
        restarts: 1,
        last_failure: expect.stringMatching(exit),
        last_line: "second (secret TOKEN)",
      });
      // What has not changed is not told again at once.
      expect(told.length).toBeLessThan(8);
    });

    it("says why a program cannot be started", async () => {
      const missing = "/nowhere/to/be/found";
      const spec = { ...staying("a"), command: missing, program: missing };
      expect(await perform(spec, "add")).toMatchObject({
        ok: false,
        message: expect.stringContaining(missing),
      });
    });

    it("takes a one-shot that succeeds for what it is", async () => {
      const spec = subject.shell("a", fixture.oneShot ?? "echo done");
      expect(await perform(spec, "add")).toMatchObject({ ok: true });
      await eventually(async () =>
        expect(await observe("a")).toMatchObject({
          state: "stopped",
          ...counted(0),
          lastExit: { exit: { kind: "code", code: 0 } },
        }),
      );
    });

    it("takes an end with success for a failure when it should have been ready, and was not", async () => {
      const spec = subject.shell("a", fixture.oneShot ?? "echo done", { readiness: readyOn("never") });
      expect(await perform(spec, "add")).toMatchObject({
        ok: false,
        message: expect.stringContaining("exit 0 before it was ready"),
      });
      await eventually(async () => {
        const { state, neverReady } = await observe("a");
        expect([state, neverReady]).toEqual(
          subject.backend.waits ? ["failed", undefined] : ["stopped", true],
        );
      });
      // An agent watches it, and says later what became of it.
      if (!subject.backend.waits)
        // On a busy machine its end may come after the first look.
        await eventually(() =>
          expect(subject.operator("start", "a")).rejects.toThrow(/^cannot start a: .*before it was ready/),
        );
      const other = subject.shell("b", `${fixture.oneShot ?? "echo done"}; echo up`, {
        readiness: readyOn("^up$"),
      });
      expect(await perform(other, "add")).toMatchObject({ ok: true });
      await eventually(async () => expect(await observe("b")).toMatchObject({ state: "stopped" }));
      expect(isAcceptedEnd(other, await observe("b"))).toBe(true);
    });

    it("says whose wish it was that it rests", async () => {
      await perform(staying("a"), "add");
      await subject.operator("stop", "a");
      expect(await observe("a")).toMatchObject({ reason: "its operator stopped it" });
      const reason = expect.stringMatching(/^an apply left it stopped: not ready after 300ms/);
      const late = subject.shell("b", "sleep 600", { readiness: readyOn("never") });
      expect(await perform(late, "add", { waitMs: 300 })).toMatchObject({ ok: false });
      expect(await observe("b")).toMatchObject({ state: "stopped", reason });
    });

    it("says that a version was put back, and why, until another one is applied", async () => {
      await perform(staying("a"), "add");
      const changed = staying("a", { env: { N: "2" }, readiness: readyOn("never") });
      expect(await perform(changed, "restart", { waitMs: 300 })).toMatchObject({ ok: false });
      const because = expect.stringMatching(/^not ready after 300ms/);
      await eventually(async () =>
        expect(await observe("a")).toMatchObject({ state: "running", restored: { because } }),
      );
      expect(await perform(staying("a", { description: "third" }), "update")).toMatchObject({ ok: true });
      expect(await observe("a")).not.toHaveProperty("restored");
    });

    it("starts again what ends against its policy", async () => {
      await perform(staying("a"), "add");
      const pid = await pidOf("a");
      process.kill(pid, "SIGKILL");
      await eventually(async () => {
        const observed = await observe("a");
        const known = { ...counted(1), ...(fixture.remembers === false ? {} : { lastExit: SIGKILLED }) };
        expect(observed).toMatchObject({ state: "running", ...known });
        expect(observed.pid).not.toBe(pid);
      });
    });

    it("works on two servers at once", async () => {
      const [a, b] = [staying("a"), staying("b")];
      expect(await Promise.all([perform(a, "add"), perform(b, "add")])).toMatchObject([
        { ok: true },
        { ok: true },
      ]);
      const observed = await subject.backend.observe("p");
      expect(observed.map(({ name, state }) => `${name} ${state}`)).toEqual(["a running", "b running"]);
      expect(new Set(observed.map(({ pid }) => pid)).size).toBe(2);
    });

    it("runs a server with its arguments as they are", async () => {
      const marker = `marker '"$HOME \\ ü ${Math.random()}`;
      const spec = subject.shell("a", 'echo up; while :; do sleep 1; done; : "$1"', {
        readiness: readyOn("up"),
      });
      await perform({ ...spec, args: [...spec.args, "sh", marker] }, "add");
      expect(programsWith(marker).map(({ pid }) => pid)).toEqual([await pidOf("a")]);
    });

    it("has nothing to remove of a server that it does not know", async () => {
      await perform(staying("a"), "add");
      expect(await perform(staying("unknown"), "remove")).toMatchObject({ ok: true });
      expect((await subject.backend.observe("p")).map(({ name }) => name)).toEqual(["a"]);
      expect(await subject.backend.observe("other")).toEqual([]);
    });
  });
}

const SIGKILLED = { exit: { kind: "signal", signal: "SIGKILL" } };
