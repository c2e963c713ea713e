/** The producers a job can carry, as commands. @module */
import { fileURLToPath } from "node:url";

/** One way of running a producer. */
export interface ProducerKind {
  /** What it is called in tests' names. */
  name: string;
  /** Program and first arguments. */
  command: string[];
  /** Whether this machine lacks what it takes. */
  ignore: boolean;
}

const file = (name: string) =>
  fileURLToPath(new URL(`../../../../adapters/producers/${name}`, import.meta.url));
const bundle = file("streamrelay-producer.js");
const node = Deno.env.get("STREAMRELAY_TEST_NODE22");

/** Every kind; node's needs STREAMRELAY_TEST_NODE22. */
export const PRODUCER_KINDS: ProducerKind[] = [
  {
    name: "deno",
    command: [Deno.execPath(), "run", "-A", "--quiet", "--no-config", bundle],
    ignore: false,
  },
  { name: "node 22", command: [node ?? "node", bundle], ignore: node === undefined },
  {
    name: "python3",
    command: ["python3", file("producer.py")],
    ignore: !await works(["python3", "--version"]),
  },
  {
    name: "bash + curl",
    command: ["bash", file("producer.sh")],
    ignore: !await works(["curl", "--version"]),
  },
];

async function works([program, ...args]: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null" }).output()).success;
  } catch {
    return false;
  }
}
