/** Azure managed disks: snapshots, restore points, and the page blobs through which they are read. */
@NullMarked
package io.tidemark.provider.azure;

import org.jspecify.annotations.NullMarked;
