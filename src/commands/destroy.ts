import { string } from "@oclif/core/flags";
import { AgentBackend } from "../backends/agent.ts";
import { recordedProjects } from "../system/projects.ts";
import { ApplyCommand } from "./apply-command.ts";
import { EXIT } from "./exit-codes.ts";
import { trustFlags } from "./project-command.ts";

export default class Destroy extends ApplyCommand {
  static override summary = "Stop and remove every server that the project owns.";
  static override description =
    "Works from what is recorded, so the configuration need not be there any more. Logs go too.";
  static override examples = [
    "<%= config.bin %> destroy",
    "<%= config.bin %> destroy --project dotfiles --yes",
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    project: string({ helpValue: "NAME", summary: "The project, when it is not the one of this folder." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Destroy);
    const project = flags.project ?? (await this.currentProject(flags)) ?? this.#nothingHere();
    const { forgetProject } = await import("../operation/project.ts");
    const { nothingDesired } = await import("../operation/planning.ts");
    await this.locked(project, async () => {
      const backend = new AgentBackend(this.state);
      const none = { desired: nothingDesired(project, ""), diagnostics: [], warnings: [] };
      const plan = await this.planFor(none, backend, {});
      if (this.show(plan)) await this.confirmed(`Remove all of project ${project}?`, flags.yes);
      const finals = await this.reaching(() =>
        this.carryOut({ plan, secrets: {}, backend, waitMs: 0, rollback: false }),
      );
      await backend.close();
      if (finals.every(({ type }) => type === "done")) forgetProject(this.state, project);
      this.printOutcome(plan, finals);
    });
  }

  #nothingHere(): never {
    const known = recordedProjects(this.state);
    const all =
      known.length > 0 ? `name one with --project: ${known.join(", ")}` : "nothing was ever applied";
    return this.fail(EXIT.failed, `cannot tell which project to destroy: ${all}`);
  }
}
