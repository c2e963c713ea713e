/** The sqlite store keeps what every store must keep. @module */
import { openSqliteStore } from "../../../server/mod.ts";
import { storeContract } from "../../contract/store_contract.ts";

storeContract("sqlite", async () => {
  const path = await Deno.makeTempDir();
  const store = await openSqliteStore({ path });
  const close = store.close.bind(store);
  store.close = async () => {
    await close();
    await Deno.remove(path, { recursive: true });
  };
  return store;
});
