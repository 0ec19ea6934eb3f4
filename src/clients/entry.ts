import type { ConnectCommand, ServerOfClients, Shape, ValueMap, WrittenEntry } from "./types.ts";

/**
 * What a client's file says of a server, under `name`: its address where the client takes HTTP, and can name a variable for
 * the token that the server wants, if it wants one; else a program that connects to it. A token itself is never in it.
 */
export function entryFor(
  shape: Shape,
  name: string,
  server: ServerOfClients,
  connect: ConnectCommand,
): WrittenEntry {
  const named = shape.holds === "list" || shape.named ? { name } : {};
  const http = httpEntry(shape, server);
  if (http !== undefined) return { via: "http", value: { ...named, ...http } };
  return { via: "connect", value: { ...named, ...stdioEntry(shape, server, connect) } };
}

function httpEntry({ http, variable }: Shape, { url, token }: ServerOfClients): ValueMap | undefined {
  if (http === undefined) return undefined;
  const plain = { ...http.always, [http.url]: url };
  if (token === undefined) return { ...plain, ...http.last };
  if (token.variable === undefined) return undefined;
  if (http.tokenVariable !== undefined)
    return { ...plain, [http.tokenVariable]: token.variable, ...http.last };
  if (http.headers === undefined || variable === undefined) return undefined;
  const headers = { Authorization: `Bearer ${variable.join(token.variable)}` };
  return { ...plain, ...nested(http.headers, headers), ...http.last };
}

const nested = (path: readonly string[], value: ValueMap): ValueMap =>
  path.reduceRight<ValueMap>((inner, key) => ({ [key]: inner }), value);

function stdioEntry(
  { stdio }: Shape,
  { project, server }: ServerOfClients,
  { command, args }: ConnectCommand,
): ValueMap {
  const words = [...args, `${project}/${server}`];
  const program =
    stdio.args === undefined
      ? { [stdio.command]: [command, ...words] }
      : { [stdio.command]: command, [stdio.args]: words };
  return { ...stdio.always, ...program, ...stdio.last };
}
