import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { commandProbe, endStrayProbes } from "../../../src/probes/command.ts";
import { identify } from "../../../src/system/processes.ts";
import { eventually } from "../../rig/eventually.ts";
import { isAlive } from "../../rig/processes.ts";

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "xy-probe-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

const LONG = 3_600_000;

function run(dir: string, script: string, change: { timeout?: number; signal?: AbortSignal } = {}) {
  return commandProbe({
    program: "/bin/sh",
    args: ["-c", script],
    env: { PATH: "/usr/bin:/bin", GREETING: "good day" },
    workingDir: dir,
    timeout: LONG,
    dir,
    signal: new AbortController().signal,
    ...change,
  });
}

/** Once the script has written all of them down, in `pids`. */
async function pidsIn(dir: string, count: number): Promise<number[]> {
  return eventually(() => {
    const pids = readFileSync(join(dir, "pids"), "utf8").trim().split("\n").map(Number);
    expect(pids).toHaveLength(count);
    return pids;
  });
}

const areGone = (pids: readonly number[]) => eventually(() => expect(pids.filter(isAlive)).toEqual([]));

describe("a command probe", () => {
  test.each([
    ["exit 0", true, "/bin/sh exit 0"],
    ["echo first; echo $GREETING", true, "/bin/sh exit 0: good day"],
    ["echo no such table >&2; exit 3", false, "/bin/sh exit 3: no such table"],
    ["kill -9 $$", false, "/bin/sh ended by SIGKILL"],
  ])("%s: %s", async (script, ok, evidence) => {
    const dir = folder();
    expect(await run(dir, script)).toMatchObject({ ok, evidence, steps: [{ step: "command", ok }] });
    expect(readdirSync(dir)).toEqual([]);
  });

  test("keeps only the end of endless output", async () => {
    const report = await run(folder(), "yes 0123456789 | head -c 50000000; echo; echo last words");
    expect(report.evidence).toBe("/bin/sh exit 0: last words");
  });

  test("that forks and hangs is killed with its group", async () => {
    const dir = folder();
    const script = "echo $$ >pids; trap '' TERM; sh -c 'echo $$ >>pids; sleep 600' & sleep 600";
    const report = await run(dir, script, { timeout: 300 });
    expect(report).toMatchObject({ ok: false, evidence: "/bin/sh did not end within 300ms" });
    await areGone(await pidsIn(dir, 2));
    expect(readdirSync(dir)).toEqual(["pids"]);
  });

  test("that ends well leaves nothing behind", async () => {
    const dir = folder();
    const report = await run(dir, "sleep 600 & echo $! >pids");
    expect(report).toMatchObject({ ok: true });
    await areGone(await pidsIn(dir, 1));
  });

  test("ends when nobody wants to know any more", async () => {
    const dir = folder();
    const gone = new AbortController();
    const report = run(dir, "echo $$ >pids; sleep 600", { signal: gone.signal });
    const pids = await pidsIn(dir, 1);
    gone.abort();
    expect(await report).toMatchObject({ ok: false, evidence: "/bin/sh was interrupted" });
    await areGone(pids);
  });

  test("whose program is gone says so", async () => {
    const dir = folder();
    const report = await commandProbe({
      program: join(dir, "nothing"),
      args: [],
      env: {},
      workingDir: dir,
      timeout: LONG,
      dir,
      signal: new AbortController().signal,
    });
    expect(report.evidence).toMatch(/nothing cannot be run: .*ENOENT/);
  });

  test("of an agent that died is ended by the next one, and nobody else's process", async () => {
    const dir = folder();
    const gone = new AbortController();
    const report = run(dir, "echo $$ >pids; sleep 600", { signal: gone.signal });
    const pids = await pidsIn(dir, 1);
    const self = identify(process.pid);
    writeFileSync(join(dir, `probe-${process.pid}.json`), JSON.stringify({ ...self, start: "another" }));
    writeFileSync(join(dir, "probe-1.json"), "{ torn");
    endStrayProbes(dir);
    await areGone(pids);
    expect(await report).toMatchObject({ ok: false, evidence: "/bin/sh ended by SIGKILL" });
    expect(readdirSync(dir)).toEqual(["pids"]);
  });
});
