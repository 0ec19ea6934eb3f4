import * as fc from "fast-check";
import { ANY_CHARACTER } from "./any-character.ts";

/** As much of JSON Schema, draft 7, as the agent's document has. What else is in one is an error here. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

export interface Surroundings {
  /** What a reference is to. */
  resolve(reference: string): Schema;
  /** The values that a property of this name is given: those that are made of its schema, or others that it allows. */
  choose(name: string, schema: Schema, made: fc.Arbitrary<unknown>): fc.Arbitrary<unknown>;
}

const KNOWN = new Set([
  ...["$ref", "type", "const", "enum", "anyOf", "oneOf", "allOf", "items", "minItems", "maxItems"],
  ...["properties", "required", "additionalProperties", "propertyNames", "pattern", "format"],
  ...["minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  ...["default", "description", "title", "examples"],
]);

/** Values that a schema allows. */
export function valuesOf(schema: Schema, around: Surroundings): fc.Arbitrary<unknown> {
  const unknown = Object.keys(schema).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw new Error(`cannot make values of a schema with ${unknown.join(", ")}`);
  if (schema.$ref !== undefined) return valuesOf(around.resolve(schema.$ref), around);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice, around)));
  if (schema.allOf) return valuesOf(Object.assign({}, ...schema.allOf) as Schema, around);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 });
  return fc.oneof(...types.map((type) => valuesOfType(type, schema, around)));
}

function valuesOfType(type: string, schema: Schema, around: Surroundings): fc.Arbitrary<unknown> {
  switch (type) {
    case "string":
      return texts(schema);
    case "integer":
      return integers(schema);
    case "number":
      return fc.oneof(integers(schema), integers(schema).map(Number), fractions(schema));
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return lists(schema, around);
    case "object":
      return objects(schema, around);
    default:
      throw new Error(`cannot make values of type ${type}`);
  }
}

function texts({ pattern, format, minLength = 0, maxLength = minLength + 20 }: Schema): fc.Arbitrary<string> {
  const ofLength = (text: string) => text.length >= minLength && text.length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u")).filter(ofLength);
  if (format !== undefined) throw new Error(`cannot make texts of format ${format}`);
  return fc.string({ minLength, maxLength, unit: ANY_CHARACTER }).filter(ofLength);
}

/** Nobody means the bounds that JavaScript sets: a value has the size of one that somebody would write. */
const USUAL = 1_000_000;

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): [number, number] {
  const least = Math.max(...[minimum, exclusiveMinimum].filter((bound) => bound !== undefined), -(2 ** 53));
  const most = Math.min(...[maximum, exclusiveMaximum].filter((bound) => bound !== undefined), 2 ** 53);
  const low = least < -USUAL ? (most < 0 ? most - USUAL : 0) : least;
  return [low, Math.min(most, low + USUAL)];
}

function integers(schema: Schema): fc.Arbitrary<number> {
  const [low, high] = bounds(schema);
  const [min, max] = [Math.ceil(low), Math.floor(high)];
  const { exclusiveMinimum, exclusiveMaximum } = schema;
  return fc.integer({
    min: min === exclusiveMinimum ? min + 1 : min,
    max: max === exclusiveMaximum ? max - 1 : max,
  });
}

function fractions(schema: Schema): fc.Arbitrary<number> {
  const [min, max] = bounds(schema);
  return fc.double({
    min,
    max,
    minExcluded: min === schema.exclusiveMinimum,
    maxExcluded: max === schema.exclusiveMaximum,
    noNaN: true,
  });
}

function lists(
  { items = {}, minItems = 0, maxItems = minItems + 3 }: Schema,
  around: Surroundings,
): fc.Arbitrary<unknown> {
  return fc.array(valuesOf(items, around), { minLength: minItems, maxLength: maxItems });
}

function objects(schema: Schema, around: Surroundings): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties = true, propertyNames = {} } = schema;
  const named = Object.fromEntries(
    Object.entries(properties).map(([name, of]) => [name, around.choose(name, of, valuesOf(of, around))]),
  );
  const own = fc.record(named, { requiredKeys: [...required], noNullPrototype: true });
  if (Object.keys(named).length > 0 || typeof additionalProperties === "boolean") return own;
  const keys = texts(propertyNames).filter((key) => key !== "__proto__");
  return fc.dictionary(keys, valuesOf(additionalProperties, around), { maxKeys: 3, noNullPrototype: true });
}

/** The schema, forbidding what it does not tell of: what an answer has, its description has to have. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
  const isOpen = "properties" in schema && !("additionalProperties" in schema);
  return isOpen ? { ...parts, additionalProperties: false } : parts;
}

const JUNK = [null, true, -1, 0.5, 1e9, "", "../x", [], [null], {}, { x: 1 }];

/** Values made from this one by one change at any place: another value, one more key, one key less. */
export function mutants(value: unknown): unknown[] {
  if (Array.isArray(value))
    return [...JUNK, ...value.flatMap((item, i) => mutants(item).map((other) => value.with(i, other)))];
  if (typeof value !== "object" || value === null) return JUNK;
  const entries = Object.entries(value);
  const changed = entries.flatMap(([key, part]) =>
    mutants(part).map((other) => ({ ...value, [key]: other })),
  );
  const shorter = entries.map(([key]) => Object.fromEntries(entries.filter(([other]) => other !== key)));
  return [...JUNK, ...changed, ...shorter, { ...value, unknown_key: 1 }];
}
