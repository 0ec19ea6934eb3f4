import { TOKEN_VARIABLE } from "../../model/bridge-token.ts";
import type { SecretInput } from "../../model/input-parts.ts";
import type { EnvValue, SecretRef, SecretValues } from "../../model/spec-parts.ts";
import { nameFault } from "../check/env-names.ts";
import type { DeclaredServer } from "../declared.ts";
import { expandPath } from "../paths.ts";
import type { Holder } from "./command.ts";
import type { Report } from "./report.ts";
import { absoluteReference, envFileFault, readEnvFile, readSecret } from "./secrets.ts";
import type { SecretOutcome, SecretOwner, World } from "./world.ts";

const BYTE_ORDER_MARK =
  "a byte order mark (U+FEFF), which the program will get too: save it without one unless you want that";

const OF_BRIDGE = "xy's bridge takes its token under that name; declare it as mcp.token";
/** A word in a header. */
const TOKEN = /^[\x21-\x7e]+$/;
const NO_TOKEN =
  "cannot use the secret for mcp.token: a token consists of letters, digits and signs, at least one; store another value there";

export interface ResolvedSecrets {
  readonly fromFiles: Record<string, EnvValue>;
  readonly references: Record<string, EnvValue>;
  readonly values: SecretValues;
  /** Env-files that were not read, and that no apply has used: what they hold is not known. */
  readonly unread: readonly string[];
}

/** `bridge`: of a server that is behind one, which gets the token that its clients must send as a variable. */
export async function resolveSecrets(
  server: Holder & { readonly input: Pick<DeclaredServer["input"], "envFile"> },
  owner: SecretOwner,
  around: World,
  report: Report,
  bridge?: { readonly token?: SecretInput | undefined },
): Promise<ResolvedSecrets> {
  const isLeftOut = around.isLeftOut?.(owner.server ?? owner.action ?? "") ?? false;
  const world: World = isLeftOut ? { ...around, secretUse: "leave" } : around;
  const { env, envFile } = server.input;
  const values = new Map<string, string>();
  const fromFiles = new Map<string, EnvValue>();
  const unread: string[] = [];
  const keep = (name: string, ref: SecretRef, outcome: SecretOutcome): EnvValue => {
    if (outcome.kind === "value") values.set(name, outcome.value);
    return { secret: ref, hmac: outcome.kind === "value" ? world.hmac(outcome.value) : "" };
  };

  for (const [i, written] of [envFile].flat().entries()) {
    const path = typeof envFile === "string" ? ["envFile"] : ["envFile", i];
    const file = expandPath(written, server.folder(path), world.machine);
    if (world.secretUse !== undefined && world.secretUse !== "read") {
      const fault = world.secretUse === "find" ? envFileFault(file) : undefined;
      if (fault !== undefined) report(path, fault);
      const names = world.appliedFrom?.(owner, file);
      if (names === undefined && !isLeftOut) {
        unread.push(file);
        if (world.appliedFrom !== undefined && world.secretUse === "leave")
          report(path, `${file} is not read, because secrets are left out`, { severity: "warning" });
      }
      for (const name of names ?? [])
        if (!Object.hasOwn(env, name))
          fromFiles.set(name, keep(name, { envFile: file, name }, { kind: "skipped" }));
      continue;
    }
    const read = await readEnvFile(file);
    for (const message of read.problems) report(path, message);
    for (const [name, value] of read.values) {
      const fault =
        nameFault(name) ??
        (bridge && name === TOKEN_VARIABLE ? OF_BRIDGE : undefined) ??
        (value.includes("\0") ? "its value has a NUL character" : undefined);
      if (fault !== undefined) report(path, `cannot take ${name} from ${file}: ${fault}; remove it there`);
      else if (!Object.hasOwn(env, name))
        fromFiles.set(name, keep(name, { envFile: file, name }, { kind: "value", value }));
    }
  }

  const references = new Map<string, EnvValue>();
  const written = Object.entries(env).map(([name, value]) => ({
    name,
    value,
    path: ["env", name],
    what: name,
  }));
  const token = {
    name: TOKEN_VARIABLE,
    value: bridge?.token ?? "",
    path: ["mcp", "token"],
    what: "mcp.token",
  };
  for (const { name, value, path, what } of [...written, token]) {
    if (typeof value === "string") continue;
    const folder = server.folder(path);
    const ref = absoluteReference(value, folder, world.machine);
    const found = await readSecret(ref, folder, world);
    const isLocked = found.kind === "missing" && "command" in ref && world.wasApplied?.(owner, name, ref);
    const outcome: SecretOutcome = isLocked ? { kind: "skipped" } : found;
    // A locked secret store must not block what it has provided before.
    if (isLocked)
      report(path, `the secret for ${what} keeps the value that was applied last: ${found.message}`, {
        severity: "warning",
      });
    if (outcome.kind === "missing") report(path, `cannot get the secret for ${what}: ${outcome.message}`);
    if (outcome.kind === "value" && what === token.what && !TOKEN.test(outcome.value)) report(path, NO_TOKEN);
    if (outcome.kind === "value" && outcome.value.startsWith("\uFEFF"))
      report(path, `the secret for ${what} begins with ${BYTE_ORDER_MARK}`, { severity: "warning" });
    references.set(name, keep(name, ref, outcome));
  }
  return {
    fromFiles: Object.fromEntries(fromFiles),
    references: Object.fromEntries(references),
    values: Object.fromEntries(values),
    unread,
  };
}
