import { jobLabel } from "../../model/job.ts";
import { withAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { jobArgument } from "../flags.ts";

export default class JobRetry extends BaseCommand {
  static override summary = "Run a job again as it was.";
  static override description =
    "Runs the same command even if the configuration has changed since. Secrets have the values that were last applied. " +
    "Creates a new job of the same server and action.";
  static override examples = ["<%= config.bin %> job retry 12"];
  static override enableJsonFlag = true;
  static override args = jobArgument;

  async run(): Promise<void> {
    const { id } = (await this.parse(JobRetry)).args;
    const job = await withAgent(this, (client) => client.call("job_retry", { id }));
    await this.show(job, {
      text: ({ id }) =>
        `${jobLabel(job)}: job ${id} started; \`xy job logs ${id} --follow\` shows its output`,
    });
  }
}
