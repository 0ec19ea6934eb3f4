import type { ActionSpec } from "./action.ts";
import { own } from "./own.ts";
import type { ServerSpec } from "./spec.ts";
import type { EnvValue, SecretRef } from "./spec-parts.ts";

/** A folder that records may still know by another path than the configuration uses now; both led to the same place. */
export interface FormerName {
  readonly from: string;
  readonly to: string;
  /** The path no longer leads there: nothing can be started through it. */
  readonly isGone?: boolean;
}

/** The names through which something can still be started. */
export const usable = (former: readonly FormerName[]) => former.filter(({ isGone }) => !isGone);

/** A path, with today's names. */
export function renamed(path: string, former: readonly FormerName[]): string {
  return former.reduce((now, { from, to }) => {
    if (now === from) return to;
    return now.startsWith(`${from}/`) ? `${to}${now.slice(from.length)}` : now;
  }, path);
}

/** Those of its places by which a start finds what it starts: all that a relative path of a configuration can become. */
type Placed = Pick<ServerSpec | ActionSpec, "program" | "workingDir" | "env"> &
  Partial<Pick<ServerSpec, "readiness" | "liveness">>;

/** `declared` with the paths of `recorded` wherever those differ only by a former name. */
export function settlePlaces<Spec extends Placed>(
  declared: Spec,
  recorded: Placed,
  former: readonly FormerName[],
): Spec {
  if (former.length === 0) return declared;
  return placed(declared, recorded, (now, then) => (renamed(then, former) === now ? then : now));
}

/** `settled` with the paths of the same server as declared. */
export const withPlacesOf = <Spec extends Placed>(settled: Spec, declared: Placed): Spec =>
  placed(settled, declared, (_, now) => now);

/** A spec whose paths have today's names. */
export const withNames = <Spec extends Placed>(spec: Spec, former: readonly FormerName[]): Spec =>
  former.length === 0 ? spec : placed(spec, spec, (path) => renamed(path, former));

type Choose = (mine: string, other: string) => string;

function placed<Spec extends Placed>(spec: Spec, other: Placed, choose: Choose): Spec {
  const env = Object.entries(spec.env).map(([name, value]) => {
    const theirs = own(other.env, name);
    return [name, theirs === undefined ? value : placedValue(name, value, theirs, choose)] as const;
  });
  return {
    ...spec,
    program: choose(spec.program, other.program),
    workingDir: choose(spec.workingDir, other.workingDir),
    env: Object.fromEntries(env),
    ...(spec.readiness ? { readiness: placedProbe(spec.readiness, other.readiness, choose) } : {}),
    ...(spec.liveness ? { liveness: placedProbe(spec.liveness, other.liveness, choose) } : {}),
  };
}

function placedValue(name: string, mine: EnvValue, other: EnvValue, choose: Choose): EnvValue {
  if (typeof mine === "string") {
    if (typeof other !== "string" || name !== "PATH") return mine;
    const [folders, theirs] = [mine.split(":"), other.split(":")];
    if (folders.length !== theirs.length) return mine;
    return folders.map((folder, i) => choose(folder, theirs[i] ?? folder)).join(":");
  }
  return typeof other === "string"
    ? mine
    : { ...mine, secret: placedSecret(mine.secret, other.secret, choose) };
}

function placedSecret(mine: SecretRef, other: SecretRef, choose: Choose): SecretRef {
  if ("file" in mine && "file" in other) return { file: choose(mine.file, other.file) };
  if ("envFile" in mine && "envFile" in other)
    return { ...mine, envFile: choose(mine.envFile, other.envFile) };
  return mine;
}

type Probe = ServerSpec["readiness"];

function placedProbe(mine: Probe, other: Probe | undefined, choose: Choose): Probe {
  if (mine.type !== "command" || other?.type !== "command") return mine;
  return { ...mine, program: choose(mine.program, other.program) };
}
