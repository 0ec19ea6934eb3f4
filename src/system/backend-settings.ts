import { join } from "node:path";
import { type BackendSettings, backendSettings } from "../model/backend-settings.ts";
import { readRecord, removeSetAside, writeAtomic } from "./files.ts";
import { ensurePrivateDir, projectDir } from "./paths.ts";

const settingsPath = (state: string, project: string) => join(projectDir(state, project), "backends.json");

/** How a project's backends were reached last. */
export function readBackendSettings(state: string, project: string): BackendSettings {
  return readRecord(settingsPath(state, project), backendSettings.parse) ?? {};
}

/** Settings that are missing now stay as they were: servers may still exist that were applied with them. */
export function writeBackendSettings(state: string, project: string, settings: BackendSettings): void {
  if (Object.keys(settings).length === 0) return;
  ensurePrivateDir(projectDir(state, project));
  const all = { ...readBackendSettings(state, project), ...settings };
  writeAtomic(settingsPath(state, project), JSON.stringify(all), { durable: true });
  removeSetAside(settingsPath(state, project));
}
