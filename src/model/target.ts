import type { SupervisordSite } from "./backend-settings.ts";

/** Where the URL of a supervisord leads: credentials belong to one target, and to no other. */

const UNIX = /^unix:\/\/(\/.*)$/;

/** Path of the socket that a URL names; undefined if the URL goes over the network. */
export function socketIn(url: string): string | undefined {
  return UNIX.exec(url)?.[1];
}

/**
 * A target as one text, which is the same for all ways to write it, has no credentials in it, and can be shown. What
 * leads nowhere is itself, without what may be credentials.
 */
export function targetOf(url: string): string {
  const parsed = socketIn(url) === undefined ? parse(url) : undefined;
  if (parsed === undefined) return withoutCredentials(url);
  // supervisord answers there, and a URL without a path means that.
  const path = parsed.pathname === "/" ? "/RPC2" : parsed.pathname;
  return `${parsed.protocol}//${parsed.host}${path}`;
}

/** The text without the user and password before any host. */
export function withoutCredentials(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s]*@/g, "$1");
}

export type UrlFault = "no-url" | "credentials";

/** What is wrong with a URL's form. */
export function urlFault(url: string): UrlFault | undefined {
  if (socketIn(url) !== undefined) return undefined;
  const parsed = parse(url);
  if (parsed === undefined) return "no-url";
  return parsed.username !== "" || parsed.password !== "" || url.includes("@") ? "credentials" : undefined;
}

/** Whether data sent there leaves this machine: names are judged as written, not by what they resolve to. */
export function isRemote(url: string): boolean {
  if (socketIn(url) !== undefined) return false;
  const host = parse(url)?.hostname;
  return host === undefined || !LOOPBACK.test(host);
}

/** As in a parsed URL: lower case, and one spelling for each address. */
const LOOPBACK = /^(localhost\.?|127\.\d+\.\d+\.\d+|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/;

/** Whether anybody on the way can read what is sent there. */
export const isReadable = (url: string) => isRemote(url) && parse(url)?.protocol === "http:";

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

/** A site with the password that it was reached with last, where it has none now: a password belongs to one target and user. */
export function withPassword(now: SupervisordSite, last: SupervisordSite | undefined): SupervisordSite {
  if (now.password !== undefined || last?.password === undefined) return now;
  const isSame = now.user === last.user && targetOf(now.url) === targetOf(last.url);
  return isSame ? { ...now, password: last.password } : now;
}
