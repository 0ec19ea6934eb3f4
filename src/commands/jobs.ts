import { integer, option, string } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import { PHASES } from "../model/job.ts";
import { NAME_PATTERN, NAME_RULE } from "../model/name.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { jobsView } from "../views/jobs.ts";
import { addressOf } from "./addresses.ts";
import { withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { projectFilter } from "./flags.ts";
import { sinceFlag } from "./line-flags.ts";

export default class Jobs extends BaseCommand {
  static override summary = "List jobs, newest first.";
  static override description =
    "A job is one run of a server's own program or of an action. A finished job is kept until its server is started or " +
    "restarted by hand, or until there are 1,000 newer ones of the same action.";
  static override examples = [
    "<%= config.bin %> jobs",
    "<%= config.bin %> jobs --server web --phase failed",
    "<%= config.bin %> jobs --action backup --since 24h --json",
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...projectFilter,
    server: string({ helpValue: "NAME", summary: "Show only jobs of this server and its actions." }),
    action: string({
      helpValue: "NAME",
      summary: "Show only jobs of actions with this name; `main` is a server's own program.",
    }),
    phase: option({ options: PHASES, summary: "Show only jobs in this phase." })(),
    tag: string({ helpValue: "TAG", summary: "Show only jobs with this tag." }),
    since: string({
      helpValue: "DURATION",
      summary: "Show only jobs created within this time, such as 24h.",
    }),
    limit: integer({
      default: 20,
      min: 1,
      max: 1000,
      helpValue: "JOBS",
      summary: "Number of jobs to show at most.",
    }),
    cursor: integer({ min: 1, helpValue: "ID", summary: "Show jobs older than this one." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Jobs);
    const { server, action, phase, tag, limit, cursor } = flags;
    const where = await this.#where(server, flags);
    const since = sinceFlag(this, flags.since, "24h or 30m");
    const query = {
      ...where,
      limit,
      ...withoutUndefined({ action, phase, tag, since_unix_ms: since, cursor }),
    };
    const none = { jobs: [], next_cursor: null };
    const found = (await withAgentIfRecorded(this, (client) => client.call("job_list", query))) ?? none;
    await this.show(found, {
      text: ({ jobs, next_cursor: next }) => jobsView(jobs, next !== null, this.screen),
    });
  }

  async #where(
    server: string | undefined,
    flags: { project?: string | undefined; config?: string | undefined },
  ) {
    const { project } = flags;
    if (server === undefined) return project === undefined ? {} : { project };
    if (project !== undefined) {
      if (NAME_PATTERN.test(server)) return { project, server };
      this.fail(
        EXIT.usage,
        `cannot use ${JSON.stringify(server)} as the name of a server: write ${NAME_RULE}`,
      );
    }
    const address = await addressOf(this, server, flags);
    return { project: address.project, server: address.name };
  }
}
