// The conformance suite over every disk there is.
import { MemoryDisk, faultyDisk, nodeDisk } from "../src/index.ts";
import { diskConformance } from "./conformance.ts";
import { temporaryDirectory } from "./helpers.ts";

diskConformance("node and level", async () => {
  const { dir, done } = await temporaryDirectory();
  return { disk: nodeDisk(), root: dir, done };
});

diskConformance("node and level behind the fault layer", async () => {
  const { dir, done } = await temporaryDirectory();
  return { disk: faultyDisk(nodeDisk(), () => undefined), root: dir, done };
});

diskConformance("memory", async () => ({
  disk: new MemoryDisk(),
  root: "/root",
  done: async () => {},
}));

diskConformance("memory behind a slow fault layer", async () => ({
  disk: faultyDisk(new MemoryDisk(), () => Promise.resolve(undefined)),
  root: "/root",
  done: async () => {},
}));
