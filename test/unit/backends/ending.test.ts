import { expect, test } from "vitest";
import { end } from "../../../src/backends/units/ending.ts";
import type { Live, Unit, UnitManager } from "../../../src/backends/units/manager.ts";
import { serverSpec } from "../../rig/spec.ts";

const unit: Unit = {
  spec: serverSpec("web", "/bin/true", []),
  file: "/nowhere/xy.p.web.service",
  enabled: true,
  isEdited: false,
  isTouched: false,
};

/** One that says of every end that all is well. */
function manager(pid: number | undefined): Pick<UnitManager, "kind" | "look" | "stop" | "kill"> {
  const live: Live = {
    state: "running",
    drift: [],
    stale: false,
    ...(pid === undefined ? {} : { pid }),
  };
  return {
    kind: "systemd",
    look: async () => new Map([["web", live]]),
    stop: async () => {},
    kill: async () => {},
  };
}

const endOf = (pid: number | undefined, how?: "stop" | "kill") => end(manager(pid) as UnitManager, unit, how);

test("what a manager has not ended is told, and nothing can be started beside it", async () => {
  // This process stands for one that no signal ends.
  const left = `its process ${process.pid} cannot be killed; systemd still has it`;
  await expect(endOf(process.pid)).rejects.toThrow(`cannot stop web: ${left}`);
  await expect(endOf(process.pid, "kill")).rejects.toThrow(`cannot kill web: ${left}`);
});

test("what does not run, or has a pid that nobody has, is ended", async () => {
  await endOf(undefined);
  await endOf(1 << 22);
});
