// Opens data directories of servers that do not run and prints what each says of itself, one JSON line
// per directory. A process of its own, because a damaged file may end it. Arguments: DIRECTORY...
import { openStorage } from "@kingly/storage";

for (const dir of process.argv.slice(2)) {
  let told;
  try {
    const storage = await openStorage({ dir, expect: undefined });
    const { log, objects } = storage;
    const { term, vote } = log.initialState().hardState;
    const lastIndex = log.lastIndex();
    const applied = objects.meta.appliedIndex;
    told = { term, vote, lastIndex, applied, recovering: log.recovering };
    await storage.close();
  } catch (error) {
    told = { code: error.code ?? "", message: error.message };
  }
  console.log(JSON.stringify({ dir, told }));
}
