import { EXIT } from "../model/exit-codes.ts";
import { recordedProjects } from "../system/projects.ts";
import { appliedOrEnd, applyFront, applyWorld, printOutcome } from "./applying.ts";
import { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";
import { projectFlag, yesFlag } from "./flags.ts";

export default class Destroy extends BaseCommand {
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
  static override doing = "looking at what runs";
  static override enableJsonFlag = true;
  static override flags = {
    ...yesFlag,
    ...projectFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Destroy);
    const project = flags.project ?? (await currentProject(this, flags)) ?? this.#nothingHere();
    if (!recordedProjects(this.state).includes(project)) this.#nothingHere(project);
    const { destroy } = await import("../operation/applying/destroy.ts");
    const outcome = await destroy(applyFront(this), applyWorld(this), { project, yes: flags.yes });
    await printOutcome(this, appliedOrEnd(this, outcome));
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
