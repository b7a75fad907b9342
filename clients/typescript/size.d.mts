/** See size.mjs. */
export declare const BUDGET: number;
export declare function gzipped(content: string | Uint8Array): number;
export declare function integrity(content: string | Uint8Array): string;
