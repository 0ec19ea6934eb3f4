import { boolean, integer, string } from "@oclif/core/flags";
import type { Following } from "../backends/agent/following.ts";
import type { LogLine as PrintedLine } from "../backends/log-lines.ts";
import { EXIT } from "../model/exit-codes.ts";
import { isProgramAddress } from "../model/other-program.ts";
import { Redactor } from "../model/redact.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { Notifications } from "../rpc/notifications.ts";
import type { LogLine } from "../views/logs.ts";
import { type Address, addressesOf, isOfAgent, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import type { EvaluationFlags } from "./configuration.ts";
import { answering, reaching } from "./endings.ts";
import { namesArgument } from "./flags.ts";
import { amongText, knownServers } from "./known-servers.ts";
import {
  AGENT_DIED,
  earlierAgent,
  formatterOf,
  type Grep,
  grepOf,
  lookFlags,
  missedText,
  rawFlag,
  sinceFlag,
  streamFlag,
  wireRaw,
  wireStream,
} from "./line-flags.ts";
import { withHeld } from "./other-programs.ts";
import { withUnits } from "./units.ts";

interface Query {
  readonly tail: number;
  readonly follow: boolean;
  readonly since_unix_ms?: number;
  readonly stream?: "stdout" | "stderr";
  readonly raw?: true;
}

/** How lines are chosen and shown. */
interface Look {
  readonly format: (line: LogLine) => string;
  readonly grep: Grep;
  readonly timestamps: boolean;
}

const NO_BOUNDS: { readonly since_unix_ms?: number; readonly until_unix_ms?: number } = {};

type LogNotification = Notifications["log"];

export default class Logs extends BaseCommand {
  static override summary = "Show the output of servers.";
  static override description =
    "Shows the last 100 lines of each server, unless --tail asks for another number. --grep takes JavaScript's syntax, " +
    "without what cannot be matched in linear time; (?i) at its beginning ignores case. A run begins each time that the " +
    "server is started; --previous shows what the run before the newest one printed.";
  static override examples = [
    "<%= config.bin %> logs web",
    { description: "Follow two servers at once", command: "<%= config.bin %> logs web api --follow" },
    {
      description: "Show recent errors only",
      command: "<%= config.bin %> logs web --since 10m --stream err",
    },
    {
      description: "Show the last 20 lines with an error, and when they were printed",
      command: "<%= config.bin %> logs web --grep '(?i)error' -n 20 --timestamps",
    },
    {
      description: "See what a server printed before it crashed",
      command: "<%= config.bin %> logs web --previous",
    },
    {
      description: "Read JSON lines of all MCP servers",
      command: "<%= config.bin %> logs tag:mcp --pretty -f",
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
    previous: boolean({
      char: "p",
      exclusive: ["follow"],
      summary: "Show only the run before the newest one.",
    }),
    ...lookFlags,
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
    const grep = await grepOf(this, flags.grep);
    const addresses = await addressesOf(
      this,
      names.filter((name) => !isProgramAddress(name)),
      flags,
    );
    const since = sinceFlag(this, flags.since, "10m or 1h30m");
    const query = {
      tail: flags.tail,
      follow: flags.follow,
      ...withoutUndefined({ since_unix_ms: since }),
      ...wireStream(flags.stream),
      ...wireRaw(flags.raw),
    };
    const format = await formatterOf(this, [...addresses.map(({ name }) => name), ...others], flags);
    const look = { format, grep, timestamps: flags.timestamps };
    const [own, units] = [addresses.filter(isOfAgent), addresses.filter((one) => !isOfAgent(one))];
    const foreign = units[0]?.name ?? others[0];
    if (flags.previous && foreign !== undefined)
      this.fail(
        EXIT.usage,
        `cannot use --previous with ${foreign}: only for servers of the agent xy knows when each run began; use --since`,
      );
    const asked = units.map((address) => this.#showUnit(address, query, look));
    for (const other of others) asked.push(this.#showOther(other, flags, query, look));
    if (own.length > 0) asked.push(this.#show(own, query, look, flags.previous));
    await Promise.all(asked);
  }

  async #showUnit(
    address: Address,
    { tail, follow, since_unix_ms: since, stream, raw }: Query,
    look: Look,
  ): Promise<void> {
    const { name } = address;
    await withUnits(this, address, async (backend) => {
      const { manager } = backend;
      const record = backend.store.read(name);
      if (record === undefined)
        this.fail(EXIT.failed, `cannot show the logs of ${name}: xy has no record of it`);
      if (manager.logFiles(record.spec, record.file)) this.#needsTimes(name, since, look);
      const redactor = new Redactor(raw ? {} : record.secrets, record.spec.env);
      const { matches } = look.grep;
      const request = {
        tail,
        follow,
        asItStands: true,
        ...withoutUndefined({ since, stream }),
        ...(matches ? { matches: (line: string) => matches(redactor.text(line)) } : {}),
      };
      const unit = backend.inventory.unitOf(record);
      for await (const printed of manager.logs(unit, request, this.signal))
        this.#showPrinted(name, { ...printed, line: redactor.text(printed.line) }, look);
    });
  }

  /** Output of programs that are not xy's, unchanged. */
  async #showOther(
    text: string,
    flags: EvaluationFlags,
    { tail, follow, since_unix_ms: since, stream }: Query,
    look: Look,
  ): Promise<void> {
    this.#needsTimes(text, since, look);
    const { matches } = look.grep;
    const request = { tail, follow, asItStands: true, ...withoutUndefined({ stream, matches }) };
    await withHeld(this, text, flags, (held) =>
      Promise.all(
        held.map(async ({ program, by }) => {
          for await (const line of by.logs(program, request, this.signal))
            this.#showPrinted(program.name, line, look);
        }),
      ),
    );
  }

  /** Ends the command if times are needed that nobody has written down. */
  #needsTimes(name: string, since: number | undefined, { timestamps }: Look): void {
    if (since === undefined && !timestamps) return;
    const flag = since === undefined ? "--timestamps" : "--since";
    const wayOut = since === undefined ? "leave it out" : "use --tail";
    this.fail(EXIT.usage, `cannot use ${flag} with ${name}: its log has no times; ${wayOut}`);
  }

  #showPrinted(name: string, { at, ...printed }: PrintedLine, { format }: Look): void {
    this.showLine({ name, ...printed, ...withoutUndefined({ ts_unix_ms: at }) }, format);
  }

  async #show(addresses: readonly Address[], query: Query, look: Look, previous: boolean): Promise<void> {
    const { follow, serverOutput } = await import("../backends/agent/following.ts");
    const asked = await Promise.all(
      addresses.map(async (address) => ({
        ...{ ...wireName(address), ...query, ...look.grep.wire },
        ...withoutUndefined(previous ? await this.#previousRun(address, query.since_unix_ms) : NO_BOUNDS),
      })),
    );
    let open = addresses.length;
    const sources = asked.map((one) => serverOutput(one));
    const ends = new Map(sources.map((source, i) => [source, asked[i]?.until_unix_ms]));
    const following: Following<"over"> = {
      line: (line, source) => this.#line(line, look, ends.get(source)),
      ended: ({ name }, missed) => {
        open--;
        if (missed) this.note(missedText(name, missed));
      },
      over: async () => (open === 0 ? "over" : undefined),
      died: () => this.note(AGENT_DIED),
      partUnknown: earlierAgent(this, query.tail),
    };
    const end = await answering(this, () =>
      reaching(this, () => follow(this.state, sources, following, this.signal)),
    );
    if (end === "no-agent")
      this.fail(
        EXIT.unreachable,
        "the agent was stopped, so there is no output to follow; start it with `xy agent start`",
      );
  }

  /** When the run before the newest one began, and until when its lines were read. */
  async #previousRun(address: Address, since = 0): Promise<{ since_unix_ms: number; until_unix_ms: number }> {
    const { recent_transitions: steps } = await withAgent(this, (client) =>
      client.call("status", wireName(address)),
    );
    const begun = steps.flatMap(({ to, at_unix_ms: at }) => (to === "starting" ? [at] : []));
    const [before, newest] = begun.slice(-2);
    if (before === undefined || newest === undefined)
      this.fail(
        EXIT.failed,
        `cannot show an earlier run of ${address.name}: no start before the newest one is on record; \`xy logs ${address.name}\` shows all that it printed`,
      );
    return { since_unix_ms: Math.max(before, since), until_unix_ms: newest - 1 };
  }

  /** An agent of an earlier version sends lines that were not asked for. */
  #line(params: LogNotification, { format, grep }: Look, until = Number.POSITIVE_INFINITY): void {
    const { name, missed } = params;
    if (missed) this.hint(missedText(name, missed));
    if (params.ts_unix_ms <= until && grep.matches?.(params.line) !== false) this.showLine(params, format);
  }
}
