import { expect, it } from "vitest";
import type { LogLine } from "../../../src/backends/log-lines.ts";
import type { Unit, UnitManager } from "../../../src/backends/units/manager.ts";
import { Output } from "../../../src/backends/units/output.ts";
import type { UnitRecord } from "../../../src/backends/units/record.ts";
import { readyOn, serverSpec } from "../../rig/spec.ts";

const spec = serverSpec("web", "/bin/web", [], { readiness: readyOn("^up$") });
const record = { spec, secrets: {} } as UnitRecord;

/** A manager with a journal, of which these readers read one after the other. */
function managerOf(readers: (() => AsyncGenerator<LogLine, void, void>)[]): UnitManager {
  return { logFiles: () => undefined, logs: () => readers.shift()?.() } as unknown as UnitManager;
}

it("a line that a start waits for is seen also when what reads the journal has ended before it", async () => {
  const line = { stream: "stdout", line: "first" } as const;
  const manager = managerOf([
    async function* () {
      yield line;
      throw new Error("cannot read the journal: journalctl exited with 1");
    },
    async function* () {},
    async function* () {
      yield line;
      yield { ...line, line: "up" };
    },
  ]);
  const output = new Output(manager, { spec } as Unit, record, Date.now());
  await expect.poll(() => output.match, { timeout: 60_000 }).toBe("up");
  output.close();
  expect(await output.lastLine()).toBe("up");
});
