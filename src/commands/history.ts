import { integer } from "@oclif/core/args";
import { EXIT } from "../model/exit-codes.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { history } from "../operation/generations.ts";
import { recordedProjects } from "../system/projects.ts";
import { historyView } from "../views/history.ts";
import { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";
import { completed } from "./endings.ts";
import { defaultsFlag, projectFlag } from "./flags.ts";
import { specScreen } from "./spec-screen.ts";

export default class History extends BaseCommand {
  static override summary = "Show what was applied, and when.";
  static override description =
    "Each apply is a numbered generation. With a number, shows what that one changed; with two, how they differ. " +
    "`xy rollback NUMBER` goes back to one.";
  static override examples = [
    "<%= config.bin %> history",
    { description: "Show what generation 12 changed", command: "<%= config.bin %> history 12" },
    { description: "Show what has changed since generation 7", command: "<%= config.bin %> history 7 12" },
    "<%= config.bin %> history --json",
  ];
  static override enableJsonFlag = true;
  static override args = {
    generation: integer({ min: 1, description: "Generation to show." }),
    other: integer({ min: 1, description: "Generation to compare that one with." }),
  };
  static override flags = {
    ...defaultsFlag,
    ...projectFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(History);
    const project = flags.project ?? (await currentProject(this, flags));
    if (args.generation !== undefined)
      return this.#showOne(project, args.generation, args.other, flags.defaults);
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

  async #showOne(
    project: string | undefined,
    number: number,
    other: number | undefined,
    defaults: boolean,
  ): Promise<void> {
    if (project === undefined)
      return this.fail(
        EXIT.failed,
        `cannot show generation ${number}: nothing was applied from here; name a project with --project`,
      );
    const { differenceOf, whatChanged } = await import("../operation/comparing.ts");
    const { generationView, generationDocument } = await import("../views/generation.ts");
    const found = completed(
      this,
      other === undefined
        ? whatChanged(this.state, project, number)
        : differenceOf(this.state, project, number, other),
    );
    await this.show(found, {
      text: async (shown) => generationView(shown, { ...(await specScreen(this.screen)), defaults }),
      json: generationDocument,
    });
  }
}
