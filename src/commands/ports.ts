import { string } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { isPattern } from "../model/selector.ts";
import { listEntryOf } from "../rpc/entries.ts";
import { readProject, recordedProjects } from "../system/projects.ts";
import { type PortRow, portsView } from "../views/ports.ts";
import { type Address, addressesOf, inOrder } from "./addresses.ts";
import { withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { projectFilter } from "./flags.ts";
import { unitServers } from "./units.ts";

export default class Ports extends BaseCommand {
  static override summary = "List the ports of all servers, and choose new ones.";
  static override description =
    'A server with `port "auto"` keeps the port that was chosen for it, even if it is removed and added again. ' +
    "--reset forgets that choice: the next plan shows the new port, and the next apply uses it.";
  static override examples = [
    "<%= config.bin %> ports",
    { description: "Choose another port for a server", command: "<%= config.bin %> ports --reset web" },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...projectFilter,
    reset: string({
      multiple: true,
      helpValue: "NAME",
      summary: "Choose a new port for this server with the next plan or apply.",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Ports);
    const { project, reset = [] } = flags;
    const isWhole = (name: string) => !project || isPattern(name) || name.includes("/");
    const addresses = await addressesOf(
      this,
      reset.map((name) => (isWhole(name) ? name : `${project}/${name}`)),
      flags,
    );
    // All or none: a name that cannot be reset changes nothing for the others.
    for (const { project, name } of addresses)
      if (!Object.hasOwn(readProject(this.state, project)?.ports ?? {}, name)) this.#notChosen(name);
    for (const address of addresses) await this.#reset(address);
    await this.show(project, {
      text: async (only) => (reset.length > 0 ? undefined : portsView(await this.#rows(only), this.screen)),
      json: (only) => this.#rows(only),
    });
  }

  async #reset({ project, name }: Address): Promise<void> {
    const { lockProject, resetPort } = await import("../operation/project.ts");
    const attempt = lockProject(this.state, project);
    if (!attempt.ok)
      this.fail(
        EXIT.locked,
        `cannot reset the port of ${name}: an apply of project ${project} is under way (pid ${attempt.by.pid})`,
      );
    try {
      if (!resetPort(this.state, project, name)) this.#notChosen(name);
    } finally {
      attempt.lock.release();
    }
    this.tell(`${name}: the next apply chooses its port; \`xy plan\` shows which`);
  }

  #notChosen(name: string): never {
    return this.fail(
      EXIT.failed,
      `cannot reset the port of ${name}: xy did not choose it; change it in the configuration`,
    );
  }

  /** Ports in use, and ports reserved for servers that were removed. */
  async #rows(only: string | undefined): Promise<PortRow[]> {
    const params = only === undefined ? {} : { project: only };
    const own = (await withAgentIfRecorded(this, (client) => client.call("list", params), only)) ?? [];
    const found = [...own, ...(await unitServers(this, only, listEntryOf))];
    const rows = recordedProjects(this.state)
      .filter((project) => (only ?? project) === project)
      .flatMap((project) => {
        const { ports = {}, reset = [] } = readProject(this.state, project) ?? {};
        const used = new Map(
          found.flatMap(({ name, port, ...of }) => (of.project === project && port ? [[name, port]] : [])),
        );
        return [...new Map([...Object.entries(ports), ...used])].map(([name, port]) => ({
          name,
          project,
          port,
          chosen: Object.hasOwn(ports, name) && ports[name] === port,
          reset: reset.includes(name),
        }));
      });
    return inOrder(rows);
  }
}
