import { jobView } from "../../views/jobs.ts";
import { JobCommand, jobArgument } from "../job-command.ts";

export default class JobShow extends JobCommand {
  static override summary = "Show everything about one job.";
  static override examples = ["<%= config.bin %> job show 12", "<%= config.bin %> job show 12 --json"];
  static override enableJsonFlag = true;
  static override args = jobArgument;

  async run(): Promise<void> {
    const { args } = await this.parse(JobShow);
    const job = await this.withAgent((client) => client.call("job_get", { id: args.id }));
    if (this.json) this.printJson(job);
    else this.print(jobView(job, await this.specScreen()));
  }
}
