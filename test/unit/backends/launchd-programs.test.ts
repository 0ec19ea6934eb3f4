import { expect, it } from "vitest";
import { launchdPrograms } from "../../../src/backends/others/launchd.ts";

const LIST = `PID\tStatus\tLabel
412\t0\tcom.github.syncthing
-\t0\tcom.github.syncthing.off
-\t78\tcom.github.broken
-\t-9\tcom.github.killed
junk
`;

it("shows the jobs of launchd whose labels match", async () => {
  const ask = async () => ({ code: 0, stdout: LIST, stderr: "" });
  const found = await launchdPrograms(ask, "com.github.*");
  expect(
    found.map(({ name, state, pid, exitCode, description }) => [name, state, pid, exitCode, description]),
  ).toEqual([
    ["com.github.syncthing", "running", 412, undefined, ""],
    ["com.github.syncthing.off", "stopped", undefined, undefined, ""],
    ["com.github.broken", "stopped", undefined, 78, "ended: exit 78"],
    ["com.github.killed", "stopped", undefined, undefined, "ended: signal 9"],
  ]);
  expect(await launchdPrograms(ask, "*thing")).toHaveLength(1);
});

it("says that launchd does not answer", async () => {
  const ask = async () => ({ code: 127, stdout: "", stderr: "" });
  await expect(launchdPrograms(ask, "*")).rejects.toThrow("cannot ask launchd: it is not installed");
});
