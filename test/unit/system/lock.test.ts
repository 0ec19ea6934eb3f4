import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockHolder, tryLock } from "../../../src/system/lock.ts";
import { DAMAGES } from "../../rig/damage.ts";

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => fs.rmSync(dir, { recursive: true }));

test.for(DAMAGES)("a lock of which any part is %s can be taken", ([, damage]) => {
  const path = join(dir, "locks/tools");
  for (const part of ["locks/tools/1", "locks/tools", "locks"]) {
    fs.mkdirSync(path, { recursive: true });
    damage(join(dir, part));
    expect(lockHolder(path)).toBeUndefined();
    const attempt = tryLock(path);
    expect(attempt).toMatchObject({ held: true });
    expect(lockHolder(path)?.pid).toBe(process.pid);
    expect(tryLock(path)).toMatchObject({ held: false, by: { pid: process.pid } });
    if (attempt.held) attempt.lock.release();
    fs.rmSync(join(dir, "locks"), { recursive: true });
  }
});
