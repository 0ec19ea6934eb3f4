import { EXIT } from "../model/exit-codes.ts";
import { addressesOf, isOfAgent, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { whileLocked } from "./endings.ts";
import { namesArgument } from "./flags.ts";

export default class Forget extends BaseCommand {
  static override summary = "Stop and remove servers that no configuration declares.";
  static override description =
    "For servers that `xy run --keep` added. Their logs and jobs are deleted too. To remove a declared server, remove it " +
    "from its configuration and apply.";
  static override examples = [
    "<%= config.bin %> forget docs",
    "<%= config.bin %> forget dotfiles/docs --json",
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Forget);
    const names = [...new Set(argv as string[])];
    if (names.length === 0)
      this.fail(EXIT.usage, "cannot forget nothing: name the servers, as in `xy forget NAME…`");
    const addresses = await addressesOf(this, names, flags);
    const declared = (name: string) =>
      `cannot forget ${name}: a configuration has declared it; remove it there, then \`xy apply\` removes it`;
    for (const address of addresses) if (!isOfAgent(address)) this.fail(EXIT.failed, declared(address.name));
    await withAgent(this, async (client) => {
      const known = addresses.length > 1 ? await client.call("list", {}) : [];
      const isOther = (one: (typeof addresses)[number]) =>
        known.some(({ name, project, kept }) => name === one.name && project === one.project && !kept);
      // All or none: a name that cannot be forgotten changes nothing for the others.
      for (const address of addresses) if (isOther(address)) this.fail(EXIT.failed, declared(address.name));
      for (const { project, name } of addresses) {
        const forget = () => client.call("forget", wireName({ project, name, backend: "agent" }));
        const { detail } = await whileLocked(this, project, forget, {
          verb: `forget ${name}`,
          removes: true,
        });
        this.tell(`${name}: ${detail}`);
      }
    });
    await this.show({ forgotten: addresses.map(({ name }) => name) }, { text: () => undefined });
  }
}
