/** The memory store keeps the contract of stores. @module */
import { MemoryStore } from "../../../server/mod.ts";
import { storeContract } from "../../contract/store_contract.ts";

storeContract("memory store", () => Promise.resolve(new MemoryStore()));
