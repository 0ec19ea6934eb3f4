import type { Machine } from "../../model/machine.ts";
import type { PathFacts } from "../check/placeholders.ts";
import type { Declared, DeclaredServer } from "../declared.ts";
import { expandPath } from "../paths.ts";
import { unknownPlaces } from "./elsewhere.ts";
import { type Resolved, resolve } from "./resolve.ts";

/** Resolves a configuration without anything that xy has recorded, and without secrets. */

export interface UnseenWorld {
  readonly machine: Machine;
  /** Environment of the caller: its PATH is the last place to find a program. Not of another machine. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly isElsewhere?: boolean;
}

/** Like `resolve`, but leaves secrets as references and reads no env-files. */
export async function resolveUnseen(declared: Declared, world: UnseenWorld): Promise<Resolved> {
  const { machine, env = {}, isElsewhere = false } = world;
  const resolved = await resolve(declared, {
    machine,
    env,
    ...(isElsewhere ? { isElsewhere } : {}),
    secretUse: "leave",
    keptPort: () => undefined,
    portTaken: () => false,
    hmac: () => "",
    runSecretCommand: async () => ({ kind: "skipped" }),
  });
  if (!isElsewhere) return resolved;
  const unknown = declared.servers.flatMap((server) => {
    const spec = resolved.desired.servers.find(({ name }) => name === server.name);
    if (spec === undefined) return [];
    return unknownPlaces(spec, envFilesOf(server, machine)).map(({ path, message }) => ({
      severity: "error" as const,
      message,
      server: server.name,
      ...server.place(path),
      everywhere: true as const,
    }));
  });
  return { ...resolved, diagnostics: [...resolved.diagnostics, ...unknown] };
}

/** Paths of its files in dotenv syntax, absolute. */
export function envFilesOf(server: DeclaredServer, machine: PathFacts): string[] {
  const { envFile } = server.input;
  return [envFile].flat().map((file, i) => {
    const path = typeof envFile === "string" ? ["envFile"] : ["envFile", i];
    return expandPath(file, server.folder(path), machine);
  });
}
