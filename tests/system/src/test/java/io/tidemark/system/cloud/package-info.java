/** Disks of a cloud, which a fake over loopback is here, and links of theirs through whole sites. */
@NullMarked
package io.tidemark.system.cloud;

import org.jspecify.annotations.NullMarked;
