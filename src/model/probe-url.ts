import { isRemote } from "./target.ts";

/** The whole URL that an HTTP check may request. */

export interface ProbeTarget {
  /** As sockets take it: without brackets. */
  readonly host: string;
  readonly port: number;
  /** Including the query. */
  readonly path: string;
}

/** Where a URL leads, with the server's port in place of `{port}`; or why it cannot be requested. */
export function probeTarget(
  url: string,
  { port, allowRemote }: { readonly port: number | null; readonly allowRemote: boolean },
): ProbeTarget | { readonly fault: string } {
  if (url.includes("{port}") && port === null)
    return { fault: 'there is no port to fill in for {port}: set port to a number or "auto"' };
  const text = url.replaceAll("{port}", String(port));
  if (!URL.canParse(text)) return { fault: 'write a URL such as "http://127.0.0.1:8765/health"' };
  const { protocol, hostname, port: number, pathname, search, username, password } = new URL(text);
  if (protocol === "https:")
    return {
      fault: 'xy asks over plain HTTP only; use the check "command", with a program that asks over https',
    };
  if (protocol !== "http:") return { fault: 'write a URL such as "http://127.0.0.1:8765/health"' };
  if (username !== "" || password !== "" || /^http:\/\/[^/?#]*@/i.test(text))
    return { fault: "a user or password in it could be read by everybody; remove them" };
  if (isRemote(text) && !allowRemote)
    return {
      fault:
        "it leads to another machine; use a host such as 127.0.0.1, or allow it with allow-remote #true (allowRemote: true)",
    };
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: number === "" ? 80 : Number(number),
    path: `${pathname}${search}`,
  };
}

/** Whether the server itself is declared to listen there: then the listener must belong to it. */
export function isOwnTarget(
  target: ProbeTarget,
  own: { readonly host?: string | undefined; readonly port: number | null },
): boolean {
  const { host = "127.0.0.1", port } = own;
  if (target.port !== port) return false;
  const isLocal = (name: string) => !isRemote(`http://${name.includes(":") ? `[${name}]` : name}`);
  return target.host === host || (isLocal(target.host) && isLocal(host));
}
