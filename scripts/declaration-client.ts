import type { z } from "zod";
import { form, type Names, typeText } from "../src/config/write/type-text.ts";
import { contract } from "../src/rpc/contract.ts";
import { RPC_ERRORS } from "../src/rpc/errors.ts";
import { notifications } from "../src/rpc/notifications.ts";
import { NAMED, referenceTo, wireSchemaOf } from "../src/rpc/schema.ts";

/** The types of `import … from "xyctl/client"`, made from the contract so that they need no other package. */
export function clientDeclarationText(): string {
  return [
    HEAD,
    ...Object.entries(NAMED).map(
      ([name, { about, schema, io }]) =>
        `/** ${about} */\nexport interface ${name} ${text(schema, io, "")}\n`,
    ),
    "/** Each method's params and result. */",
    `export interface Methods {\n${Object.entries(contract).map(methodText).join("")}}\n`,
    "/** Notifications of a subscription. */",
    `export interface Notifications {\n${Object.entries(notifications).map(notificationText).join("")}}\n`,
    "/** Error codes, by meaning. */",
    `export declare const RPC_ERRORS: {\n${Object.entries(RPC_ERRORS).map(errorText).join("")}};\n`,
    FUNCTIONS,
  ].join("\n");
}

const HEAD = `// Written by "npm run generate" from the schemas that check every call.
/// <reference lib="esnext.disposable" />
`;

const FUNCTIONS = `export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]["params"];
export type Result<M extends Method> = Methods[M]["result"];

/** Methods whose answer is followed by lines. */
export type Subscribing = {
  [M in Method]: Result<M> extends { readonly subscription_id: number } ? M : never;
}[Method];

/**
 * Ends when there are no more; leaving the loop ends the subscription. Each line says how many were missed before it, and
 * the return value how many after the last.
 */
export type Lines = AsyncGenerator<Notifications["log"], { missed: number }, void>;

/** An error from the agent; the message says what to do. */
export declare class RpcError extends Error {
  /** One of {@link RPC_ERRORS}. */
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown);
}

/** No agent is running there, or it does not answer. */
export declare class AgentUnreachable extends Error {}

/** The connection to the agent was lost, or the client was closed. */
export declare class ConnectionLost extends Error {}

export interface Where {
  /** Path of the agent's socket. */
  readonly socket?: string | undefined;
  /** The state folder, whose \`agent.json\` names the socket. Default: the account's own. */
  readonly stateDir?: string | undefined;
  /** Start the agent if none runs; cannot be combined with \`socket\`. Default false. */
  readonly start?: boolean | undefined;
  /** Called for each param that the agent does not know and ignores. Without it, Node prints a warning. */
  readonly onWarning?: ((warning: string, method: Method) => void) | undefined;
}

/** This process, for the \`session\` of a call to \`apply\`: the servers it starts stop when this process is gone. */
export declare function ownSession(): NonNullable<Params<"apply">["session"]>;

/** A connection to the agent. Close it after use: until then it keeps the process alive. */
export interface Client extends AsyncDisposable {
  /** Params may be omitted if all of them are optional. Throws \`RpcError\` or \`ConnectionLost\`. */
  call<M extends Method>(
    method: M,
    ...given: Record<never, never> extends Params<M> ? [params?: Params<M>] : [params: Params<M>]
  ): Promise<Result<M>>;
  /** The last lines of a server's log, and with \`follow\` every new one. */
  logs(query: Omit<Params<"logs">, "transitions">): Lines;
  /** The same for any method that lines follow. */
  lines<M extends Subscribing>(method: M, params: Params<M>): Lines;
  /** Also ends loops over logs. */
  close(): void;
}

/** Connects to the running agent, or with \`start\` starts one. Throws \`AgentUnreachable\`. */
export declare function connect(where?: Where): Promise<Client>;
`;

interface MethodParts {
  readonly summary: string;
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}

function methodText([name, { summary, params, result }]: [string, MethodParts]): string {
  return `  /** ${summary}. */
  readonly ${keyText(name)}: {
    readonly params: ${text(params, "input", "    ")};
    readonly result: ${text(result, "output", "    ")};
  };
`;
}

function notificationText([name, { summary, params }]: [string, Omit<MethodParts, "result">]): string {
  return `  /** ${summary}. */\n  readonly ${name}: ${text(params, "output", "  ")};\n`;
}

const errorText = ([name, code]: [string, number]) => `  readonly ${name}: ${code};\n`;
const keyText = (name: string) => (/^\w+$/.test(name) ? name : JSON.stringify(name));

const named: Names = new Map(Object.keys(NAMED).map((name) => [form(referenceTo(name)), name]));
const text = (schema: z.ZodType, io: "input" | "output", indent: string) =>
  typeText(wireSchemaOf(schema, io), named, indent);
