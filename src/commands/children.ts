import { pidsOf } from "../backends/units/family.ts";
import { EXIT } from "../model/exit-codes.ts";
import { Redactor } from "../model/redact.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { ResultOf } from "../rpc/contract.ts";
import { bridgeEntryOf } from "../rpc/entries.ts";
import { processEntries } from "../rpc/usage-contract.ts";
import { usageOf } from "../system/usage.ts";
import { showsBoxes } from "../views/tree.ts";
import { childrenView } from "../views/usage.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { nameArgument } from "./flags.ts";
import { observeUnit, withUnits } from "./units.ts";

export default class Children extends BaseCommand {
  static override summary = "Show a server's processes, with their CPU and memory use.";
  static override description =
    "Lists everything in its session and everything that descends from it. A daemon that has left it is marked (left). CPU is relative to one processor, measured over a " +
    "quarter of a second. Shared memory is counted once, where the system reports it.";
  static override examples = ["<%= config.bin %> children web", "<%= config.bin %> children web --json"];
  static override doing = "asking";
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Children);
    const address = await addressOf(this, args.name, flags);
    const family =
      address.backend === "agent"
        ? await withAgent(this, (client) => client.call("children", wireName(address)))
        : await this.#ofUnit(address);
    const screen = { ...this.screen, ascii: !showsBoxes(process.env) };
    await this.show(family, { text: (shown) => childrenView(shown, screen) });
  }

  async #ofUnit(address: Address): Promise<ResultOf<"children">> {
    const { pid, state, bridge } = await observeUnit(this, address);
    const usage = await usageOf(await pidsOf(address, pid));
    const { name } = address;
    if (usage.length === 0)
      this.fail(
        EXIT.failed,
        `cannot show the processes of ${name}: it is ${state}; \`xy start ${name}\` starts it`,
      );
    const known = await withUnits(this, address, async ({ store }) => store.read(name));
    const redactor = new Redactor(known?.secrets ?? {}, known?.spec.env ?? {});
    return {
      ...wireName(address),
      ...processEntries(usage, (text) => redactor.line(text)),
      ...bridgeEntryOf(withoutUndefined({ bridge })),
    };
  }
}
