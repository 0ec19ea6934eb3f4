import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { restingSpec } from "../../model/bare-spec.ts";
import { canonicalHash, withoutDefaults } from "../../model/canonical.ts";
import type { Transition } from "../../model/observed.ts";
import { operatorWord, restored } from "../../model/observed-schema.ts";
import { type ServerSpec, serverSpec } from "../../model/spec.ts";
import { type SecretValues, secretValues } from "../../model/spec-parts.ts";
import { starter } from "../../model/starter.ts";
import { lastExit, pause, retries, tally } from "../../supervisor/recorded.ts";
import type { ServerState } from "../../supervisor/state.ts";
import { removeSessions } from "../../system/bridge-program.ts";
import {
  leadsTo,
  makeWayForFolder,
  numbersIn,
  readJson,
  readRecord,
  removeSetAside,
  writeAtomic,
} from "../../system/files.ts";
import { bridgeSessionsPath, ensurePrivateDir, serverDir } from "../../system/paths.ts";
import { bootId } from "../../system/processes.ts";
import { recordedNames, recordedProjects } from "../../system/projects.ts";
import { causeText } from "../../system/shortage.ts";

/** What was applied. Written as one file, so that a spec is never seen with the secrets of another. */
export interface AppliedSpec {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  /** The file was changed by someone else than xy. */
  readonly tampered: boolean;
  /** There is none that can be trusted, of a server that other records name: `spec` only says how to end it. */
  readonly unreadable: boolean;
  /** No configuration declares it: a person has added it. Absent in records of declared ones, and of earlier versions. */
  readonly kept?: true | undefined;
}

const specFile = z.looseObject({
  version: z.literal(1),
  hash: z.string(),
  secretsHash: z.string(),
  kept: z.literal(true).optional(),
  /** As it was written: the hash is of that, whatever version has added to it. */
  spec: z.unknown().pipe(z.transform((written) => ({ written, read: serverSpec.parse(written) }))),
  secrets: secretValues,
});

/** What only this program writes is checked as far as others rely on it. */
const ours = <T>(schema: z.ZodType) => schema.transform((value) => value as T);

const recordFile = z.object({
  version: z.literal(1),
  boot: z.string(),
  operator: operatorWord,
  /** {@link startHash} of the spec that the newest incarnation was started with. */
  runningHash: z.string().optional(),
  /** A start of it is owed: it was stopped with its agent, or waits for what it depends on. */
  resumes: z.boolean(),
  /** Who started it; absent in records of earlier versions. */
  starter: starter.optional(),
  /** What the newest incarnation was started as. */
  started: z.object({ command: z.array(z.string()), port: z.int().nullable() }).optional(),
  state: ours<ServerState>(
    z.looseObject({
      phase: z.looseObject({
        tag: z.enum(["stopped", "starting", "running", "ending", "waiting", "failed"]),
      }),
      inc: z.int().min(0),
      since: z.number(),
      retries,
      restartCount: z.int(),
      lastExit: lastExit.optional(),
      paused: pause.optional(),
    }),
  ),
  /** How it has done so far; absent in records of earlier versions. */
  tally: tally.optional(),
  /** As of its spec, which may be lost. */
  kept: z.literal(true).optional(),
  /** That an apply has put back what it has now; absent in records of earlier versions. */
  restored: restored.optional(),
  transitions: ours<readonly Transition[]>(
    z.array(z.object({ from: z.string(), to: z.string(), at: z.number(), reason: z.string().optional() })),
  ),
});

/** What the agent must know of a server after its own death. */
export type RuntimeRecord = Readonly<Omit<z.output<typeof recordFile>, "version">>;

/** A record, and what a keeper writes down: a few files that may take a block each, bytes. */
const ROOM = 32 * 1024;

/** The folder of one server in the state folder. */
export class ServerStore {
  readonly dir: string;
  readonly sessionsPath: string;
  #seen = "";
  readonly #project: string;
  readonly name: string;

  constructor(state: string, project: string, name: string) {
    this.dir = serverDir(state, project, name);
    this.sessionsPath = bridgeSessionsPath(state, project, name);
    this.#project = project;
    this.name = name;
  }

  get runDir(): string {
    return join(this.dir, "run");
  }

  get logDir(): string {
    return join(this.dir, "log");
  }

