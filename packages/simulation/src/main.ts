import { runCluster } from "./cluster/run.ts";
for (let seed=Number(process.argv[2]); seed<Number(process.argv[3]); seed++){
const t=performance.now();
const r=await runCluster({seed,servers:0,seconds:20,machine:"register",bug:process.argv[4] as never});
const ms=performance.now()-t;
console.log(seed, JSON.stringify(r.counts), r.scenario.servers, r.violation===undefined?"ok":r.violation.property+": "+r.violation.message, Math.round(r.counts.virtualSeconds/ms*1000)+" vs/s");
}
