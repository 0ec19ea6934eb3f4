import * as fs from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Manager } from "../../model/backends.ts";
import { withoutDefaults } from "../../model/canonical.ts";
import { operatorWord, restored } from "../../model/observed-schema.ts";
import { own } from "../../model/own.ts";
import { mcpFacts } from "../../model/probe-report.ts";
import { type ServerSpec, serverSpec } from "../../model/spec.ts";
import { processId, type SecretValues, secretValues } from "../../model/spec-parts.ts";
import { removeSessions } from "../../system/bridge-program.ts";
import { readRecord, removeDrafts, removeSetAside, writeAtomic } from "../../system/files.ts";
import { bridgeSessionsPath, ensurePrivateDir } from "../../system/paths.ts";
import { recordedUnits, unitsDir } from "../../system/projects.ts";

const recordFile = z.object({
  version: z.literal(1),
  /** What was applied last. */
  spec: serverSpec,
  /** Values of its secrets. */
  secrets: secretValues,
  /** Absolute path of its unit's file. */
  file: z.string(),
  /** What was written there. */
  text: z.string(),
  /** The operator's word. */
  operator: operatorWord,
  /** The process that ran when its spec was last changed, and the hash of what it was started with. */
  outdated: z.object({ process: processId, hash: z.string() }).optional(),
  /** The last process that xy itself started, from what it had just written. */
  launched: processId.optional(),
  /** Unix ms: the change time of the unit file after xy wrote it. */
  writtenAt: z.number().optional(),
  /** Where it is loaded. */
  site: z.record(z.string(), z.string()).optional(),
  /** Absolute path of the unit's previous file, to be removed once it is loaded from the new one. */
  leaves: z.string().optional(),
  /** An apply of it has begun and not finished. */
  unfinished: z.literal(true).optional(),
  /** How a process was found ready, by a probe that is not repeated at every look. */
  ready: z
    .object({ process: processId, evidence: z.string(), at: z.number(), mcp: mcpFacts.optional() })
    .optional(),
  /** The result of a person's later probe. */
  looked: z
    .object({
      process: processId,
      ok: z.boolean(),
      evidence: z.string(),
      at: z.number(),
      mcp: mcpFacts.optional(),
    })
    .optional(),
  /** xy has seen it ready since it last started it. Records of earlier versions have `ready` instead. */
  sawReady: z.boolean().optional(),
  /** Unix ms at which xy stopped it, and why; only as long as nothing has started it again. */
  rests: z.object({ at: z.number(), reason: z.string().optional() }).optional(),
  /** An apply restored this version; see `Restored`. */
  restored: restored.optional(),
});
export type UnitRecord = z.infer<typeof recordFile>;

/** Attempts to write between two other writers: nobody writes that often. */
const UPDATE_TRIES = 20;

/** xy's records of one project's servers under one manager. */
export class UnitStore {
  readonly state: string;
  readonly #project: string;
  readonly #kind: Manager;

  constructor(state: string, project: string, kind: Manager) {
    this.state = state;
    this.#project = project;
    this.#kind = kind;
  }

  /** Names of the servers with a record, including one that cannot be read. */
  names(): string[] {
    return recordedUnits(this.state, this.#project, this.#kind);
  }

  /** All that can be read. */
  records(): UnitRecord[] {
    return this.names().flatMap((name) => this.read(name) ?? []);
  }

  /** Undefined if there is none. One that cannot be trusted is set aside. */
  read(name: string): UnitRecord | undefined {
    return readRecord(this.#path(name, "json"), (value) => {
      const record = recordFile.parse(value);
      if (record.spec.name === name && record.spec.project === this.#project) return record;
      throw new TypeError("it is of another server");
    });
  }

  write(record: UnitRecord): void {
    this.#put(record, () => true);
  }

  /**
   * Changes an existing record. Starts over if somebody else wrote it meanwhile, and writes nothing if `change` returns what
   * it was given.
   */
  update(name: string, change: (record: UnitRecord) => UnitRecord): void {
    for (let tries = 1; ; tries++) {
      const version = this.#version(name);
      const record = this.read(name);
      if (record === undefined) return;
      const next = change(record);
      if (next === record) return;
      if (this.#put(next, () => tries === UPDATE_TRIES || this.#version(name) === version)) return;
    }
  }

  #put(record: UnitRecord, onlyIf: () => boolean): boolean {
    const path = this.#path(record.spec.name, "json");
    ensurePrivateDir(this.dir);
    removeDrafts(path);
    removeSetAside(path);
    const written = { ...record, spec: withoutDefaults(record.spec) };
    return writeAtomic(path, JSON.stringify(written), { durable: true, onlyIf });
  }

  /** Differs after each write, which makes a new file. */
  #version(name: string): string {
    const stat = fs.statSync(this.#path(name, "json"), { bigint: true, throwIfNoEntry: false });
    return `${stat?.ino} ${stat?.ctimeNs}`;
  }

  /** The file from which the manager, or the shell that it starts, reads the secrets. */
  secretsPath(name: string): string {
    return this.#path(name, "env");
  }

  /** Without secrets there is no file. */
  writeSecrets(name: string, values: SecretValues, format: (values: SecretValues) => string): void {
    const path = this.secretsPath(name);
    if (fs.existsSync(this.dir)) removeDrafts(path);
    if (Object.keys(values).length === 0) fs.rmSync(path, { force: true });
    else {
      ensurePrivateDir(this.dir);
      writeAtomic(path, format(values));
    }
  }

  /** Files for output, if the manager stores none. */
  logPaths(name: string): { out: string; err: string } {
    return { out: this.#path(name, "out.log"), err: this.#path(name, "err.log") };
  }

  /** Removes the server's record, and its output. */
  remove(name: string): void {
    // The record first: if this process dies in between, logs are left, but no server.
    fs.rmSync(this.#path(name, "json"), { force: true });
    for (const entry of fs.existsSync(this.dir) ? fs.readdirSync(this.dir) : [])
      if (entry.startsWith(`${name}.`)) fs.rmSync(join(this.dir, entry), { force: true });
    removeSessions(bridgeSessionsPath(this.state, this.#project, name));
  }

  /** Only the account can enter it. */
  get dir(): string {
    return join(unitsDir(this.state, this.#project), this.#kind);
  }

  #path(name: string, ending: string): string {
    return join(this.dir, `${name}.${ending}`);
  }
}

/** The secrets whose values are known. */
export function valuesFor(spec: Pick<ServerSpec, "env">, values: SecretValues): SecretValues {
  return Object.fromEntries(
    Object.entries(spec.env).flatMap(([name, value]) => {
      if (typeof value === "string") return [];
      const secret = own(values, name);
      return secret === undefined ? [] : [[name, secret]];
    }),
  );
}
