/** Live copies of this host, driven: their disks, their metadata files, their sessions with peers. */
@NullMarked
package io.tidemark.live;

import org.jspecify.annotations.NullMarked;
