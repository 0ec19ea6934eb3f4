import { isProgramAddress } from "../model/other-program.ts";
import { entryOfAgent, statusEntryOf } from "../rpc/entries.ts";
import { statusView } from "../views/status.ts";
import { EXIT } from "./exit-codes.ts";
import type { EvaluationFlags } from "./project-command.ts";
import { type Address, nameArgument, ServerCommand, wireName } from "./server-command.ts";

export default class Status extends ServerCommand {
  static override summary = "Show everything about one server.";
  static override description =
    "Shows its state and why xy thinks so, its last output, its recent transitions, and what was applied.";
  static override examples = ["<%= config.bin %> status web", "<%= config.bin %> status dotfiles/web --json"];
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status);
    if (isProgramAddress(args.name)) return this.#other(args.name, flags);
    const address = await this.address(args.name, flags);
    if (address.backend !== "agent") return this.#unit(address);
    await this.withAgent(async (client) => {
      const status = await client.call("status", wireName(address));
      if (this.json) return this.printJson(entryOfAgent(status));
      const [observed] = await client.call("observe", wireName(address));
      if (observed === undefined) throw new Error(`the agent says nothing about ${address.name}`);
      const transitions = status.recent_transitions.map(({ at_unix_ms, ...rest }) => ({
        ...rest,
        at: at_unix_ms,
      }));
      this.print(statusView(observed, { transitions, logPath: status.log_path }, await this.specScreen()));
    });
  }

  /** Of somebody else's program. */
  async #other(text: string, flags: EvaluationFlags): Promise<void> {
    const { otherProgramDocument, otherProgramView } = await import("../views/other-programs.ts");
    await this.withHeld(text, flags, async (held) => {
      const programs = held.map(({ program }) => program);
      if (this.json) this.printJson(programs.map(otherProgramDocument));
      else this.print(programs.map((program) => otherProgramView(program, this.screen)).join("\n"));
    });
  }

  async #unit(address: Address): Promise<void> {
    const observed = await this.observeUnit(address);
    const log = await this.withUnits(address, async (units) => units.logHint(address.name));
    const { spec } = observed;
    if (!this.json) return this.print(statusView(observed, { logPath: log }, await this.specScreen()));
    if (spec === undefined)
      this.fail(EXIT.failed, `cannot tell all of ${address.name}: nothing is recorded of it`);
    this.printJson(statusEntryOf({ ...observed, spec }, log, Date.now()));
  }
}
