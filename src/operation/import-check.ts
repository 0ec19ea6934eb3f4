import type { Loaded } from "../config/load.ts";
import { READING_BOUND } from "../config/read/limits.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Power } from "../model/power.ts";
import type { Environment } from "../system/paths.ts";
import { isPrivateGroup } from "../system/private-group.ts";
import { readMachine } from "./machine.ts";

/** The configuration that servers are imported into, as far as it is known without running anything of it. */

interface ImportRoot {
  readonly folder: string;
  /** A program that is part of it: what it declares is not known. */
  readonly program?: string;
}

interface Here {
  readonly cwd: string;
  readonly env: Environment;
  /** State folder. */
  readonly state: string;
}

const nobody = async () => undefined;

/** What it says; undefined if that is not known. */
export async function readAsData(
  { folder, program }: ImportRoot,
  { cwd, env }: Here,
): Promise<Loaded | undefined> {
  if (program !== undefined) return undefined;
  const { load } = await import("../config/load.ts");
  const isData = ({ can }: Power) => can !== "program" && can !== "include";
  const loaded = await load({
    ...{ cwd, env, machine: readMachine(env), isPrivateGroup },
    explicit: { path: folder, from: "--config" },
    agree: async (_, powers) => powers.every(isData),
    signal: AbortSignal.timeout(READING_BOUND),
    print: () => undefined,
    pause: nobody,
  });
  return loaded.refused || loaded.missing ? undefined : loaded;
}

/** Everything that is wrong with it on any machine, as `xy check` tells it. */
export async function faultsOf(root: ImportRoot, here: Here): Promise<Diagnostic[]> {
  const loaded = await readAsData(root, here);
  if (loaded === undefined) return [];
  const read = loaded.ok ? [] : loaded.problems.filter(({ severity }) => severity === "error");
  const declared = loaded.ok ? loaded.value : loaded.sound;
  if (declared === undefined) return read;
  const { resolveHere } = await import("./evaluating.ts");
  const { cwd, env, state } = here;
  const setting = {
    ...{ cwd, env, state, signal: AbortSignal.timeout(READING_BOUND), print: () => undefined },
    ...{
      consent: { trust: false, ask: async () => false, tell: nobody, unkept: nobody },
      secretUse: "find" as const,
    },
  };
  const { diagnostics } = await resolveHere(declared, setting, readMachine(env));
  const known = new Set(read.map(({ message }) => message));
  return [...read, ...diagnostics.filter(({ everywhere, message }) => everywhere && !known.has(message))];
}

/** The file that declares each server of it. */
export function declaredIn(loaded: Loaded | undefined): ReadonlyMap<string, string> {
  const servers = (loaded?.ok ? loaded.value : loaded?.sound)?.servers ?? [];
  return new Map(
    servers.flatMap((server) => {
      const { file } = server.place([]);
      return file === undefined ? [] : [[server.name, file] as const];
    }),
  );
}
