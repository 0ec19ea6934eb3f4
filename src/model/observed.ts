import type { McpFacts } from "./probe-report.ts";
import type { ServerSpec } from "./spec.ts";
import type { Starter } from "./starter.ts";

export const STATES = ["stopped", "starting", "running", "restarting", "failed", "stopping"] as const;
export type StateName = (typeof STATES)[number];

/** How a process ended. `unknown`: nobody who could tell saw it end; `because` says why that is so, one clause. */
export type Exit =
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "unknown"; readonly because?: string | undefined };

export function formatExit(exit: Exit): string {
  switch (exit.kind) {
    case "code":
      return `exit ${exit.code}`;
    case "signal":
      return exit.signal;
    case "unknown":
      return exit.because === undefined ? "exit code unknown" : `exit code unknown: ${exit.because}`;
  }
}

/** The answer to "is it ready" or "is it healthy", with what it rests on. */
export interface Verdict {
  /** `unknown`: not checked yet, or there is nothing to check. */
  readonly status: "ok" | "failing" | "unknown";
  /** One line: what was seen. */
  readonly evidence: string;
  /** Unix ms of the last check. */
  readonly at: number;
}

/** The operator's word: it stands above the configuration's `wanted`. */
export type OperatorWord = "start" | "stop" | null;

/** One thing that keeps a server from starting. */
export interface Missing {
  readonly server: string;
  readonly condition: ServerSpec["dependsOn"][number]["condition"];
  /** One clause: how that server is instead, e.g. `running, not ready: nothing listens on 127.0.0.1:8421`. */
  readonly state: string;
  /** It rests, and nothing brings it up by itself. */
  readonly resting: boolean;
}

/** An apply has put back the version before, which is the one that it has now. */
export interface Restored {
  /** Unix ms. */
  readonly at: number;
  /** Why the newer one is not kept, one clause. */
  readonly because: string;
}

/** What a backend says, live, of one server it has a record of. */
export interface Observed {
  readonly name: string;
  readonly project: string;
  readonly backend: ServerSpec["backend"];
  /** What was last applied; absent when its record cannot be read. */
  readonly spec?: ServerSpec;
  /** `startHash` of the spec that the live process was started with. */
  readonly runningHash?: string;
  readonly state: StateName;
  readonly operator: OperatorWord;
  /** What was applied was changed since by someone else than xy; says what. */
  readonly drift?: string;
  /**
   * It has to be applied again, whatever is declared. `rewritten`: this xy writes its unit in another way, or in another
   * place. `unfinished`: an apply of it was cut off.
   */
  readonly unsettled?: "rewritten" | "unfinished";
  readonly pid?: number;
  /** Unix ms. */
  readonly startedAt?: number;
  /** Since somebody started it; absent where nobody counts. */
  readonly restartCount?: number;
  readonly lastExit?: {
    readonly exit: Exit;
    /** Unix ms. */
    readonly at: number;
    /** It was asked to end (by a person, a plan, the end of what supervises it): no end of its own. */
    readonly requested?: boolean;
  };
  /** Unix ms of the next start by policy; only while `restarting`. */
  readonly nextStartAt?: number;
  /** Restarts, and what probes lead to, are suspended. */
  readonly paused?: {
    /** Unix ms at which it began. */
    readonly at: number;
    /** Unix ms at which it ends by itself; absent: only by a person's word. */
    readonly until?: number;
  };
  /** Its run cannot be watched for now, which is tried again: nobody reads its output. The reason is a clause. */
  readonly unwatched?: { readonly reason: string };
  /** On whose word it runs, or ran last. */
  readonly startedBy?: Starter;
  /** Why it is in this state, one clause, e.g. `exit 7, 5 restarts in the last minute`. */
  readonly reason?: string;
  readonly restored?: Restored;
  /** It ended by itself, and nobody saw it ready before that, as it should have been. */
  readonly neverReady?: boolean;
  /** Unix ms at which it came into this state. */
  readonly since: number;
  /** Last output lines, for a failed server only. */
  readonly lastLines?: readonly string[];
  readonly ready: Verdict;
  readonly healthy: Verdict;
  /** What an MCP server said of itself, once its live process has. */
  readonly mcp?: McpFacts;
  /** It is to start by itself as soon as these are otherwise; only while that is so. */
  readonly waitsFor?: readonly Missing[];
  /** No configuration has declared it: a person has added it, and only a person removes it. */
  readonly kept?: true;
  /** What xy cannot do for it now, and what of its output was lost since its agent began: a clause each. */
  readonly troubles?: readonly string[];
}

/** One step from state to state. */
export interface Transition {
  readonly from: StateName;
  readonly to: StateName;
  /** Unix ms. */
  readonly at: number;
  readonly reason?: string;
}

/** What puts down anew what was applied, when that cannot be read. `kept`: no configuration declares the server. */
export const writtenAgain = (name: string, kept: true | undefined) =>
  kept ? `\`xy run --keep ${name} -- COMMAND\`` : "`xy apply`";
