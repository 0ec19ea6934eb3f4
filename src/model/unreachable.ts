/** What runs servers cannot be reached; the message says why and what to do. It fails its own servers only. */
export class BackendUnreachable extends Error {}
