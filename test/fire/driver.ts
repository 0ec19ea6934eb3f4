import { strangeCalls, strangeConfigurations } from "./fuzz.ts";
import { type Fault, KILLS } from "./kills.ts";
import { Random } from "./random.ts";
import { type Case, casesIn, kindOf, serversOf, storageFault } from "./storage.ts";
import { SURROUNDINGS } from "./surroundings.ts";
import { newTally, type Tally } from "./tally.ts";
import { World, within } from "./world.ts";

/** Faults that one world takes before the next one begins: what many together lead to is found too, and is not searched for long. */
const FAULTS_A_WORLD = 40;
/** Faults before a finding that are told with it. */
const HISTORY = 12;
/** Far above what any takes: what was waited for does not come. */
const LONGEST_FAULT_MS = 120_000;
const PROCESSES: Readonly<Record<string, Fault>> = { ...KILLS, ...SURROUNDINGS };

/** Does one bad thing after another, and looks each time whether all is well again. */
export class Driver {
  readonly tally: Tally;
  readonly #random: Random;
  #world: World | undefined;
  /** What was done to this world so far. */
  #done: string[] = [];
  /** Damages of files that were tried, so that others come first. */
  readonly #tried = new Set<string>();

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.tally = newTally(seed);
  }

  /** False where this account cannot have such a world: nothing is done then. */
  async canRun(): Promise<boolean> {
    this.#world ??= await World.open();
    return this.#world !== undefined;
  }

  /** Each fault of processes and surroundings once. */
  async eachOnce(): Promise<void> {
    for (const name of this.#random.shuffled(Object.keys(PROCESSES))) await this.process(name);
  }

  async process(name = this.#random.pick(Object.keys(PROCESSES))): Promise<void> {
    await this.#tryOut(name, async (world) => {
      await (PROCESSES[name] as Fault)(world, this.#random);
      await world.settled();
      await world.matches();
    });
  }

  /** One damage of one file: of a kind that was not tried yet, as long as there is one. */
  async storage(): Promise<void> {
    const world = await this.#current();
    // By kind, in the order of their names: which numbers and hashes there are differs from run to run.
    const cases = casesIn(world.home.state);
    const kinds = [...new Set(cases.map(keyOf))].sort();
    const fresh = kinds.filter((key) => !this.#tried.has(key));
    const chosen = this.#random.pick(fresh.length > 0 ? fresh : kinds);
    const one = this.#random.pick(cases.filter((each) => keyOf(each) === chosen));
    this.#tried.add(chosen);
    const kind = kindOf(one.path);
    if (!this.tally.files.includes(kind)) this.tally.files.push(kind);
    const when = one.living ? "under a living agent" : "while no agent runs";
    await this.#tryOut(
      `a file is ${one.damage} ${when}`,
      async () => {
        if (serversOf(one.path, world).includes("chatty")) world.mayLose = true;
        const { helped } = await storageFault(world, one, this.#random);
        if (helped) this.tally.helped++;
        this.tally.restarted += await world.forgive(serversOf(one.path, world));
        await world.settled();
      },
      one.path,
    );
  }

  async calls(count: number): Promise<void> {
    await this.#tryOut("strange calls", async (world) => {
      await strangeCalls(world, this.#random, count);
      this.tally.calls += count;
      await world.settled();
    });
  }

  async configurations(count: number): Promise<void> {
    await this.#tryOut("strange configurations", async (world) => {
      await strangeConfigurations(world, this.#random, count);
      this.tally.configurations += count;
    });
  }

  /** Whatever comes, until the time is over. */
  async until(end: number): Promise<void> {
    while (Date.now() < end) {
      const choice = this.#random.integer(20);
      if (choice < 11) await this.storage();
      else if (choice < 18) await this.process();
      else if (choice < 19) await this.calls(200);
      else await this.configurations(50);
    }
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  async #tryOut(fault: string, work: (world: World) => Promise<void>, detail = ""): Promise<void> {
    const world = await this.#current();
    this.tally.faults[fault] = (this.tally.faults[fault] ?? 0) + 1;
    const what = `${fault}${detail === "" ? "" : ` (${detail})`}`;
    try {
      await within(work(world), "its end", LONGEST_FAULT_MS);
      this.#seen(world);
      this.#done.push(what);
    } catch (error) {
      const before = this.#done.slice(-HISTORY).map((one) => `\n  after: ${one}`);
      this.tally.findings.push(`${what}: ${(error as Error).message}${before.join("")}`);
      console.log(`finding: ${this.tally.findings.at(-1)}\nits agents said last:\n${world.lastWords()}`);
      await this.#leave();
    }
  }

  #seen(world: World): void {
    for (const { ended } of world.servers.values()) {
      if (ended === undefined) continue;
      this.tally.ends++;
      if (ended.inexact) this.tally.unseen++;
    }
  }

  async #current(): Promise<World> {
    if (this.#done.length >= FAULTS_A_WORLD) await this.#leave();
    this.#world ??= await World.open();
    if (!this.#world) throw new Error("cannot make a world");
    return this.#world;
  }

  /** The last look at a world, and its end. */
  async #leave(): Promise<void> {
    const world = this.#world;
    const wasUsed = this.#done.length > 0;
    this.#world = undefined;
    this.#done = [];
    if (!world) return;
    try {
      if (wasUsed && !world.mayLose) {
        const { bytes, gaps } = await within(world.losses(), "all that was printed");
        this.tally.kills += world.kills;
        this.tally.gaps += gaps;
        this.tally.bytesLost += bytes;
      }
      const words = world.mayLose ? undefined : world.agentWords();
      if (words !== undefined) this.tally.findings.push(`its agents have said: ${words}`);
    } catch (error) {
      this.tally.findings.push(`at the end of a world: ${(error as Error).message}`);
    } finally {
      await world.close();
    }
  }
}

const keyOf = ({ path, damage, living }: Case) => `${kindOf(path)} ${damage} ${living}`;
