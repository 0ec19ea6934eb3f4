/** What was found of how an MCP server treats those who should not be served, and those who come back. */

/** `weak`: it works, and could be better. `unknown`: it cannot be told, or does not apply. */
export type AuditVerdict = "ok" | "weak" | "wrong" | "unknown";

export interface AuditCheck {
  readonly id: string;
  /** What was sent. */
  readonly asked: string;
  readonly verdict: AuditVerdict;
  /** What came of it: a clause, in one harmless line. */
  readonly seen: string;
  /** What is right. */
  readonly right: string;
  /** Why it matters: a sentence. */
  readonly why: string;
}

export interface AuditReport {
  readonly url: string;
  /** What it is, in one line, such as `legacy 2025-11-25, memory 1.0`. */
  readonly server: string;
  /** Nothing is wrong. */
  readonly ok: boolean;
  readonly checks: readonly AuditCheck[];
}
