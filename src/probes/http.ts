import type { ProbeReport } from "../model/probe-report.ts";
import { deadlineIn, exchange, type ResponseHead, TLS } from "./http-request.ts";
import { told } from "./untrusted.ts";
import { type OwnWords, ownWords, saysTls } from "./words.ts";

export interface HttpTarget {
  /** Where to connect. */
  readonly address: string;
  readonly port: number;
  /** The `Host` header, with the port where it needs one. */
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Accepted status codes; if empty, 200 to 299. */
  readonly status: readonly number[];
  readonly timeoutMs: number;
}

/** Requests the path once, and judges only the status. A redirect is not followed: it counts by its own status. */
export async function httpProbe(target: HttpTarget): Promise<ProbeReport> {
  const { address, port, host, path, headers, status, timeoutMs } = target;
  const began = performance.now();
  let words: OwnWords | undefined;
  const { head, refusal } = await exchange(
    {
      method: "GET",
      address,
      port,
      host,
      path,
      headers: { Accept: "*/*", ...headers },
      deadline: deadlineIn(timeoutMs),
    },
    (got) => {
      words = isAccepted(got.status, status) ? undefined : ownWords(got);
      return words?.reader;
    },
  );
  const step = `GET ${told(path)}`;
  const ok = head !== undefined && isAccepted(head.status, status);
  const detail =
    head === undefined ? (refusal ?? "gave no answer") : judged(head, words?.said() ?? "", ok, target);
  const ms = Math.round(performance.now() - began);
  return { ok, evidence: `${step}: ${detail}`, steps: [{ step, ok, detail, ms }] };
}

function isAccepted(status: number, accepted: readonly number[]): boolean {
  return accepted.length === 0 ? status >= 200 && status < 300 : accepted.includes(status);
}

function judged(head: ResponseHead, said: string, ok: boolean, { host, status }: HttpTarget): string {
  if (ok) return statusText(head);
  if (saysTls(head, said)) return TLS;
  const expected = status.length === 0 ? "200 to 299" : status.join(" or ");
  return `${saidWith(head, said)}${meaning(head, host) || `, expected ${expected}`}`;
}

/** `403 Forbidden: "Invalid Host header"` */
export function saidWith(head: ResponseHead, said: string): string {
  return `${statusText(head)}${said === "" ? "" : `: "${said}"`}`;
}

/** `404 Not Found` */
export function statusText({ status, reason }: ResponseHead): string {
  return `${status} ${reason}`.trim();
}

/** A hint to append to a status other than success; empty if the status says it all. */
export function meaning({ status, headers }: ResponseHead, host: string): string {
  if (status === 401) return ", it wants authorization";
  if (status === 403) return `, it forbids this request: perhaps its Host header, ${told(host, 100)}`;
  if (status >= 500) return ", it is up and fails";
  if (status < 300 || status >= 400) return "";
  if (headers.location === undefined) return ", a redirect";
  const out = /^https:/i.test(headers.location) ? "; xy asks over plain HTTP only" : "";
  return `, a redirect to ${told(headers.location)}${out}`;
}
