import { join } from "node:path";
import { baseFolder } from "../model/base-folder.ts";
import { CLIENT_NAMES, CLIENT_SCOPES, type ClientName, type Scope } from "../model/clients.ts";
import { isTaken } from "../system/files.ts";
import type { Environment } from "../system/paths.ts";
import { CLIENT_ROWS } from "./rows/rows.ts";
import type { ClientRow, ClientTarget, Places } from "./types.ts";

/** The machine, as far as it says where clients keep their files. */
export interface Surroundings {
  readonly os: "linux" | "macos" | "other";
  readonly home: string;
  readonly env: Environment;
  /** Whose files the scope `project` is about. */
  readonly folder?: string;
}

/** The file of a client. Undefined if it has none of this scope here. */
export function targetOf(client: ClientName, scope: Scope, around: Surroundings): ClientTarget | undefined {
  const row: ClientRow<Scope> = CLIENT_ROWS[client] as ClientRow<Scope>;
  const places: Places | undefined = row.files[scope];
  if (places === undefined) return undefined;
  const paths = "linux" in places ? places[around.os === "macos" ? "macos" : "linux"] : places;
  if (scope === "user")
    return { client, scope, file: chosen(paths.flatMap((path) => userPath(path, around))) };
  const { folder } = around;
  if (folder === undefined) return undefined;
  return { client, scope, folder, file: chosen(paths.map((path) => ({ path: join(folder, path) }))) };
}

/** The files of all clients. */
export function targetsOf(around: Surroundings): ClientTarget[] {
  return CLIENT_NAMES.flatMap((client) =>
    CLIENT_SCOPES[client].flatMap((scope) => targetOf(client, scope, around) ?? []),
  );
}

interface Candidate {
  readonly path: string;
  /** A person has set the variable that it begins with. */
  readonly isSet?: boolean;
}

function chosen(candidates: readonly Candidate[]): string {
  const found =
    candidates.find(({ isSet }) => isSet) ?? candidates.find(({ path }) => isTaken(path)) ?? candidates[0];
  if (found === undefined) throw new Error("a client's row has no path for this system");
  return found.path;
}

function userPath(template: string, { home, env }: Surroundings): Candidate[] {
  const [first = "", ...rest] = template.split("/");
  const below = (folder: string) => join(folder, ...rest);
  if (first === "~") return [{ path: below(home) }];
  if (first === "{config}")
    return [{ path: below(baseFolder(env, "XDG_CONFIG_HOME") ?? join(home, ".config")) }];
  if (first === "{support}") return [{ path: below(join(home, "Library/Application Support")) }];
  const folder = env[first.slice(1)];
  return folder?.startsWith("/") ? [{ path: below(folder), isSet: true }] : [];
}
