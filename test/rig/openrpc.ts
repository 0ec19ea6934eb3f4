import { Ajv, type ValidateFunction } from "ajv";
import * as fc from "fast-check";
import type { RpcClient } from "../../src/rpc/client.ts";
import { closed, mutants, type Schema, type Surroundings, valuesOf } from "./json-schema.ts";

/** What the agent says of a method, as far as it can be tried. */
export interface MethodObject {
  readonly name: string;
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[];
  readonly "x-params": Schema;
  readonly result: { readonly schema: Schema };
  readonly errors: readonly { readonly $ref: string }[];
  readonly examples?: readonly {
    readonly name: string;
    readonly params: readonly { readonly name: string; readonly value: unknown }[];
    readonly result: { readonly value: unknown };
  }[];
}

interface Document {
  readonly components: object;
  readonly methods: readonly MethodObject[];
  readonly "x-notifications": readonly { readonly name: string; readonly "x-params": Schema }[];
}

type Params = Record<string, unknown>;

/** The document of a running agent, to make calls from, and to hold answers against. */
export class Api {
  readonly document: Document;
  /** Names of params, each with the values it is given. Other names take what answers have had by that name. */
  readonly #words: Readonly<Record<string, readonly unknown[]>>;
  readonly #learnt = new Map<string, unknown[]>();
  readonly #ajv = new Ajv({ strict: false });

  private constructor(document: Document, words: Readonly<Record<string, readonly unknown[]>>) {
    this.document = document;
    this.#words = words;
    this.#ajv.addSchema(closed(document) as object, DOCUMENT);
    for (const { params } of document.methods) for (const { name } of params) this.#learnt.set(name, []);
  }

  static async of(client: RpcClient, words: Readonly<Record<string, readonly unknown[]>>): Promise<Api> {
    return new Api((await client.call("rpc.discover", {})) as unknown as Document, words);
  }

  /** So many params that the method allows. */
  valid(method: MethodObject, count: number, seed: number): Params[] {
    return fc.sample(valuesOf(method["x-params"], this.#surroundings()), {
      numRuns: count,
      seed,
    }) as Params[];
  }

  /** So many that it does not allow, made from ones that it does. */
  invalid(method: MethodObject, valid: readonly Params[], count: number, seed: number): unknown[] {
    const isValid = this.#validator(this.#pointer(method, "x-params"));
    const all = valid
      .flatMap(mutants)
      .filter((params) => isObject(params) && !isValid(asMeant(params as Params, method)));
    const known = [...new Map(all.map((params) => [JSON.stringify(params), params])).values()];
    const length = Math.min(count, known.length);
    const some = fc.shuffledSubarray(known, { minLength: length, maxLength: length });
    const [chosen = []] = fc.sample(some, { numRuns: 1, seed });
    return chosen;
  }

  /** What the method takes for the same: a key that nobody knows is passed over, and null is as good as nothing. */
  lenient(method: MethodObject, valid: readonly Params[]): Params[] {
    return valid.map((params) => ({
      ...Object.fromEntries(method.params.map(({ name }) => [name, null])),
      ...params,
      [UNKNOWN]: 1,
    }));
  }

  /** What is wrong with params that a generator made, by what is said of each single one. */
  faultsOfParams(method: MethodObject, params: Params): string[] {
    const missing = method.params.filter(({ name, required }) => required && !(name in params));
    const wrong = method.params.filter(
      ({ name }, i) =>
        name in params && !this.#validator(`${this.#pointer(method, "params")}/${i}/schema`)(params[name]),
    );
    const undescribed = Object.keys(params).filter((key) => !method.params.some(({ name }) => name === key));
    const said = [...missing.map(({ name }) => name), ...wrong.map(({ name }) => name), ...undescribed];
    return [
      ...said.map((name) => `param ${name}`),
      ...this.#faults(this.#pointer(method, "x-params"), params),
    ];
  }

  faultsOfResult(method: MethodObject, result: unknown): string[] {
    return this.#faults(`${this.#pointer(method, "result")}/schema`, result);
  }

  faultsOfNotification(name: string, params: unknown): string[] {
    const i = this.document["x-notifications"].findIndex((each) => each.name === name);
    return i < 0
      ? [`nobody told of ${name}`]
      : this.#faults(`${DOCUMENT}#/x-notifications/${i}/x-params`, params);
  }

  codesOf(method: MethodObject): number[] {
    return method.errors.map(({ $ref }) => (this.#resolve($ref) as { code?: number }).code ?? 0);
  }

  /** Takes what later calls may be about from an answer. */
  learn(result: unknown): void {
    if (typeof result !== "object" || result === null) return;
    for (const [key, value] of Object.entries(result)) {
      const known = this.#learnt.get(key);
      if (known) this.#learnt.set(key, [...new Set([value, ...known])].slice(0, MOST_LEARNT));
      this.learn(value);
    }
  }

  #surroundings(): Surroundings {
    const resolve = (reference: string) => this.#resolve(reference);
    const choose = (name: string, schema: Schema, made: fc.Arbitrary<unknown>) => {
      const fixed = this.#words[name];
      const known = this.#allowed(schema, fixed ?? this.#learnt.get(name) ?? []);
      if (known.length === 0) return made;
      const one = fc.constantFrom(...known);
      return fixed ? one : fc.oneof({ arbitrary: one, weight: 3 }, { arbitrary: made, weight: 1 });
    };
    return { choose, resolve };
  }

  #allowed(schema: Schema, values: readonly unknown[]): readonly unknown[] {
    if (values.length === 0) return [];
    const isValid = this.#ajv.compile({ components: this.document.components, allOf: [schema] });
    return values.filter((value) => isValid(value));
  }

  #pointer(method: MethodObject, part: string): string {
    return `${DOCUMENT}#/methods/${this.document.methods.indexOf(method)}/${part}`;
  }

  #faults(pointer: string, value: unknown): string[] {
    const isValid = this.#validator(pointer);
    return isValid(value) ? [] : [this.#ajv.errorsText(isValid.errors)];
  }

  #validator(pointer: string): ValidateFunction {
    return this.#ajv.getSchema(pointer) ?? this.#ajv.compile({ $ref: pointer });
  }

  #resolve(reference: string): Schema {
    const parts = reference.slice("#/".length).split("/");
    return parts.reduce<unknown>(
      (part, key) => (part as Record<string, unknown>)[key],
      this.document,
    ) as Schema;
  }
}

const DOCUMENT = "document";
const UNKNOWN = "unknown_key";

/** As the agent takes it. */
function asMeant(params: Params, { params: known }: MethodObject): Params {
  const isKnown = (key: string) => known.some(({ name }) => name === key);
  return Object.fromEntries(Object.entries(params).filter(([key, value]) => value !== null && isKnown(key)));
}

/** Values of one name: older ones are forgotten. */
const MOST_LEARNT = 10;

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
