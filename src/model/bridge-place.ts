/** Where a bridge tells xy about itself: {@link BridgeStatus}. */
export const STATUS_PATH = "/.well-known/xy-bridge";
/** Most sessions, and most processes, that it names there. */
export const MOST_NAMED = 100;
