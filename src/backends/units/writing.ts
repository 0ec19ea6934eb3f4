import * as fs from "node:fs";
import { dirname } from "node:path";
import { startHash } from "../../model/canonical.ts";
import { isBridged } from "../../model/launch.ts";
import { own } from "../../model/own.ts";
import type { ProcessId } from "../../model/process.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { writeBridgeLauncher } from "../../system/bridge-program.ts";
import { removeDrafts, writeAtomic } from "../../system/files.ts";
import { ensureDir, ensurePrivateDir } from "../../system/paths.ts";
import { identify, isRunning } from "../../system/processes.ts";
import { ServiceError } from "../ask.ts";
import { type Fault, secretNames, settingOf, shellSecrets } from "../render/unit.ts";
import { type Inventory, type Known, runningHashOf } from "./inventory.ts";
import type { Site } from "./manager.ts";
import { type UnitRecord, valuesFor } from "./record.ts";

/** Writes records, secrets and unit files, and checks beforehand what would prevent that. */
export class Writing {
  readonly #inventory: Inventory;
  readonly #adopt: boolean;

  /** `adopt`: unit files that xy did not write may be replaced and removed. */
  constructor(inventory: Inventory, { adopt }: { readonly adopt: boolean }) {
    this.#inventory = inventory;
    this.#adopt = adopt;
  }

  /** Why a unit file must not be touched; undefined if it may. */
  obstacle(path: string, verb: "write" | "remove"): string | undefined {
    if (this.#adopt || this.#inventory.fileAt(path).is !== "foreign") return undefined;
    const wayOut = verb === "write" ? "move it away, or use --adopt to replace it" : "move it away";
    return `cannot ${verb} ${path}: xy did not write what is there; ${wayOut}`;
  }

  /** Writes the record first: even if the rest fails, the next plan knows what was intended. Returns what is recorded. */
  async write(record: UnitRecord): Promise<UnitRecord> {
    const { name } = record.spec;
    const { manager, store } = this.#inventory;
    store.write(record);
    if (isBridged(record.spec)) writeBridgeLauncher(store.state);
    store.writeSecrets(name, record.secrets, manager.secrets?.text ?? shellSecrets);
    const logs = manager.logFiles(record.spec, record.file);
    const file = this.#inventory.fileAt(record.file);
    try {
      if (logs) ensurePrivateDir(dirname(logs.out));
      if (file.is === "linked") fs.rmSync(record.file);
      if (file.is === "linked" || file.text !== record.text) {
        ensureDir(dirname(record.file));
        removeDrafts(record.file);
        writeAtomic(record.file, record.text, { mode: 0o644, durable: true });
      }
    } catch (error) {
      throw new ServiceError(`cannot write ${record.file}: ${(error as Error).message}`);
    }
    const { changedAt } = this.#inventory.fileAt(record.file);
    const written = changedAt === undefined ? record : { ...record, writtenAt: changedAt };
    store.write(written);
    return written;
  }

  /** Why this manager cannot take a server: its texts, a missing secret, or a file that xy did not write. */
  faultOf(spec: ServerSpec, secrets: SecretValues): string | undefined {
    const { manager } = this.#inventory;
    const [fault] = manager.format.faults(this.#inventory.facts(spec, true));
    if (fault) return fault.message;
    for (const name of secretNames(spec)) {
      const value = own(secrets, name);
      if (value === undefined) return `cannot apply ${spec.name}: the value of the secret ${name} is missing`;
    }
    const [secretFault] = this.secretFaults(spec, secrets);
    if (secretFault) return secretFault.message;
    return this.obstacle(manager.fileOf(spec), "write");
  }

  /** Secrets whose values this manager cannot carry. */
  secretFaults(spec: ServerSpec, secrets: SecretValues): Fault[] {
    const { manager } = this.#inventory;
    return secretNames(spec).flatMap((name) => {
      const value = own(secrets, name);
      const why = value === undefined ? undefined : manager.secrets?.fault(value);
      if (why === undefined) return [];
      const written = spec.env[name];
      const isOfFile = typeof written === "object" && "envFile" in written.secret;
      const setting = settingOf(spec, name);
      const message = `cannot write ${setting.join(".")} for ${manager.kind}: ${why}; change it, or run this server with the agent`;
      return [{ path: isOfFile ? ["envFile"] : setting, message }];
    });
  }

  /** The record of what is applied now. */
  async next(
    spec: ServerSpec,
    operator: UnitRecord["operator"],
    before: Known | undefined,
    secrets: SecretValues,
  ): Promise<UnitRecord> {
    const { manager } = this.#inventory;
    const outdated = before && outdatedBy(spec, before);
    const { ready, launched, sawReady, file: last } = before?.record ?? {};
    const site = manager.siteOf(spec);
    const file = manager.fileOf(spec);
    const leaves = last === undefined || last === file ? before?.record.leaves : last;
    return {
      version: 1,
      spec,
      secrets: valuesFor(spec, secrets),
      file,
      text: await this.#inventory.textOf({ spec, operator }),
      operator,
      unfinished: true,
      ...(leaves === undefined || leaves === file ? {} : { leaves }),
      ...(site ? { site: withoutGaps(site) } : {}),
      ...(launched && isRunning(launched) ? { launched } : {}),
      // Readiness is kept even if it has exited: whether it had been ready still matters.
      ...withoutUndefined({ outdated, ready, sawReady }),
    };
  }
}

/** The process that runs with an earlier spec, if that would start it differently. */
export function outdatedBy(
  spec: ServerSpec,
  { record, live }: Known,
): { process: ProcessId; hash: string } | undefined {
  const process = live.pid === undefined ? undefined : identify(live.pid);
  if (process === undefined) return undefined;
  const hash = runningHashOf(record, live);
  return hash === startHash(spec) ? undefined : { process, hash };
}

const withoutGaps = (site: Site) =>
  Object.fromEntries(
    Object.entries(site).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

/** Why the program cannot be started. Managers report that in different ways, and some try for ever. */
export function programFault({ program, name }: ServerSpec): string | undefined {
  try {
    if (fs.statSync(program).isFile()) {
      fs.accessSync(program, fs.constants.X_OK);
      return undefined;
    }
  } catch {
    // Whatever it is, it is reported below.
  }
  return `cannot start ${name}: ${program} does not exist, or is not an executable file`;
}
