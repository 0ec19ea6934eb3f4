import { join } from "node:path";
import { z } from "zod";
import type { World } from "../config/world.ts";
import { type ActionSpec, actionKey } from "../model/action.ts";
import { canonicalJson } from "../model/canonical.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { own } from "../model/own.ts";
import type { ServerSpec } from "../model/spec.ts";
import { envValue, type SecretRef, type SecretValues, secretValues } from "../model/spec-parts.ts";
import { withPassword } from "../model/target.ts";
import { readBackendSettings } from "../system/backend-settings.ts";
import { readJson } from "../system/files.ts";
import { serverDir } from "../system/paths.ts";
import { actionsPath, recordedBackends, unitsDir } from "../system/projects.ts";
import type { Evaluated } from "./planning.ts";

/** What an apply without secrets works with: the values that were applied last. */

/** What all records of something that was applied have in common. */
const applied = z.looseObject({
  spec: z.looseObject({
    name: z.string(),
    server: z.string().nullable().optional(),
    env: z.record(z.string(), envValue),
  }),
  secrets: secretValues,
});
type Applied = z.infer<typeof applied>;

/**
 * The same with applied values where a secret was not looked up and its reference is what it was. What has none is
 * refused: it would start without it.
 */
export function withKeptSecrets(evaluated: Evaluated, state: string): Evaluated {
  const { desired, secrets, actionSecrets, diagnostics } = evaluated;
  const { project } = desired;
  const servers = desired.servers.map((spec) =>
    keep(spec, own(secrets, spec.name), appliedServers(state, spec)),
  );
  const known = appliedActions(state, project);
  const actions = desired.actions.map((spec) => {
    const key = actionKey(spec);
    // It has what its server has.
    const ofServer = spec.server === null ? [] : appliedServers(state, { project, name: spec.server });
    return keep(spec, own(actionSecrets, key), [...(known.get(key) ?? []), ...ofServer]);
  });
  return {
    ...evaluated,
    desired: { ...desired, servers: servers.map(specOf), actions: actions.map(specOf) },
    secrets: Object.fromEntries(servers.map(({ spec, values }) => [spec.name, values])),
    actionSecrets: Object.fromEntries(actions.map(({ spec, values }) => [actionKey(spec), values])),
    settings: keptSettings(evaluated, state),
    diagnostics: [
      ...diagnostics,
      ...servers.flatMap(({ spec, lacking }) =>
        // Nothing is done about one that is left alone.
        spec.wanted === "ignore" ? [] : refusals(spec.name, spec.name, lacking),
      ),
      ...actions.flatMap(({ spec, lacking }) => refusals(`action ${actionKey(spec)}`, spec.server, lacking)),
    ],
  };
}

/** Whether the last apply had a value of a secret by the same reference. Records are read when they are asked for. */
export function appliedReferences(state: string, project: string): NonNullable<World["wasApplied"]> {
  const servers = new Map<string, Applied[]>();
  const ofServer = (name: string) => {
    const found = servers.get(name) ?? appliedServers(state, { project, name });
    servers.set(name, found);
    return found;
  };
  let actions: ReadonlyMap<string, Applied[]> | undefined;
  return ({ server, action }, name, ref) => {
    const ofOwner = server === null ? [] : ofServer(server);
    actions ??= action === undefined ? undefined : appliedActions(state, project);
    const ofAction = action === undefined ? [] : (actions?.get(actionKey({ name: action, server })) ?? []);
    return applying([...ofAction, ...ofOwner], name, ref) !== undefined;
  };
}

/** The record that has a value for a secret by that reference. */
function applying(records: readonly Applied[], name: string, ref: SecretRef): Applied | undefined {
  return records.find(
    (record) => isSameReference(own(record.spec.env, name), ref) && Object.hasOwn(record.secrets, name),
  );
}

interface Kept<Spec> {
  readonly spec: Spec;
  readonly values: SecretValues;
  /** Names of secrets that have no value. */
  readonly lacking: readonly string[];
}

const specOf = <Spec>({ spec }: Kept<Spec>): Spec => spec;

function keep<Spec extends ServerSpec | ActionSpec>(
  spec: Spec,
  values: SecretValues = {},
  records: readonly Applied[],
): Kept<Spec> {
  const env = { ...spec.env };
  const known: Record<string, string> = { ...values };
  const lacking: string[] = [];
  for (const [name, value] of Object.entries(spec.env)) {
    if (typeof value === "string" || value.hmac !== "") continue;
    const found = applying(records, name, value.secret);
    if (found === undefined) lacking.push(name);
    else {
      env[name] = found.spec.env[name] ?? value;
      known[name] = found.secrets[name] ?? "";
    }
  }
  return { spec: { ...spec, env }, values: known, lacking };
}

function isSameReference(a: Applied["spec"]["env"][string] | undefined, b: SecretRef): boolean {
  return typeof a === "object" && canonicalJson(a.secret) === canonicalJson(b);
}

function refusals(what: string, server: string | null, lacking: readonly string[]): Diagnostic[] {
  if (lacking.length === 0) return [];
  const message = `cannot apply ${what} without secrets: no value of ${lacking.join(", ")} was applied with this reference before; leave --no-secrets out`;
  return [{ severity: "error", message, ...(server === null ? {} : { server }) }];
}

function appliedServers(state: string, { project, name }: Pick<ServerSpec, "project" | "name">): Applied[] {
  const holders = recordedBackends(state, project).filter((entry) => entry.name === name);
  return holders.flatMap(({ backend }) => {
    const path =
      backend === "agent"
        ? join(serverDir(state, project, name), "spec.json")
        : join(unitsDir(state, project), backend, `${name}.json`);
    return recordAt(path, applied) ?? [];
  });
}

function appliedActions(state: string, project: string): ReadonlyMap<string, Applied[]> {
  const found = recordAt(actionsPath(state, project), z.looseObject({ actions: z.array(applied) }));
  return new Map(
    (found?.actions ?? []).map((one) => [
      actionKey({ name: one.spec.name, server: one.spec.server ?? null }),
      [one],
    ]),
  );
}

/** What is wrong with a record is for its owner to tell: here it has no values. */
function recordAt<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(readJson(path)).data;
  } catch {
    return undefined;
  }
}

/** A password that was not looked up is the one that was used last, for the same target. */
function keptSettings({ settings, desired }: Evaluated, state: string): Evaluated["settings"] {
  const { supervisord } = settings;
  if (supervisord === undefined) return settings;
  const last = readBackendSettings(state, desired.project).supervisord;
  return { ...settings, supervisord: withPassword(supervisord, last) };
}
