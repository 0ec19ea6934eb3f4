import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { restingSpec } from "../../model/bare-spec.ts";
import { startHash } from "../../model/canonical.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { mayRun } from "../../model/wanted.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { bridgeLauncherPath } from "../../system/paths.ts";
import { isRunning } from "../../system/processes.ts";
import { secretNames, type UnitFacts } from "../render/unit.ts";
import type { Live, Unit, UnitManager } from "./manager.ts";
import type { UnitRecord, UnitStore } from "./record.ts";
import { UnitFile } from "./unit-file.ts";

/** A server's record, its unit file, and its state in the manager. */
export interface Known {
  readonly record: UnitRecord;
  readonly unit: Unit;
  readonly live: Live;
}

export interface Account {
  readonly home: string;
  readonly user: string;
}

/** What exists of one project's servers under one manager: in xy's records, in unit files, in the manager. */
export class Inventory {
  readonly manager: UnitManager;
  readonly store: UnitStore;
  readonly project: string;
  readonly #account: Account;

  constructor(manager: UnitManager, store: UnitStore, project: string, account: Account) {
    this.manager = manager;
    this.store = store;
    this.project = project;
    this.#account = account;
  }

  /** The named servers that have a record, by name. */
  async known(names: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    const records = names.flatMap((name) => this.store.read(name) ?? []);
    const units = records.map((record) => ({ record, unit: this.unitOf(record) }));
    const live = await this.manager.look(units.map(({ unit }) => unit));
    return new Map(
      units.map(({ record, unit }) => {
        const { name } = record.spec;
        return [name, { record, unit, live: live.get(name) ?? UNKNOWN }];
      }),
    );
  }

  unitOf({ spec, file, text, operator, site, writtenAt, launched }: UnitRecord): Unit {
    const found = this.fileAt(file);
    const isEdited = found.text !== text;
    return {
      spec,
      file,
      enabled: mayRun(spec, { operator }),
      isEdited,
      isTouched: isEdited || (writtenAt !== undefined && found.changedAt !== writtenAt),
      ...withoutUndefined({ site, writtenAt }),
      ...(launched && isRunning(launched) ? { launched: launched.pid } : {}),
    };
  }

  fileAt(path: string): UnitFile {
    return new UnitFile(path, this.manager.format);
  }

  /** What a server's unit is made from on this machine. */
  facts(spec: ServerSpec, enabled: boolean): UnitFacts {
    const { store, manager } = this;
    const secretsFile = secretNames(spec).length > 0 ? { secretsFile: store.secretsPath(spec.name) } : {};
    const files = this.#logFiles(spec);
    const logs = files ? { logs: files } : {};
    const { isBackground = false } = manager;
    return {
      spec,
      envFiles: [],
      ...this.#account,
      launcher: bridgeLauncherPath(store.state),
      installed: { enabled, ...secretsFile, ...logs, isBackground },
    };
  }

  /** A server can be checked even before supervisord is configured. */
  #logFiles(spec: ServerSpec) {
    try {
      return this.manager.logFiles(spec);
    } catch (error) {
      if (error instanceof BackendUnreachable) return undefined;
      throw error;
    }
  }

  /** The text of a server's unit. Throws on what the format cannot carry. */
  textOf({ spec, operator }: Pick<UnitRecord, "spec" | "operator">): Promise<string> {
    return this.manager.format.render(this.facts(spec, mayRun(spec, { operator })));
  }

  /** Units of this project that xy wrote but has no record of: the record was lost, or `xy emit` wrote them. */
  unrecorded(recorded: ReadonlySet<string>): Unit[] {
    const named = (name: string) => restingSpec(this.manager.kind, this.project, name);
    const path = this.#fileOf(named("\u0000"));
    // The manager is not configured.
    if (path === "") return [];
    const folder = dirname(path);
    const [before = "", after = ""] = basename(path).split("\u0000");
    return entriesOf(folder).flatMap((entry) => {
      const name = entry.slice(before.length, entry.length - after.length);
      if (!entry.startsWith(before) || !entry.endsWith(after) || name.includes(".") || recorded.has(name))
        return [];
      const file = join(folder, entry);
      return this.fileAt(file).is === "ours"
        ? [{ spec: named(name), file, enabled: true, isEdited: false, isTouched: false }]
        : [];
    });
  }

  #fileOf(spec: ServerSpec): string {
    try {
      return this.manager.fileOf(spec);
    } catch (error) {
      if (error instanceof BackendUnreachable) return "";
      throw error;
    }
  }
}

export const UNKNOWN: Live = { state: "stopped", drift: [], stale: false };

/** Stands for the hash of a process of which nobody knows what it was started with. */
export const OTHER_HASH = "?";

/** `startHash` of what the running process was started with. */
export function runningHashOf({ spec, outdated }: UnitRecord, { pid, stale, isElsewhere }: Live): string {
  if (stale || isElsewhere) return OTHER_HASH;
  const isOld = outdated !== undefined && outdated.process.pid === pid && isRunning(outdated.process);
  return isOld ? outdated.hash : startHash(spec);
}

function entriesOf(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch {
    return [];
  }
}
