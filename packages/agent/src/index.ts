// kingly-agent: probes, appliers, session, disk around node-core.
export {};
