import { launchdUnits } from "./launchd.ts";
import { supervisordUnits } from "./supervisord.ts";
import { systemdUnits } from "./systemd.ts";
import type { Manager, UnitFormat } from "./unit.ts";

export const FORMATS: Readonly<Record<Manager, UnitFormat>> = {
  systemd: systemdUnits,
  launchd: launchdUnits,
  supervisord: supervisordUnits,
};
