import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readSavedPlan } from "../../../src/operation/saved-plan.ts";
import { SweptFolder } from "../../rig/secret-scan.ts";

let folder: SweptFolder;
beforeEach(() => {
  folder = new SweptFolder();
});
afterEach(() => folder.remove());

it.skipIf(process.platform !== "linux")("a file without an end, or that waits, is no saved plan", () => {
  const fifo = join(folder.path, "fifo");
  execFileSync("mkfifo", [fifo]);
  const refused = (path: string) => readSavedPlan(join(folder.path, "state"), path);
  expect(refused("/proc/self/pagemap")).toEqual({ refusal: "it has more than 64 MiB; name a saved plan" });
  for (const path of [fifo, "/dev/zero"])
    expect(refused(path)).toEqual({ refusal: "it is not a regular file; name a saved plan" });
});