  /** Throws, with the old spec untouched, when it cannot be written. */
  writeSpec(spec: ServerSpec, secrets: SecretValues, kept?: true): void {
    for (const folder of [dirname(this.dir), this.dir]) makeWayForFolder(folder);
    ensurePrivateDir(this.dir);
    const written = withoutDefaults(spec);
    const secretsHash = canonicalHash(secrets);
    const hash = canonicalHash(written);
    const file = { version: 1, hash, secretsHash, ...(kept ? { kept } : {}), spec: written, secrets };
    writeAtomic(this.#specPath, JSON.stringify(file), { durable: true });
    removeSetAside(this.#specPath);
    this.#seen = fingerprint(this.#specPath);
  }

  /** Somebody else than this object has touched the spec since it was last written or read. */
  isSpecTouched(): boolean {
    return fingerprint(this.#specPath) !== this.#seen;
  }

  get #specPath(): string {
    return join(this.dir, "spec.json");
  }

  /** One that cannot be trusted is set aside. Undefined when nothing else tells of a server either. */
  readSpec(): AppliedSpec | undefined {
    const file = readRecord(this.#specPath, specFile.parse);
    this.#seen = fingerprint(this.#specPath);
    if (!file) return this.#withoutSpec();
    const { spec, secrets, kept } = file;
    const tampered = file.hash !== canonicalHash(spec.written) || file.secretsHash !== canonicalHash(secrets);
    return { spec: spec.read, secrets, tampered, unreadable: false, kept };
  }

  #withoutSpec(): AppliedSpec | undefined {
    if (!fs.existsSync(join(this.dir, "state.json")) && this.runs().length === 0) return undefined;
    return this.unreadable();
  }

  /** For a server that is known to be there, by whatever sign. */
  unreadable(): AppliedSpec {
    const spec = restingSpec("agent", this.#project, this.name);
    return { spec, secrets: {}, tampered: false, unreadable: true };
  }

  writeRecord(record: RuntimeRecord, durable: boolean): void {
    writeAtomic(join(this.dir, "state.json"), JSON.stringify({ version: 1, ...record }), { durable });
  }

  readRecord(): RuntimeRecord | undefined {
    return readRecord(join(this.dir, "state.json"), recordFile.parse);
  }

  /** Why what is known of a run cannot be written here; undefined: it can be. */
  whyNoRoom(): string | undefined {
    const path = join(this.dir, "room");
    try {
      writeAtomic(path, Buffer.alloc(ROOM));
      fs.rmSync(path);
      return undefined;
    } catch (error) {
      return causeText(error);
    }
  }

  /** Forgets the server, its logs included. */
  remove(): void {
    // Its records go first: a death in between leaves logs, and no server.
    for (const record of ["state.json", "run", "spec.json"]) {
      fs.rmSync(join(this.dir, record), { recursive: true, force: true });
    }
    fs.rmSync(this.dir, { recursive: true, force: true });
    removeSessions(this.sessionsPath);
  }

  /** Run folders that are there, by incarnation. */
  runs(): number[] {
    return numbersIn(this.runDir);
  }

  runPath(inc: number): string {
    return join(this.runDir, String(inc));
  }
}

/** Tells one writing of a file from the next, without reading it. */
function fingerprint(path: string): string {
  const stat = leadsTo(path);
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : "gone";
}

/** Every server with a folder in the state folder. */
export function recordedServers(state: string): { project: string; name: string }[] {
  return recordedProjects(state).flatMap((project) =>
    recordedNames(state, project).map((name) => ({ project, name })),
  );
}

/** Paths of the records of servers that this program cannot read. Changes nothing. */
export function unreadableRecords(state: string): string[] {
  return recordedServers(state).flatMap(({ project, name }) => {
    const dir = serverDir(state, project, name);
    const files = { "spec.json": specFile, "state.json": recordFile };
    return Object.entries(files)
      .filter(([file, schema]) => !isReadable(join(dir, file), schema))
      .map(([file]) => join(dir, file));
  });
}

function isReadable(path: string, schema: z.ZodType): boolean {
  try {
    const value = readJson(path);
    return value === undefined || schema.safeParse(value).success;
  } catch {
    return false;
  }
}

/** The state to go on from. After a reboot nothing of the old run exists, and no earlier crash counts. */
export function stateAfter(
  record: RuntimeRecord,
  now: number,
  fresh: ServerState,
): { state: ServerState; booted: boolean } {
  if (record.boot === bootId()) return { state: record.state, booted: false };
  const { inc, lastExit } = record.state;
  return { state: { ...fresh, inc, since: now, ...(lastExit ? { lastExit } : {}) }, booted: true };
}
