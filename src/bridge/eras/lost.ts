/**
 * What clients of one era cannot do with a server of the other. The page of the bridge has this as a table; a client is
 * told the reason.
 */
export interface Loss {
  readonly method: string;
  /** Who asks: a client of the versions with sessions, or of the one without. */
  readonly client: "with sessions" | "without";
  readonly why: string;
}

export const LOST: readonly Loss[] = [
  ...["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"].map(
    (method): Loss => ({
      ...{ method, client: "with sessions" },
      why: "tasks of the versions with sessions are unknown to a server of the version without",
    }),
  ),
  ...["tasks/get", "tasks/update", "tasks/cancel"].map(
    (method): Loss => ({
      ...{ method, client: "without" },
      why: "tasks of the version without sessions are unknown to a server of the versions with",
    }),
  ),
  {
    ...{ method: "logging/setLevel", client: "without" },
    why: "each request says for itself how much of the log it wants",
  },
  {
    ...{ method: "resources/subscribe", client: "without" },
    why: "subscriptions/listen takes its place",
  },
  {
    ...{ method: "resources/unsubscribe", client: "without" },
    why: "closing the stream of subscriptions/listen takes its place",
  },
  { ...{ method: "ping", client: "without" }, why: "every answer is a sign of life" },
];

/** Why such a client cannot have that; undefined: it can. */
export function whyLost(client: Loss["client"], method: string): string | undefined {
  return LOST.find((loss) => loss.client === client && loss.method === method)?.why;
}
