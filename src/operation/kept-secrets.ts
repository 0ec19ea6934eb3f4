import { type ActionSpec, actionKey } from "../model/action.ts";
import { aboutAction, type Diagnostic } from "../model/diagnostic.ts";
import { own } from "../model/own.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import { withPassword } from "../model/target.ts";
import { readBackendSettings } from "../system/backend-settings.ts";
import { type Applied, appliedActions, appliedServers, applying } from "./applied-secrets.ts";
import type { Evaluated } from "./evaluating.ts";

/** What an apply without secrets works with: the values that were applied last. */

/**
 * The same with applied values where a secret was not looked up and its reference is what it was. What has none is
 * refused: it would start without it.
 */
export function withKeptSecrets(evaluated: Evaluated, state: string): Evaluated {
  const { desired, secrets, actionSecrets, diagnostics, unread } = evaluated;
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
  // What is wrong with it already may be the secret itself.
  const isTold = (whose: Pick<Diagnostic, "server" | "action">) =>
    diagnostics.some(
      ({ severity, server, action }) =>
        severity === "error" && server === whose.server && action === whose.action,
    );
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
        spec.wanted === "ignore" || isTold({ server: spec.name })
          ? []
          : refusals(spec.name, { server: spec.name }, lacking, own(unread, spec.name)),
      ),
      ...actions.flatMap(({ spec, lacking }) =>
        isTold(aboutAction(spec)) ? [] : refusals(`action ${actionKey(spec)}`, aboutAction(spec), lacking),
      ),
    ],
  };
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

function refusals(
  what: string,
  whose: Pick<Diagnostic, "server" | "action">,
  lacking: readonly string[],
  unread: readonly string[] = [],
): Diagnostic[] {
  const why = [
    ...(lacking.length > 0
      ? [`no value of ${lacking.join(", ")} was applied with this reference before`]
      : []),
    ...(unread.length > 0 ? [`nothing of ${unread.join(", ")} was applied before`] : []),
  ];
  if (why.length === 0) return [];
  const message = `cannot apply ${what} without secrets: ${why.join(", and ")}; leave --no-secrets out`;
  return [{ severity: "error", message, ...whose }];
}

/** A password that was not looked up is the one that was used last, for the same target. */
function keptSettings({ settings, desired }: Evaluated, state: string): Evaluated["settings"] {
  const { supervisord } = settings;
  if (supervisord === undefined) return settings;
  const last = readBackendSettings(state, desired.project).supervisord;
  return { ...settings, supervisord: withPassword(supervisord, last) };
}
