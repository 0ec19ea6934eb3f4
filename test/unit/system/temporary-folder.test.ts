import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../src/system/temporary-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "getconf-"));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("is that of the account, also where the caller was given another one", () => {
  vi.stubEnv("TMPDIR", "/tmp/nix-shell.1");
  expect(temporaryFolder("linux")).toBe("/tmp");
  const getconf = join(folder, "getconf");
  const says = (text: string) => {
    writeFileSync(getconf, `#!/bin/sh\n${text}\n`);
    chmodSync(getconf, 0o755);
    return temporaryFolder("darwin", getconf);
  };
  expect(says('[ "$1" = DARWIN_USER_TEMP_DIR ] && echo /var/folders/x1/ab/T/')).toBe("/var/folders/x1/ab/T");
  expect(says("exit 1")).toBe("/tmp");
  expect(says("echo nothing")).toBe("/tmp");
  expect(temporaryFolder("darwin", join(folder, "none"))).toBe("/tmp");
});
