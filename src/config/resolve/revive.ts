import { type ActionSpec, actionKey } from "../../model/action.ts";
import { knownOnly } from "../../model/canonical.ts";
import { aboutAction, type Diagnostic } from "../../model/diagnostic.ts";
import type { Desired } from "../../model/plan.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { EnvValue, SecretRef, SecretValues } from "../../model/spec-parts.ts";
import { programAt } from "./program.ts";
import type { Resolved } from "./resolve.ts";
import { readEnvFile, readSecret } from "./secrets.ts";
import { workingDirFault } from "./server.ts";
import type { SecretOutcome, World } from "./world.ts";

interface Sources extends Pick<World, "env" | "runSecretCommand" | "hmac"> {
  /** Where secret commands of a server, or of an action without one, run. */
  readonly folderOf: (whose: Pick<Diagnostic, "server" | "action">) => string;
}

/**
 * Makes an earlier desired state fit to be applied again: its secret references are looked up anew, and what must be
 * there for a start is checked. The specs are otherwise as they were.
 */
export async function revive(past: Desired, world: Sources): Promise<Resolved> {
  const revived = [];
  // One after another: a secret command may ask for a password on the terminal.
  for (const spec of past.servers) {
    // What a later version had recorded cannot be carried out here.
    revived.push(await reviveOne(knownOnly(spec), { server: spec.name }, world));
  }
  const actions = [];
  for (const spec of past.actions)
    actions.push(await reviveOne(spec, aboutAction(spec), world, `action ${actionKey(spec)}: `));
  const secrets = revived.flatMap(({ spec, values }) =>
    Object.keys(values).length > 0 ? [[spec.name, values] as const] : [],
  );
  return {
    desired: {
      ...past,
      servers: revived.map(({ spec }) => spec),
      actions: actions.map(({ spec }) => spec),
    },
    secrets: Object.fromEntries(secrets),
    actionSecrets: Object.fromEntries(
      actions.flatMap(({ spec, values }) =>
        Object.keys(values).length > 0 ? [[actionKey(spec), values] as const] : [],
      ),
    ),
    unread: {},
    // Ports were given when the generation was applied, and are in its specs.
    autoPorts: {},
    // They stay what the last apply made of them.
    settings: {},
    diagnostics: [...revived, ...actions].flatMap(({ problems }) => problems),
  };
}

interface Revived<Spec> {
  readonly spec: Spec;
  readonly values: SecretValues;
  readonly problems: readonly Diagnostic[];
}

/** `whose`: the owner of the problem when something is missing; `title`: the beginning of its message. */
async function reviveOne<Spec extends ServerSpec | ActionSpec>(
  spec: Spec,
  whose: Pick<Diagnostic, "server" | "action">,
  world: Sources,
  title = "",
): Promise<Revived<Spec>> {
  const messages: string[] = [];
  const program = await programAt(spec.program, spec.command ?? spec.program);
  if (program.kind === "missing") messages.push(program.message);
  const folder = await workingDirFault(spec.workingDir);
  if (folder !== undefined) messages.push(folder);
  const env: [string, EnvValue][] = [];
  const values: [string, string][] = [];
  for (const [name, value] of Object.entries(spec.env)) {
    if (typeof value === "string") {
      env.push([name, value]);
      continue;
    }
    const outcome = await lookUp(value.secret, whose, world);
    if (outcome.kind === "missing") messages.push(`cannot get the secret for ${name}: ${outcome.message}`);
    if (outcome.kind === "value") values.push([name, outcome.value]);
    env.push([
      name,
      { secret: value.secret, hmac: outcome.kind === "value" ? world.hmac(outcome.value) : "" },
    ]);
  }
  const problems = messages.map(
    (message): Diagnostic => ({
      severity: "error",
      message: title + message,
      ...whose,
    }),
  );
  return { spec: { ...spec, env: Object.fromEntries(env) }, values: Object.fromEntries(values), problems };
}

async function lookUp(
  ref: SecretRef,
  whose: Pick<Diagnostic, "server" | "action">,
  world: Sources,
): Promise<SecretOutcome> {
  if (!("name" in ref)) return readSecret(ref, world.folderOf(whose), world);
  const value = (await readEnvFile(ref.envFile)).values.get(ref.name);
  if (value !== undefined) return { kind: "value", value };
  return { kind: "missing", message: `${ref.envFile} no longer has ${ref.name}; put it back` };
}
