import type { BackendSettings } from "../../model/backend-settings.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { problemAt } from "../check/keys.ts";
import type { DeclaredBackends } from "../declared.ts";
import { absoluteReference, readSecret } from "./secrets.ts";
import type { World } from "./world.ts";

/** The settings with the password's value. Where none is read it is left out, and the one that was used last is taken. */
export async function resolveBackends(
  { supervisord }: DeclaredBackends,
  world: Pick<World, "env" | "runSecretCommand" | "secretUse" | "machine">,
): Promise<{ settings: BackendSettings; diagnostics: Diagnostic[] }> {
  if (supervisord === undefined) return { settings: {}, diagnostics: [] };
  const { url, user, password, includeDir, passwordAt } = supervisord;
  const site = {
    url,
    ...withoutUndefined({ includeDir, user }),
  };
  if (password === undefined) return { settings: { supervisord: site }, diagnostics: [] };
  if (typeof password === "string")
    return { settings: { supervisord: { ...site, password } }, diagnostics: [] };
  const { folder, place } = passwordAt;
  const ref = absoluteReference(password, folder, world.machine);
  const outcome = await readSecret(ref, folder, world);
  if (outcome.kind === "value")
    return { settings: { supervisord: { ...site, password: outcome.value } }, diagnostics: [] };
  if (outcome.kind === "skipped") return { settings: { supervisord: site }, diagnostics: [] };
  const message = `cannot get supervisord's password: ${outcome.message}`;
  return {
    settings: { supervisord: site },
    diagnostics: [problemAt(place, message)],
  };
}
