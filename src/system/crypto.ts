/**
 * Node's crypto, loaded when it is first needed: it takes half a megabyte, and a bridge that nobody uses needs nothing of it.
 */
export const crypto = () => process.getBuiltinModule("node:crypto");
