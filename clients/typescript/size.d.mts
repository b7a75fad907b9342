/** See size.mjs. */
export declare const BUDGETS: Readonly<
  Record<"client.js" | "forms.js" | "connect" | "rules of a sign-up form", number>
>;
export declare function gzipped(content: string | Uint8Array): number;
export declare function integrity(content: string | Uint8Array): string;
