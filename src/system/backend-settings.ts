import { join } from "node:path";
import { type BackendSettings, backendSettings } from "../model/backend-settings.ts";
import { readJson, removeSetAside, setAside, writeAtomic } from "./files.ts";
import { ensurePrivateDir, projectDir } from "./paths.ts";

const settingsPath = (state: string, project: string) => join(projectDir(state, project), "backends.json");

/** How the backends of a project were reached last. */
export function readBackendSettings(state: string, project: string): BackendSettings {
  const path = settingsPath(state, project);
  try {
    const found = backendSettings.safeParse(readJson(path) ?? {});
    if (found.success) return found.data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  setAside(path, Date.now());
  return {};
}

/** What is not said stays as it was: servers may still be there that were applied with it. */
export function writeBackendSettings(state: string, project: string, settings: BackendSettings): void {
  if (Object.keys(settings).length === 0) return;
  ensurePrivateDir(projectDir(state, project));
  const all = { ...readBackendSettings(state, project), ...settings };
  writeAtomic(settingsPath(state, project), JSON.stringify(all), { durable: true });
  removeSetAside(settingsPath(state, project));
}
