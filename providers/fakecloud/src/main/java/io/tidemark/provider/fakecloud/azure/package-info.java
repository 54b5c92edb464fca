/** Azure's managed disks, snapshots and restore points, and the page blobs that their access signatures open. */
@NullMarked
package io.tidemark.provider.fakecloud.azure;

import org.jspecify.annotations.NullMarked;
