/** Where a sqlite store may lie. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mountOf } from "../../../server/store/sqlite/mount_of.ts";
import { unsafeMount } from "../../../server/store/sqlite/unsafe_mount.ts";

const TABLE = `
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,nosuid shared:9 - nfs4 server:/home rw,vers=4.2,hard,local_lock=none,addr=10.0.0.1
31 30 0:41 / /home/ann/my\\040data rw - fuse.sshfs ann@host: rw,user_id=1000
32 22 0:42 / /scratch rw - lustre 10.0.0.2@tcp:/scratch rw,flock,lazystatfs
33 22 0:43 / /fast rw - beegfs beegfs_nodev rw,cfgFile=/etc/beegfs.conf
34 22 0:44 / /home rw - tmpfs tmpfs rw
`;

Deno.test("sqlite mount - the longest mount point wins, the later of two the same", () => {
  assertEquals(mountOf("/var/lib/x", TABLE)?.type, "ext4");
  assertEquals(mountOf("/scratch", TABLE)?.type, "lustre");
  assertEquals(mountOf("/scratchy", TABLE)?.type, "ext4");
  assertEquals(mountOf("/home/ann", TABLE)?.type, "tmpfs");
  assertEquals(mountOf("/home/ann/my data/store", TABLE)?.type, "fuse.sshfs");
  assertEquals(mountOf("/x", ""), undefined);
});

Deno.test("sqlite mount - file systems whose locks hold between hosts will do", () => {
  const safe = (type: string, ...options: string[]) =>
    assertEquals(unsafeMount({ type, options: new Set(options) }), undefined);
  safe("ext4", "rw");
  safe("nfs4", "rw", "local_lock=none");
  safe("nfs", "vers=3", "hard");
  safe("lustre", "flock");
  safe("gpfs");
  safe("ceph");
  safe("cifs", "vers=3.0");
});

Deno.test("sqlite mount - those whose locks don't are named", () => {
  const unsafe = (why: string, type: string, ...options: string[]) =>
    assertStringIncludes(unsafeMount({ type, options: new Set(options) }) ?? "", why);
  unsafe("it lies on nfs, mounted without locks (nolock)", "nfs", "nolock");
  unsafe("(local_lock=all)", "nfs4", "local_lock=all");
  unsafe("this host only", "lustre", "localflock");
  unsafe("this host only", "beegfs");
  unsafe("this host only", "fuse.sshfs");
  unsafe("(nobrl)", "smb3", "nobrl");
});
