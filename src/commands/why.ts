import { visible } from "../model/visible.ts";
import { why } from "../model/why.ts";
import { wrap } from "../views/width.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { nameArgument } from "./flags.ts";
import { observeUnit } from "./units.ts";

export default class Why extends BaseCommand {
  static override summary = "Explain why a server is in its state, and what would change that.";
  static override examples = ["<%= config.bin %> why web", "<%= config.bin %> why dotfiles/web --json"];
  static override doing = "asking";
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Why);
    const address = await addressOf(this, args.name, flags);
    const answer = await this.#answer(address);
    await this.show(answer, { text: ({ why }) => wrap(visible(why), this.screen.width) });
  }

  async #answer(address: Address): Promise<{ project: string; name: string; why: string }> {
    if (address.backend === "agent")
      return withAgent(this, (client) => client.call("why", wireName(address)));
    return { ...wireName(address), why: why(await observeUnit(this, address), Date.now()) };
  }
}
