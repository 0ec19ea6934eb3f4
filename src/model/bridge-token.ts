/** The token that clients have to send: not an argument, which every account of the machine can see. */
export const TOKEN_VARIABLE = "XY_BRIDGE_TOKEN";
