import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Method, Params } from "../../src/rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../src/rpc/errors.ts";
import { newHome } from "../cli/cli.ts";
import { Agent } from "../rig/agent.ts";
import { Api, type MethodObject } from "../rig/openrpc.ts";
import { readyOn, shellSpec } from "../rig/spec.ts";
import { seedOf } from "../rig/units.ts";

/**
 * Every method that the running agent tells of is called with params made from what it tells. A method that is added
 * to the contract is tried here without a word about it.
 */

const VALID = 20;
const INVALID = 40;
/** They end the agent: they are called last, and not as often. */
const LAST = ["agent_upgrade", "agent_shutdown"];
const VALID_OF_LAST = 6;
/** Longest wait for one answer, ms. */
const BOUND = 60_000;

const PROJECT = "tools";
const AGENT = join(import.meta.dirname, "../../dist/agent.js");
/** What a server does must end with the test, and not be repeated thousands of times. Project `kept` is named by nothing. */
const WORDS = {
  name: ["a", "b", "nobody"],
  names: [["a"], ["b", "a"], ["a", "nobody"]],
  server: ["a", "b", "new", null],
  action: ["wait", "wait", "nothing"],
  project: [PROJECT, PROJECT, "elsewhere"],
  program: ["/bin/true", "/bin/cat", "/nowhere/program"],
  workingDir: ["/", "/nowhere"],
  pattern: [".", "^up$"],
  grep: [".", "^up$"],
  backoffInitial: [60_000],
  backoffMax: [60_000],
  interval: [500],
  timeout: [500],
  cron: ["0 3 * * *", "no pattern"],
  timeZone: ["UTC", "Nowhere/Land"],
  wait_ms: [0, 100],
  for_ms: [1, 60_000],
  node: [process.execPath, process.execPath, "/nowhere/node"],
  entry: [AGENT, AGENT, "/nowhere/agent.js"],
  bound_secs: [20],
};

const WAITS = `project "${PROJECT}"\naction "wait" { command "sleep"; args "600"; concurrency "allow"; }\n`;
const quiet = (name: string, project: string) =>
  shellSpec(name, "echo up; exec sleep 600", { project, readiness: readyOn("up") });

type Outcome =
  | { readonly result: unknown; readonly warnings: readonly string[] }
  | { readonly error: RpcError };

/** Calls of the agent of one home, by what it says of itself. */
class Trial {
  readonly #agent: Agent;
  readonly #api: Api;
  readonly #seed: number;
  /** What is wrong, each with the call that showed it. */
  readonly faults: string[] = [];
  /** Names of methods that never answered with a result. */
  readonly fruitless: string[] = [];

  constructor(agent: Agent, api: Api, seed: number) {
    this.#agent = agent;
    this.#api = api;
    this.#seed = seed;
  }

  /** Valid params, and what is taken for such: a result as it is described, or an error of those that are. Others: refused for what they are. */
  async try(method: MethodObject, count: number): Promise<void> {
    const valid = this.#api.valid(method, count, this.#seed).map(keptOut).map(bounded);
    let results = 0;
    for (const params of valid) {
      const outcome = await this.#call(method, params);
      const said = [...this.#api.faultsOfParams(method, params), ...this.#faultsOf(method, outcome)];
      for (const fault of said) this.#note(fault, method, params);
      if ("result" in outcome) results++;
    }
    for (const params of this.#api.lenient(method, LAST.includes(method.name) ? [] : valid.slice(0, 3))) {
      const outcome = await this.#call(method, params);
      for (const fault of this.#faultsOf(method, outcome)) this.#note(fault, method, params);
      if ("result" in outcome && outcome.warnings.length !== 1) this.#note("no warning", method, params);
    }
    for (const params of this.#api.invalid(method, valid, INVALID, this.#seed)) {
      const outcome = await this.#call(method, params);
      if (!isRefusal(method, outcome)) this.#note(`not refused, but ${textOf(outcome)}`, method, params);
    }
    if (results === 0) this.fruitless.push(method.name);
  }

  #faultsOf(method: MethodObject, outcome: Outcome): string[] {
    if ("result" in outcome) {
      this.#api.learn(outcome.result);
      return this.#api.faultsOfResult(method, outcome.result);
    }
    if (isRefusal(method, outcome)) return [`refused: ${textOf(outcome)}`];
    const isDescribed = this.#api.codesOf(method).includes(outcome.error.code);
    return isDescribed ? [] : [`an error that is not described: ${textOf(outcome)}`];
  }

  #note(fault: string, method: MethodObject, params: unknown): void {
    this.faults.push(`${method.name} ${JSON.stringify(params)}: ${fault}`);
  }

