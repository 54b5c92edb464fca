/** Google's Compute Engine in one process: disks, snapshots, instant snapshots, their groups and replication. */
@NullMarked
package io.tidemark.provider.fakecloud.gce;

import org.jspecify.annotations.NullMarked;
