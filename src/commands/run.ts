import { string } from "@oclif/core/args";
import { boolean } from "@oclif/core/flags";
import { type Job, jobLabel } from "../model/job.ts";
import { actionsView, outcome } from "../views/jobs.ts";
import { shownLine } from "../views/logs.ts";
import { exitCodeOf, JobCommand } from "./job-command.ts";
import { rawFlag, wireRaw } from "./line-flags.ts";

export default class Run extends JobCommand {
  static override summary = "Run an action, and show its output.";
  static override description =
    "Exits with the exit code of the action. Ctrl-C cancels its job. Without an action, lists all actions. " +
    "Arguments after -- are appended to the declared ones.";
  static override examples = [
    "<%= config.bin %> run backup",
    {
      description: "Pass an argument to an action of the server web",
      command: "<%= config.bin %> run web:migrate -- --dry-run",
    },
    { description: "Do not wait", command: "<%= config.bin %> run backup --detach" },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = {
    action: string({ description: "Action, as NAME or SERVER:NAME, or with PROJECT/ before it." }),
  };
  static override flags = {
    detach: boolean({ char: "d", summary: "Start it, print the job's number, and do not wait." }),
    ...rawFlag,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Run);
    const [action, ...args] = argv as string[];
    if (action === undefined) return this.#list();
    const job = await this.withAgent(async (client) => {
      const { name, server, project } = await this.action(client, action, flags);
      // From here on an interruption has a job to cancel, and waits for its number.
      if (!flags.detach) void this.signal;
      return client.call("action_run", { action: name, server, project, args });
    });
    const { awaits = [] } = job;
    if (awaits.length > 0)
      this.note(`${jobLabel(job)}: begins once what comes before it has succeeded: ${jobsText(awaits)}`);
    if (flags.detach) {
      if (this.json) this.printJson(job);
      else
        this.print(
          `${jobLabel(job)}: job ${job.id} ${awaits.length > 0 ? "waits" : "began"}; \`xy job logs ${job.id} --follow\` shows what it prints`,
        );
      return;
    }
    await this.#attend(job, flags.raw);
  }

  async #attend({ id }: Job, raw: boolean): Promise<void> {
    const screen = this.lineScreen(raw);
    const seen = await this.readJob(id, { follow: true, ...wireRaw(raw) }, (printed) => {
      if (this.json) return;
      const { line, stream, split } = shownLine(printed, screen);
      const to = stream === "stdout" ? process.stdout : process.stderr;
      to.write(split ? line : `${line}\n`);
    });
    const job = this.signal.aborted ? await this.#cancel(id) : seen;
    if (this.json) this.printJson(job);
    else if (job.phase !== "succeeded")
      this.note(`xy: ${jobLabel(job)} ${job.phase} (${outcome(job)}): job ${id}`);
    process.exitCode = await exitCodeOf(job);
  }

  async #cancel(id: number): Promise<Job> {
    this.note("", "xy: cancelling it; another Ctrl-C does not wait for that");
    return this.withAgent(async (client) => {
      await client.call("job_cancel", { id });
      return client.call("job_get", { id });
    });
  }

  async #list(): Promise<void> {
    const actions = (await this.withAgentIfRecorded((client) => client.call("action_list", {}))) ?? [];
    if (this.json) return this.printJson(actions);
    const rows = actions.map(({ spec, next_run_unix_ms: next }) => ({ spec, next }));
    this.print(actionsView(rows, this.screen));
  }
}

const jobsText = (ids: readonly number[]) => `${ids.length === 1 ? "job" : "jobs"} ${ids.join(", ")}`;
