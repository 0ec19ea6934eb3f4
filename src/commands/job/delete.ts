import { integer } from "@oclif/core/args";
import { string } from "@oclif/core/flags";
import { EXIT } from "../../model/exit-codes.ts";
import { addressOf } from "../addresses.ts";
import { withAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";

export default class JobDelete extends BaseCommand {
  static override summary = "Delete finished jobs and their logs.";
  static override examples = [
    "<%= config.bin %> job delete 12",
    {
      description: "Delete every finished job of one server",
      command: "<%= config.bin %> job delete --server web",
    },
  ];
  static override enableJsonFlag = true;
  static override args = { id: integer({ min: 1, description: "Job number, as shown by `xy jobs`." }) };
  static override flags = {
    server: string({
      helpValue: "NAME",
      summary: "Delete all finished jobs of this server and its actions.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobDelete);
    if ((args.id === undefined) === (flags.server === undefined))
      this.fail(EXIT.usage, "say either the number of a job or --server");
    const address = flags.server === undefined ? undefined : await addressOf(this, flags.server, flags);
    const params = address ? { server: address.name, project: address.project } : { id: args.id ?? 0 };
    const result = await withAgent(this, (client) => client.call("job_delete", params));
    await this.show(result, {
      text: ({ deleted }) => `${deleted} ${deleted === 1 ? "job" : "jobs"} deleted`,
    });
  }
}
