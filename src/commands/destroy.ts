import { recordedProjects } from "../system/projects.ts";
import { ApplyCommand } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import { projectFlag, yesFlag } from "./project-command.ts";

export default class Destroy extends ApplyCommand {
  static override summary = "Stop and remove all servers and actions of the project.";
  static override description =
    "Works from xy's records, so the configuration no longer has to exist. Logs and jobs are deleted too.";
  static override examples = [
    "<%= config.bin %> destroy",
    {
      description: "Remove another project, without asking",
      command: "<%= config.bin %> destroy --project dotfiles --yes",
    },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...yesFlag,
    ...projectFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Destroy);
    const project = flags.project ?? (await this.currentProject(flags)) ?? this.#nothingHere();
    if (!recordedProjects(this.state).includes(project)) this.#nothingHere(project);
    const { destroy } = await import("../operation/applying/destroy.ts");
    const outcome = await destroy(this.front(), this.world, { project, yes: flags.yes });
    this.printOutcome(this.applied(outcome));
  }

  #nothingHere(project?: string): never {
    const known = recordedProjects(this.state);
    const all =
      known.length > 0 ? `name one with --project: ${known.join(", ")}` : "nothing was ever applied";
    const cannot =
      project === undefined ? "cannot tell which project to destroy" : `cannot find project ${project}`;
    return this.fail(EXIT.failed, `${cannot}: ${all}`);
  }
}
