import { spawn } from "node:child_process";
import { EXIT } from "../../model/exit-codes.ts";
import { agentEntryPath } from "../../system/package.ts";
import { recordedNames, recordedProjects } from "../../system/projects.ts";
import { BaseCommand } from "../base.ts";
import { shortenPath } from "../shorten.ts";

export default class AgentRun extends BaseCommand {
  static override summary = "Run the agent in the foreground.";
  static override description =
    "For use under a service manager, or to watch the agent's messages. Ctrl-C stops all servers but does not hold " +
    "them: the next agent starts them again.";
  static override aliases = ["daemon"];
  static override examples = ["<%= config.bin %> agent run"];

  /** Other supervisors read their configuration at start; here, servers run only after an apply. */
  async #tellUnapplied(): Promise<void> {
    if (recordedProjects(this.state).some((project) => recordedNames(this.state, project).length > 0)) return;
    const { filesOfOwnRoot } = await import("../../operation/starting.ts");
    const { folder, count } = await filesOfOwnRoot(process.env);
    const there =
      count === 0
        ? ""
        : `; ${shortenPath(folder)} has ${count} file${count === 1 ? "" : "s"} of a configuration`;
    this.note(`xy: nothing has been applied yet${there}: \`xy apply\` starts the declared servers`);
  }

  async run(): Promise<void> {
    await this.parse(AgentRun);
    await this.#tellUnapplied();
    const child = spawn(process.execPath, [agentEntryPath(), "--state", this.state], { stdio: "inherit" });
    this.signal.addEventListener("abort", () => child.kill("SIGTERM"));
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (code === EXIT.locked)
      this.fail(EXIT.locked, "cannot run the agent: another one is already running; see `xy agent status`");
    process.exitCode = code ?? EXIT.failed;
  }
}
