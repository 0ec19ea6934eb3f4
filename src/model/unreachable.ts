/** What a backend answers with when it cannot do what it was asked to do. */
export class BackendFailure extends Error {}

/** What runs servers cannot be reached; the message says why and what to do. It fails only the servers that it runs. */
export class BackendUnreachable extends BackendFailure {}
