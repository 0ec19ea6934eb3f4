import { z } from "zod";
import { actionSpec } from "../model/action.ts";
import { job } from "../model/job.ts";
import { serverSpec } from "../model/spec.ts";
import { shortAction, shortServer } from "./short-spec.ts";

/** Schemas with a name: written out once, and referred to everywhere else. `io`: which form of it people see. */
export const NAMED = {
  ServerSpec: {
    about:
      "One server as it was applied, with all defaults filled in. Durations are milliseconds, sizes bytes.",
    schema: serverSpec,
    io: "output",
  },
  ShortServerSpec: {
    about: "The same as a client may send it: the agent fills in a default for what is left out.",
    schema: shortServer,
    io: "input",
  },
  ShortActionSpec: {
    about: "A command that no action declares, as a client may send it.",
    schema: shortAction,
    io: "input",
  },
  ActionSpec: {
    about: "One action as it was applied, with all defaults filled in. Durations are milliseconds.",
    schema: actionSpec,
    io: "output",
  },
  Job: {
    about: "One recorded run of a server's own program, an action, or a typed command.",
    schema: job,
    io: "output",
  },
} as const satisfies Readonly<Record<string, { about: string; schema: z.ZodType; io: "input" | "output" }>>;

/** As much of JSON Schema (draft 7, which OpenRPC takes) as zod writes for the contract. */
export interface WireSchema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly WireSchema[];
  readonly oneOf?: readonly WireSchema[];
  readonly items?: WireSchema;
  readonly properties?: Readonly<Record<string, WireSchema>>;
  readonly additionalProperties?: WireSchema | false;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

const REFERENCE = "#/components/schemas/";

/**
 * JSON Schema of params (`input`: what may be left out is not required) or of what comes back (`output`). A later agent
 * may add fields to what comes back, so there it forbids no others. What has a name is a reference to it.
 */
export function wireSchemaOf(schema: z.ZodType, io: "input" | "output"): WireSchema {
  const names = new Map<unknown, string>(Object.entries(NAMED).map(([name, each]) => [each.schema, name]));
  const { $schema: _, ...whole } = z.toJSONSchema(schema, {
    io,
    target: "draft-7",
    override: ({ zodSchema, jsonSchema }) => {
      const name = zodSchema === (schema as unknown) ? undefined : names.get(zodSchema);
      if (name !== undefined) become(jsonSchema, referenceTo(name));
      const [only] = jsonSchema.allOf ?? [];
      // How zod writes an optional reference.
      if (only && Object.keys(jsonSchema).length === 1) become(jsonSchema, only);
      if (io === "output" && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  return whole as WireSchema;
}

export const referenceTo = (name: string): WireSchema => ({ $ref: `${REFERENCE}${name}` });

/** The name that a reference refers to; undefined for any other schema. */
export function referenceName({ $ref }: WireSchema): string | undefined {
  return $ref?.slice(REFERENCE.length);
}

function become(target: object, value: object): void {
  for (const key of Object.keys(target)) Reflect.deleteProperty(target, key);
  Object.assign(target, value);
}
