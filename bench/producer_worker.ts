/** The thread of the producers; see `ProducerThread`. @module */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { openProducer, type ProducerEnd } from "./lane.ts";
import type { ProducerOrder } from "./producer_thread.ts";
import { tokenRecord } from "./token_record.ts";

let lanes: { producer: ProducerEnd; sent: number }[] = [];

self.onmessage = async ({ data }: MessageEvent<ProducerOrder>) => {
  if ("open" in data) {
    const opened = data.channels.map((channel) => openProducer(data.open, channel));
    lanes = (await Promise.all(opened)).map((producer) => ({ producer, sent: 0 }));
    self.postMessage("open");
  } else if ("close" in data) {
    for (const { producer } of lanes) producer.close();
    lanes = [];
    self.postMessage("close");
  } else {
    const lane = lanes[data.lane];
    for (let left = data.send; left > 0; left--) {
      lane.producer.push(tokenRecord(`token ${1_000_000 + lane.sent++}`));
    }
  }
};
