import type { Observed } from "../model/observed.ts";
import { why } from "../reconciler/explain.ts";
import { wrap } from "../views/width.ts";
import { type Address, nameArgument, ServerCommand, wireName } from "./server-command.ts";

export default class Why extends ServerCommand {
  static override summary = "Say why a server is in its state, and what would change that.";
  static override examples = ["<%= config.bin %> why web"];
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Why);
    const address = await this.address(args.name, flags);
    const text = why(await this.#observed(address), Date.now());
    if (this.json) this.printJson({ ...wireName(address), why: text });
    else this.print(wrap(text, this.screen.width));
  }

  async #observed(address: Address): Promise<Observed> {
    if (address.backend !== "agent") return this.observeUnit(address);
    const [observed] = await this.withAgent((client) => client.call("observe", wireName(address)));
    return observed as Observed;
  }
}
