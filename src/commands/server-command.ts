import { basename } from "node:path";
import { string } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import { findAgent } from "../backends/agent/find.ts";
import { reachAgent } from "../backends/agent/reach.ts";
import { ServiceError } from "../backends/ask.ts";
import { isManager } from "../backends/fleet.ts";
import type { UnitBackend } from "../backends/units/unit-backend.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import type { Observed } from "../model/observed.ts";
import { isProgramAddress, NoSuchProgram } from "../model/other-program.ts";
import type { ServerSpec } from "../model/spec.ts";
import { parseDuration } from "../model/units.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import type { RpcClient } from "../rpc/client.ts";
import { explained, RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import {
  hasActions,
  hasTypedJobs,
  recordedBackends,
  recordedNames,
  recordedProjects,
} from "../system/projects.ts";
import { EXIT } from "./exit-codes.ts";
import type { Held, Others } from "./others.ts";
import { type EvaluationFlags, ProjectCommand } from "./project-command.ts";

/** A server by its full name, and what runs it. */
export interface Address {
  readonly project: string;
  readonly name: string;
  readonly backend: ServerSpec["backend"];
}

export const isOfAgent = ({ backend }: Pick<Address, "backend">) => backend === "agent";

/** As the wire wants it. */
export const wireName = ({ project, name }: Address) => ({ project, name });

/** By project and name, as an agent tells of them. */
export function inOrder<T extends { readonly project: string; readonly name: string }>(
  entries: readonly T[],
): T[] {
  const key = ({ project, name }: T) => `${project}/${name}`;
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

export const nameArgument = {
  name: string({ required: true, description: "Server, as NAME or PROJECT/NAME." }),
};

/** Commands that take `NAME… | --all`. Without `strict = false` oclif takes one argument only. */
export const namesArgument = {
  name: string({ description: "Servers, each as NAME or PROJECT/NAME." }),
};
export const allFlag = {
  all: boolean({ default: false, summary: "Select all servers of the current project." }),
};
export const keepJobsFlag = {
  "keep-jobs": boolean({
    summary: "Keep jobs: cancel no running ones and delete no finished ones.",
  }),
};
export const endFlag = {
  wait: boolean({
    default: true,
    allowNo: true,
    summary: "Wait until the servers have stopped.",
  }),
};
export const depsFlag = {
  deps: boolean({
    default: true,
    allowNo: true,
    summary: "Start dependencies first, and wait for them.",
  }),
};

/** What the commands share that speak to the agent about servers. */
export abstract class ServerCommand extends ProjectCommand {
  /** Runs `work` with a connection to the agent, which is started when servers are recorded and it does not run. */
  protected async withAgent<T>(work: (client: RpcClient) => Promise<T>): Promise<T> {
    return this.answering(async () => {
      const client = await this.reaching(() => reachAgent(this.state));
      client.onWarning = (_, warning) => this.note(`xy: the agent ${warning}`);
      return work(client).finally(() => client.close());
    });
  }

  /** As {@link withAgent}; undefined, and no agent is started, when nothing was ever applied. */
  protected async withAgentIfRecorded<T>(
    work: (client: RpcClient) => Promise<T>,
    only?: string,
  ): Promise<T | undefined> {
    const recorded = recordedProjects(this.state).some(
      (project) =>
        (only ?? project) === project &&
        (recordedNames(this.state, project).length > 0 ||
          hasActions(this.state, project) ||
          hasTypedJobs(this.state, project)),
    );
    if (!recorded) {
      const { anySurvives } = await import("../system/survivors.ts");
      if (!(await anySurvives(this.state, only))) return undefined;
    }
    return this.withAgent(work);
  }

  /** Servers that service managers run, of all projects or of one. A manager that does not answer is told of. */
  protected async unitServers<T>(
    only: string | undefined,
    entryOf: (observed: Observed, now: number) => T,
  ): Promise<T[]> {
    const projects = recordedProjects(this.state).filter((project) => (only ?? project) === project);
    const found = await Promise.all(
      projects.map(async (project) => {
        const kinds = new Set(recordedBackends(this.state, project).map(({ backend }) => backend));
        const fleet = this.fleet(project);
        const observed = await Promise.all(
          [...kinds].filter(isManager).map(async (kind) => {
            try {
              return await (await fleet.units(kind)).observe(project);
            } catch (error) {
              if (!(error instanceof BackendUnreachable)) throw error;
              this.note(`xy: ${error.message} (not shown: ${fleet.recorded(kind).join(", ")})`);
              process.exitCode = EXIT.unreachable;
              return [];
            }
          }),
        );
        await fleet.close();
        return observed.flat();
      }),
    );
    return found.flat().map((observed) => entryOf(observed, Date.now()));
  }

  /** Runs `work` with the manager that runs a server. */
  protected async withUnits<T>(address: Address, work: (units: UnitBackend) => Promise<T>): Promise<T> {
    const { project, backend } = address;
    if (!isManager(backend)) throw new Error(`${backend} runs no units`);
    const fleet = this.fleet(project);
    try {
      return await this.reaching(async () => work(await fleet.units(backend)));
    } catch (error) {
      if (error instanceof ServiceError) this.fail(EXIT.failed, error.message);
      throw error;
    } finally {
      await fleet.close();
    }
  }

  /** What managers run beside the servers of xy. The configuration is read where that may name a manager. */
  protected async others(
    flags: EvaluationFlags & { readonly project?: string | undefined },
  ): Promise<Others> {
    const { Others } = await import("./others.ts");
    const { declaredBackends } = await import("../operation/evaluating.ts");
    return new Others(this.state, flags.project, async (isNeeded) => {
      const found = await declaredBackends(this.setting(flags));
      if (found.ok) return found.value;
      if (found.missing || !isNeeded) return {};
      if (!found.refused) return this.usable<never>(found, "nothing was asked");
      return this.fail(
        EXIT.invalidConfig,
        "nobody has agreed to the configuration here, so its supervisord was not asked; look at what it can run, then agree with `xy check --trust`",
      );
    });
  }

  /** Runs `work` with the programs that an address means which is none of a server of xy's. */
  protected async withHeld<T>(
    text: string,
    flags: EvaluationFlags,
    work: (held: readonly Held[]) => Promise<T>,
  ): Promise<T> {
    const others = await this.others(flags);
    try {
      return await this.reaching(async () => work(await others.held(text)));
    } catch (error) {
      if (error instanceof NoSuchProgram || error instanceof ServiceError)
        this.fail(EXIT.failed, error.message);
      throw error;
    }
  }

  /** How one server is that a manager runs. */
  protected observeUnit(address: Address): Promise<Observed> {
    return this.withUnits(address, async (units) => {
      const all = await units.observe(address.project);
      return all.find(({ name }) => name === address.name) ?? this.#unknown(address.name);
    });
  }

  /** As {@link withAgent}; undefined when no agent runs. `find`: how it is looked for. */
  protected async withRunningAgent<T>(
    work: (client: RpcClient) => Promise<T>,
    find: (state: string) => Promise<RpcClient | undefined> = findAgent,
  ): Promise<T | undefined> {
    return this.answering(async () => {
      const client = await this.reaching(() => find(this.state));
      return client && work(client).finally(() => client.close());
    });
  }

  /** `--since` as unix ms. `examples`: how a person may write it. */
  protected since(text: string | undefined, examples: string): number | undefined {
    if (text === undefined) return undefined;
    const ms = parseDuration(text);
    if (ms === undefined)
      this.fail(EXIT.usage, `cannot read --since ${text}: write a duration such as ${examples}`);
    return Date.now() - ms;
  }

  /** An error that the agent answers with ends the command. */
  protected async answering<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RpcError) this.fail(exitCodeOf(error), explained(error).message);
      throw error;
    }
  }

  /**
   * The full name that a person means: `project/name` as it is; a bare name in the current project first, then in the
   * only other project that has it.
   */
  protected async address(text: string, flags: { config?: string | undefined }): Promise<Address> {
    const [project, name, ...rest] = text.split("/");
    if (project && name && rest.length === 0 && NAME_PATTERN.test(project))
      return this.#in(project, name) ?? this.#unknown(text);
    const holders = recordedProjects(this.state).flatMap((one) => this.#in(one, text) ?? []);
    if (holders.length === 0) return this.#unknown(text);
    // Asked of one holder too: where the configuration here is not safe to use, no other project is meant.
    const current = await this.currentProject(flags);
    const holder = holders.length === 1 ? holders[0] : holders.find((one) => one.project === current);
    if (holder !== undefined) return holder;
    const all = holders.map((one) => `${one.project}/${text}`).join(" or ");
    return this.fail(EXIT.usage, `cannot tell which ${text} is meant: say ${all}`);
  }

  #in(project: string, name: string): Address | undefined {
    const found = recordedBackends(this.state, project).find((one) => one.name === name);
    return found && { project, ...found };
  }

  #unknown(name: string): never {
    if (isProgramAddress(name))
      this.fail(
        EXIT.failed,
        `cannot do this with ${name}: it is not xy's; it can be started, stopped and restarted, and \`xy status\` and \`xy logs\` show it`,
      );
    const isFull = name.includes("/");
    const all = recordedProjects(this.state).flatMap((project) =>
      recordedBackends(this.state, project).map((server) =>
        isFull ? `${project}/${server.name}` : server.name,
      ),
    );
    const meant = nearest(name, all) ?? all.find((one) => isFull && basename(one) === basename(name));
    const hint =
      meant === undefined
        ? "`xy list` shows all, and `xy apply` brings up what is declared"
        : `did you mean ${meant}?`;
    return this.fail(
      EXIT.failed,
      `cannot find server ${name.trim() === "" ? JSON.stringify(name) : name}: ${hint}`,
    );
  }

  /** The addresses that `NAME… | --all` stands for. */
  protected async addresses(
    names: readonly string[],
    flags: { all: boolean; config?: string | undefined },
  ): Promise<Address[]> {
    if (flags.all === names.length > 0) this.fail(EXIT.usage, "say either names or --all");
    if (!flags.all) return Promise.all(names.map((name) => this.address(name, flags)));
    const project = await this.currentProject(flags);
    if (project === undefined)
      this.fail(
        EXIT.failed,
        "cannot tell the current project: no configuration is found from here that was applied; name one with --config, or servers as PROJECT/NAME",
      );
    return recordedBackends(this.state, project).map((server) => ({ project, ...server }));
  }
}

function exitCodeOf(error: RpcError) {
  if (error.code === RPC_ERRORS.configurationInvalid) return EXIT.invalidConfig;
  if (error.code === RPC_ERRORS.locked) return EXIT.locked;
  return EXIT.failed;
}

/** By the locale's character set, as the first of these that is set names it. */
export function showsBoxes({ TERM, LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return TERM !== "dumb" && /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}
