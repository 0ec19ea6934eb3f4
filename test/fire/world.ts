import { mkdirSync } from "node:fs";
import { setTimeout as pass } from "node:timers/promises";
import type { Exit, Observed } from "../../src/model/observed.ts";
import { readText } from "../../src/system/files.ts";
import { agentLogPath } from "../../src/system/paths.ts";
import { Home, type Outcome } from "../cli/cli.ts";
import { Agent } from "../rig/agent.ts";
import { type Disk, mountDisk } from "../rig/disk.ts";
import { eventually } from "../rig/eventually.ts";
import { countsOf } from "../rig/log-file.ts";
import { isAlive, killGroup, processes, programsWith } from "../rig/processes.ts";
import { PUPPET, type Puppet, Stage } from "../rig/puppet.ts";
import { PROJECT } from "../rig/spec.ts";

/**
 * A home with everything that xy keeps a record of, in the hands of a driver that knows what has to be true of it at any
 * moment: which process each server is, how often it was started, and how its last one ended.
 */

/** Longest wait until a fault has healed, ms. */
const HEALED_WITHIN = 30_000;

/** Longest wait for the end of a process that has to end, ms: longer than any grace. */
const GONE_WITHIN = 20_000;

/** Of an agent's log, lines that are shown with a finding. */
const LAST_LINES = 40;

interface Role {
  readonly policy: "always" | "on-failure" | "never";
  /** Further lines of KDL. */
  readonly more?: string;
  /** It prints numbered lines all the time, and is never ended by the driver. */
  readonly chatters?: true;
}

/** The project's servers. `held` is stopped by a person's word; `far` is of another project, and no fault is about it. */
const ROLES: Readonly<Record<string, Role>> = {
  chatty: { policy: "on-failure", chatters: true },
  eager: { policy: "always" },
  careful: { policy: "on-failure", more: 'env { TOKEN (file)"token"; }\ndepends-on "eager"\n' },
  once: { policy: "never" },
  // A puppet listens to nothing.
  ported: { policy: "on-failure", more: 'port "auto"\nliveness "none"\n' },
  rotating: { policy: "on-failure", more: 'logs { max-size "64KiB"; keep 2; }\n' },
  held: { policy: "on-failure" },
};
export const FAR = "far";
/** Room for the state folder: for the agent's program, and for what the servers print. */
const DISK_MEBIBYTES = 64;
const CHATTER = { deed: "chatter", lines: 5, everyMs: 20 } as const;
const FAR_PROJECT = "elsewhere";

/** What is known of one server. */
export interface Known {
  /** The process that has to be there; undefined: none. */
  puppet: Puppet | undefined;
  /** How many processes it has had. */
  starts: number;
  /** How the last one ended. `inexact`: by a fault that leaves nobody who could know, which has to be said as that. */
  ended?: { readonly exit: Exit; readonly inexact?: true } | undefined;
}

export class World {
  readonly home: Home;
  readonly agent: Agent;
  readonly stage: Stage;
  readonly servers = new Map<string, Known>();
  /** SIGKILLs for agents so far: each may cost one read of a stream. */
  kills = 0;
  /** What is printed may be lost by what was done, and that is not counted. */
  mayLose = false;
  readonly disk: Disk;
  #edition = 0;

  private constructor(home: Home, stage: Stage, disk: Disk) {
    this.home = home;
    this.stage = stage;
    this.disk = disk;
    this.agent = new Agent(home.state);
  }

