// kinglyd: raft node loop, gRPC services, Fastify REST API, auth, metrics.
export {};
