// level: durable raft log, revisioned object store, snapshots, integrity.
export {};
