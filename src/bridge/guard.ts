import type { IncomingHttpHeaders } from "node:http";
import { crypto } from "../system/crypto.ts";

/** Who may ask: checked before anything else of a request is looked at. */
export interface Guard {
  /** Where the bridge listens, a name or an address. */
  readonly host: string;
  /** Further names of this machine that clients may ask for, without port. */
  readonly allowHosts: readonly string[];
  /** Origins of web pages that may ask, such as `https://app.example`. */
  readonly allowOrigins: readonly string[];
  /** What clients have to send as a bearer token. */
  readonly token?: string | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly why: string;
}

/**
 * Why a request may not be answered; undefined: it may.
 *
 * A page of a stranger can have a browser send requests to this machine, under a name that it made point here. The browser
 * says both: the name as `Host`, the page as `Origin`. The port of `Host` is not compared, since a tunnel or a container
 * has another one on its outside. `Sec-Fetch-Mode` tells nothing: Node's own fetch sends it.
 */
export function refusalOf(headers: IncomingHttpHeaders, guard: Guard): Refusal | undefined {
  const { host, origin, authorization } = headers;
  const name = host === undefined ? undefined : hostName(host);
  if (host === undefined || name === undefined)
    return { status: 400, why: "cannot tell which host is asked: no Host header" };
  if (!isOwnName(name, guard))
    return { status: 403, why: `cannot answer for the host ${host}: it is not one of this server's` };
  if (origin !== undefined && origin !== `http://${host}` && !guard.allowOrigins.includes(origin))
    return {
      status: 403,
      why: `cannot answer to the origin ${origin}: pages of others may not ask this server`,
    };
  if (guard.token !== undefined && !hasToken(authorization, guard.token))
    return { status: 401, why: "cannot answer without the server's token: send it as a bearer token" };
  return undefined;
}

/** Without its port, in lower case; undefined: it is no host. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(host.toLowerCase())?.[1];
}

function isOwnName(name: string, { host, allowHosts }: Guard): boolean {
  const own = host.toLowerCase();
  return (
    name === "localhost" ||
    name === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(name) ||
    name === own ||
    name === `[${own}]` ||
    allowHosts.some((allowed) => allowed.toLowerCase() === name)
  );
}

/** Takes as long for a wrong token as for a right one of its length. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const given = Buffer.from(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "");
  const right = Buffer.from(token);
  return given.length === right.length && crypto().timingSafeEqual(given, right);
}
