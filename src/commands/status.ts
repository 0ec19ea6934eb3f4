import { string as argument } from "@oclif/core/args";
import { EXIT } from "../model/exit-codes.ts";
import { isProgramAddress } from "../model/other-program.ts";
import { entryOfAgent, statusEntryOf } from "../rpc/entries.ts";
import { statusView } from "../views/status.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import type { EvaluationFlags } from "./configuration.ts";
import { defaultsFlag } from "./flags.ts";
import { withHeld } from "./other-programs.ts";
import { specScreen } from "./spec-screen.ts";
import { observeUnit, withUnits } from "./units.ts";

export default class Status extends BaseCommand {
  static override summary = "Show everything about one server, or how the project is.";
  static override description =
    "Of a server it shows its state and why xy thinks so, its last output, its recent transitions, and what was applied. " +
    "Without a name it shows how many servers of the project run, what failed, what was applied last and whether its files " +
    "changed since; that evaluates no configuration and starts nothing.";
  static override examples = [
    "<%= config.bin %> status",
    "<%= config.bin %> status web",
    "<%= config.bin %> status dotfiles/web --json",
  ];
  static override doing = "asking";
  static override enableJsonFlag = true;
  static override args = { name: argument({ description: "Server, as NAME or PROJECT/NAME." }) };
  static override flags = { ...defaultsFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status);
    if (args.name === undefined) {
      const { showOverview } = await import("./overview.ts");
      return showOverview(this, flags);
    }
    if (isProgramAddress(args.name)) return this.#other(args.name, flags);
    const address = await addressOf(this, args.name, flags);
    if (address.backend !== "agent") return this.#unit(address, flags.defaults);
    await withAgent(this, async (client) => {
      const status = await client.call("status", wireName(address));
      await this.show(status, {
        text: async ({ recent_transitions, log_path: logPath }) => {
          const [observed] = await client.call("observe", wireName(address));
          if (observed === undefined) throw new Error(`the agent says nothing about ${address.name}`);
          const transitions = recent_transitions.map(({ at_unix_ms, ...rest }) => ({
            ...rest,
            at: at_unix_ms,
          }));
          const screen = { ...(await specScreen(this.screen)), defaults: flags.defaults };
          return statusView(observed, { transitions, logPath }, screen);
        },
        json: entryOfAgent,
      });
    });
  }

  /** A program that is not xy's. */
  async #other(text: string, flags: EvaluationFlags): Promise<void> {
    const { otherProgramDocument, otherProgramView } = await import("../views/other-programs.ts");
    await withHeld(this, text, flags, async (held) => {
      const programs = held.map(({ program }) => program);
      await this.show(programs, {
        text: (shown) => shown.map((program) => otherProgramView(program, this.screen)).join("\n"),
        json: (all) => all.map(otherProgramDocument),
      });
    });
  }

  async #unit(address: Address, defaults: boolean): Promise<void> {
    const observed = await observeUnit(this, address);
    const log = await withUnits(this, address, async (units) => units.logHint(address.name));
    await this.show(observed, {
      text: async (shown) =>
        statusView(shown, { logPath: log }, { ...(await specScreen(this.screen)), defaults }),
      json: ({ spec, ...rest }) =>
        spec === undefined
          ? this.fail(EXIT.failed, `cannot show all of ${address.name}: xy has no record of it`)
          : statusEntryOf({ ...rest, spec }, log, Date.now()),
    });
  }
}
