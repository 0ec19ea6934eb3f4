import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import type { Declared } from "../../../src/config/declared.ts";
import { type LoadRequest, load } from "../../../src/config/load.ts";
import { type Resolved, resolve } from "../../../src/config/resolve/resolve.ts";
import type { World } from "../../../src/config/resolve/world.ts";
import { type Diagnostic, formatDiagnostic } from "../../../src/model/diagnostic.ts";
import type { Machine } from "../../../src/model/machine.ts";

/** Folders made by the running test; they are gone after it. */
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder with these files, by path. */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "xy-config-")));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

export const machine: Machine = {
  os: "linux",
  arch: "x64",
  host: "box",
  user: "ann",
  uid: process.getuid?.() ?? 0,
  home: "/home/ann",
  shell: "/bin/sh",
  lang: "C.UTF-8",
  tmpdir: "/tmp",
};

export function requestFor(cwd: string, changes: Partial<LoadRequest> = {}): LoadRequest {
  const never = new AbortController().signal;
  return {
    cwd,
    machine,
    env: {},
    agree: async () => true,
    signal: never,
    print: () => {},
    pause: async () => {},
    ...changes,
  };
}

/** What is declared by these files; fails the test when anything is wrong with them. */
export async function declaredBy(
  files: Readonly<Record<string, string>>,
  changes: Partial<LoadRequest> = {},
): Promise<Declared> {
  const folder = folderWith(files);
  const result = await load(requestFor(folder, changes));
  if (!result.ok) throw new Error(result.problems.map((problem) => formatDiagnostic(problem)).join("\n"));
  return result.value;
}

/** Every problem of these files as a person sees it, with paths relative to their root. */
export async function problemsOf(
  files: Readonly<Record<string, string>>,
  changes: Partial<LoadRequest> = {},
): Promise<string[]> {
  const folder = folderWith(files);
  const result = await load(requestFor(folder, changes));
  return formatted(result.ok ? result.warnings : result.problems, folder);
}

export function formatted(problems: readonly Diagnostic[], folder: string): string[] {
  return problems.map((problem) =>
    formatDiagnostic(problem).replaceAll(`${folder}/`, "").replaceAll(folder, "."),
  );
}

export function worldOf(changes: Partial<World> = {}): World {
  return {
    machine,
    env: {},
    keptPort: () => undefined,
    portTaken: () => false,
    hmac: (value) => `hmac of ${value}`,
    runSecretCommand: async () => ({ kind: "skipped" }),
    ...changes,
  };
}

/** These files, loaded and resolved. */
export async function resolvedFrom(
  files: Readonly<Record<string, string>>,
  changes: Partial<World> = {},
): Promise<Resolved> {
  const world = worldOf(changes);
  return resolve(await declaredBy(files, { machine: world.machine }), world);
}
