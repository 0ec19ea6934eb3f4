import type { Plan } from "../model/plan.ts";
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
    const { forgetProject } = await import("../operation/project.ts");
    const { nothingDesired } = await import("../operation/planning.ts");
    await this.locked(project, async () => {
      const fleet = this.fleet(project);
      const none = { desired: nothingDesired(project, ""), diagnostics: [], warnings: [] };
      const plan = withoutReasons(await this.planFor(none, fleet, {}));
      if (await this.show(plan)) await this.confirmed(`Remove all of project ${project}?`, flags.yes);
      const finals = await this.reaching(() =>
        this.carryOut({
          plan,
          secrets: {},
          actionSecrets: {},
          fleet,
          waitMs: 0,
          rollback: false,
          verb: "Destroy",
        }),
      );
      await fleet.close();
      if (!plan.unreachable && finals.every(({ type }) => type === "done"))
        forgetProject(this.state, project);
      const left = (plan.unreachable ?? []).flatMap(({ servers }) => servers);
      if (left.length > 0)
        this.fail(
          EXIT.unreachable,
          `not everything could be removed: ${left.join(", ")}; do it again once that can be reached`,
        );
      this.printOutcome(plan, finals);
    });
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

/** What is removed goes because the command says so, whatever the configuration declares. */
function withoutReasons({ rolledBack: _, ...plan }: Plan): Plan {
  return { ...plan, changes: plan.changes.map((change) => ({ ...change, reasons: [] })) };
}
