import { boolean } from "@oclif/core/flags";
import { AgentBackend } from "../backends/agent.ts";
import { ApplyCommand, waitFlags } from "./apply-command.ts";
import { selectionFlags, trustFlags } from "./project-command.ts";

export default class Apply extends ApplyCommand {
  static override summary = "Make what runs match the configuration.";
  static override description =
    "Shows the plan, asks, and carries it out in dependency order. Servers that match are left alone.";
  static override examples = [
    "<%= config.bin %> apply",
    "<%= config.bin %> apply --yes --only web",
    "<%= config.bin %> apply --no-wait",
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...selectionFlags,
    ...waitFlags,
    "adopt-project": boolean({ summary: "Move the project here from the root that its name belongs to." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Apply);
    const waitMs = this.waitMs(flags);
    const evaluated = await this.evaluated(flags);
    const { desired, secrets, autoPorts } = evaluated;
    await this.refuseOtherRoot(evaluated, flags["adopt-project"]);
    await this.locked(desired.project, async () => {
      const backend = new AgentBackend(this.state);
      const plan = await this.planFor(evaluated, backend, flags);
      if (!this.show(plan)) {
        await this.bind(desired, autoPorts, flags.config);
        return this.printOutcome(plan, []);
      }
      await this.confirmed("Apply these changes?", flags.yes);
      await this.bind(desired, autoPorts, flags.config);
      const finals = await this.reaching(() => this.carryOut({ plan, secrets, backend, waitMs }));
      await backend.close();
      this.printOutcome(plan, finals);
    });
  }
}
