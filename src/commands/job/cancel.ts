import { withAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { jobArgument } from "../flags.ts";

export default class JobCancel extends BaseCommand {
  static override summary = "Cancel a job of an action.";
  static override description =
    "Sends SIGTERM to its process group, and SIGKILL when the action's grace period is over. A job that is waiting for " +
    "its turn, or for another attempt, is cancelled at once.";
  static override examples = ["<%= config.bin %> job cancel 12"];
  static override enableJsonFlag = true;
  static override args = jobArgument;

  async run(): Promise<void> {
    const { id } = (await this.parse(JobCancel)).args;
    const result = await withAgent(this, (client) => client.call("job_cancel", { id }));
    await this.show(result, {
      text: ({ cancelled }) => (cancelled ? `job ${id}: cancelled` : `job ${id}: already finished`),
    });
  }
}
