// A pure, deterministic Raft core for Node and the browser.
export {};
