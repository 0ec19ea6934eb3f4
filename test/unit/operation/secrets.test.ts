import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { machineHmac, machineKey, runSecretCommand } from "../../../src/operation/secrets.ts";

import { DAMAGES } from "../../rig/damage.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "secrets-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

test("what a secret command prints is its value", async () => {
  expect(await runSecretCommand("printf 'a\\nb\\n'")).toEqual({ kind: "value", value: "a\nb\n" });
});

test("a command that fails, or is not there, gives no value", async () => {
  expect(await runSecretCommand("echo half; exit 3")).toEqual({
    kind: "missing",
    message: "its command ended with 3: run it by hand to see why",
  });
  expect(await runSecretCommand("kill -9 $$")).toMatchObject({ kind: "missing" });
  expect(await runSecretCommand("no-such-program-here 2>/dev/null")).toMatchObject({ kind: "missing" });
});

test("a command that hangs is ended with all that it started", async () => {
  const command = `sh -c 'echo $$ >${dir}/inner; sleep 600 & wait'; echo never`;
  const outcome = await runSecretCommand(command, { boundMs: 300 });
  expect(outcome).toEqual({
    kind: "missing",
    message: "its command did not end within 0.3 s: run it by hand to see why",
  });
  const inner = fs.readFileSync(join(dir, "inner"), "utf8").trim();
  await expect.poll(() => isAlive(inner)).toBe(false);
});

test("an interruption ends it", async () => {
  const interruption = new AbortController();
  const running = runSecretCommand(`echo $$ >${dir}/pid; exec sleep 600`, { signal: interruption.signal });
  await expect.poll(() => fs.existsSync(join(dir, "pid"))).toBe(true);
  interruption.abort();
  expect(await running).toMatchObject({ kind: "missing" });
});

test("a command that prints 10 MB is ended", async () => {
  expect(await runSecretCommand("yes | head -c 10000000")).toEqual({
    kind: "missing",
    message: "its command printed more than 64 KiB: run it by hand to see why",
  });
});

test("the keyed hash is the same for all that use the state folder, and another in another", () => {
  const [one, again] = [machineHmac(join(dir, "a")), machineHmac(join(dir, "a"))];
  expect(one("x")).toBe(again("x"));
  expect(one("x")).not.toBe(one("y"));
  expect(machineHmac(join(dir, "b"))("x")).not.toBe(one("x"));
  expect(fs.statSync(join(dir, "a/key")).mode & 0o777).toBe(0o600);
});

function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test.for(DAMAGES)("a key that is %s is set aside, and another one made", ([how, damage]) => {
  const before = machineKey(dir);
  damage(join(dir, "key"));
  const after = machineKey(dir);
  expect(after).toHaveLength(32);
  expect(after.equals(before)).toBe(false);
  expect(machineKey(dir).equals(after)).toBe(true);
  const isAside = fs.readdirSync(dir).some((entry) => entry.startsWith("key.set-aside-"));
  expect(isAside).toBe(how !== "gone");
});
