import { string } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import { findAgent, reachAgent } from "../backends/agent-process.ts";
import { nearest } from "../model/nearest.ts";
import { ConnectionLost, type RpcClient } from "../rpc/client.ts";
import { RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { recordedNames, recordedProjects } from "../system/projects.ts";
import { EXIT } from "./exit-codes.ts";
import { ProjectCommand } from "./project-command.ts";

/** A server by its full name. */
export interface Address {
  readonly project: string;
  readonly name: string;
}

export const nameArgument = {
  name: string({ required: true, description: "Server, as NAME or PROJECT/NAME." }),
};

/** Commands that take `NAME… | --all`. Without `strict = false` oclif takes one argument only. */
export const namesArgument = {
  name: string({ description: "Servers, each as NAME or PROJECT/NAME." }),
};
export const allFlag = { all: boolean({ default: false, summary: "All servers of the current project." }) };
export const depsFlag = {
  deps: boolean({
    default: true,
    allowNo: true,
    summary: "Start what they depend on first, and wait for it.",
  }),
};

/** What the commands share that speak to the agent about servers. */
export abstract class ServerCommand extends ProjectCommand {
  /** Runs `work` with a connection to the agent, which is started when servers are recorded and it does not run. */
  protected async withAgent<T>(work: (client: RpcClient) => Promise<T>): Promise<T> {
    return this.answering(async () => {
      const client = await this.reaching(() => reachAgent(this.state));
      return work(client).finally(() => client.close());
    });
  }

  /** As {@link withAgent}; undefined, and no agent is started, when nothing was ever applied. */
  protected async withAgentIfRecorded<T>(work: (client: RpcClient) => Promise<T>): Promise<T | undefined> {
    const recorded = recordedProjects(this.state).some(
      (project) => recordedNames(this.state, project).length > 0,
    );
    if (!recorded) return undefined;
    return this.withAgent(work);
  }

  /** As {@link withAgent}; undefined when no agent runs. */
  protected async withRunningAgent<T>(work: (client: RpcClient) => Promise<T>): Promise<T | undefined> {
    return this.answering(async () => {
      const client = await this.reaching(() => findAgent(this.state));
      return client && work(client).finally(() => client.close());
    });
  }

  /** An error that the agent answers with ends the command. */
  protected async answering<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RpcError) this.fail(exitCodeOf(error), error.message);
      if (error instanceof ConnectionLost) this.fail(EXIT.unreachable, "the agent ended while it was asked");
      throw error;
    }
  }

  /**
   * The full name that a person means: `project/name` as it is; a bare name in the current project first, then in the
   * only other project that has it.
   */
  protected async address(text: string, flags: { config?: string | undefined }): Promise<Address> {
    const [project, name, ...rest] = text.split("/");
    if (project && name && rest.length === 0) return this.#known({ project, name });
    const holders = recordedProjects(this.state).filter((one) =>
      recordedNames(this.state, one).includes(text),
    );
    if (holders.length === 0) return this.#unknown(text);
    const current = holders.length > 1 ? await this.currentProject(flags) : undefined;
    const holder = holders.length === 1 ? holders[0] : holders.find((one) => one === current);
    if (holder !== undefined) return { project: holder, name: text };
    const all = holders.map((one) => `${one}/${text}`).join(" or ");
    return this.fail(EXIT.usage, `cannot tell which ${text} is meant: say ${all}`);
  }

  #known(address: Address): Address {
    const { project, name } = address;
    return recordedNames(this.state, project).includes(name) ? address : this.#unknown(name);
  }

  #unknown(name: string): never {
    const all = recordedProjects(this.state).flatMap((project) => recordedNames(this.state, project));
    const meant = nearest(name, all);
    const hint =
      meant === undefined
        ? "`xy list` shows all, and `xy apply` brings up what is declared"
        : `did you mean ${meant}?`;
    return this.fail(EXIT.failed, `cannot find server ${name}: ${hint}`);
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
      this.fail(EXIT.failed, "cannot tell the current project: this folder belongs to none that was applied");
    return recordedNames(this.state, project).map((name) => ({ project, name }));
  }
}

function exitCodeOf(error: RpcError) {
  if (error.code === RPC_ERRORS.configurationInvalid) return EXIT.invalidConfig;
  if (error.code === RPC_ERRORS.locked) return EXIT.locked;
  return EXIT.failed;
}
