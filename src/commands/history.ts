import { withoutUndefined } from "../model/without-undefined.ts";
import { history } from "../operation/generations.ts";
import { recordedProjects } from "../system/projects.ts";
import { historyView } from "../views/history.ts";
import { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";
import { projectFlag } from "./flags.ts";

export default class History extends BaseCommand {
  static override summary = "Show what was applied, and when.";
  static override description = "Each apply is a numbered generation. `xy rollback NUMBER` goes back to one.";
  static override examples = ["<%= config.bin %> history", "<%= config.bin %> history --json"];
  static override enableJsonFlag = true;
  static override flags = {
    ...projectFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(History);
    const project = flags.project ?? (await currentProject(this, flags));
    const entries = project === undefined ? [] : history(this.state, project);
    const others = project === undefined ? recordedProjects(this.state) : [];
    await this.show(entries, {
      text: (shown) =>
        others.length > 0
          ? `Nothing was applied from here. Name a project with --project to see its history: ${others.join(", ")}\n`
          : historyView(
              shown.map(({ number, generation }) => ({ number, ...withoutUndefined({ facts: generation }) })),
              this.screen,
            ),
      json: (all) => all.map(({ number, generation }) => generation ?? { number, unreadable: true }),
    });
  }
}
