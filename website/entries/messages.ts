/**
 * # Messages
 *
 * The messages of the protocol, as they look in JSON. Their types are exported by `@rhtmx/client`; the page of the protocol says when each is sent.
 *
 * @module
 */
export * from "../../clients/typescript/src/messages/types.ts";