  /** Undefined where this account may not mount a small disk for it. */
  static async open(): Promise<World | undefined> {
    const home = new Home();
    mkdirSync(home.state, { recursive: true, mode: 0o700 });
    const disk = mountDisk(home.state, DISK_MEBIBYTES);
    if (!disk) {
      await home.close();
      return undefined;
    }
    const world = new World(home, await Stage.open(home.path), disk);
    try {
      await world.#begin();
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get names(): string[] {
    return Object.keys(ROLES);
  }

  /** Servers that have to run. */
  get running(): string[] {
    return [...this.servers].flatMap(([name, { puppet }]) => (puppet ? [name] : []));
  }

  /** Servers that run, and that a fault may end. */
  get mortal(): string[] {
    return this.names.filter((name) => ROLES[name]?.chatters === undefined && this.servers.get(name)?.puppet);
  }

  /** Servers that have ended by themselves, and that no person has stopped. */
  async ended(): Promise<string[]> {
    const observed = await this.agent.observe();
    return observed.flatMap(({ name, operator }) =>
      this.servers.get(name)?.puppet === undefined && operator !== "stop" ? [name] : [],
    );
  }

  known(name: string): Known {
    const known = this.servers.get(name);
    if (!known) throw new Error(`no server ${name}`);
    return known;
  }

  living(name: string): Puppet {
    const { puppet } = this.known(name);
    if (!puppet) throw new Error(`${name} is not expected to run`);
    return puppet;
  }

  policyOf(name: string): Role["policy"] {
    return ROLES[name]?.policy ?? "on-failure";
  }

  /** Declares another edition of a server: an apply has to restart it, once. */
  redeclare(name: string): void {
    this.#declare(name, `edition-${++this.#edition}`);
  }

  #declare(name: string, ...words: string[]): void {
    const { policy, more = "" } = ROLES[name] as Role;
    this.home.write(`servers.d/${name}.kdl`, this.#text(name, policy, more, words));
  }

  #text(name: string, policy: string, more = "", words: readonly string[] = []): string {
    const args = [PUPPET, this.stage.path, name, ...words].map((word) => JSON.stringify(word)).join(" ");
    return [
      `command "/usr/bin/perl"\nargs ${args}\n`,
      `restart { policy "${policy}"; backoff-initial "10ms"; backoff-max "100ms"; max-retries-per-minute 1000; }\n`,
      /^port /m.test(more) ? "" : 'port "none"\n',
      `readiness "none"\n${more}`,
    ].join("");
  }

  async #begin(): Promise<void> {
    const { home } = this;
    home.trusts();
    home.write(
      "xy.config.kdl",
      `project "${PROJECT}"\naction "tick" { command "true"; schedule "0 3 * * *"; }\n`,
    );
    home.write("servers.d/token", "s3cr3t-of-fire\n");
    for (const name of this.names) this.#declare(name);
    home.write(`../${FAR_PROJECT}/servers.d/${FAR}.kdl`, this.#text(FAR, "on-failure"));
    home.trusts(`${home.path}/${FAR_PROJECT}`);
    await home.did("apply", "--yes");
    await this.#did(`${home.path}/${FAR_PROJECT}`, "apply", "--yes");
    await home.did("stop", "held");
    await home.did("run", "tick");
    for (const name of [...this.names, FAR]) {
      const puppet = await this.stage.next(name);
      this.servers.set(name, { puppet, starts: 1 });
    }
    const held = this.known("held");
    await held.puppet?.gone;
    held.puppet = undefined;
    held.ended = { exit: { kind: "signal", signal: "SIGTERM" } };
    await this.living("chatty").do(CHATTER);
  }

  async #did(cwd: string, ...args: string[]): Promise<void> {
    const { code, stdout, stderr } = await this.home.xyIn({ cwd }, ...args);
    if (code !== 0) throw new Error(`xy ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
  }

  /** Runs a command, whatever becomes of it: no person may get words that are not meant for one. */
  async said(...args: string[]): Promise<Outcome> {
    const outcome = await this.home.xy(...args);
    // What a parser says of a configuration is for the person who wrote it.
    const raw = args[0] === "check" ? undefined : rawWords(`${outcome.stdout}${outcome.stderr}`);
    if (raw !== undefined)
      throw new Error(`xy ${args.join(" ")} says "${raw}":\n${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  /** As {@link said}, of an apply of what is damaged: of one project, or of the other. */
  async applies(far: boolean): Promise<Outcome> {
    const { home } = this;
    if (!far) return this.said("apply", "--yes");
    return home.xyIn({ cwd: `${home.path}/${FAR_PROJECT}` }, "apply", "--yes");
  }

  /** What servers' entries say that xy cannot do for them. */
  async troubles(): Promise<string[]> {
    const observed = [...(await this.agent.observe()), ...(await this.agent.observe(FAR_PROJECT))];
    return observed.flatMap(({ unwatched, troubles = [] }) => [
      ...(unwatched ? [unwatched.reason] : []),
      ...troubles,
    ]);
  }

  /** Its process has ended, and the policy starts another. Settles when that has come. */
  async successorOf(name: string): Promise<void> {
    const known = this.known(name);
    known.puppet = await within(this.stage.next(name), `the successor of ${name}`);
    known.starts++;
    if (ROLES[name]?.chatters) await known.puppet.do(CHATTER);
  }

  /**
   * A fault has taken from these what is known of them, or their right to be left alone: one that was started again once is
   * taken for the one that has to be there, and its earlier ends are forgotten.
   */
  async forgive(names: Iterable<string>): Promise<number> {
    let restarted = 0;
    for (const name of names) {
      const known = this.known(name);
      known.ended = undefined;
      if (this.stage.count(name) !== known.starts + 1) continue;
      restarted++;
      await this.goes(name);
      await this.successorOf(name);
    }
    return restarted;
  }

  /** Settles when the process that a server had is gone. */
  async goes(name: string): Promise<void> {
    const { puppet } = this.known(name);
    if (puppet) await within(puppet.gone, `the end of process ${puppet.pid} of ${name}`, GONE_WITHIN);
  }

  /** Starts a server that has ended, and that its policy leaves alone. */
  async startsAgain(name: string): Promise<void> {
    await eventually(async () => {
      const { state } = await this.agent.observed(name);
      if (state !== "stopped" && state !== "failed")
        throw new Error(`${name} has ended, and is said to be ${state}`);
    }, GONE_WITHIN);
    const { code, stderr } = await this.said("start", name);
    if (code !== 0) throw new Error(`xy start ${name} ended with ${code}: ${stderr}`);
  }

  /** SIGKILL for the agent, and nothing for what would bring it back. */
  async killAgent(): Promise<void> {
    await this.agent.kill();
    this.kills++;
  }

  /** No agent, and nothing that brings one back. */
  async killAgentAndLoop(): Promise<void> {
    await this.agent.client();
    const { loop } = this.agent.record;
    if (loop) process.kill(loop.pid, "SIGKILL");
    await this.killAgent();
  }

  /** The keeper of a server: its process's parent or leader, by the label that it carries. */
  keeperOf(name: string): number {
    const group = this.living(name).hello.ppid;
    if (!isAlive(group)) throw new Error(`${name} has no keeper`);
    return group;
  }

  /**
   * Waits until all is as it has to be, and fails with what is not. The agent is started when there is none: that is what
   * any command does.
   */
  async settled(): Promise<void> {
    const end = Date.now() + HEALED_WITHIN;
    for (;;) {
      const faults = await this.#faults();
      if (faults.length === 0) return;
      if (Date.now() > end)
        throw new Error(`not healed within ${HEALED_WITHIN / 1000} s:\n  ${faults.join("\n  ")}`);
      await pass(50);
    }
  }

  async #faults(): Promise<string[]> {
    const observed = [...(await this.agent.observe()), ...(await this.agent.observe(FAR_PROJECT))];
    const byName = new Map(observed.map((one) => [one.name, one]));
    const faults = [...this.servers].flatMap(([name, known]) =>
      this.#faultsOf(name, known, byName.get(name)),
    );
    const expected = [...this.servers.values()].flatMap(({ puppet }) => (puppet ? [puppet.pid] : []));
    const living = programsWith(this.stage.path).filter(({ command }) => command.includes(PUPPET));
    for (const { pid, command } of living) {
      if (!expected.includes(pid)) faults.push(`process ${pid} should not be there: ${command}`);
    }
    return [...faults, ...this.stage.doubles];
  }

  #faultsOf(name: string, known: Known, observed: Observed | undefined): string[] {
    const faults: string[] = [];
    const say = (what: string) => faults.push(`${name} ${what}`);
    if (this.stage.count(name) !== known.starts)
      say(`was started ${this.stage.count(name)} times, and should have been ${known.starts} times`);
    if (!observed) return [...faults, `${name} is not known to the agent`];
    const state = known.puppet ? "running" : "stopped";
    // What has a port and no probe counts as ready when it has been there for a while.
    const isEarly = known.puppet === undefined && /^exit 0 before it was ready/.test(observed.reason ?? "");
    if (observed.state !== state && !(isEarly && observed.state === "failed"))
      say(`is said to be ${observed.state} (${observed.reason}), and is ${state}`);
    if (observed.pid !== known.puppet?.pid)
      say(`is said to be pid ${observed.pid}, and is ${known.puppet?.pid}`);
    if (known.puppet && !isAlive(known.puppet.pid)) say(`has lost its process ${known.puppet.pid}`);
    const { unwatched } = observed;
    if (unwatched !== undefined) say(`is not watched: ${unwatched.reason}`);
    const said = observed.lastExit?.exit;
    const is = JSON.stringify;
    if (
      known.ended &&
      is(said) !== is(known.ended.exit) &&
      !(known.ended.inexact && said?.kind === "unknown")
    )
      say(`is said to have ended with ${is(said)}, and ended with ${is(known.ended.exit)}`);
    return faults;
  }

  /** The plan has nothing to do. */
  async matches(): Promise<void> {
    const { code, stdout, stderr } = await this.said("plan");
    if (code !== 0 || !stdout.includes("No changes"))
      throw new Error(`the plan does not match (exit ${code}):\n${stdout}${stderr}`);
  }

  /** What the server that always prints has lost: no read more than there were kills, and nothing twice. */
  async losses(): Promise<{ bytes: number; gaps: number }> {
    const chatty = this.living("chatty");
    const counts = await countsOf(this.home.state, chatty);
    await chatty.do(CHATTER);
    for (const { stream, misplaced, widestGap, gaps } of counts) {
      if (misplaced > 0)
        throw new Error(`${stream} of chatty has ${misplaced} lines twice, or in a wrong place`);
      if (widestGap > 64 * 1024 && !this.mayLose)
        throw new Error(`${stream} of chatty has lost ${widestGap} bytes at once`);
      if (gaps > this.kills && !this.mayLose)
        throw new Error(`${stream} of chatty has ${gaps} gaps after ${this.kills} kills`);
    }
    const sum = (of: "gaps" | "missing") => counts.reduce((total, count) => total + count[of], 0);
    return { bytes: sum("missing") * LINE, gaps: sum("gaps") };
  }

  /** What its agents have said that nobody should read. */
  agentWords(): string | undefined {
    return words(readText(agentLogPath(this.home.state)) ?? "", BUGS);
  }

  /** The end of its agent's log. */
  lastWords(): string {
    return (readText(agentLogPath(this.home.state)) ?? "").trim().split("\n").slice(-LAST_LINES).join("\n");
  }

  async close(): Promise<void> {
    this.agent.close();
    this.stage.close();
    this.disk.clear();
    // Whatever a fault has done to the records: nothing of this world may go on.
    await this.home.xyIn({ cwd: this.home.path }, "agent", "stop");
    await this.#ended();
    this.disk.unmount();
    // One that was being started meanwhile.
    await this.#ended();
    await this.home.close();
  }

  async #ended(): Promise<void> {
    await eventually(() => {
      const left = processes().filter(({ command }) => command.includes(this.home.path));
      for (const { group } of left) killGroup(group);
      if (left.length > 0) throw new Error(`cannot end ${left.map(({ command }) => command).join(", ")}`);
    });
  }
}

const LINE = "000000000 000000000 .\n".length;

/** What a program says of itself when it did not expect what it met; undefined: nothing of that. */
function rawWords(text: string): string | undefined {
  return words(text, [...BUGS, ...RAW]);
}

const words = (text: string, patterns: readonly RegExp[]) =>
  patterns.map((pattern) => pattern.exec(text)?.[0]).find((found) => found !== undefined);

const RAW = [/Set XY_DEBUG=1.*/, /\bE[A-Z]{3,}: [a-z ]+, \w+( '[^']*')?/, /Unexpected (token|end of JSON).*/];
/** Nobody meant these for anybody, not even in the log of an agent. */
const BUGS = [
  /Cannot read propert.*/,
  /\b\w+ is not (a function|iterable|defined)\b.*/,
  /^\s+at .*:\d+:\d+\)?$/m,
];

export async function within<T>(promise: Promise<T>, what: string, ms = HEALED_WITHIN): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
