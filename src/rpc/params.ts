import { z } from "zod";
import { nearest } from "../model/nearest.ts";
import { contract, type Method } from "./contract.ts";

/**
 * How a method reads the params that it is given. Clients have other versions and other languages: many write null for an
 * absent value, and an unknown key may mean something to a later agent. So both are ignored, with a warning for the key.
 * A method that changes something refuses a key that looks like a typo: it would do something that was not meant.
 */

export type ReadParams =
  /** `warnings`: a sentence for each key that was ignored. */
  | { readonly ok: true; readonly params: unknown; readonly warnings: readonly string[] }
  /** `message`: what is wrong, without the name of the method. */
  | { readonly ok: false; readonly message: string };

type Params = Readonly<Record<string, unknown>>;
type Branch = z.ZodObject;

/** How many unknown keys are examined and reported: more are neither typos nor a later version's. */
const MOST_UNKNOWN = 100;
/** Characters of a key that are shown. */
const LONGEST_SHOWN = 60;

/** `given`: as it came, of whatever type. */
export function readParams(method: Method, given: unknown): ReadParams {
  const { params: schema, reads } = contract[method] as { params: z.ZodType; reads: boolean };
  if (given !== undefined && !isParams(given))
    return refusal(`params are ${Array.isArray(given) ? "a list" : `a ${typeof given}`}; give them by name`);
  const branches = branchesOf(schema);
  const known = new Set(branches.flatMap(({ shape }) => Object.keys(shape)));
  const said = Object.entries(given ?? {}).filter(
    ([key, value]) => value !== null && !(value === false && isFlag(branches, key)),
  );
  const unknown = said.flatMap(([key]) => (known.has(key) ? [] : [key]));
  if (unknown.length > MOST_UNKNOWN) return refusal(`${unknown.length} keys that it does not know`);
  const slip = reads ? undefined : unknown.find((key) => nearest(key, known) !== undefined);
  if (slip !== undefined) return refusal(`it was given ${unknownText(slip, known)}`);
  const params = Object.fromEntries(said.filter(([key]) => known.has(key)));
  const chosen = branches.length === 1 ? schema : chosenBranch(branches, params);
  if (typeof chosen === "string") return refusal(chosen);
  const read = chosen.safeParse(params);
  return read.success
    ? { ok: true, params: read.data, warnings: unknown.map((key) => `ignored ${unknownText(key, known)}`) }
    : refusal(read.error.issues.map((issue) => issueText(issue, params)).join("; "));
}

const refusal = (message: string): ReadParams => ({ ok: false, message });
const isParams = (given: unknown): given is Params | null =>
  typeof given === "object" && !Array.isArray(given);

function branchesOf(schema: z.ZodType): readonly Branch[] {
  return (schema instanceof z.ZodUnion ? schema.options : [schema]) as readonly Branch[];
}

/** The param can be true or absent: clients write false for absent. */
function isFlag(branches: readonly Branch[], key: string): boolean {
  const schemas = branches.flatMap(({ shape }) =>
    Object.hasOwn(shape, key) ? [shape[key] as z.ZodType] : [],
  );
  const takes = (value: boolean) => (schema: z.ZodType) => schema.safeParse(value).success;
  return schemas.length > 0 && schemas.every((each) => takes(true)(each) && !takes(false)(each));
}

/** Which form of the call is meant; if none, or several, what to say. */
function chosenBranch(branches: readonly Branch[], params: Params): Branch | string {
  const heads = branches.map(headOf);
  const given = heads.filter((head) => Object.hasOwn(params, head));
  const [one] = given;
  if (one === undefined) return `say ${wordsFor(heads, branches, "or")}`;
  return given.length === 1
    ? (branches[heads.indexOf(one)] as Branch)
    : `say only one of ${wordsFor(given, branches, "and")}`;
}

/** The key that one form of a call requires, and no other form has. */
function headOf({ shape }: Branch): string {
  return Object.keys(shape).find((key) => !(shape[key] as z.ZodType).safeParse(undefined).success) ?? "";
}

function wordsFor(heads: readonly string[], branches: readonly Branch[], last: "or" | "and"): string {
  const words = heads.map((head) => (isFlag(branches, head) ? `${head}: true` : head));
  return [words.slice(0, -1).join(", "), words.at(-1)].join(` ${last} `);
}

function unknownText(key: string, known: ReadonlySet<string>): string {
  const meant = nearest(key, known);
  const shown = JSON.stringify(key.length > LONGEST_SHOWN ? `${key.slice(0, LONGEST_SHOWN)}…` : key);
  return `${shown}, which is not one of its params${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

function issueText({ code, path, message, ...issue }: z.core.$ZodIssue, params: Params): string {
  const place = path.join(".");
  // It belongs to another form of the call: unknown keys were removed before.
  if (code === "unrecognized_keys" && place === "")
    return `${(issue as { keys: string[] }).keys.join(", ")} cannot be said together with the rest`;
  return valueAt(params, path) === undefined ? `${place} is missing` : `${place}: ${message}`;
}

function valueAt(params: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key],
    params,
  );
}
