import { createHmac, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { z } from "zod";
import { readText } from "../config/read/document.ts";
import { canonicalHash, canonicalJson, specHash } from "../model/canonical.ts";
import { clientLabel } from "../model/client-plan.ts";
import type { Change, Plan } from "../model/plan.ts";
import { actionLabel } from "../model/summary.ts";
import { writeAtomic } from "../system/files.ts";
import { machineKey } from "./secrets.ts";

/**
 * A plan in a file. It is carried out exactly, or refused: the file holds what the plan was made from, and an apply makes
 * the plan again and compares. The file is signed with this machine's key, so a file that was edited or comes from another
 * machine is not mistaken for a plan that is merely old.
 */

const savedFile = z.object({
  kind: z.literal("xy-plan"),
  version: z.literal(1),
  /** Unix ms. */
  at: z.number(),
  project: z.string(),
  /** What to give as `--config` to evaluate the same configuration. */
  config: z.string(),
  only: z.array(z.string()),
  except: z.array(z.string()),
  root: z.string(),
  /** What it would do, and a hash of everything that this depends on. */
  changes: z.array(z.object({ server: z.string(), action: z.string(), basis: z.string() })),
});
const signedFile = savedFile.extend({ machine: z.string(), signature: z.string() });
export type SavedPlan = z.infer<typeof savedFile>;

/** A change takes less than a KiB. */
const MAX_BYTES = 64 * 1024 * 1024;

export interface SaveRequest {
  readonly plan: Plan;
  readonly config: string;
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly now: number;
}

/** Writes the plan to a file that only this account can read. */
export function savePlan(state: string, path: string, request: SaveRequest): void {
  const { plan, config, only, except, now } = request;
  const saved: SavedPlan = {
    kind: "xy-plan",
    version: 1,
    at: now,
    project: plan.project,
    config,
    only: [...only],
    except: [...except],
    root: plan.root,
    changes: basesOf(plan),
  };
  const key = machineKey(state);
  const signed = { ...saved, machine: machineName(key), signature: signatureOf(saved, key) };
  writeAtomic(path, `${JSON.stringify(signed, null, 2)}\n`);
}

/** The saved plan, or why the file is not one that can be applied here. */
export function readSavedPlan(
  state: string,
  path: string,
): { readonly saved: SavedPlan } | { readonly refusal: string } {
  if (!existsSync(path))
    return { refusal: "there is no such file (one server alone is applied with --only NAME)" };
  const read = readText(path, "name a saved plan", { most: MAX_BYTES });
  if ("refusal" in read) return read;
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    return { refusal: "it is incomplete, or not a plan" };
  }
  const { kind, version } = (value ?? {}) as { kind?: unknown; version?: unknown };
  if (kind !== "xy-plan") return { refusal: "it is not a saved plan" };
  if (typeof version === "number" && version > 1) return { refusal: "a newer xy made it" };
  const parsed = signedFile.safeParse(value);
  if (!parsed.success) return { refusal: "it is damaged" };
  const { machine, signature, ...saved } = parsed.data;
  const key = machineKey(state);
  if (machine !== machineName(key))
    return { refusal: "it was made on another machine, or for another state folder" };
  if (!isEqual(signature, signatureOf(saved, key))) return { refusal: "it was edited" };
  return { saved };
}

/** Names the machine without telling its key. */
const machineName = (key: Buffer) => createHmac("sha256", key).update("machine").digest("hex").slice(0, 16);

function signatureOf(saved: SavedPlan, key: Buffer): string {
  return createHmac("sha256", key).update(canonicalJson(saved)).digest("hex");
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Why a saved plan cannot be carried out any more, if the plan would be a different one today. */
export function staleness(saved: SavedPlan, plan: Plan): string | undefined {
  const stale = staleServers(saved, plan);
  if (stale.length === 0) return undefined;
  return (
    `saved plan is stale: ${stale.join(", ")} changed since it was made (configuration, secret, or what runs). ` +
    "Nothing was applied; make a new one with `xy plan -o`"
  );
}

/** Servers for which the plan would be a different one today. */
function staleServers(saved: SavedPlan, plan: Plan): string[] {
  if (saved.project !== plan.project || saved.root !== plan.root) return [plan.project];
  const then = new Map(saved.changes.map(({ server, basis }) => [server, basis]));
  const now = new Map(basesOf(plan).map(({ server, basis }) => [server, basis]));
  return [...new Set([...then.keys(), ...now.keys()])]
    .filter((name) => then.get(name) !== now.get(name))
    .sort();
}

function basesOf({ changes, actions, clients = [] }: Plan): SavedPlan["changes"] {
  const ofServers = changes.map((change) => ({
    server: change.server,
    action: change.action,
    basis: basisOf(change),
  }));
  const ofActions = actions.map(({ key, change, desired, recorded }) => ({
    server: actionLabel(key),
    action: change,
    basis: canonicalHash([change, desired ?? null, recorded ?? null]),
  }));
  const ofClients = clients.map(({ client, file, change, entries }) => ({
    server: clientLabel(client),
    action: change,
    basis: canonicalHash([
      file,
      entries.map(({ name, change: what, value, found }) => [name, what, value ?? null, found ?? null]),
    ]),
  }));
  return [...ofServers, ...ofActions, ...ofClients];
}

/**
 * Hash of what a change would do and what it depends on: configuration, secrets (by their keyed hashes), observed state.
 * It leaves out what changes by itself: ages, pids, probe results.
 */
function basisOf({ action, desired, observed, held }: Change): string {
  const live = observed && {
    backend: observed.backend,
    state: observed.state,
    operator: observed.operator,
    spec: observed.spec && specHash(observed.spec),
    runningHash: observed.runningHash,
    drift: observed.drift,
    unsettled: observed.unsettled,
  };
  return canonicalHash([action, held, desired ? specHash(desired) : null, live ?? null]);
}
