// TypeScript SDK: retry, leader discovery, watch.
export {};
