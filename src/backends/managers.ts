import type { BackendSettings } from "../model/backend-settings.ts";
import type { Manager } from "../model/backends.ts";
import type { ThisAccount } from "../system/account.ts";
import type { Environment } from "../system/paths.ts";
import { launchdUnits } from "./render/launchd.ts";
import { supervisordUnits } from "./render/supervisord.ts";
import { systemdUnits } from "./render/systemd.ts";
import type { UnitFormat } from "./render/unit.ts";
import type { UnitManager } from "./units/manager.ts";
import type { UnitStore } from "./units/record.ts";

/** What opening a service manager needs to know. */
interface Surroundings {
  readonly env: Environment;
  readonly account: ThisAccount;
  readonly store: UnitStore;
  /** How supervisord is reached, if anyone has said so. */
  site(): Promise<BackendSettings["supervisord"]>;
}

interface ManagerEntry {
  readonly format: UnitFormat;
  /** Its code is loaded only then: writing a unit does not need it. */
  open(surroundings: Surroundings): Promise<UnitManager>;
}

const logFiles = (store: UnitStore) => (name: string) => store.logPaths(name);

/** The service managers: how each one's units are written, and what talks to it. */
export const MANAGER_TABLE: Readonly<Record<Manager, ManagerEntry>> = {
  systemd: {
    format: systemdUnits,
    async open({ env, account, store }) {
      const { SystemdManager } = await import("./units/systemd/manager.ts");
      return new SystemdManager(env, account, logFiles(store));
    },
  },
  launchd: {
    format: launchdUnits,
    async open({ env, account, store }) {
      const { LaunchdManager } = await import("./units/launchd/manager.ts");
      return LaunchdManager.open(env, account, logFiles(store));
    },
  },
  supervisord: {
    format: supervisordUnits,
    async open({ store, site }) {
      const { SupervisordManager } = await import("./units/supervisord/manager.ts");
      return SupervisordManager.open(await site(), store.records());
    },
  },
};