  async #call(method: MethodObject, params: unknown): Promise<Outcome> {
    const client = await this.#agent.client();
    client.onNotification = (name, told) => this.faults.push(...this.#api.faultsOfNotification(name, told));
    const warnings: string[] = [];
    client.onWarning = (_, warning) => warnings.push(warning);
    const calling = client.call(method.name as Method, params as Params<Method>);
    try {
      const result = await inTime(calling, `${method.name} ${JSON.stringify(params)}`);
      // What it was told to do comes after its answer.
      if (LAST.includes(method.name)) await client.closed;
      return { result, warnings };
    } catch (error) {
      if (error instanceof RpcError) return { error };
      throw new Error(`${method.name} ${JSON.stringify(params)}`, { cause: error });
    }
  }
}

/** By its schema. What is wrong for another reason, such as an ambiguous name, is said in other words. */
const isRefusal = ({ name }: MethodObject, outcome: Outcome) =>
  "error" in outcome &&
  outcome.error.code === RPC_ERRORS.invalidParams &&
  outcome.error.message.startsWith(`cannot call ${name}: `);

const textOf = (outcome: Outcome) =>
  "result" in outcome ? JSON.stringify(outcome.result) : `${outcome.error.code} ${outcome.error.message}`;

/** `all` without a project would be all of the machine. */
const keptOut = (params: Record<string, unknown>) =>
  "all" in params ? { project: PROJECT, ...params } : params;

/** Nothing here ever completes: without a bound, that is waited for until there was no sign of life for a minute. */
const bounded = (params: Record<string, unknown>) =>
  params.until === "completed" ? { wait_ms: 100, ...params } : params;

function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${BOUND / 1000} s: ${what}`)), BOUND);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The two servers that are named, as if nothing had been done to them. */
async function restore(agent: Agent): Promise<void> {
  for (const name of ["a", "b"]) {
    for (const action of ["remove", "add"] as const)
      expect(await agent.apply(quiet(name, PROJECT), action)).toMatchObject({ ok: true });
  }
}

it("answers every call that its document allows as that says, and refuses every other", async () => {
  const seed = seedOf("calls");
  const home = newHome();
  home.write("xy.config.kdl", WAITS);
  for (const name of ["a", "b"]) home.declare(name);
  await home.did("apply", "--yes");
  const agent = new Agent(home.state);
  onTestFinished(() => agent.close());
  await agent.apply(quiet("keeper", "kept"));
  const [kept] = await agent.call("list", { project: "kept" });

  const api = await Api.of(await agent.client(), WORDS);
  const trial = new Trial(agent, api, seed);
  const { methods } = api.document;
  for (const method of methods.filter(({ name }) => !LAST.includes(name))) {
    await restore(agent);
    await trial.try(method, VALID);
    expect(
      await agent.call("list", { project: "kept" }),
      `after ${method.name}, XY_TEST_SEED=${seed}`,
    ).toEqual([{ ...kept, uptime_secs: expect.any(Number) }]);
  }
  for (const name of LAST) {
    const method = methods.find((each) => each.name === name);
    if (method) await trial.try(method, VALID_OF_LAST);
  }

  console.log(`no result came of: ${trial.fruitless.join(", ") || "none"}`);
  expect(trial.faults, `XY_TEST_SEED=${seed}`).toEqual([]);
  expect(await agent.call("list", { project: "kept" })).toMatchObject([{ name: "keeper", held: false }]);
});
