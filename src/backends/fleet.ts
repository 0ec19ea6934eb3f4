import type { BackendSettings } from "../model/backend-settings.ts";
import { type BackendKind, MANAGERS, type Manager } from "../model/backends.ts";
import type { ProcessId } from "../model/process.ts";
import { withPassword } from "../model/target.ts";
import { thisAccount } from "../system/account.ts";
import { type Environment, homeOf } from "../system/paths.ts";
import { hasActions, recordedBackends } from "../system/projects.ts";
import type { AgentBackend } from "./agent/backend.ts";
import type { Backend } from "./backend.ts";
import type { UnitBackend } from "./units/unit-backend.ts";

interface Options {
  /** What the agent starts is stopped when that process exits. */
  readonly session?: ProcessId;
  /** How to reach backends, according to the configuration; the rest is as recorded last. */
  readonly settings?: BackendSettings;
  /** Take over unit files that xy did not write. */
  readonly adopt?: boolean;
}

/** All backends that run servers of one project. Each is opened when first needed; close the fleet after use. */
export class Fleet {
  readonly project: string;
  readonly #state: string;
  readonly #env: Environment;
  readonly #options: Options;
  #agent: Promise<AgentBackend> | undefined;
  readonly #units = new Map<Manager, Promise<UnitBackend>>();

  constructor(state: string, project: string, env: Environment, options: Options = {}) {
    this.#state = state;
    this.project = project;
    this.#env = env;
    this.#options = options;
  }

  async backend(kind: BackendKind): Promise<Backend> {
    if (kind !== "agent") return this.units(kind);
    this.#agent ??= import("./agent/backend.ts").then(
      ({ AgentBackend }) => new AgentBackend(this.#state, this.#options.session),
    );
    return this.#agent;
  }

  units(kind: Manager): Promise<UnitBackend> {
    const made = this.#units.get(kind) ?? this.#make(kind);
    this.#units.set(kind, made);
    return made;
  }

  /** The backends that have servers or actions of the project on record, and those that are named. */
  async backends(named: readonly BackendKind[] = []): Promise<readonly Backend[]> {
    const recorded = recordedBackends(this.#state, this.project).map(({ backend }) => backend);
    const holder: BackendKind[] = hasActions(this.#state, this.project) ? ["agent"] : [];
    const kinds = [...new Set<BackendKind>([...recorded, ...holder, ...named])].sort();
    return Promise.all(kinds.map((kind) => this.backend(kind)));
  }

  /** Names of the servers that a backend has on record. */
  recorded(kind: BackendKind): string[] {
    return recordedBackends(this.#state, this.project)
      .filter(({ backend }) => backend === kind)
      .map(({ name }) => name);
  }

  async close(): Promise<void> {
    await (await this.#agent)?.close();
    for (const made of this.#units.values()) await (await made).close();
  }

  /** Loads the code for units only if there are any. */
  async #make(kind: Manager): Promise<UnitBackend> {
    const [{ UnitBackend }, { UnitStore }, { MANAGER_TABLE }] = await Promise.all([
      import("./units/unit-backend.ts"),
      import("./units/record.ts"),
      import("./managers.ts"),
    ]);
    const account = thisAccount();
    const store = new UnitStore(this.#state, this.project, kind);
    const site = () => this.#site();
    const manager = await MANAGER_TABLE[kind].open({ env: this.#env, account, store, site });
    return new UnitBackend({
      manager,
      store,
      project: this.project,
      account: { home: homeOf(this.#env), user: account.username },
      adopt: this.#options.adopt ?? false,
    });
  }

  /** A password that was not looked up now is the one used last, but only for the same target and user. */
  async #site(): Promise<BackendSettings["supervisord"]> {
    const { readBackendSettings } = await import("../system/backend-settings.ts");
    const last = readBackendSettings(this.#state, this.project).supervisord;
    const now = this.#options.settings?.supervisord;
    return now === undefined ? last : withPassword(now, last);
  }
}

export function isManager(kind: BackendKind): kind is Manager {
  return (MANAGERS as readonly BackendKind[]).includes(kind);
}
