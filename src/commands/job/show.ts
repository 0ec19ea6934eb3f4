import { jobView } from "../../views/jobs.ts";
import { withAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { jobArgument } from "../flags.ts";
import { specScreen } from "../spec-screen.ts";

export default class JobShow extends BaseCommand {
  static override summary = "Show everything about one job.";
  static override examples = ["<%= config.bin %> job show 12", "<%= config.bin %> job show 12 --json"];
  static override enableJsonFlag = true;
  static override args = jobArgument;

  async run(): Promise<void> {
    const { args } = await this.parse(JobShow);
    const job = await withAgent(this, (client) => client.call("job_get", { id: args.id }));
    await this.show(job, { text: async (shown) => jobView(shown, await specScreen(this.screen)) });
  }
}
