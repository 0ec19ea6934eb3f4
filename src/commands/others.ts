import { asking } from "../backends/ask.ts";
import type { SupervisordPrograms } from "../backends/others/supervisord.ts";
import { unitName } from "../backends/render/unit.ts";
import type { BackendSettings, SupervisordSite } from "../model/backend-settings.ts";
import { globMatcher } from "../model/glob.ts";
import {
  NoSuchProgram,
  type OtherProgram,
  programAddress,
  SUPERVISORD_PREFIX,
} from "../model/other-program.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import { thisAccount } from "../system/account.ts";
import { pathsOf } from "../system/paths.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";

/** A program that is not xy's, and its supervisord. */
export interface Held {
  readonly program: OtherProgram;
  readonly by: SupervisordPrograms;
}

/** Programs that service managers run beside xy's servers. */
export class Others {
  readonly #state: string;
  readonly #only: string | undefined;
  readonly #declared: (isNeeded: boolean) => Promise<BackendSettings>;
  #known: Promise<SupervisordPrograms[]> | undefined;

  /**
   * `only`: the project whose supervisord to use. `declared`: the backends that the configuration here names; ends the
   * command if they are needed and the configuration cannot be used.
   */
  constructor(
    state: string,
    only: string | undefined,
    declared: (isNeeded: boolean) => Promise<BackendSettings>,
  ) {
    this.#state = state;
    this.#only = only;
    this.#declared = declared;
  }

  /** Sorted by name. `pattern`: for names, with `*` and `?`. */
  async list(manager: OtherProgram["manager"], pattern: string): Promise<OtherProgram[]> {
    const found = await this.#matching(manager, pattern);
    const ours = this.#ours(manager);
    return found
      .map((program) => {
        const server = ours.get(program.name);
        return server === undefined ? program : { ...program, server };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #matching(manager: OtherProgram["manager"], pattern: string): Promise<OtherProgram[]> {
    switch (manager) {
      case "supervisord": {
        const matches = globMatcher(pattern);
        const all = await Promise.all((await this.#supervisords()).map((one) => one.list()));
        return all.flat().filter(({ name }) => {
          const called = name.slice(SUPERVISORD_PREFIX.length);
          return [name, called, ...called.split(":")].some(matches);
        });
      }
      case "systemd": {
        const { systemdPrograms } = await import("../backends/others/systemd.ts");
        const { runtime } = pathsOf(process.env);
        return systemdPrograms(
          asking({ XDG_RUNTIME_DIR: runtime ?? `/run/user/${thisAccount().uid}` }),
          pattern,
        );
      }
      case "launchd": {
        const { launchdPrograms } = await import("../backends/others/launchd.ts");
        return launchdPrograms(asking(), pattern);
      }
    }
  }

  /** The programs that an address means. Throws an error that says the way out if there are none. */
  async held(text: string): Promise<Held[]> {
    const address = programAddress(text);
    if (address === undefined) throw new Error(`${text} is no address of a program`);
    const known = await this.#supervisords();
    const found = await Promise.all(
      known.map(async (by) => (await by.find(address)).map((program) => ({ program, by }))),
    );
    const holders = found.filter((all) => all.length > 0);
    if (holders.length > 1)
      throw new NoSuchProgram(
        `cannot tell which ${text} is meant: ${holders.length} supervisords have one; choose with --project`,
      );
    const all = holders[0] ?? [];
    if (all.length === 0)
      throw new NoSuchProgram(`cannot find ${text}: \`xy list --backend supervisord\` shows what there is`);
    const ours = this.#ours("supervisord");
    for (const { program } of all) {
      const server = ours.get(program.name);
      if (server !== undefined)
        throw new NoSuchProgram(`cannot use ${program.name} here: it is the server ${server}; use that name`);
    }
    return all;
  }

  /** The supervisords of applied projects, and the one that the configuration here names. */
  #supervisords(): Promise<SupervisordPrograms[]> {
    this.#known ??= this.#open();
    return this.#known;
  }

  async #open(): Promise<SupervisordPrograms[]> {
    const { readBackendSettings } = await import("../system/backend-settings.ts");
    const { SupervisordPrograms } = await import("../backends/others/supervisord.ts");
    const projects = recordedProjects(this.#state).filter((one) => (this.#only ?? one) === one);
    const recorded = projects.map((project) => readBackendSettings(this.#state, project));
    const isKnown = recorded.some(({ supervisord }) => supervisord !== undefined);
    const declared = this.#only === undefined ? [await this.#declared(!isKnown)] : [];
    const sites = new Map<string, SupervisordSite>();
    for (const { supervisord } of [...recorded, ...declared])
      if (supervisord !== undefined) sites.set(supervisord.url, supervisord);
    if (sites.size === 0)
      throw new BackendUnreachable(
        "cannot reach supervisord: its address is not known; add `supervisord` with its `url` to xy.config",
      );
    return [...sites.values()].map((site) => new SupervisordPrograms(site));
  }

  /** Servers of xy by the names of their units. */
  #ours(manager: OtherProgram["manager"]): ReadonlyMap<string, string> {
    const suffix = { systemd: ".service", launchd: "", supervisord: "" }[manager];
    return new Map(
      recordedProjects(this.#state).flatMap((project) =>
        recordedBackends(this.#state, project)
          .filter(({ backend }) => backend === manager)
          .map(({ name }) => {
            const unit = unitName({ project, name });
            const called = manager === "supervisord" ? `${SUPERVISORD_PREFIX}${unit}:${unit}` : unit + suffix;
            return [called, `${project}/${name}`] as const;
          }),
      ),
    );
  }
}
