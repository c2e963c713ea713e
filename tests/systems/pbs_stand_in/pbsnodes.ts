/** The stand-in's `pbsnodes -a`. @module */
import { CPUS, SERVER } from "./server.ts";

console.log(`${SERVER}
     Mom = localhost
     ntype = PBS
     state = free
     pcpus = ${CPUS}`);
