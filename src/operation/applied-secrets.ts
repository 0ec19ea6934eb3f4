import { join } from "node:path";
import { z } from "zod";
import type { SecretOwner, World } from "../config/resolve/world.ts";
import { actionKey } from "../model/action.ts";
import { TOKEN_VARIABLE } from "../model/bridge-token.ts";
import { canonicalJson } from "../model/canonical.ts";
import { own } from "../model/own.ts";
import { type ServerSpec, serverSpec } from "../model/spec.ts";
import { envValue, type SecretRef, type SecretValues, secretValues } from "../model/spec-parts.ts";
import { readJson } from "../system/files.ts";
import { serverDir } from "../system/paths.ts";
import { actionsPath, recordedBackends, unitsDir } from "../system/projects.ts";

/** The secrets that were applied last, from the records of the agent and of units. */

/** What all records of something that was applied have in common. */
const applied = z.looseObject({
  spec: z.looseObject({
    name: z.string(),
    server: z.string().nullable().optional(),
    env: z.record(z.string(), envValue),
  }),
  secrets: secretValues,
});
export type Applied = z.infer<typeof applied>;

/** What the last apply had, by its references. Records are read when they are asked for. */
export function appliedReferences(
  state: string,
  project: string,
): Required<Pick<World, "wasApplied" | "appliedFrom">> {
  const servers = new Map<string, Applied[]>();
  const ofServer = (name: string) => {
    const found = servers.get(name) ?? appliedServers(state, { project, name });
    servers.set(name, found);
    return found;
  };
  let actions: ReadonlyMap<string, Applied[]> | undefined;
  const recordsOf = ({ server, action }: SecretOwner) => {
    const ofOwner = server === null ? [] : ofServer(server);
    actions ??= action === undefined ? undefined : appliedActions(state, project);
    const ofAction = action === undefined ? [] : (actions?.get(actionKey({ name: action, server })) ?? []);
    return [...ofAction, ...ofOwner];
  };
  return {
    wasApplied: (owner, name, ref) => applying(recordsOf(owner), name, ref) !== undefined,
    appliedFrom: (owner, file) => namesFrom(recordsOf(owner), file),
  };
}

/** Names that were taken from a file in dotenv syntax. Undefined: no record has it. */
function namesFrom(records: readonly Applied[], file: string): string[] | undefined {
  for (const { spec } of records) {
    const names = Object.entries(spec.env).flatMap(([name, value]) =>
      typeof value === "object" && "envFile" in value.secret && value.secret.envFile === file ? [name] : [],
    );
    if (names.length > 0) return names;
  }
  return undefined;
}

/** The record that has a value for a secret by that reference. */
export function applying(records: readonly Applied[], name: string, ref: SecretRef): Applied | undefined {
  return records.find(
    (record) => isSameReference(own(record.spec.env, name), ref) && Object.hasOwn(record.secrets, name),
  );
}

function isSameReference(a: Applied["spec"]["env"][string] | undefined, b: SecretRef): boolean {
  return typeof a === "object" && canonicalJson(a.secret) === canonicalJson(b);
}

export function appliedServers(
  state: string,
  { project, name }: Pick<ServerSpec, "project" | "name">,
): Applied[] {
  const holders = recordedBackends(state, project).filter((entry) => entry.name === name);
  return holders.flatMap((holder) => recordAt(pathOf(state, { project, ...holder }), applied) ?? []);
}

interface Holder extends Pick<ServerSpec, "project" | "name" | "backend"> {}

function pathOf(state: string, { project, name, backend }: Holder): string {
  return backend === "agent"
    ? join(serverDir(state, project, name), "spec.json")
    : join(unitsDir(state, project), backend, `${name}.json`);
}

interface AppliedServer {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
}

/** A server as it was applied last, with the values of its secrets; undefined: its record cannot be read. */
export function appliedServer(state: string, holder: Holder): AppliedServer | undefined {
  return recordAt(pathOf(state, holder), z.looseObject({ spec: serverSpec, secrets: secretValues }));
}

/** The tags with which a server was applied last; none where its record cannot be read. */
export function appliedTags(state: string, holder: Holder): readonly string[] {
  const tags = z.looseObject({ spec: z.looseObject({ tags: z.array(z.string()) }) });
  return recordAt(pathOf(state, holder), tags)?.spec.tags ?? [];
}

export function appliedActions(state: string, project: string): ReadonlyMap<string, Applied[]> {
  const found = recordAt(actionsPath(state, project), z.looseObject({ actions: z.array(applied) }));
  return new Map(
    (found?.actions ?? []).map((one) => [
      actionKey({ name: one.spec.name, server: one.spec.server ?? null }),
      [one],
    ]),
  );
}

/**
 * What clients have to send a server as a bearer token; undefined: none, as far as is known. `variable`: of its environment,
 * where a server has it under a name of its own.
 */
export function tokenOf(
  { spec, secrets }: AppliedServer,
  variable: string = TOKEN_VARIABLE,
): string | undefined {
  const given = own(spec.env, variable);
  return (typeof given === "string" ? given : own(secrets, variable)) || undefined;
}

/** What is wrong with a record is for its owner to tell: here it has no values. */
function recordAt<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(readJson(path)).data;
  } catch {
    return undefined;
  }
}
