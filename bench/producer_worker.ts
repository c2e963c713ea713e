/** The thread of the producers; see `ProducerThread`. @module */
/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
import { clock } from "./clock.ts";
import { openProducer, type ProducerEnd } from "./lane.ts";
import type { MetronomeOrder } from "./metronome.ts";
import type { Pace, ProducerOrder } from "./producer_thread.ts";
import { tokenRecord } from "./token_record.ts";

interface Lane {
  producer: ProducerEnd;
  sent: number;
}

const sets = new Map<number, Lane[]>();
const metronome = new Worker(new URL("./metronome.ts", import.meta.url), { type: "module" });

self.onmessage = async ({ data }: MessageEvent<ProducerOrder>) => {
  if ("open" in data) {
    const opened = data.channels.map((channel) => openProducer(data.open, channel));
    const lanes = (await Promise.all(opened)).map((producer) => ({ producer, sent: 0 }));
    sets.set(data.set, lanes);
    return self.postMessage("open");
  }
  const lanes = sets.get(data.set)!;
  if ("pace" in data) {
    pace(lanes, data.pace);
  } else if ("close" in data) {
    for (const { producer } of lanes) producer.close();
    sets.delete(data.set);
    self.postMessage("close");
  } else {
    const lane = lanes[data.lane];
    for (let left = data.send; left > 0; left--) {
      lane.producer.push(tokenRecord(`token ${1_000_000 + lane.sent++}`));
    }
  }
};

function pace(lanes: Lane[], { rate, total }: Pace): void {
  const { port1, port2 } = new MessageChannel();
  let sent = 0;
  port1.onmessage = ({ data }: MessageEvent<number>) => {
    for (let due = data; due > 0; due--) {
      lanes[sent++ % lanes.length].producer.push(tokenRecord(clock().toFixed(4)));
    }
    if (sent === total) port1.close();
  };
  metronome.postMessage({ rate, total, port: port2 } satisfies MetronomeOrder, [port2]);
}
