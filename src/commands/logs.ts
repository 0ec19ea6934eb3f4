import { boolean, integer, string } from "@oclif/core/flags";
import type { Following } from "../backends/agent/following.ts";
import { EXIT } from "../model/exit-codes.ts";
import { isProgramAddress } from "../model/other-program.ts";
import { Redactor } from "../model/redact.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { Notifications } from "../rpc/notifications.ts";
import { logFormatter } from "../views/logs.ts";
import { type Address, addressesOf, isOfAgent, wireName } from "./addresses.ts";
import { BaseCommand } from "./base.ts";
import type { EvaluationFlags } from "./configuration.ts";
import { answering, reaching } from "./endings.ts";
import { namesArgument } from "./flags.ts";
import { amongText, knownServers } from "./known-servers.ts";
import { AGENT_DIED, missedText, rawFlag, sinceFlag, streamFlag, wireRaw, wireStream } from "./line-flags.ts";
import { withHeld } from "./other-programs.ts";
import { withUnits } from "./units.ts";

interface Query {
  readonly tail: number;
  readonly follow: boolean;
  readonly since_unix_ms?: number;
  readonly stream?: "stdout" | "stderr";
  readonly raw?: true;
}

type LogNotification = Notifications["log"];

export default class Logs extends BaseCommand {
  static override summary = "Show the output of servers.";
  static override description =
    "Shows the last 100 lines of each server, unless --tail asks for another number.";
  static override examples = [
    "<%= config.bin %> logs web",
    { description: "Follow two servers at once", command: "<%= config.bin %> logs web api --follow" },
    {
      description: "Show recent errors only",
      command: "<%= config.bin %> logs web --since 10m --stream err",
    },
  ];
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = {
    tail: integer({
      char: "n",
      default: 100,
      min: 0,
      max: 1_000_000,
      helpValue: "LINES",
      summary: "Number of lines to show from the end.",
    }),
    follow: boolean({ char: "f", summary: "Keep showing new lines until interrupted." }),
    since: string({ helpValue: "DURATION", summary: "Show only lines newer than this, such as 10m." }),
    ...streamFlag,
    ...rawFlag,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Logs);
    if (argv.length === 0)
      this.fail(
        EXIT.usage,
        `cannot show logs without a name: use \`xy logs NAME…\`${amongText(knownServers(process.env))}`,
      );
    const names = argv as string[];
    const others = names.filter(isProgramAddress);
    const servers = names.filter((name) => !isProgramAddress(name));
    const addresses = await addressesOf(this, servers, flags);
    const since = sinceFlag(this, flags.since, "10m or 1h30m");
    const query = {
      tail: flags.tail,
      follow: flags.follow,
      ...withoutUndefined({ since_unix_ms: since }),
      ...wireStream(flags.stream),
      ...wireRaw(flags.raw),
    };
    const format = logFormatter(
      [...addresses.map(({ name }) => name), ...others],
      this.lineScreen(flags.raw),
    );
    const [own, units] = [addresses.filter(isOfAgent), addresses.filter((one) => !isOfAgent(one))];
    const asked = units.map((address) => this.#showUnit(address, query, format));
    for (const other of others) asked.push(this.#showOther(other, flags, query, format));
    if (own.length > 0) asked.push(this.#show(own, query, format));
    await Promise.all(asked);
  }

  async #showUnit(
    address: Address,
    { tail, follow, since_unix_ms: since, stream, raw }: Query,
    format: ReturnType<typeof logFormatter>,
  ): Promise<void> {
    const { name } = address;
    await withUnits(this, address, async (backend) => {
      const { manager } = backend;
      const record = backend.store.read(name);
      if (record === undefined)
        this.fail(EXIT.failed, `cannot show the logs of ${name}: xy has no record of it`);
      if (since !== undefined && manager.logFiles(record.spec, record.file))
        this.fail(EXIT.usage, `cannot use --since with ${name}: its log has no times; use --tail`);
      const request = {
        tail,
        follow,
        asItStands: true,
        ...withoutUndefined({ since, stream }),
      };
      const redactor = new Redactor(raw ? {} : record.secrets, record.spec.env);
      for await (const { at, ...printed } of manager.logs(
        backend.inventory.unitOf(record),
        request,
        this.signal,
      )) {
        const line = { ...printed, line: redactor.text(printed.line) };
        this.showLine({ name, ...line, ...withoutUndefined({ ts_unix_ms: at }) }, () =>
          format({ name, ...line }),
        );
      }
    });
  }

  /** Output of programs that are not xy's, unchanged. */
  async #showOther(
    text: string,
    flags: EvaluationFlags,
    { tail, follow, since_unix_ms: since, stream }: Query,
    format: ReturnType<typeof logFormatter>,
  ): Promise<void> {
    if (since !== undefined)
      this.fail(EXIT.usage, `cannot use --since with ${text}: its log has no times; use --tail`);
    const request = { tail, follow, asItStands: true, ...withoutUndefined({ stream }) };
    await withHeld(this, text, flags, (held) =>
      Promise.all(
        held.map(async ({ program, by }) => {
          const { name } = program;
          for await (const line of by.logs(program, request, this.signal))
            this.showLine({ name, ...line }, format);
        }),
      ),
    );
  }

  async #show(
    addresses: readonly Address[],
    query: Query,
    format: ReturnType<typeof logFormatter>,
  ): Promise<void> {
    const { follow, serverOutput } = await import("../backends/agent/following.ts");
    let open = addresses.length;
    const following: Following<"over"> = {
      line: (line) => this.#line(line, format),
      ended: ({ name }, missed) => {
        open--;
        if (missed) this.note(missedText(name, missed));
      },
      over: async () => (open === 0 ? "over" : undefined),
      died: () => this.note(AGENT_DIED),
    };
    const sources = addresses.map((address) => serverOutput({ ...wireName(address), ...query }));
    const end = await answering(this, () =>
      reaching(this, () => follow(this.state, sources, following, this.signal)),
    );
    if (end === "no-agent")
      this.fail(
        EXIT.unreachable,
        "the agent was stopped, so there is no output to follow; start it with `xy agent start`",
      );
  }

  #line(params: LogNotification, format: ReturnType<typeof logFormatter>): void {
    const { name, missed } = params;
    if (missed) this.hint(missedText(name, missed));
    this.showLine(params, format);
  }
}
