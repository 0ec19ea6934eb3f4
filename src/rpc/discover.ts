import type { z } from "zod";
import { contract, type ResultOf } from "./contract.ts";
import { errorMeaning, RPC_ERRORS } from "./errors.ts";
import { EXAMPLES, type Example } from "./examples.ts";
import { notifications } from "./notifications.ts";
import { NAMED, type WireSchema, wireSchemaOf } from "./schema.ts";

/** The protocol as an OpenRPC document, made from the schemas that check calls. */

const OPENRPC = "1.3.2";

interface Descriptor {
  readonly name: string;
  readonly required: boolean;
  readonly schema: WireSchema;
}

/** The document, made at the first call: it is large, and stays the same until the socket moves. */
export function discoverer(version: string): (socket: string) => ResultOf<"rpc.discover"> {
  let made: { readonly socket: string; readonly document: ResultOf<"rpc.discover"> } | undefined;
  return (socket) => {
    if (made?.socket !== socket) made = { socket, document: discover({ version, socket }) };
    return made.document;
  };
}

/** `socket`: where this agent serves. */
function discover({ version, socket }: { version: string; socket: string }): ResultOf<"rpc.discover"> {
  return {
    openrpc: OPENRPC,
    info: {
      title: "xy agent",
      description:
        "Runs a developer's long-running servers. JSON-RPC 2.0 over a Unix socket, a document a line.",
      version,
      license: { name: "MIT" },
    },
    servers: [{ name: "agent", url: encodeURI(`unix://${socket}`) }],
    methods: Object.entries(contract).map(([name, method]) => methodObject(name, method)),
    components: {
      schemas: Object.fromEntries(
        Object.entries(NAMED).map(([name, { about: description, schema }]) => [
          name,
          { description, ...wireSchemaOf(schema, "input") },
        ]),
      ),
      errors: Object.fromEntries(
        Object.entries(RPC_ERRORS).map(([name, code]) => [name, { code, message: errorMeaning(name) }]),
      ),
    },
    "x-notifications": Object.entries(notifications).map(([name, { summary, params }]) => ({
      name,
      summary,
      ...paramsOf(wireSchemaOf(params, "output")),
    })),
  };
}

interface MethodParts {
  readonly summary: string;
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}

function methodObject(name: string, { summary, params, result }: MethodParts) {
  const examples = (EXAMPLES as Readonly<Record<string, readonly Example[]>>)[name];
  return {
    name,
    summary,
    paramStructure: "by-name",
    ...paramsOf(wireSchemaOf(params, "input")),
    result: { name: "result", schema: wireSchemaOf(result, "output") },
    errors: ANSWERED.map((error) => ({ $ref: `#/components/errors/${error}` })),
    ...(examples ? { examples: examples.map(exampleObject) } : {}),
  };
}

/** Errors of calls that reach a method. */
const ANSWERED = Object.keys(RPC_ERRORS).filter((name) => !["parseError", "methodNotFound"].includes(name));

/** OpenRPC lists params one by one; only the whole schema shows which go together. */
function paramsOf(schema: WireSchema) {
  return { params: descriptorsOf(schema), "x-params": schema };
}

/** Required before optional ones, as OpenRPC asks. */
function descriptorsOf(schema: WireSchema): Descriptor[] {
  const branches = branchesOf(schema);
  const names = new Set(branches.flatMap(({ properties = {} }) => Object.keys(properties)));
  const all = [...names].map((name) => descriptorOf(name, branches));
  return [...all.filter(({ required }) => required), ...all.filter(({ required }) => !required)];
}

function branchesOf(schema: WireSchema): readonly WireSchema[] {
  const choices = schema.anyOf ?? schema.oneOf;
  return choices ? choices.flatMap(branchesOf) : [schema];
}

/** Required is what every branch requires in the same form. */
function descriptorOf(name: string, branches: readonly WireSchema[]): Descriptor {
  const forms = new Map<string, WireSchema>();
  for (const { properties = {} } of branches) {
    const form = properties[name];
    if (form) forms.set(JSON.stringify(form), form);
  }
  const [one = {}, ...others] = forms.values();
  const required = others.length === 0 && branches.every((branch) => branch.required?.includes(name));
  return { name, required, schema: others.length === 0 ? one : { anyOf: [one, ...others] } };
}

function exampleObject({ name, params, result }: Example) {
  return {
    name,
    params: Object.entries(params).map(([param, value]) => ({ name: param, value })),
    result: { name: "result", value: result },
  };
}
