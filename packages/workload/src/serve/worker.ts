// A compute thread: on a message "n" it classifies the first n feature vectors in the shared buffers
// and answers "n". Before it says it is ready (0) it has run every batch size it will see first, so
// that no request pays for compilation.
import { parentPort, workerData } from "node:worker_threads";
import { writeFeatures, FEATURE_COUNT } from "../model/features.ts";
import { Classifier } from "../model/network.ts";
import type { BatchBuffers } from "../model/network.ts";
import { WORKER_READY } from "./messages.ts";
import type { WorkerInput } from "./messages.ts";

const WARM_UP_SIZE_MAX = 32;
const WARM_UP_ROUNDS = 2;
const WARM_UP_SINGLES = 100;

function warmUp(classifier: Classifier, buffers: BatchBuffers): void {
  for (let index = 0; index < WARM_UP_SIZE_MAX; index++) {
    writeFeatures(`warm-up text number ${index}`, buffers.features, index * FEATURE_COUNT);
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (let size = 1; size <= WARM_UP_SIZE_MAX; size++) classifier.run(buffers, size);
  }
  for (let round = 0; round < WARM_UP_SINGLES; round++) classifier.run(buffers, 1);
}

if (parentPort !== null) {
  const port = parentPort;
  const { network, buffers } = workerData as WorkerInput;
  const classifier = new Classifier(network);
  warmUp(classifier, buffers);
  port.on("message", (count: number) => {
    classifier.run(buffers, count);
    port.postMessage(count);
  });
  port.postMessage(WORKER_READY);
}
