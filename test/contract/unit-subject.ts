import { join } from "node:path";
import type { UnitManager } from "../../src/backends/units/manager.ts";
import { operate } from "../../src/backends/units/operate.ts";
import { UnitStore } from "../../src/backends/units/record.ts";
import { UnitBackend } from "../../src/backends/units/unit-backend.ts";
import type { Manager } from "../../src/model/backends.ts";
import { PROJECT, shellSpec } from "../rig/spec.ts";
import type { Subject } from "./backend.contract.ts";

/** A backend of units in a world of its own, which `dispose` ends. */
export async function unitSubject(
  kind: Manager,
  root: string,
  open: (logFiles: UnitStore["logPaths"]) => UnitManager | Promise<UnitManager>,
  dispose: () => Promise<void>,
): Promise<Subject> {
  const store = new UnitStore(join(root, "state/xy"), PROJECT, kind);
  const backend = new UnitBackend({
    manager: await open((name) => store.logPaths(name)),
    store,
    project: PROJECT,
    account: { home: root, user: "root" },
    adopt: false,
  });
  return {
    backend,
    shell: (name, script, over) => shellSpec(name, script, { backend: kind, ...over }),
    async operator(word, name, how) {
      const { failed } = await operate(backend, word, [name], how);
      if (failed.length > 0) throw new Error(failed[0]?.message);
    },
    async dispose() {
      const known = await backend.known(store.names());
      const running = [...known.values()].filter(({ live }) => live.pid !== undefined);
      await Promise.all(running.map(({ unit }) => backend.manager.kill(unit)));
      await dispose();
    },
  };
}
